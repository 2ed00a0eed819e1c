// The chips above the table; each is a part of the address, so that a view can be sent to a colleague.
import { html, useEffect, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { networkName, stateName } from '../core/format.js';
import { route } from '../desk/route.js';
import { OPEN_STATES, agentName, channelName, channels, openConversations, staff, workgroupName, workgroups } from '../state/store.js';
import { FLOOR, HISTORY } from '../texts/en_floor.js';
import { change, clearFilters, closeConversation, isFiltered, isHistory, wish } from './view.js';

const ENDED_STATES = ['completed', 'discarded', 'abandoned', 'merged'];
const PERIODS = Object.keys(HISTORY.period);
const TYPED_PAUSE_MS = 250;

function Chip({ name, values, shown }) {
  const value = wish(name);
  // What a colleague sent may be gone here; it still filters, so it is still shown.
  const offered = value && !values.includes(value) ? [value, ...values] : values;
  return html`
    <label class="chip ${value ? 'on' : ''}"><span>${FLOOR.chips[name]}</span>
      <select value=${value} onChange=${(event) => change({ [name]: event.currentTarget.value })}>
        <option value="">${FLOOR.all}</option>
        ${offered.map((one) => html`<option key=${one} value=${one} selected=${one === value}>${shown(one) ?? one}</option>`)}
      </select></label>`;
}

/** Typed letters reach the address after a pause: each of them would be a step back in the browser's history. */
function Words() {
  const said = wish('q');
  const [typed, setTyped] = useState(said);
  useEffect(() => setTyped(said), [said]);
  useEffect(() => {
    if (typed === said) return undefined;
    const timer = setTimeout(() => change({ q: typed }), TYPED_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return html`<input type="search" aria-label=${FLOOR.words} placeholder=${FLOOR.words} value=${typed} onInput=${(event) => setTyped(event.currentTarget.value)} />`;
}

function Period() {
  const value = wish('period') || PERIODS[0];
  return html`
    <label class="chip on"><span>${HISTORY.periods}</span>
      <select value=${value} onChange=${(event) => change({ period: event.currentTarget.value })}>
        ${PERIODS.map((one) => html`<option key=${one} value=${one} selected=${one === value}>${HISTORY.period[one]}</option>`)}
      </select></label>`;
}

function Views() {
  const view = (name, label) => html`<button type="button" aria-pressed=${isHistory() === Boolean(name)} onClick=${() => change({ view: name, state: '', level: '' })}>${label}</button>`;
  return html`<div class="modes views" role="group" aria-label=${FLOOR.views}>${view('', FLOOR.now)}${view('history', FLOOR.history)}</div>`;
}

const idsOf = (table) => table.all().map(({ id }) => id);

export function Filters({ said }) {
  const networks = Array.from(new Set([...openConversations.value.map(({ network }) => network), wish('network')].filter(Boolean))).sort();
  return html`
    <div class="filters" role="search" aria-label=${FLOOR.filters}>
      <${Views} />${isHistory() && html`<${Period} />`}
      <${Chip} name="state" values=${isHistory() ? [...ENDED_STATES, ...OPEN_STATES] : OPEN_STATES} shown=${stateName} />
      <${Chip} name="workgroup_id" values=${idsOf(workgroups)} shown=${workgroupName} />
      <${Chip} name="agent_id" values=${staff.value.map(({ id }) => id)} shown=${agentName} />
      <${Chip} name="network" values=${networks} shown=${networkName} />
      <${Chip} name="channel_id" values=${idsOf(channels)} shown=${channelName} />
      <${Chip} name="media_type" values=${Object.keys(FLOOR.kinds)} shown=${(kind) => FLOOR.kinds[kind]} />
      ${!isHistory() && html`<${Chip} name="level" values=${Object.keys(FLOOR.levels)} shown=${(level) => FLOOR.levels[level]} />`}
      <${Words} />
      ${isFiltered() && html`<button type="button" class="link" onClick=${clearFilters}>${FLOOR.clear}</button>`}
      <span class="hint" role="status">${said}</span>
      ${route.value.id && html`<button type="button" class="quiet icon small" aria-label=${FLOOR.close} title=${FLOOR.close} onClick=${closeConversation}><${Icon} name="cross" /></button>`}
    </div>`;
}
