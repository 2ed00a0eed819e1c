// Conversations of a period, ended or not, found through the API; it says how far back it has looked.
import { get } from '../core/api.js';
import { html, useEffect, useRef, useState } from '../core/html.js';
import { clockTime, dayAt, shortDay, stateName, wholeTime } from '../core/format.js';
import { openConversation, route } from '../desk/route.js';
import { agentName, conversations, workgroupName } from '../state/store.js';
import { FLOOR, HISTORY } from '../texts/en_floor.js';
import { Network, OpenLink, Preview } from './open_table.js';
import { wish } from './view.js';
import { Windowed } from './windowed.js';

const ASKED = ['state', 'workgroup_id', 'agent_id', 'network', 'channel_id', 'media_type', 'q'];
// A look covers a few thousand conversations; a press goes on until there is something to read.
const MOST_LOOKS = 10;
const ENOUGH = 50;
const NUMBERS = ['created', 'ended'];
const COLUMNS = ['created', 'ended', 'customer', 'state', 'network', 'workgroup', 'agent', 'wrap_up', 'words']
  .map((name) => ({ name, title: FLOOR.columns[name], isNumber: NUMBERS.includes(name) }));

/** From midnight here, in this person's time zone. */
function periodOf(name) {
  const ago = (days) => new Date(dayAt({ hour: 0, days: -days })).toISOString();
  return { today: { since: ago(0) }, yesterday: { since: ago(1), until: ago(0) }, week: { since: ago(7) }, month: { since: ago(31) }, ever: {} }[name] ?? { since: ago(0) };
}

function pathOf(cursor) {
  const wanted = ASKED.map((name) => [name, wish(name)]).filter(([, value]) => value);
  const query = new URLSearchParams([...wanted, ...Object.entries(periodOf(wish('period'))), ['newest_first', 'true'], ['limit', '100'], ...(cursor ? [['cursor', cursor]] : [])]);
  return `/conversations?${query}`;
}

const NOTHING = { rows: [], cursor: null, searchedTo: null, isBusy: true, problem: null };

/** The first page comes by itself, whatever lies further back when it is asked for. */
export function useHistory() {
  const [found, setFound] = useState(NOTHING);
  const asked = useRef(0);
  const question = pathOf(null);
  const look = async (cursor, rows) => {
    asked.current += 1;
    const mine = asked.current;
    setFound((before) => ({ ...before, rows, isBusy: true, problem: null }));
    const take = (more) => mine === asked.current && setFound({ problem: null, ...more });
    let known = { rows, cursor, searchedTo: null };
    try {
      for (let looks = 0; looks < MOST_LOOKS && mine === asked.current; looks += 1) {
        const page = await get(pathOf(known.cursor));
        known = { rows: [...known.rows, ...page.items], cursor: page.next_cursor, searchedTo: page.searched_to ?? null };
        if (!known.cursor || known.rows.length - rows.length >= ENOUGH) break;
        take({ ...known, isBusy: true });
      }
      take({ ...known, isBusy: false });
    } catch (problem) {
      take({ ...known, isBusy: false, problem });
    }
  };
  useEffect(() => { look(null, []); }, [question]);
  return { ...found, further: () => look(found.cursor, found.rows) };
}

const moment = (at) => (at ? html`<time title=${wholeTime(at)}>${shortDay(at)} ${clockTime(at)}</time>` : '–');

function Row({ conversation, index, ariaIndex }) {
  // Kept, so that it is there at once when it is opened; it is read again by whoever shows it.
  const keep = () => conversations.put(conversation);
  const open = () => {
    keep();
    openConversation(conversation.id);
  };
  return html`
    <tr data-index=${index} aria-rowindex=${ariaIndex} aria-selected=${route.value.id === conversation.id} onClick=${open}>
      <td class="c-created number">${moment(conversation.created_at)}</td><td class="c-ended number">${moment(conversation.ended_at)}</td>
      <td class="c-customer"><${OpenLink} conversation=${conversation} beforehand=${keep} /></td>
      <td class="c-state"><span class="state ${conversation.state}">${stateName(conversation.state)}</span></td>
      <td class="c-network"><${Network} conversation=${conversation} /></td>
      <td class="c-workgroup"><bdi>${workgroupName(conversation.workgroup_id)}</bdi></td><td class="c-agent"><bdi>${agentName(conversation.agent_id)}</bdi></td>
      <td class="c-wrap_up" dir="auto">${conversation.wrap_up_code ?? ''}</td><td class="c-words"><${Preview} conversation=${conversation} /></td>
    </tr>`;
}

function Foot({ found }) {
  const { rows, cursor, searchedTo, isBusy, problem, further } = found;
  if (!isBusy && !problem && !cursor) return rows.length ? null : html`<p class="empty">${HISTORY.none}</p>`;
  return html`
    <p class="foot" role="status">
      ${isBusy && html`<span>${HISTORY.searching}</span>`}${problem && HISTORY.failed(problem.message)}
      ${!problem && searchedTo && html`<span>${rows.length ? HISTORY.back(wholeTime(searchedTo)) : HISTORY.noneSoFar(wholeTime(searchedTo))}</span>`}
      ${!isBusy && html`<button type="button" class="small" onClick=${further}>${HISTORY.further}</button>`}</p>`;
}

export function History({ found }) {
  const renderRow = (conversation, place) => html`<${Row} key=${conversation.id} conversation=${conversation} ...${place} />`;
  return html`
    <div class="history-frame"><${Windowed} label=${HISTORY.table} kind="floor-table history-table" columns=${COLUMNS} rows=${found.rows} renderRow=${renderRow} />
      <${Foot} found=${found} /></div>`;
}

