// How each workgroup's queue stands, and who waits in one, in order, with what is to be expected.
import { get } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { clockTime, customerName, roughSpan, span, toMs } from '../core/format.js';
import { now } from '../core/clock.js';
import { openConversation } from '../desk/route.js';
import { openConversations, staff, workgroups } from '../state/store.js';
import { FLOOR, QUEUES } from '../texts/en_floor.js';
import { change, wish } from './view.js';

const READ_EVERY_MS = 10_000;
const MOST_PLACES = 15;
const MS_PER_S = 1000;
const NUMBERS = ['waiting', 'alerting', 'longest', 'estimate', 'onQueue'];

function useRepeatedly(read, deps) {
  useEffect(() => {
    let isCurrent = true;
    const ask = () => read(() => isCurrent);
    ask();
    const timer = setInterval(ask, READ_EVERY_MS);
    return () => {
      isCurrent = false;
      clearInterval(timer);
    };
  }, deps);
}

function Level({ queue }) {
  const counted = Object.entries(queue.service_level ?? {}).filter(([, level]) => level.reached_percent !== null || level.waiting_late > 0);
  if (!counted.length) return html`<span class="hint">${QUEUES.nothing}</span>`;
  return counted.map(([kind, level]) => html`<span key=${kind} class="level-of">
    ${level.reached_percent !== null && html`<span class=${level.reached_percent < level.percent ? 'missed' : ''}>${FLOOR.kinds[kind] ?? kind}: ${QUEUES.reached(Math.round(level.reached_percent), level.percent)}</span>`}
    ${level.waiting_late > 0 && html` <b class="late">${QUEUES.late(level.waiting_late)}</b>`}</span>`);
}

function Row({ group, queue }) {
  const isShown = wish('queue') === group.id;
  const onQueue = staff.value.filter((agent) => agent.routing_status === 'on_queue' && (agent.workgroups ?? []).some((one) => (one.id ?? one) === group.id)).length;
  const seconds = (value) => (value === null || value === undefined ? '–' : span(value * MS_PER_S));
  return html`
    <tr aria-selected=${isShown}><td class="c-workgroup"><button type="button" class="link" aria-expanded=${isShown} title=${QUEUES.show(group.name)} onClick=${() => change({ queue: isShown ? '' : group.id })}><bdi>${group.name}</bdi></button>
        ${queue && !queue.is_open && html` <span class="hint">${QUEUES.closed}${queue.next_change_at ? `, ${QUEUES.opens(clockTime(queue.next_change_at))}` : ''}</span>`}</td>
      ${queue?.problem ? html`<td colspan="6" class="hint">${QUEUES.failed}</td>` : html`
        <td class="number">${queue?.waiting ?? ''}</td><td class="c-alerting number">${queue?.alerting ?? ''}</td><td class="number">${queue ? seconds(queue.longest_waiting_s) : ''}</td>
        <td class="c-estimate number">${queue && (queue.estimated_wait_s === null ? html`<span class="hint">${QUEUES.unknown}</span>` : seconds(queue.estimated_wait_s))}</td>
        <td class="c-onQueue number">${onQueue}</td><td class="c-level">${queue && html`<${Level} queue=${queue} />`}</td>`}</tr>`;
}

async function readPlace(conversation) {
  const place = await get(`/conversations/${encodeURIComponent(conversation.id)}/queue`).catch(() => ({}));
  return { conversation, position: place.queue_position ?? null, estimate_s: place.estimated_wait_s ?? null };
}

const skillsOf = (conversation) => (conversation.required_skills ?? []).map(({ skill }) => skill).join(', ');

function Places({ group }) {
  const [places, setPlaces] = useState([]);
  const waiting = openConversations.value
    .filter((conversation) => conversation.workgroup_id === group.id && ['queued', 'alerting'].includes(conversation.state))
    .sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0) || toMs(a.queued_at) - toMs(b.queued_at));
  const first = waiting.slice(0, MOST_PLACES);
  useRepeatedly(async (isCurrent) => {
    const read = await Promise.all(first.map(readPlace));
    if (isCurrent()) setPlaces(read);
  }, [first.map(({ id, state }) => `${id}:${state}`).join()]);
  const known = new Map(places.map((place) => [place.conversation.id, place]));
  const rows = first.map((conversation) => ({ conversation, ...known.get(conversation.id) }))
    .sort((a, b) => (a.position ?? Infinity) - (b.position ?? Infinity));
  return html`
    <section class="places-of" tabindex="0" aria-label=${QUEUES.places(group.name)}><h2>${QUEUES.places(group.name)}</h2>
      ${rows.length === 0 && html`<p class="hint">${QUEUES.nobody}</p>`}
      <ol>${rows.map(({ conversation, position, estimate_s: estimate }) => html`
        <li key=${conversation.id}><span class="number">${position ? QUEUES.place(position) : ''}</span>
          <button type="button" class="link" onClick=${() => openConversation(conversation.id)}><bdi>${customerName(conversation.customer)}</bdi></button>
          <span>${conversation.state === 'alerting' ? QUEUES.alertingNow : html`${QUEUES.waited} ${span(now.value - toMs(conversation.queued_at))}`}</span>
          ${estimate !== null && estimate !== undefined && html`<span class="hint">${QUEUES.expected(roughSpan(estimate * MS_PER_S))}</span>`}
          ${skillsOf(conversation) && html`<span class="hint">${QUEUES.needs(skillsOf(conversation))}</span>`}</li>`)}</ol>
      ${waiting.length > first.length && html`<p class="hint">${QUEUES.more(waiting.length - first.length)}</p>`}
    </section>`;
}

export function Queues() {
  const [queues, setQueues] = useState(new Map());
  const groups = workgroups.all();
  useRepeatedly(async (isCurrent) => {
    const read = await Promise.all(groups.map(({ id }) => get(`/workgroups/${encodeURIComponent(id)}/queue`).catch((problem) => ({ problem }))));
    if (isCurrent()) setQueues(new Map(groups.map(({ id }, index) => [id, read[index]])));
  }, [groups.map(({ id }) => id).join()]);
  const shown = groups.find(({ id }) => id === wish('queue'));
  const weight = ({ id }) => -(queues.get(id)?.waiting ?? 0);
  const order = ['workgroup', 'waiting', 'alerting', 'longest', 'estimate', 'onQueue', 'level'];
  return html`
    <div class="queues ${shown ? 'split' : ''}"><div class="table-frame" tabindex="0" role="region" aria-label=${QUEUES.title}>
      <table><thead><tr>${order.map((name) => html`<th scope="col" key=${name} class="c-${name} ${NUMBERS.includes(name) ? 'number' : ''}">${QUEUES.columns[name]}</th>`)}</tr></thead>
        <tbody>${groups.toSorted((a, b) => weight(a) - weight(b) || String(a.name).localeCompare(String(b.name))).map((group) => html`<${Row} key=${group.id} group=${group} queue=${queues.get(group.id)} />`)}</tbody></table>
      ${groups.length === 0 && html`<p class="empty">${QUEUES.none}</p>`}</div>
      ${shown && html`<${Places} key=${shown.id} group=${shown} />`}</div>`;
}
