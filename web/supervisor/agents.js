// Who works: status, since when, load, what they have, what they can; and a word to change it.
import { now } from '../core/clock.js';
import { html, useEffect } from '../core/html.js';
import { clockTime, span, stateName, statusName, toMs } from '../core/format.js';
import { openDialog } from '../desk/dialog.js';
import { Load } from '../desk/topbar.js';
import { refreshAgents } from '../state/live.js';
import { staff } from '../state/store.js';
import { FLOOR, STAFF } from '../texts/en_floor.js';
import { StatusForm } from './agent_status.js';
import { change, wish } from './view.js';
import { Windowed } from './windowed.js';

const READ_EVERY_MS = 10_000;
const STATUS_ORDER = ['not_responding', 'on_queue', 'draining', 'off_queue'];
const nameOf = (agent) => agent.name || agent.username || agent.id;
const countOf = (agent) => Object.values(agent.conversations ?? {}).reduce((sum, n) => sum + n, 0);

const ORDERS = {
  agent: (a, b) => nameOf(a).localeCompare(nameOf(b)),
  status: (a, b) => STATUS_ORDER.indexOf(a.routing_status) - STATUS_ORDER.indexOf(b.routing_status),
  since: (a, b) => toMs(a.since) - toMs(b.since),
  load: (a, b) => (b.utilization_percent ?? 0) - (a.utilization_percent ?? 0),
  conversations: (a, b) => countOf(b) - countOf(a),
};
const COLUMNS = Object.entries(STAFF.columns).map(([name, title]) => ({ name, title, isNumber: name === 'since', isSortable: name in ORDERS }));

function sorted(agents, sort) {
  const isTurned = sort.startsWith('-');
  const first = ORDERS[isTurned ? sort.slice(1) : sort];
  const usual = (a, b) => ORDERS.status(a, b) || ORDERS.load(a, b) || ORDERS.agent(a, b);
  return agents.toSorted((a, b) => (first ? (isTurned ? first(b, a) : first(a, b)) : 0) || usual(a, b));
}

function conversationsOf(agent) {
  const counts = Object.entries(agent.conversations ?? {}).filter(([, n]) => n > 0);
  return counts.length ? counts.map(([state, n]) => `${n} ${stateName(state)}`).join(', ') : STAFF.none;
}

function Row({ agent, index, ariaIndex }) {
  const name = nameOf(agent);
  const skills = (agent.skills ?? []).map(({ skill, proficiency }) => `${skill} ${proficiency ?? ''}`.trim()).join(', ');
  const alter = () => openDialog({ title: STAFF.changeOf(name), body: StatusForm, props: { agentId: agent.id } });
  return html`
    <tr data-index=${index} aria-rowindex=${ariaIndex} aria-selected=${wish('agent_id') === agent.id}>
      <td class="c-agent"><button type="button" class="link" title=${STAFF.show(name)} onClick=${() => change({ agent_id: wish('agent_id') === agent.id ? '' : agent.id })}><bdi>${name}</bdi></button></td>
      <td class="c-status"><span class="status ${agent.routing_status}"><i class="dot" aria-hidden="true"></i>${statusName(agent.routing_status)}${agent.reason && html` <span class="hint" dir="auto">${agent.reason}</span>`}
        ${agent.sign_off_at && toMs(agent.sign_off_at) > now.value && html` <span class="hint">${STAFF.signsOff(clockTime(agent.sign_off_at))}</span>`}</span></td>
      <td class="c-since number">${span(now.value - toMs(agent.since))}</td>
      <td class="c-load"><${Load} percent=${agent.utilization_percent} label=${STAFF.load} />${agent.override_percent > 0 && html` <span class="over" title=${STAFF.override(agent.override_percent)}>+${agent.override_percent}</span>`}</td>
      <td class="c-conversations">${conversationsOf(agent)}</td><td class="c-skills" title=${skills}>${skills}</td>
      <td class="c-act"><button type="button" class="small" aria-label=${STAFF.changeOf(name)} onClick=${alter}>${STAFF.change}</button></td>
    </tr>`;
}

/** Of the workgroup that the conversations are filtered by, else all. */
function agentsShown() {
  const group = wish('workgroup_id');
  return group ? staff.value.filter((agent) => (agent.workgroups ?? []).some((one) => (one.id ?? one) === group)) : staff.value;
}

export function AgentsCount() {
  const agents = agentsShown();
  const onQueue = agents.filter((agent) => agent.routing_status === 'on_queue').length;
  return html`<span class="count">${FLOOR.onQueue(onQueue, agents.length)}</span>`;
}

export function Agents() {
  useEffect(() => {
    refreshAgents();
    const timer = setInterval(refreshAgents, READ_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const sort = wish('agents');
  const turn = (column) => change({ agents: { [column]: `-${column}`, [`-${column}`]: '' }[sort] ?? column });
  const renderRow = (agent, place) => html`<${Row} key=${agent.id} agent=${agent} ...${place} />`;
  return html`<${Windowed} label=${STAFF.title} kind="agents-table" columns=${COLUMNS} rows=${sorted(agentsShown(), sort)} renderRow=${renderRow} sort=${sort} onSort=${turn} />`;
}
