// Colleagues named in a note: `@` and how a name begins offers them, with what they do now; who is named is told.
import { html, useState } from '../core/html.js';
import { statusName } from '../core/format.js';
import { agents, session } from '../state/store.js';
import { NAMING } from '../texts/en.js';

const SHOWN = 8;
const MOST = 20;
const TOKEN = /(?:^|[\s(])(@[^@\n]{0,40})$/u;

// Whoever answers or sees to it; programs have an agent's row, too, and read no notes.
const READERS = ['agent', 'supervisor', 'admin'];
const others = () => agents.all().filter(({ id, roles = READERS }) => id !== session.value?.agent_id && roles.some((role) => READERS.includes(role)));
const nameOf = (agent) => agent.name || agent.username;

/** How somebody is named so that nobody else is meant. */
function handleOf(agent) {
  const isShared = others().filter((other) => nameOf(other) === nameOf(agent)).length > 1;
  return isShared ? agent.username : nameOf(agent);
}

/** The colleagues whom a note names, each once: of two names the longer one is meant. */
export function namedIn(text) {
  const names = others().flatMap((agent) => [[handleOf(agent), agent], [agent.username, agent]]).filter(([name]) => name);
  names.sort(([a], [b]) => b.length - a.length);
  const found = new Map();
  const lower = text.toLowerCase();
  for (let at = lower.indexOf('@'); at >= 0; at = lower.indexOf('@', at + 1)) {
    const [name, agent] = names.find(([known]) => lower.startsWith(known.toLowerCase(), at + 1)) ?? [];
    if (agent && !/[\p{L}\p{N}]/u.test(lower[at + 1 + name.length] ?? '')) found.set(agent.id, agent);
  }
  return Array.from(found.values());
}

export const isTooMany = (named) => named.length > MOST;

function tokenAt(field) {
  const { value, selectionStart: caret, selectionEnd } = field;
  const found = caret === selectionEnd && TOKEN.exec(value.slice(0, caret));
  return found ? { start: caret - found[1].length, caret, word: found[1].slice(1).toLowerCase() } : null;
}

function rank(agent, word) {
  const [name, username] = [nameOf(agent).toLowerCase(), agent.username?.toLowerCase() ?? ''];
  if (name.startsWith(word) || username.startsWith(word)) return 0;
  return name.split(/\s+/).some((part) => part.startsWith(word)) ? 1 : -1;
}

function rowsFor(token) {
  if (!token) return [];
  const hits = others().map((agent) => ({ agent, at: rank(agent, token.word) })).filter(({ at }) => at >= 0);
  // Who is there can answer now.
  const isAway = ({ agent }) => agent.routing_status !== 'on_queue';
  return hits.sort((a, b) => a.at - b.at || isAway(a) - isAway(b) || nameOf(a.agent).localeCompare(nameOf(b.agent))).slice(0, SHOWN).map(({ agent }) => agent);
}

/** What the composer needs for it: `{list, fieldProps, onKeyDown, look, close}`. */
export function useNaming({ field, isNote, setText }) {
  const [token, setToken] = useState(null);
  const [index, setIndex] = useState(0);
  const rows = isNote ? rowsFor(token) : [];
  const at = Math.min(index, rows.length - 1);
  const close = () => setToken(null);
  const look = () => { setToken(tokenAt(field.current)); setIndex(0); };
  const choose = (agent) => {
    const { value } = field.current;
    const head = `${value.slice(0, token.start)}@${handleOf(agent)} `;
    field.current.value = head + value.slice(token.caret).replace(/^ /, '');
    field.current.setSelectionRange(head.length, head.length);
    setText(field.current.value);
    close();
    field.current.focus();
  };
  const onKeyDown = (event) => {
    if (!rows.length || event.ctrlKey || event.metaKey || event.isComposing) return false;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) setIndex((at + by + rows.length) % rows.length);
    else if (event.key === 'Enter' || event.key === 'Tab') choose(rows[at]);
    else if (event.key === 'Escape') close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const fieldProps = rows.length ? { 'aria-autocomplete': 'list', 'aria-controls': 'naming-list', 'aria-activedescendant': `naming-${at}` } : {};
  return { list: html`<${List} rows=${rows} at=${at} choose=${choose} />`, fieldProps, onKeyDown, look, close };
}

function List({ rows, at, choose }) {
  const stay = (event) => event.preventDefault();
  return rows.length > 0 && html`
    <ul class="canned" id="naming-list" role="listbox" aria-label=${NAMING.label} onMouseDown=${stay}>${rows.map((agent, index) => html`
      <li key=${agent.id} id=${`naming-${index}`} role="option" aria-selected=${index === at} onClick=${() => choose(agent)}><b><bdi>${nameOf(agent)}</bdi></b>
        <span class="status ${agent.routing_status}"><i class="dot" aria-hidden="true"></i>${statusName(agent.routing_status)}${agent.reason ? html` · <bdi>${agent.reason}</bdi>` : ''}</span></li>`)}</ul>`;
}

/** Said before the note is kept: who will be told of it. */
export function Named({ text }) {
  const named = namedIn(text);
  if (!named.length) return null;
  return html`<p class="named ${isTooMany(named) ? 'over' : 'hint'}" role="status">${isTooMany(named) ? NAMING.tooMany(MOST) : html`${NAMING.told} <bdi>${named.map(nameOf).join(', ')}</bdi>`}</p>`;
}
