// The supervisor's view: every conversation in one table, and below it who works, who waits, what hears, what was not understood.
import { now } from '../core/clock.js';
import { html } from '../core/html.js';
import { openConversations } from '../state/store.js';
import { FLOOR, HISTORY } from '../texts/en_floor.js';
import { Agents, AgentsCount } from './agents.js';
import { BulkBar } from './bulk.js';
import { Channels, ChannelsCount } from './channels.js';
import { Filters } from './filters.js';
import { visibleFloor } from './floor_filter.js';
import { History, useHistory } from './history.js';
import { OpenTable } from './open_table.js';
import { Quarantine, QuarantineCount, useQuarantine } from './quarantine.js';
import { Queues } from './queues.js';
import { change, isHistory, wish } from './view.js';
import { route } from '../desk/route.js';

const TABS = { agents: Agents, queues: Queues, channels: Channels, quarantine: Quarantine };
const COUNTS = { agents: AgentsCount, channels: ChannelsCount, quarantine: QuarantineCount };
const isPhone = () => matchMedia('(max-width: 720px)').matches;

/** What lies below; on a phone nothing does until it is asked for. */
function shownBelow() {
  const below = wish('below') || (isPhone() ? 'none' : 'agents');
  return below in TABS ? below : 'none';
}

/** A press on the tab that is open closes it, so that the conversations have all the room. */
function Below() {
  useQuarantine();
  const shown = shownBelow();
  const Shown = TABS[shown];
  return html`
    <section class="agents"><div class="modes" role="tablist" aria-label=${FLOOR.below}>${Object.keys(TABS).map((name) => html`
        <button type="button" role="tab" key=${name} id=${`tab-${name}`} aria-controls="below" aria-selected=${shown === name} onClick=${() => change({ below: shown === name ? 'none' : name })}>
          ${FLOOR.tabs[name]} ${COUNTS[name] && html`<${COUNTS[name]} />`}</button>`)}</div>
      <div class="below" id="below" role="tabpanel" aria-labelledby=${Shown ? `tab-${shown}` : undefined} aria-label=${Shown ? undefined : FLOOR.below}>${Shown && html`<${Shown} />`}</div></section>`;
}

function Live() {
  const all = openConversations.value;
  const { filters } = route.value;
  const rows = visibleFloor(all, filters, filters.level ? now.value : 0);
  return html`<${Filters} said=${rows.length === all.length ? FLOOR.open(all.length) : FLOOR.shown(rows.length, FLOOR.open(all.length))} />
    <div class="above"><${OpenTable} rows=${rows} /><${BulkBar} shown=${rows} /></div>`;
}

function Past() {
  const found = useHistory();
  const said = found.isBusy && !found.rows.length ? '' : HISTORY.found(found.rows.length);
  return html`<${Filters} said=${said} /><div class="above"><${History} found=${found} /></div>`;
}

export function Floor() {
  return html`<section class="floor" aria-label=${FLOOR.title} data-below=${shownBelow()}>${isHistory() ? html`<${Past} />` : html`<${Live} />`}<${Below} /></section>`;
}
