// A table of which only the rows that are seen are drawn: a floor has a thousand of them.
import { html, useLayoutEffect, useRef, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { useKeptFocus, useWindow } from '../core/windowing.js';

const ROW_PX = 34;
const HEAD_PX = 30;

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

function Head({ column, sort, onSort }) {
  const { name, title, isNumber, isSortable, head } = column;
  const direction = { [name]: 'ascending', [`-${name}`]: 'descending' }[sort];
  const label = html`${title}${direction && html`<span class="turn ${direction}"><${Icon} name="down" /></span>`}`;
  return html`<th scope="col" class="c-${name} ${isNumber ? 'number' : ''}" aria-sort=${isSortable ? direction ?? 'none' : undefined}>
    ${head ?? (isSortable ? html`<button type="button" class="sorter" onClick=${() => onSort(name)}>${label}</button>` : label)}</th>`;
}

/** `columns`: `{name, title, isNumber?, isSortable?, head?}`; `renderRow(row, {index, ariaIndex})` draws a `tr` of that height. */
export function Windowed({ label, kind = '', columns, rows, renderRow, sort = '', onSort = () => {}, empty = null }) {
  const frame = useRef(null);
  const { from, to, onScroll } = useWindow(frame, rows.length, ROW_PX);
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
