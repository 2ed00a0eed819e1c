// Changes an agent's status for them: what it does stands beside each choice, and going off asks why.
import { put } from '../core/api.js';
import { now, serverNow } from '../core/clock.js';
import { html, useState } from '../core/html.js';
import { span, statusName, toMs } from '../core/format.js';
import { sayProblem } from '../desk/commands.js';
import { FormButtons, closeDialog } from '../desk/dialog.js';
import { agents } from '../state/store.js';
import { STAFF } from '../texts/en_floor.js';

const MINUTES = [15, 30, 60, 120];
const MINUTE_MS = 60_000;

function bodyOf(choice, { reason, minutes }) {
  if (choice === 'sign_off') return { sign_off_at: new Date(serverNow() + minutes * MINUTE_MS).toISOString() };
  if (choice === 'no_sign_off') return { sign_off_at: null };
  return { routing_status: choice, ...(choice === 'on_queue' || !reason ? {} : { reason }) };
}

async function send(agentId, body) {
  try {
    agents.put(await put(`/agents/${encodeURIComponent(agentId)}/status`, body));
  } catch (problem) {
    sayProblem(problem, { what: STAFF.what, retry: () => send(agentId, body) });
  }
}

function choicesFor(agent) {
  const isPlanned = agent.sign_off_at && toMs(agent.sign_off_at) > now.value;
  const isOn = agent.routing_status !== 'off_queue';
  return Object.keys(STAFF.choices).filter((choice) => choice !== agent.routing_status
    && ({ draining: isOn, sign_off: isOn, no_sign_off: isPlanned }[choice] ?? true));
}

function Choice({ choice, isChosen, isFirst, onChoose }) {
  const { label, says } = STAFF.choices[choice];
  return html`<label class="choice tall"><input type="radio" name="status" data-first=${isFirst} checked=${isChosen} onChange=${onChoose} />
    <span><b>${label}</b><br /><span class="about">${says}</span></span></label>`;
}

export function StatusForm({ agentId }) {
  const agent = agents.get(agentId);
  const choices = choicesFor(agent);
  const [picked, setPicked] = useState(choices[0]);
  const [reason, setReason] = useState('');
  const [minutes, setMinutes] = useState(MINUTES[1]);
  const choice = choices.includes(picked) ? picked : choices[0];
  const submit = (event) => {
    event.preventDefault();
    closeDialog();
    send(agentId, bodyOf(choice, { reason: reason.trim(), minutes }));
  };
  return html`
    <form onSubmit=${submit}>
      <p class="hint">${STAFF.now(statusName(agent.routing_status), span(now.value - toMs(agent.since)))}</p>
      <fieldset class="choices"><legend class="unseen">${STAFF.what}</legend>
        ${choices.map((one, index) => html`<${Choice} key=${one} choice=${one} isFirst=${index === 0} isChosen=${one === choice} onChoose=${() => setPicked(one)} />`)}</fieldset>
      ${choice === 'off_queue' && html`<label class="field">${STAFF.reason} <input maxlength="200" value=${reason} onInput=${(event) => setReason(event.currentTarget.value)} /></label>
        <div class="presets">${STAFF.reasons.map((one) => html`<button type="button" class="small" key=${one} onClick=${() => setReason(one)}>${one}</button>`)}</div>`}
      ${choice === 'sign_off' && html`<label class="field">${STAFF.at} <select value=${minutes} onChange=${(event) => setMinutes(Number(event.currentTarget.value))}>
        ${MINUTES.map((count) => html`<option key=${count} value=${count} selected=${count === minutes}>${STAFF.minutes(count)}</option>`)}</select></label>`}
      <${FormButtons} submit=${STAFF.submit} />
    </form>`;
}
