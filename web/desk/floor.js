// The supervisor's view: every open conversation in one table, every agent in one row, filters in the address bar.
import { now } from '../core/clock.js';
import { html, useEffect, useRef, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { customerName, networkName, plural, span, stateName, statusName, toMs } from '../core/format.js';
import { refreshAgents } from '../state/live.js';
import { OPEN_STATES, agentName, hasLoaded, isPrivate, openConversations, staff, workgroupName, workgroups } from '../state/store.js';
import { CHANNELS } from '../texts/en.js';
import { Channels, ChannelsCount } from './channels.js';
import { setStatus } from './commands.js';
import { visibleFloor } from './floor_filter.js';
import { Wait } from './lists.js';
import { Menu } from './menu.js';
import { go, hrefOf, openConversation, route } from './route.js';
import { Load } from './topbar.js';

const ROW_PX = 34;
const OVERSCAN = 12;

function setFilter(name, value) {
  const { page, id, filters } = route.value;
  go({ page, id, filters: { ...filters, [name]: value } });
}

function Chip({ name, label, values, shown }) {
  const chosen = route.value.filters[name] ?? '';
  return html`
    <label class="chip ${chosen ? 'on' : ''}"><span>${label}</span>
      <select value=${chosen} onChange=${(event) => setFilter(name, event.currentTarget.value)}>
        <option value="">all</option>
        ${values.map((value) => html`<option key=${value} value=${value} selected=${value === chosen}>${shown(value)}</option>`)}
      </select></label>`;
}

function Filters({ shown, all }) {
  const networks = Array.from(new Set(openConversations.value.map((conversation) => conversation.network))).sort();
  const isFiltered = Object.values(route.value.filters).some(Boolean);
  return html`
    <div class="filters" role="search" aria-label="Filters">
      <${Chip} name="state" label="state" values=${OPEN_STATES} shown=${stateName} />
      <${Chip} name="workgroup_id" label="workgroup" values=${workgroups.all().map(({ id }) => id)} shown=${workgroupName} />
      <${Chip} name="network" label="network" values=${networks} shown=${networkName} />
      <${Chip} name="agent_id" label="agent" values=${staff.value.map(({ id }) => id)} shown=${agentName} />
      <input type="search" aria-label="Words" placeholder="words" value=${route.value.filters.q ?? ''} onInput=${(event) => setFilter('q', event.currentTarget.value)} />
      ${isFiltered && html`<button type="button" class="link" onClick=${() => go({ page: 'floor', id: route.value.id, filters: {} })}>clear</button>`}
      <span class="hint">${shown === all ? plural(all, 'open conversation') : `${shown} of ${all}`}</span>
    </div>`;
}

function FloorRow({ conversation }) {
  const holder = conversation.state === 'alerting' ? conversation.offer?.agent_id : conversation.agent_id;
  const { filters } = route.value;
  return html`
    <tr aria-selected=${route.value.id === conversation.id} onClick=${() => openConversation(conversation.id)}>
      <td><a href=${hrefOf({ page: 'floor', id: conversation.id, filters })} onClick=${(event) => { event.preventDefault(); openConversation(conversation.id); }}><bdi>${customerName(conversation.customer)}</bdi></a></td>
      <td><span class="state ${conversation.state}">${stateName(conversation.state)}</span></td>
      <td>${networkName(conversation.network)}${isPrivate(conversation) && html` <span class="closed"><${Icon} name="lock" /><span class="unseen">private</span></span>`}</td>
      <td><bdi>${workgroupName(conversation.workgroup_id)}</bdi></td><td><bdi>${agentName(holder)}</bdi></td>
      <td class="number">${span(now.value - toMs(conversation.created_at))}</td>
      <td class="number"><${Wait} conversation=${conversation} /></td>
    </tr>`;
}

/** Only the rows that are seen are drawn: a floor has a thousand of them. */
function FloorTable({ rows }) {
  const frame = useRef(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  useEffect(() => {
    const observer = new ResizeObserver(() => frame.current && setHeight(frame.current.clientHeight));
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);
  const from = Math.max(0, Math.floor(top / ROW_PX) - OVERSCAN);
  const seen = rows.slice(from, from + Math.ceil(height / ROW_PX) + 2 * OVERSCAN);
  const space = (count) => count > 0 && html`<tr class="space" aria-hidden="true"><td colspan="7" style=${{ height: `${count * ROW_PX}px` }}></td></tr>`;
  return html`
    <div class="table-frame" ref=${frame} tabindex="0" role="region" aria-label="Open conversations" onScroll=${() => setTop(frame.current.scrollTop)}>
      <table class="floor-table"><thead><tr>${['customer', 'state', 'network', 'workgroup', 'agent'].map((name) => html`<th scope="col" key=${name}>${name}</th>`)}
        <th scope="col" class="number">age</th><th scope="col" class="number">waits</th></tr></thead>
        <tbody>${space(from)}${seen.map((conversation) => html`<${FloorRow} key=${conversation.id} conversation=${conversation} />`)}${space(rows.length - from - seen.length)}</tbody></table>
      ${rows.length === 0 && html`<p class="empty">${!hasLoaded.value ? '' : openConversations.value.length ? 'No open conversation matches these filters.' : 'No conversation is open. New ones appear here by themselves.'}</p>`}
    </div>`;
}

function conversationCount(agent) {
  const counts = Object.entries(agent.conversations ?? {}).filter(([, n]) => n > 0);
  return counts.length ? counts.map(([state, n]) => `${n} ${stateName(state)}`).join(', ') : 'none';
}

function AgentRow({ agent }) {
  const choices = [
    { label: 'On queue', run: () => setStatus('on_queue', { agentId: agent.id }) },
    { label: 'Off queue', run: () => setStatus('off_queue', { agentId: agent.id, reason: 'By a supervisor' }) },
    { label: 'Drain: finish, take nothing new', run: () => setStatus('draining', { agentId: agent.id }) },
    '-',
    { label: 'Show the conversations', run: () => setFilter('agent_id', agent.id) },
  ];
  return html`
    <tr><td><bdi>${agent.name || agent.username || agent.id}</bdi></td>
      <td><span class="status ${agent.routing_status}"><i class="dot" aria-hidden="true"></i>${statusName(agent.routing_status)}${agent.reason && html` <span class="hint" dir="auto">${agent.reason}</span>`}</span></td>
      <td class="number">${span(now.value - toMs(agent.since))}</td><td><${Load} percent=${agent.utilization_percent} /></td>
      <td>${conversationCount(agent)}</td><td><${Menu} kind="at-right" title=${`Actions for ${agent.name || agent.id}`} choices=${choices} label="…" /></td></tr>`;
}

const STATUS_ORDER = ['not_responding', 'on_queue', 'draining', 'off_queue'];
const AGENTS_EVERY_MS = 10_000;

function Agents() {
  useEffect(() => {
    refreshAgents();
    const timer = setInterval(refreshAgents, AGENTS_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const rows = staff.value.toSorted((a, b) => STATUS_ORDER.indexOf(a.routing_status) - STATUS_ORDER.indexOf(b.routing_status)
    || (b.utilization_percent ?? 0) - (a.utilization_percent ?? 0) || String(a.name).localeCompare(String(b.name)));
  return html`
    <div class="table-frame" tabindex="0" role="region" aria-label="Agents"><table><thead><tr><th scope="col">agent</th><th scope="col">status</th><th scope="col" class="number">for</th><th scope="col">load</th><th scope="col">conversations</th><th><span class="unseen">actions</span></th></tr></thead>
      <tbody>${rows.map((agent) => html`<${AgentRow} key=${agent.id} agent=${agent} />`)}</tbody></table></div>`;
}

function AgentsCount() {
  const onQueue = staff.value.filter((agent) => agent.routing_status === 'on_queue').length;
  return html`<span class="count">${CHANNELS.onQueue(onQueue, staff.value.length)}</span>`;
}

/** Below the conversations: who works, and what is listened to. Trouble of a channel shows on its tab. */
function Below() {
  const [shown, setShown] = useState('agents');
  const tab = (name, label, count) => html`
    <button type="button" role="tab" id=${`tab-${name}`} aria-controls="below" aria-selected=${shown === name} onClick=${() => setShown(name)}>${label} ${count}</button>`;
  return html`
    <section class="agents"><div class="modes" role="tablist" aria-label=${CHANNELS.below}>
        ${tab('agents', CHANNELS.agents, html`<${AgentsCount} />`)}${tab('channels', CHANNELS.title, html`<${ChannelsCount} />`)}</div>
      <div class="below" id="below" role="tabpanel" aria-labelledby=${`tab-${shown}`}>${shown === 'agents' ? html`<${Agents} />` : html`<${Channels} />`}</div></section>`;
}

export function Floor() {
  const rows = visibleFloor(openConversations.value, route.value.filters);
  return html`
    <section class="floor" aria-label="The floor"><${Filters} shown=${rows.length} all=${openConversations.value.length} /><${FloorTable} rows=${rows} /><${Below} /></section>`;
}
