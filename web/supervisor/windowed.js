// A table of which only the rows that are seen are drawn: a floor has a thousand of them.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';

const ROW_PX = 34;
const HEAD_PX = 30;
const OVERSCAN = 12;

/** How much of the frame is seen, and from where on. */
function useWindow(count) {
  const frame = useRef(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  useEffect(() => {
    const observer = new ResizeObserver(() => frame.current && setHeight(frame.current.clientHeight));
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);
  const last = Math.max(0, count - Math.ceil(height / ROW_PX));
  const from = Math.max(0, Math.min(Math.floor(top / ROW_PX), last) - OVERSCAN);
  const size = Math.ceil(height / ROW_PX) + 2 * OVERSCAN;
  return { frame, from, to: Math.min(count, from + size), onScroll: () => setTop(frame.current.scrollTop) };
}

/** Arrows walk from row to row, also to those that are not drawn yet; the space bar chooses. */
function useRowKeys(frame, count) {
  // Keys may come faster than rows are drawn.
  const wanted = useRef(null);
  const [, draw] = useState(0);
  useLayoutEffect(() => {
    const row = wanted.current !== null && frame.current.querySelector(`tr[data-index="${wanted.current}"]`);
    if (!row) return;
    wanted.current = null;
    row.querySelector('a, button')?.focus({ preventScroll: true });
  });
  return (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest?.('tr[data-index]');
    if (event.key === ' ' && event.target.matches('a')) {
      event.preventDefault();
      row.querySelector('input[type=checkbox]')?.click();
    }
    if (!by || !row || event.target.matches('select, textarea')) return;
    event.preventDefault();
    const index = Math.min(Math.max((wanted.current ?? Number(row.dataset.index)) + by, 0), count - 1);
    const { scrollTop, clientHeight } = frame.current;
    const [above, below] = [index * ROW_PX, (index + 1) * ROW_PX + HEAD_PX];
    if (above < scrollTop) frame.current.scrollTop = above;
    if (below > scrollTop + clientHeight) frame.current.scrollTop = below - clientHeight;
    wanted.current = index;
    draw((count) => count + 1);
  };
}

/** A row that changes its place is taken out and put in again, and the browser forgets that it had the focus. */
function useKeptFocus() {
  const had = useRef(null);
  useLayoutEffect(() => {
    if (had.current?.isConnected && document.activeElement === document.body) had.current.focus({ preventScroll: true });
  });
  return {
    onfocusin: ({ target }) => { had.current = target; },
    // What a person leaves is left before anything is drawn; what was moved is not left.
    onfocusout: ({ target }) => queueMicrotask(() => { if (had.current === target && document.activeElement !== target) had.current = null; }),
  };
}

function Head({ column, sort, onSort }) {
  const { name, title, isNumber, isSortable, head } = column;
  const direction = { [name]: 'ascending', [`-${name}`]: 'descending' }[sort];
  const label = html`${title}${direction && html`<span class="turn ${direction}"><${Icon} name="down" /></span>`}`;
  return html`<th scope="col" class="c-${name} ${isNumber ? 'number' : ''}" aria-sort=${isSortable ? direction ?? 'none' : undefined}>
    ${head ?? (isSortable ? html`<button type="button" class="sorter" onClick=${() => onSort(name)}>${label}</button>` : label)}</th>`;
}

/** `columns`: `{name, title, isNumber?, isSortable?, head?}`; `renderRow(row, {index, ariaIndex})` draws a `tr` of that height. */
export function Windowed({ label, kind = '', columns, rows, renderRow, sort = '', onSort = () => {}, empty = null }) {
  const { frame, from, to, onScroll } = useWindow(rows.length);
  const onKeyDown = useRowKeys(frame, rows.length);
  const keptFocus = useKeptFocus();
  // Whoever asks for another order asks for what comes first in it.
  useLayoutEffect(() => { frame.current.scrollTop = 0; }, [sort]);
  const space = (count) => count > 0 && html`<tr class="space" aria-hidden="true"><td style=${{ height: `${count * ROW_PX}px` }}></td></tr>`;
  return html`
    <div class="table-frame" ref=${frame} tabindex="0" role="region" aria-label=${label} onScroll=${onScroll} onKeyDown=${onKeyDown} ...${keptFocus}>
      <table class="windowed ${kind}" aria-rowcount=${rows.length + 1}>
        <thead><tr aria-rowindex="1">${columns.map((column) => html`<${Head} key=${column.name} column=${column} sort=${sort} onSort=${onSort} />`)}</tr></thead>
        <tbody>${space(from)}${rows.slice(from, to).map((row, at) => renderRow(row, { index: from + at, ariaIndex: from + at + 2 }))}${space(rows.length - to)}</tbody>
      </table>
      ${rows.length === 0 && empty}
    </div>`;
}
