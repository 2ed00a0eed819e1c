// What there is with the same customer over all channels: open ones first, then what was, page by page.
import { get } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { networkName, shortDay, stateName, unturned, wholeTime } from '../core/format.js';
import { agentName, connection, conversations, isOpen } from '../state/store.js';
import { DESK, PERSON } from '../texts/en.js';
import { hrefOf, openConversation } from './route.js';

const PAGE = 10;

const pathOf = (customerId, cursor) => {
  const query = new URLSearchParams({ customer_id: customerId, newest_first: 'true', limit: PAGE, ...(cursor ? { cursor } : {}) });
  return `/conversations?${query}`;
};

function usePages(customerId, version) {
  const [pages, setPages] = useState({ rows: null, next: null, problem: null });
  const read = async (cursor, known, isCurrent = () => true) => {
    try {
      const { items, next_cursor: next } = await get(pathOf(customerId, cursor));
      if (isCurrent()) setPages({ rows: [...known, ...items], next, problem: null });
    } catch (problem) {
      if (isCurrent()) setPages({ rows: known, next: cursor, problem });
    }
  };
  useEffect(() => {
    let isWanted = true;
    if (customerId) read(null, [], () => isWanted);
    return () => { isWanted = false; };
  }, [customerId, version]);
  const isLive = connection.value === 'live';
  // What could not be read is read when the server is there again.
  useEffect(() => { if (isLive && pages.problem) read(pages.next, pages.rows); }, [isLive]);
  return { ...pages, more: () => read(pages.next, pages.rows) };
}

function Past({ other }) {
  const open = (event) => {
    event.preventDefault();
    conversations.put(other);
    openConversation(other.id);
  };
  const who = other.agent_id ? agentName(other.agent_id) : '';
  return html`
    <li><a href=${hrefOf({ id: other.id })} onClick=${open}><time title=${wholeTime(other.created_at)}>${shortDay(other.created_at)}</time>
      <span class="what"><span dir="auto">${unturned(other.preview) || networkName(other.network)}</span>
        <span class="hint">${[networkName(other.network), other.wrap_up_code || stateName(other.state), who].filter(Boolean).join(' · ')}</span></span></a></li>`;
}

const List = ({ title, rows }) => rows.length > 0 && html`
  <h2>${title}</h2><ul class="history">${rows.map((other) => html`<${Past} key=${other.id} other=${other} />`)}</ul>`;

export function History({ conversation }) {
  const { rows, next, problem, more } = usePages(conversation.customer?.id, conversation.id);
  const others = (rows ?? []).map((row) => conversations.get(row.id) ?? row).filter(({ id }) => id !== conversation.id);
  const open = others.filter(isOpen);
  return html`
    <section>
      <${List} title=${PERSON.open} rows=${open} />
      <${List} title=${PERSON.history} rows=${others.filter((other) => !isOpen(other))} />
      ${rows && !problem && !others.length && !next && html`<h2>${PERSON.history}</h2><p class="hint">${PERSON.first}</p>`}
      ${problem && html`<p class="hint" role="alert">${PERSON.unreadable(problem.message)}</p>`}
      ${(next || problem) && html`<button type="button" class="small" onClick=${more}>${problem ? DESK.tryAgain : PERSON.older}</button>`}
    </section>`;
}
