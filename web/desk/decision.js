// Why a conversation went to whom it went: a sentence first, then the table of candidates.
import { getAll } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { clockTime, plural, roughSpan, spaced, toMs } from '../core/format.js';
import { agentName, myId } from '../state/store.js';

const FILTERS = {
  disabled: 'were disabled', not_on_queue: 'were not on queue', not_present: 'were away', not_licensed: 'had no licence',
  not_a_member: 'were of another workgroup', missing_skill: 'lacked a skill', passed_over: 'had just declined',
  maximum_count: 'had their maximum', capacity: 'were busy', no_right: 'had no right to it', further_back: 'stood further back',
};

const momentMs = (value) => (typeof value === 'number' ? value : toMs(value));
const idleWords = (value, at) => (Number.isFinite(momentMs(value)) ? roughSpan(toMs(at) - momentMs(value)) : '–');

/** What the rules compare agents by: how it is called, shown, and said of whoever it decided for. */
const CRITERIA = {
  not_preferred: { title: 'preferred', shown: (value) => (value ? 'no' : 'yes'), said: () => 'was the customer’s agent before' },
  lacking_skill: { title: 'skill', shown: (value) => String(Math.abs(value)), said: () => 'had the best skills for it' },
  load_percent: { title: 'load', shown: (value) => `${value} %`, said: (value) => `had the lowest load (${value} %)` },
  offered_at: { title: 'last offered', shown: idleWords, said: () => 'had waited longest for an offer' },
  distance_km: { title: 'distance', shown: (value) => `${value} km`, said: (value) => `was the nearest (${value} km)` },
  idle_since: { title: 'idle', shown: idleWords, said: (value, at) => `was idle longest (${idleWords(value, at)})` },
};
const criterion = (name) => CRITERIA[name] ?? { title: spaced(name), shown: (value) => String(value), said: () => `came first by ${spaced(name)}` };
const entriesOf = (order) => Object.entries(order ?? {});

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
  return name ? criterion(name).said(value, decision.at) : 'came first among equals';
}

function rulesSentence(decision) {
  const fired = decision.rules?.fired ?? [];
  return fired.length ? `Routing rules applied: ${listed(fired)}.` : 'No routing rule applied.';
}

export function decisionSentence(decision) {
  if (decision.kind === 'rules') return rulesSentence(decision);
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
    <table class="candidates"><thead><tr><th scope="col">agent</th>${names.map((name) => html`<th scope="col" key=${name}>${criterion(name).title}</th>`)}</tr></thead>
      <tbody>${rows.map((row, index) => html`<tr key=${row.agent_id} class=${index === 0 && decision.agent_id ? 'chosen' : ''}><th scope="row"><bdi>${agentName(row.agent_id)}</bdi></th>
        ${entriesOf(row.order).map(([name, value]) => html`<td key=${name}>${criterion(name).shown(value, decision.at)}</td>`)}</tr>`)}</tbody></table>`;
}

/** The newest decision in full, the earlier ones as sentences. */
export function Why({ conversation }) {
  const [decisions, setDecisions] = useState(null);
  const moment = `${conversation.id}:${conversation.offer?.id ?? ''}:${conversation.agent_id ?? ''}:${conversation.state === 'queued'}`;
  useEffect(() => {
    let isCurrent = true;
    const take = (answer) => isCurrent && setDecisions(answer);
    getAll(`/conversations/${encodeURIComponent(conversation.id)}/decisions`, { pages: 2 }).then(take, () => take([]));
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
