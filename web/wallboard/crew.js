// Who is on the floor: one small tile each, those whom somebody has to look after first.
import { now } from '../core/clock.js';
import { html } from '../core/html.js';
import { span, statusName, toMs } from '../core/format.js';
import { WALLBOARD } from '../texts/en_wallboard.js';

const ORDER = ['not_responding', 'on_queue', 'draining', 'off_queue'];
const MOST_SHOWN = 80;

const byUrgency = (a, b) => ORDER.indexOf(a.routing_status) - ORDER.indexOf(b.routing_status) || b.utilization_percent - a.utilization_percent || (a.id < b.id ? -1 : 1);

function Member({ agent, number }) {
  const { routing_status: status, reason, utilization_percent: load } = agent;
  const said = status === 'off_queue' && reason ? reason : statusName(status);
  return html`
    <li class="member ${status}"><i class="dot" aria-hidden="true"></i><bdi class="who">${agent.name ?? WALLBOARD.agent(number)}</bdi>
      <span class="said">${said} <time>${span(now.value - toMs(agent.since))}</time></span>
      <span class="carries">${WALLBOARD.carries(agent.active_social_conversations, Math.round(load))}</span></li>`;
}

export function Crew({ people }) {
  const numbers = new Map(people.map(({ id }, index) => [id, index + 1]));
  const isIn = people.filter(({ routing_status: status }) => status !== 'off_queue');
  const shown = (isIn.length ? isIn : people).toSorted(byUrgency).slice(0, MOST_SHOWN);
  const left = people.length - shown.length;
  return html`
    <section class="crew" aria-label=${WALLBOARD.crew}><h2>${WALLBOARD.crew}</h2>
      <ul>${shown.map((agent) => html`<${Member} key=${agent.id} agent=${agent} number=${numbers.get(agent.id)} />`)}</ul>
      ${people.length === 0 && html`<p class="hint">${WALLBOARD.noAgent}</p>`}
      ${left > 0 && html`<p class="hint">${WALLBOARD.notShown(left)}</p>`}</section>`;
}
