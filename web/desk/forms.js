// The forms behind the actions that need a word more: transfer, consult, park, discard.
import { html, useState } from '../core/html.js';
import { preferences } from '../core/settings.js';
import { dayAt, wallClock, wallMoment } from '../core/format.js';
import { myId, workgroups } from '../state/store.js';
import { ACTIONS, FORMS } from '../texts/en.js';
import { command } from './commands.js';
import { FormButtons, closeDialog } from './dialog.js';
import { TargetField, agentChoices, remember, useTarget } from './target_field.js';

function submitter(conversation, name, what, bodyOf) {
  return async (event) => {
    event.preventDefault();
    closeDialog();
    await command(conversation.id, name, { body: bodyOf(), what });
  };
}

// A workgroup is offered first: naming an agent is the exception.
function targetsFor(conversation) {
  const isWithSomebody = conversation.state === 'connected' || conversation.state === 'held';
  const groups = workgroups.all()
    .filter((group) => group.id !== conversation.workgroup_id || isWithSomebody)
    .map((group) => ({ key: `w:${group.id}`, name: group.name, about: group.id === conversation.workgroup_id ? FORMS.backToQueue : FORMS.workgroup, body: { workgroup_id: group.id } }));
  return [...groups, ...agentChoices({ without: [myId.value, conversation.agent_id] })];
}

const Comment = ({ comment, setComment }) => html`
  <label class="field">${FORMS.comment} <input maxlength="2000" value=${comment} onInput=${(event) => setComment(event.currentTarget.value)} /></label>`;

export function TransferForm({ conversation }) {
  const picked = useTarget(targetsFor(conversation));
  const [comment, setComment] = useState('');
  const { target } = picked;
  const submit = submitter(conversation, 'transfer', ACTIONS.transfer, () => {
    remember(target.key);
    return { ...target.body, ...(comment ? { comment } : {}) };
  });
  const isAgent = Boolean(target?.body.agent_id);
  return html`
    <form onSubmit=${submit}>
      <${TargetField} picked=${picked} label=${FORMS.to} placeholder=${FORMS.target} legend=${FORMS.transferTo} />
      <${Comment} comment=${comment} setComment=${setComment} />
      <p class="hint">${isAgent ? FORMS.transferAgentHint : FORMS.transferHint}</p>
      <${FormButtons} submit=${ACTIONS.transfer} disabled=${!target} />
    </form>`;
}

const cannotBeAsked = (agent) => (agent.routing_status === 'on_queue' ? '' : FORMS.notThere);

export function ConsultForm({ conversation }) {
  const picked = useTarget(agentChoices({ without: [myId.value, conversation.agent_id], whyNot: cannotBeAsked }));
  const [comment, setComment] = useState('');
  const { target } = picked;
  const submit = submitter(conversation, 'consult', ACTIONS.consult, () => {
    remember(target.key);
    return { ...target.body, ...(comment ? { comment } : {}) };
  });
  return html`
    <form onSubmit=${submit}>
      <${TargetField} picked=${picked} label=${FORMS.whom} placeholder=${FORMS.agent} legend=${FORMS.whom} />
      <label class="field">${FORMS.question} <input maxlength="2000" value=${comment} onInput=${(event) => setComment(event.currentTarget.value)} /></label>
      <p class="hint">${FORMS.consultHint}</p>
      <${FormButtons} submit=${ACTIONS.consult} disabled=${!target} />
    </form>`;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MONDAY = 1;

function nextMonday() {
  const tomorrow = dayAt({ hour: 9, days: 1 });
  const weekday = new Date(`${wallClock(tomorrow)}Z`).getUTCDay();
  return dayAt({ hour: 9, days: 1 + ((MONDAY - weekday + 7) % 7) });
}

const PARK_CHOICES = [
  { label: FORMS.untilBack, until: () => null },
  { label: FORMS.hours(1), until: () => Date.now() + HOUR_MS },
  { label: FORMS.hours(4), until: () => Date.now() + 4 * HOUR_MS },
  { label: FORMS.tomorrow, until: () => dayAt({ hour: 9, days: 1 }) },
  { label: FORMS.monday, until: nextMonday },
  { label: FORMS.untilThen, isMoment: true },
];

export function ParkForm({ conversation }) {
  const [index, setIndex] = useState(0);
  const [wall, setWall] = useState(() => wallClock(Date.now() + DAY_MS));
  const [reason, setReason] = useState('');
  const { isMoment, until: untilOf } = PARK_CHOICES[index];
  const until = isMoment ? wallMoment(wall) : untilOf();
  const isPast = isMoment && !(until > Date.now());
  const submit = submitter(conversation, 'park', ACTIONS.park, () => (
    { ...(until ? { until: new Date(until).toISOString() } : {}), ...(reason ? { reason } : {}) }));
  return html`
    <form onSubmit=${submit}>
      <fieldset class="choices"><legend class="unseen">${FORMS.howLong}</legend>
        ${PARK_CHOICES.map(({ label }, at) => html`
          <label key=${label} class="choice"><input type="radio" name="until" data-first=${at === 0} checked=${index === at}
            onChange=${() => setIndex(at)} />${label}</label>`)}
      </fieldset>
      ${isMoment && html`
        <label class="field">${FORMS.moment(preferences.value.timeZone)} <input type="datetime-local" required value=${wall} min=${wallClock(Date.now())} onInput=${(event) => setWall(event.currentTarget.value)} /></label>
        <p class="problem" role="alert">${isPast ? FORMS.isPast : ''}</p>`}
      <label class="field">${FORMS.why} <input placeholder=${FORMS.whyLike} value=${reason} onInput=${(event) => setReason(event.currentTarget.value)} /></label>
      <p class="hint">${until === null ? FORMS.parkHint : FORMS.parkUntilHint}</p>
      <${FormButtons} submit=${ACTIONS.park} disabled=${isPast} />
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
