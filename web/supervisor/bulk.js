// One action on one or several conversations: it says what it will do, asks for a reason, and tells what became of each.
import { html, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { customerName, stateName } from '../core/format.js';
import { closeDialog, openDialog } from '../desk/dialog.js';
import { BULK } from '../texts/en_floor.js';
import { carryOut } from './carry_out.js';
import { readable } from './refusals.js';
import { Target } from './target.js';
import { chosen, chooseNone } from './selection.js';

const OWNED = ['connected', 'held', 'parked'];
const MAY = {
  reassign: ({ state }) => ['queued', 'alerting', ...OWNED].includes(state),
  release: ({ state }) => OWNED.includes(state),
  disconnect: ({ state }) => ['connected', 'held'].includes(state),
  discard: ({ state }) => ['queued', 'alerting', ...OWNED].includes(state),
};
const COMMANDS = { reassign: 'transfer', release: 'release', disconnect: 'disconnect', discard: 'discard' };
const TAKES_REASON = ['release', 'discard'];
const NAMED_LEFT_OUT = 4;

/** Asks first, also for one: whatever a supervisor does here is done to somebody else's work. */
export function askFor(name, conversations) {
  openDialog({ title: BULK.actions[name].title, body: Form, props: { name, conversations }, kind: conversations.length > 1 || name === 'reassign' ? 'wide' : '' });
}

function LeftOut({ conversations }) {
  if (!conversations.length) return null;
  const named = conversations.slice(0, NAMED_LEFT_OUT);
  return html`<ul class="left-out">${named.map((conversation) => html`
      <li key=${conversation.id}><${Icon} name="cross" /><bdi>${BULK.leftOut(customerName(conversation.customer), stateName(conversation.state))}</bdi></li>`)}
    ${conversations.length > named.length && html`<li>${BULK.moreLeftOut(conversations.length - named.length)}</li>`}</ul>`;
}

function Reason({ presets, reason, setReason }) {
  return html`
    <label class="field">${BULK.reason} <input data-first required value=${reason} onInput=${(event) => setReason(event.currentTarget.value)} /></label>
    <div class="presets">${presets.map((preset) => html`<button type="button" class="small" key=${preset} onClick=${() => setReason(preset)}>${preset}</button>`)}</div>`;
}

function Form({ name, conversations }) {
  const [reason, setReason] = useState('');
  const [target, setTarget] = useState(null);
  const [progress, setProgress] = useState(null);
  const able = conversations.filter(MAY[name]);
  if (progress) return html`<${Report} progress=${progress} all=${able.length} />`;
  const takesReason = TAKES_REASON.includes(name);
  const isReady = able.length > 0 && (name === 'reassign' ? target : !takesReason || reason.trim());
  const submit = (event) => {
    event.preventDefault();
    const body = name === 'reassign' ? target : takesReason ? { reason: reason.trim() } : {};
    setProgress([]);
    carryOut(able, { command: COMMANDS[name], body, onProgress: setProgress });
  };
  const { says, submit: label } = BULK.actions[name];
  return html`
    <form onSubmit=${submit}>
      <p><b><bdi>${able.length === 1 ? customerName(able[0].customer) : BULK.several(able.length)}</bdi></b></p><p>${able.length ? says : BULK.nothing}</p>
      <${LeftOut} conversations=${conversations.filter((conversation) => !able.includes(conversation))} />
      ${takesReason && html`<${Reason} presets=${BULK.presets[name]} reason=${reason} setReason=${setReason} />`}
      ${name === 'reassign' && html`<${Target} conversations=${able} onTarget=${setTarget} />`}
      <div class="buttons"><button type="button" onClick=${closeDialog}>${BULK.cancel}</button>
        <button type="submit" class=${name === 'disconnect' || name === 'discard' ? 'end' : 'primary'} data-first=${!takesReason && name !== 'reassign'} disabled=${!isReady}>${label}</button></div>
    </form>`;
}

/** What was refused stands on top, with why. */
function Report({ progress, all }) {
  const done = progress.filter(({ problem }) => !problem).length;
  const isOver = progress.length === all;
  const rows = progress.toSorted((a, b) => Boolean(b.problem) - Boolean(a.problem));
  return html`
    <div><p role="status">${isOver ? BULK.done(done, all) : BULK.running(progress.length, all)}</p>
      <ul class="report" tabindex="0" aria-label=${BULK.report}>${rows.map(({ conversation, problem, state }) => html`
        <li key=${conversation.id} class=${problem ? 'refused' : 'done'}><${Icon} name=${problem ? 'cross' : 'tick'} />
          <bdi class="who">${customerName(conversation.customer)}</bdi>
          <span>${problem ? html`<b>${problem.status ? BULK.refused : BULK.unreachable}</b> <span dir="auto">${readable(problem)}</span>` : html`${BULK.isDone}, <span class="hint">${stateName(state)}</span>`}</span></li>`)}</ul>
      <div class="buttons"><button type="button" class="primary" onClick=${closeDialog}>${BULK.close}</button></div></div>`;
}

export function BulkBar({ shown }) {
  const conversations = chosen.value;
  if (!conversations.length) return null;
  const ids = new Set(shown.map(({ id }) => id));
  const hidden = conversations.filter(({ id }) => !ids.has(id)).length;
  return html`
    <div class="bulk" role="toolbar" aria-label=${BULK.bar}>
      <b role="status">${BULK.chosen(conversations.length)}</b>${hidden > 0 && html`<span class="hint">${BULK.hidden(hidden)}</span>`}
      ${Object.keys(BULK.actions).map((name) => html`<button type="button" key=${name} class="small ${name === 'disconnect' ? 'end' : ''}" onClick=${() => askFor(name, chosen.value)}>${BULK.actions[name].label}…</button>`)}
      <button type="button" class="quiet small" onClick=${chooseNone}>${BULK.none}</button>
    </div>`;
}
