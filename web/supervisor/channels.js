// The supervisor's list of channels: which ones hear, which do not, since when and why. What is wrong stands on top.
import { now } from '../core/clock.js';
import { getAll } from '../core/api.js';
import { html, signal, useEffect } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { clockTime, span, spaced, toMs, wholeTime } from '../core/format.js';
import { Load } from '../desk/topbar.js';
import { refreshChannels } from '../state/live.js';
import { channels, workgroupName } from '../state/store.js';
import { CHANNELS } from '../texts/en_floor.js';

const READ_EVERY_MS = 20_000;
// The order is the order of the rows.
const HEALTH = {
  unauthorised: { icon: 'lock', level: 'late' }, down: { icon: 'cross', level: 'late' }, limited: { icon: 'clock', level: 'soon' },
  degraded: { icon: 'warning', level: 'soon' }, healthy: { icon: 'tick', level: 'well' }, off: { icon: 'pause', level: '' },
};
const ORDER = Object.keys(HEALTH);

const healthOf = (channel) => (channel.enabled === false ? 'off' : channel.health ?? 'healthy');
const isTroubled = (channel) => !['healthy', 'off'].includes(healthOf(channel));

function Health({ channel }) {
  const health = healthOf(channel);
  const { icon, level } = HEALTH[health] ?? { icon: 'question', level: 'soon' };
  return html`<span class="health ${level}"><${Icon} name=${icon} />${CHANNELS.health[health] ?? spaced(health)}</span>`;
}

/** Account id → what of its network's allowances is used. */
const budgets = signal(new Map());

async function readBudgets() {
  const rows = await getAll('/budgets').catch(() => null);
  if (rows) budgets.value = new Map(rows.map((row) => [row.account_id, row]));
}

/** The allowance that comes to its end first; a network that says nothing of one has none to show. */
function Budget({ channel }) {
  const { waits_until: until, allowances = [] } = budgets.value.get(channel.account_id) ?? {};
  if (until) return html`<b class="soon">${CHANNELS.waitsUntil(clockTime(until))}</b>`;
  const [worst] = allowances.toSorted((a, b) => b.used_percent - a.used_percent);
  if (!worst) return html`<span class="hint">${CHANNELS.nothing}</span>`;
  const title = allowances.map(({ name, calls, per_s: s, used_percent: used }) => CHANNELS.allowance(spaced(name), used, calls, span(s * 1000))).join('; ');
  return html`<span title=${title}><${Load} percent=${worst.used_percent} label=${CHANNELS.budget} /></span>`;
}

/** What the network said, then what helps. */
function Trouble({ channel }) {
  const next = CHANNELS.next[healthOf(channel)];
  if (!channel.health_detail && !next) return html`<span class="hint">${CHANNELS.nothing}</span>`;
  return html`${channel.health_detail && html`<span dir="auto" title=${channel.health_detail}>${channel.health_detail}</span> `}${next && html`<span class="hint" title=${next}>${next}</span>`}`;
}

function Row({ channel }) {
  const since = channel.health_since;
  return html`
    <tr><td><bdi>${channel.name}</bdi></td><td><${Health} channel=${channel} /></td>
      <td class="number" title=${since ? wholeTime(since) : undefined}>${since ? span(now.value - toMs(since)) : '–'}</td>
      <td class="detail"><${Trouble} channel=${channel} /></td><td><${Budget} channel=${channel} /></td><td><bdi>${workgroupName(channel.workgroup_id)}</bdi></td>
      <td class="number" title=${CHANNELS.caughtUpTitle}>${channel.caught_up_at ? CHANNELS.ago(span(now.value - toMs(channel.caught_up_at))) : '–'}</td></tr>`;
}

/** What the tab says without being opened: coloured only when a channel needs an eye. */
export function ChannelsCount() {
  const all = channels.all();
  const troubled = all.filter(isTroubled);
  if (!troubled.length) return html`<span class="count">${CHANNELS.well(all.filter((channel) => healthOf(channel) === 'healthy').length)}</span>`;
  const isLate = troubled.some((channel) => HEALTH[healthOf(channel)]?.level === 'late');
  return html`<span class="health ${isLate ? 'late' : 'soon'}"><${Icon} name="warning" />${CHANNELS.troubled(troubled.length)}</span>`;
}

export function Channels() {
  useEffect(() => {
    const read = () => {
      refreshChannels();
      readBudgets();
    };
    read();
    const timer = setInterval(read, READ_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const rows = channels.all().toSorted((a, b) => ORDER.indexOf(healthOf(a)) - ORDER.indexOf(healthOf(b)) || String(a.name).localeCompare(String(b.name)));
  return html`
    <div class="table-frame" tabindex="0" role="region" aria-label=${CHANNELS.title}><table><thead><tr>${CHANNELS.columns.map(({ name, isNumber }) => html`
      <th scope="col" key=${name} class=${isNumber ? 'number' : undefined}>${name}</th>`)}</tr></thead>
      <tbody>${rows.map((channel) => html`<${Row} key=${channel.id} channel=${channel} />`)}</tbody></table>
      ${rows.length === 0 && html`<p class="empty">${CHANNELS.none}</p>`}</div>`;
}
