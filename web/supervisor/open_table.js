// The table of all open conversations: chosen by the box in front, opened by a click or Enter.
import { now } from '../core/clock.js';
import { computed, html, useRef } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { customerName, networkName, span, stateName, toMs } from '../core/format.js';
import { Wait } from '../desk/deadline.js';
import { hrefOf, openConversation, route } from '../desk/route.js';
import { dueAt, hasLoaded, isPrivate, levelOf, openConversations, workgroupName } from '../state/store.js';
import { FLOOR } from '../texts/en_floor.js';
import { ORDERS, holderNames } from './floor_filter.js';
import { choose, chooseAll, isChosen } from './selection.js';
import { turnOrder, wish } from './view.js';
import { Windowed } from './windowed.js';

const NUMBERS = ['age', 'waits', 'due', 'priority'];
const NAMES = ['customer', 'state', 'network', 'workgroup', 'agent', 'age', 'waits', 'due', 'priority', 'words'];
const COLUMNS = NAMES.map((name) => ({ name, title: FLOOR.columns[name], isNumber: NUMBERS.includes(name), isSortable: name in ORDERS }));

export function Preview({ conversation }) {
  const { preview } = conversation;
  if (preview) return html`<span dir="auto" title=${preview}>${preview}</span>`;
  return html`<span class="hint">${preview === '' ? FLOOR.onlyMedia : preview === null ? FLOOR.noWords : ''}</span>`;
}

export function Network({ conversation }) {
  return html`${networkName(conversation.network)}${isPrivate(conversation) && html` <span class="closed"><${Icon} name="lock" /><span class="unseen">${FLOOR.private}</span></span>`}`;
}

// Whichever conversation is open, the filters stay the same, and so do the links.
const filterQuery = computed(() => new URLSearchParams(route.value.filters).toString());

/** A link, so that it can be copied and opened beside; a plain click opens it here. */
export function OpenLink({ conversation, beforehand = () => {} }) {
  const filters = Object.fromEntries(new URLSearchParams(filterQuery.value));
  const open = (event) => {
    event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    beforehand();
    openConversation(conversation.id);
  };
  return html`<a href=${hrefOf({ page: 'floor', id: conversation.id, filters })} onClick=${open}><bdi>${customerName(conversation.customer)}</bdi></a>`;
}

/** Ahead or behind is said by a word, not only by the colour beside it. */
function Due({ conversation }) {
  const at = dueAt(conversation);
  if (at === null) return html`<span class="hint">–</span>`;
  const left = at - now.value;
  return html`<span class="wait ${levelOf(conversation, now.value)}">${left > 0 ? FLOOR.dueIn(span(left)) : FLOOR.dueAgo(span(-left))}</span>`;
}

// Drawn anew when something of it changes, not whenever another one is opened.
function Row({ conversation, shown, index, ariaIndex, isOpen }) {
  const { id, state } = conversation;
  const take = (event) => choose(conversation, shown.current, { isOn: event.currentTarget.checked, isRange: event.shiftKey });
  return html`
    <tr data-index=${index} aria-rowindex=${ariaIndex} aria-selected=${isOpen} onClick=${() => openConversation(id)}>
      <td class="c-chosen" onClick=${(event) => event.stopPropagation()}><label class="box"><input type="checkbox" checked=${isChosen(id)} aria-label=${FLOOR.choose(customerName(conversation.customer))} onClick=${take} /></label></td>
      <td class="c-customer"><${OpenLink} conversation=${conversation} /></td>
      <td class="c-state"><span class="state ${state}">${stateName(state)}</span></td>
      <td class="c-network"><${Network} conversation=${conversation} /></td>
      <td class="c-workgroup"><bdi>${workgroupName(conversation.workgroup_id)}</bdi></td><td class="c-agent"><bdi>${holderNames(conversation)}</bdi></td>
      <td class="c-age number">${span(now.value - toMs(conversation.created_at))}</td>
      <td class="c-waits number"><${Wait} conversation=${conversation} /></td>
      <td class="c-due number"><${Due} conversation=${conversation} /></td>
      <td class="c-priority number">${conversation.priority}</td>
      <td class="c-words"><${Preview} conversation=${conversation} /></td>
    </tr>`;
}

function Empty() {
  if (!hasLoaded.value) return html`<div class="skeleton tall" aria-hidden="true"></div>`;
  return html`<p class="empty">${openConversations.value.length ? FLOOR.noMatch : FLOOR.none}</p>`;
}

export function OpenTable({ rows }) {
  const areAllChosen = rows.length > 0 && rows.every(({ id }) => isChosen(id));
  const head = html`<label class="box"><input type="checkbox" checked=${areAllChosen} aria-label=${FLOOR.chooseAll} onClick=${(event) => chooseAll(rows, { isOn: event.currentTarget.checked })} /></label>`;
  const columns = [{ name: 'chosen', title: FLOOR.columns.chosen, head }, ...COLUMNS];
  const shown = useRef(rows);
  shown.current = rows;
  const renderRow = (conversation, place) => html`<${Row} key=${conversation.id} conversation=${conversation} shown=${shown} isOpen=${route.value.id === conversation.id} ...${place} />`;
  return html`<${Windowed} label=${FLOOR.table} kind="floor-table" columns=${columns} rows=${rows} renderRow=${renderRow} sort=${wish('sort') || 'waits'} onSort=${turnOrder} empty=${html`<${Empty} />`} />`;
}
