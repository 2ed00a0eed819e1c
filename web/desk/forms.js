// The forms behind the actions that need a word more: transfer, park, discard.
import { html, useState } from '../core/html.js';
import { dayAt, statusName } from '../core/format.js';
import { myId, staff, workgroups } from '../state/store.js';
import { ACTIONS, FORMS } from '../texts/en.js';
import { command } from './commands.js';
import { FormButtons, closeDialog } from './dialog.js';

function submitter(conversation, name, what, bodyOf) {
  return async (event) => {
    event.preventDefault();
    closeDialog();
    await command(conversation.id, name, { body: bodyOf(), what });
  };
}

// A workgroup is offered first: naming an agent is the exception.
function targetsFor(conversation) {
  const groups = workgroups.all()
    .filter((group) => group.id !== conversation.workgroup_id || conversation.state === 'connected' || conversation.state === 'held')
    .map((group) => ({ key: `w:${group.id}`, name: group.name, about: group.id === conversation.workgroup_id ? FORMS.backToQueue : FORMS.workgroup, body: { workgroup_id: group.id } }));
  const people = staff.value
    .filter((agent) => agent.id !== myId.value && agent.id !== conversation.agent_id)
    .sort((a, b) => (a.routing_status === 'on_queue' ? 0 : 1) - (b.routing_status === 'on_queue' ? 0 : 1))
    .map((agent) => ({
      key: `a:${agent.id}`, name: agent.name || agent.username || agent.id, body: { agent_id: agent.id },
      about: FORMS.load(statusName(agent.routing_status), agent.utilization_percent ?? 0),
    }));
  return [...groups, ...people];
}

export function TransferForm({ conversation }) {
  const [search, setSearch] = useState('');
  const [chosen, setChosen] = useState(null);
  const [comment, setComment] = useState('');
  const targets = targetsFor(conversation).filter(({ name }) => name.toLowerCase().includes(search.toLowerCase())).slice(0, 50);
  // Typed down to one, it is chosen.
  const target = targets.find(({ key }) => key === chosen) ?? (search && targets.length === 1 ? targets[0] : null);
  const submit = submitter(conversation, 'transfer', ACTIONS.transfer, () => ({ ...target.body, ...(comment ? { comment } : {}) }));
  return html`
    <form onSubmit=${submit}>
      <label class="field">${FORMS.to} <input type="search" data-first placeholder=${FORMS.target} value=${search}
        onInput=${(event) => setSearch(event.currentTarget.value)} /></label>
      <fieldset class="choices"><legend class="unseen">${FORMS.transferTo}</legend>
        ${targets.length === 0 && html`<p class="hint">${FORMS.nobody}</p>`}
        ${targets.map(({ key, name, about }) => html`
          <label key=${key} class="choice"><input type="radio" name="target" checked=${target?.key === key} onChange=${() => setChosen(key)} />
            <bdi>${name}</bdi><span class="hint">${about}</span></label>`)}
      </fieldset>
      <label class="field">${FORMS.comment} <input value=${comment} onInput=${(event) => setComment(event.currentTarget.value)} /></label>
      <p class="hint">${FORMS.transferHint}</p>
      <${FormButtons} submit=${ACTIONS.transfer} disabled=${!target} />
    </form>`;
}

const HOUR_MS = 3_600_000;

const tomorrowMorning = () => dayAt({ hour: 9, days: 1 });

const PARK_CHOICES = [
  [FORMS.untilBack, () => null],
  [FORMS.hours(1), () => Date.now() + HOUR_MS],
  [FORMS.hours(4), () => Date.now() + 4 * HOUR_MS],
  [FORMS.tomorrow, tomorrowMorning],
];

export function ParkForm({ conversation }) {
  const [index, setIndex] = useState(0);
  const [reason, setReason] = useState('');
  const submit = submitter(conversation, 'park', ACTIONS.park, () => {
    const until = PARK_CHOICES[index][1]();
    return { ...(until ? { until: new Date(until).toISOString() } : {}), ...(reason ? { reason } : {}) };
  });
  return html`
    <form onSubmit=${submit}>
      <fieldset class="choices"><legend class="unseen">${FORMS.howLong}</legend>
        ${PARK_CHOICES.map(([label], at) => html`
          <label key=${label} class="choice"><input type="radio" name="until" data-first=${at === 0} checked=${index === at}
            onChange=${() => setIndex(at)} />${label}</label>`)}
      </fieldset>
      <label class="field">${FORMS.why} <input placeholder=${FORMS.whyLike} value=${reason} onInput=${(event) => setReason(event.currentTarget.value)} /></label>
      <p class="hint">${FORMS.parkHint}</p>
      <${FormButtons} submit=${ACTIONS.park} />
    </form>`;
}

function ReasonForm({ conversation, name, what, presets, hint, kind = 'primary' }) {
  const [reason, setReason] = useState('');
  const submit = submitter(conversation, name, what, () => ({ reason }));
  return html`
    <form onSubmit=${submit}>
      <label class="field">${FORMS.reason} <input data-first required value=${reason} onInput=${(event) => setReason(event.currentTarget.value)} /></label>
      <div class="presets">
        ${presets.map((preset) => html`<button type="button" class="small" key=${preset} onClick=${() => setReason(preset)}>${preset}</button>`)}
      </div>
      <p class="hint">${hint}</p>
      <${FormButtons} submit=${what} kind=${kind} disabled=${!reason.trim()} />
    </form>`;
}

export const DiscardForm = ({ conversation }) => html`
  <${ReasonForm} conversation=${conversation} name="discard" what=${ACTIONS.discard} kind="end"
    presets=${FORMS.discardReasons}
    hint=${FORMS.discardHint} />`;
