// Canned replies in the composer: `/` and how a shortcut begins, arrows, Enter puts the words there.
import { get, postPlain } from '../core/api.js';
import { html, useEffect, useRef, useState } from '../core/html.js';
import { CANNED } from '../texts/en.js';
import { sayProblem } from './commands.js';
import { draftOf } from './drafts.js';
import { say } from './toasts.js';

const ASK_AFTER_MS = 100;
const SHOWN = 8;
const TOKEN = /(?:^|\s)(\/[^\s/{}]{0,50})$/u;

/** The `/word` that ends at the caret: `{start, caret, word}`, or null. */
function tokenAt(field) {
  const { value, selectionStart: caret, selectionEnd } = field;
  const found = caret === selectionEnd && TOKEN.exec(value.slice(0, caret));
  return found ? { start: caret - found[1].length, caret, word: found[1] } : null;
}

function useRows(conversation, token) {
  const [found, setFound] = useState({ word: undefined, rows: [] });
  const { word } = token ?? {};
  useEffect(() => {
    const setRows = (rows) => setFound({ word, rows });
    if (word === undefined) return setRows([]);
    let isCurrent = true;
    const query = new URLSearchParams({ q: word.slice(1), workgroup_id: conversation.workgroup_id, limit: SHOWN });
    const timer = setTimeout(() => get(`/canned-replies?${query}`).then(
      ({ items }) => isCurrent && setRows(items.slice(0, SHOWN)),
      () => isCurrent && setRows([]),
    ), ASK_AFTER_MS);
    return () => { isCurrent = false; clearTimeout(timer); };
  }, [word, conversation.workgroup_id]);
  return found;
}

async function insert({ conversation, row, token, field, setText }) {
  try {
    const { text, missing } = await postPlain(`/canned-replies/${encodeURIComponent(row.id)}/render`, { conversation_id: conversation.id });
    const typed = draftOf(conversation.id).reply;
    // Whoever typed on meanwhile has decided otherwise.
    if (typed.slice(token.start, token.caret) !== token.word) return;
    const caret = Math.max(field.selectionStart, token.caret) + text.length - token.word.length;
    const whole = typed.slice(0, token.start) + text + typed.slice(token.caret);
    // At once, so that a key that is pressed now goes behind the words.
    field.value = whole;
    field.setSelectionRange(caret, caret);
    setText(whole);
    if (missing.length) say({ title: CANNED.missing(missing), kind: 'note' });
  } catch (problem) {
    sayProblem(problem, { what: CANNED.what });
  }
}

/** What the composer needs for it: `{list, fieldProps, onKeyDown, look, close}`. */
export function useCanned({ conversation, field, isReply, setText }) {
  const [token, setToken] = useState(null);
  const [index, setIndex] = useState(0);
  const found = useRows(conversation, isReply ? token : null);
  const rows = token && isReply ? found.rows : [];
  const isStale = found.word !== token?.word;
  const isHasty = useRef(false);
  const at = Math.min(index, rows.length - 1);
  const close = () => setToken(null);
  const look = () => { isHasty.current = false; setToken(tokenAt(field.current)); setIndex(0); };
  const choose = (row) => {
    isHasty.current = false;
    close();
    field.current.focus();
    insert({ conversation, row, token, field: field.current, setText });
  };
  // Enter was quicker than the answer: the first of the answer is meant, not the first of what was shown before.
  useEffect(() => {
    if (isHasty.current && !isStale && rows.length) choose(rows[0]);
  }, [found]);
  const take = () => {
    isHasty.current = isStale;
    if (!isStale) choose(rows[at]);
  };
  /** Answers whether the key was meant for the list. */
  const onKeyDown = (event) => {
    if (!rows.length || event.ctrlKey || event.metaKey || event.isComposing) return false;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) setIndex((at + by + rows.length) % rows.length);
    else if (event.key === 'Enter' || event.key === 'Tab') take();
    else if (event.key === 'Escape') close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const isOpen = rows.length > 0;
  const fieldProps = isOpen
    ? { 'aria-autocomplete': 'list', 'aria-controls': 'canned-list', 'aria-activedescendant': `canned-${at}` } : { 'aria-autocomplete': 'list' };
  return { list: html`<${List} rows=${rows} at=${at} choose=${choose} />`, fieldProps, onKeyDown, look, close };
}

function List({ rows, at, choose }) {
  // The pointer must not take the focus from the field: leaving it closes the list.
  const stay = (event) => event.preventDefault();
  return html`
    <span class="unseen" role="status">${rows.length ? CANNED.found(rows.length) : ''}</span>
    ${rows.length > 0 && html`<ul class="canned" id="canned-list" role="listbox" aria-label=${CANNED.label} onMouseDown=${stay}>${rows.map((row, index) => html`
      <li key=${row.id} id=${`canned-${index}`} role="option" aria-selected=${index === at} onClick=${() => choose(row)}><b>/${row.shortcut}</b><span dir="auto">${row.text}</span></li>`)}</ul>`}`;
}
