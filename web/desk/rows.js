// A list of conversations of which only the rows that are seen are drawn: a thousand may wait.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../core/html.js';
import { customerName } from '../core/format.js';
import { useKeptFocus, useWindow } from '../core/windowing.js';
import { isMine, workgroupName } from '../state/store.js';
import { unreadOf } from '../state/seen.js';
import { LISTS } from '../texts/en.js';
import { Audience } from './audience.js';
import { Deadline } from './deadline.js';
import { hasDraft } from './drafts.js';
import { hrefOf, openConversation, route } from './route.js';

const USUAL_ROW_PX = 60;

function Unread({ conversation }) {
  const count = isMine(conversation) ? unreadOf(conversation) : 0;
  return count > 0 && html`<b class="unread">${LISTS.unread(count)}</b>`;
}

// Drawn anew when something of it changes, not whenever another one is opened.
function Row({ conversation, index, count, isCurrent }) {
  const { id, state, unanswered_count: unanswered = 0 } = conversation;
  const open = (event) => {
    event.preventDefault();
    openConversation(id);
  };
  return html`
    <li aria-setsize=${count} aria-posinset=${index + 1}><a class="row ${state} ${unanswered && state === 'connected' ? 'speaks' : ''}" href=${hrefOf({ id })}
      aria-current=${isCurrent ? 'true' : undefined} onClick=${open}>
      <span class="row-top"><bdi class="who">${customerName(conversation.customer)}</bdi><${Deadline} conversation=${conversation} /></span>
      <span class="row-sub"><${Audience} conversation=${conversation} />
        ${state === 'queued' && html`<span class="row-group"> · ${workgroupName(conversation.workgroup_id)}</span>`}
        ${!isCurrent && html`<${Unread} conversation=${conversation} />`}
        ${unanswered > 1 && html`<span class="row-count" title=${LISTS.unanswered}>${LISTS.posts(unanswered)}</span>`}
        ${hasDraft(id) && html`<span class="draft">${LISTS.draft}</span>`}</span>
    </a></li>`;
}

/** What is open is in sight, wherever in the list it is; whoever scrolls away from it may. */
function useSight(frame, index, rowPx) {
  useEffect(() => {
    if (index < 0) return;
    const { scrollTop, clientHeight } = frame.current;
    if (index * rowPx < scrollTop) frame.current.scrollTop = index * rowPx;
    else if ((index + 1) * rowPx > scrollTop + clientHeight) frame.current.scrollTop = (index + 1) * rowPx - clientHeight;
  }, [route.value.id, index < 0]);
}

export function Rows({ conversations, empty }) {
  const frame = useRef(null);
  const [rowPx, setRowPx] = useState(USUAL_ROW_PX);
  const count = conversations.length;
  const { from, to, onScroll } = useWindow(frame, count, rowPx);
  // Density, zoom and phone decide how high a row is; all are alike.
  useLayoutEffect(() => {
    const height = frame.current.querySelector('li')?.offsetHeight;
    if (height && height !== rowPx) setRowPx(height);
  });
  const keptFocus = useKeptFocus();
  useSight(frame, route.value.id ? conversations.findIndex(({ id }) => id === route.value.id) : -1, rowPx);
  const room = { paddingBlockStart: `${from * rowPx}px`, paddingBlockEnd: `${(count - to) * rowPx}px` };
  return html`
    <div class="rows-frame" ref=${frame} onScroll=${onScroll} ...${keptFocus}>
      ${count > 0 ? html`<ul class="rows" style=${room}>${conversations.slice(from, to).map((conversation, at) => html`
        <${Row} key=${conversation.id} conversation=${conversation} index=${from + at} count=${count} isCurrent=${conversation.id === route.value.id} />`)}</ul>` : empty}
    </div>`;
}
