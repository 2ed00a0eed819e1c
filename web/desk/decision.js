// Why a conversation went to whom it went: a sentence first, then the table of candidates.
import { get } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { clockTime, plural, roughSpan, spaced } from '../core/format.js';
import { agentName, myId } from '../state/store.js';

const FILTERS = {
  not_logged_in: 'were away', not_on_queue: 'were not on queue', off_queue: 'were off queue', not_licensed: 'had no licence', no_licence: 'had no licence',
  not_member: 'were of another workgroup', missing_skill: 'lacked a skill', skills: 'lacked a skill', skill: 'lacked a skill',
  at_capacity: 'were busy', capacity: 'were busy', passed_over: 'had just declined', not_responding: 'did not respond', no_right: 'lacked the right', draining: 'were draining',
  maximum: 'had their maximum',
};
const CRITERIA = [
  [/prefer/, () => 'was the customer’s agent before'],
  [/skill/, () => 'had the best skills for it'],
  [/utili|load/, (value) => `had the lowest load${typeof value === 'number' ? ` (${value} %)` : ''}`],
  [/idle/, (value, name) => `was idle longest${idleSpan(name, value)}`],
];

const entriesOf = (order) => (Array.isArray(order) ? order.map((value, index) => [String(index + 1), value]) : Object.entries(order ?? {}));

function idleSpan(name, value) {
  if (typeof value !== 'number' || !/_(ms|s)$/.test(name)) return '';
  return ` (${roughSpan(name.endsWith('_ms') ? value : value * 1000)})`;
}

function shownValue(name, value) {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return typeof value === 'string' ? value : JSON.stringify(value);
  if (name.endsWith('_percent') || /utili/.test(name)) return `${value} %`;
  if (name.endsWith('_ms')) return roughSpan(value);
  return name.endsWith('_s') ? roughSpan(value * 1000) : String(value);
}

const listed = (parts) => (parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`);

function filterWords(filtered) {
  return listed(Object.entries(filtered ?? {}).filter(([, n]) => n > 0).sort(([, a], [, b]) => b - a).map(([reason, n]) => {
    const words = FILTERS[reason] ?? `were out by ${spaced(reason)}`;
    return `${n} ${n === 1 ? words.replace(/^were /, 'was ').replace(/^had /, 'had ') : words}`;
  }));
}

/** The first criterion in which the chosen one differs from the runner-up is the one that decided. */
function deciding(decision) {
  const runnerUp = decision.runners_up?.[0];
  if (!runnerUp) return 'was the only one free';
  const theirs = new Map(entriesOf(runnerUp.order));
  const [name, value] = entriesOf(decision.chosen?.order).find(([key, mine]) => JSON.stringify(theirs.get(key)) !== JSON.stringify(mine)) ?? [];
  if (!name) return 'came first among equals';
  return CRITERIA.find(([pattern]) => pattern.test(name))?.[1](value, name) ?? `came first by ${spaced(name)}`;
}

export function decisionSentence(decision) {
  const out = Object.values(decision.filtered ?? {}).reduce((sum, n) => sum + n, 0);
  const total = Math.max(decision.candidates ?? 0, (decision.runners_up?.length ?? 0) + (decision.agent_id ? 1 : 0) + out);
  const words = filterWords(decision.filtered);
  const rest = words ? `of ${plural(total, 'agent')} ${words}` : `${plural(total, 'agent')} could take it`;
  if (!decision.agent_id) return `Nobody yet: ${rest}.`;
  const isMe = decision.agent_id === myId.value;
  return `Went to ${agentName(decision.agent_id)}: ${rest}; ${isMe ? `you ${deciding(decision).replace(/^was /, 'were ')}` : `${agentName(decision.agent_id)} ${deciding(decision)}`}.`;
}

function Candidates({ decision }) {
  const rows = [decision.chosen, ...(decision.runners_up ?? [])].filter(Boolean);
  if (!rows.length) return null;
  const names = entriesOf(rows[0].order).map(([name]) => name);
  return html`
    <table class="candidates"><thead><tr><th scope="col">agent</th>${names.map((name) => html`<th scope="col" key=${name}>${spaced(name.replace(/_(percent|ms|s)$/, ''))}</th>`)}</tr></thead>
      <tbody>${rows.map((row, index) => html`<tr key=${row.agent_id} class=${index === 0 && decision.agent_id ? 'chosen' : ''}><th scope="row"><bdi>${agentName(row.agent_id)}</bdi></th>
        ${entriesOf(row.order).map(([name, value]) => html`<td key=${name}>${shownValue(name, value)}</td>`)}</tr>`)}</tbody></table>`;
}

/** The newest decision in full, the earlier ones as sentences. */
export function Why({ conversation }) {
  const [decisions, setDecisions] = useState(null);
  const moment = `${conversation.id}:${conversation.offer?.id ?? ''}:${conversation.agent_id ?? ''}:${conversation.state === 'queued'}`;
  useEffect(() => {
    let isCurrent = true;
    const take = (answer) => isCurrent && setDecisions(answer);
    get(`/conversations/${encodeURIComponent(conversation.id)}/decisions?limit=20`).then((answer) => take(answer.items ?? []), () => take([]));
    return () => { isCurrent = false; };
  }, [moment]);
  const [latest, ...earlier] = [...(decisions ?? [])].sort((a, b) => String(b.at).localeCompare(String(a.at)));
  return html`
    <section class="why"><h2>${latest?.agent_id && latest.agent_id === myId.value ? 'Why you' : 'Why'}</h2>
      ${!latest && html`<p class="hint">${decisions ? conversation.agent_id ? 'Nobody chose: it was picked up or placed by hand.' : 'It was not offered yet.' : '…'}</p>`}
      ${latest && html`<p>${decisionSentence(latest)}</p>
        <details><summary>The candidates</summary><${Candidates} decision=${latest} />
          <p class="hint">policy ${latest.policy_version ?? '–'}, decided ${clockTime(latest.at)}</p>
          ${earlier.map((decision) => html`<p key=${decision.id} class="hint">${clockTime(decision.at)} ${decisionSentence(decision)}</p>`)}</details>`}
    </section>`;
}
