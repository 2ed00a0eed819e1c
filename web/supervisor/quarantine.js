// Posts that could not be accepted: what was wrong, and what can be done about each.
import { get } from '../core/api.js';
import { html, signal, useEffect } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { clockTime, networkName, shortDay, spaced, wholeTime } from '../core/format.js';
import { openDialog } from '../desk/dialog.js';
import { say } from '../desk/toasts.js';
import { channelName } from '../state/store.js';
import { QUARANTINE } from '../texts/en_floor.js';
import { Piece } from './quarantined.js';
import { Windowed } from './windowed.js';

const READ_EVERY_MS = 20_000;
const COLUMNS = Object.entries(QUARANTINE.columns).map(([name, title]) => ({ name, title, isNumber: name === 'at' }));
const PAGE = 100;

const pieces = signal({ rows: [], isMore: false, problem: null, isRead: false });

async function readQuarantine() {
  try {
    const { items, next_cursor: next } = await get(`/quarantine?limit=${PAGE}`);
    pieces.value = { rows: items, isMore: Boolean(next), problem: null, isRead: true };
  } catch (problem) {
    pieces.value = { ...pieces.value, problem, isRead: true };
  }
}

/** Read also while another list is shown: its count stands on the tab. */
export function useQuarantine() {
  useEffect(() => {
    readQuarantine();
    const timer = setInterval(readQuarantine, READ_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
}

export function QuarantineCount() {
  const { rows, isMore, isRead } = pieces.value;
  if (!isRead) return null;
  if (!rows.length) return html`<span class="count">${QUARANTINE.count(0)}</span>`;
  return html`<span class="health soon"><${Icon} name="warning" />${QUARANTINE.count(rows.length, isMore)}</span>`;
}

async function copy(id) {
  try {
    await navigator.clipboard.writeText(id);
    say({ title: QUARANTINE.copied, kind: 'note' });
  } catch {
    say({ title: QUARANTINE.notCopied, kind: 'note' });
  }
}

function Row({ piece, index, ariaIndex }) {
  const look = () => openDialog({ title: QUARANTINE.dialog, body: Piece, props: { piece, onDone: readQuarantine }, kind: 'wide' });
  return html`
    <tr data-index=${index} aria-rowindex=${ariaIndex}>
      <td class="c-at number"><time title=${wholeTime(piece.received_at)}>${shortDay(piece.received_at)} ${clockTime(piece.received_at)}</time></td>
      <td class="c-channel"><bdi>${channelName(piece.channel_id)}</bdi>${piece.network && html` <span class="hint">${networkName(piece.network)}</span>`}</td>
      <td class="c-code">${spaced(piece.code)}</td><td class="c-detail" dir="auto" title=${piece.detail}>${piece.detail}</td>
      <td class="c-id"><button type="button" class="link" title=${`${QUARANTINE.copy} ${piece.id}`} aria-label=${`${QUARANTINE.copy} ${piece.id}`} onClick=${() => copy(piece.id)}><code>${piece.id.slice(-8)}</code></button></td>
      <td class="c-act"><button type="button" class="small" aria-label=${QUARANTINE.lookAt(piece.id)} onClick=${look}>${QUARANTINE.look}</button></td>
    </tr>`;
}

export function Quarantine() {
  const { rows, problem, isRead } = pieces.value;
  const renderRow = (piece, place) => html`<${Row} key=${piece.id} piece=${piece} ...${place} />`;
  const empty = isRead && html`<p class="empty">${problem ? QUARANTINE.failed(problem.message) : QUARANTINE.none}</p>`;
  return html`<${Windowed} label=${QUARANTINE.title} kind="quarantine-table" columns=${COLUMNS} rows=${rows} renderRow=${renderRow} empty=${empty} />`;
}
