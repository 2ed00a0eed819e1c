// Notes of colleagues that name oneself: above one's list until their conversation is opened, and all of them on demand.
import { get } from '../core/api.js';
import { effect, html, useEffect, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { customerName, shortDay, unturned, wholeTime } from '../core/format.js';
import { hasLoaded } from '../state/store.js';
import { mentions, readMentions, readThere, startMentions as listen } from '../state/mentions.js';
import { DESK, MENTIONS } from '../texts/en.js';
import { closeDialog, openDialog } from './dialog.js';
import { hrefOf, openConversation, route } from './route.js';
import { say } from './toasts.js';

const SHOWN = 5;
const WORDS = 120;

const wordsOf = ({ text }) => unturned(text.length > WORDS ? `${text.slice(0, WORDS)}…` : text);

export function startMentions() {
  listen((mention) => {
    if (route.value.id !== mention.conversation_id) say({ title: MENTIONS.by(mention.by.name), detail: wordsOf(mention), kind: 'note' });
  });
  effect(() => { if (hasLoaded.value) readMentions(); });
  const lookNow = () => { if (!document.hidden && route.value.id && mentions.value.length) readThere(route.value.id); };
  effect(lookNow);
  document.addEventListener('visibilitychange', lookNow);
}

function Mention({ mention, whenOpened = () => {} }) {
  const { conversation_id: id, by, customer, created_at: at } = mention;
  const open = (event) => {
    event.preventDefault();
    whenOpened();
    openConversation(id);
  };
  return html`
    <li><a class="row mention" href=${hrefOf({ id })} onClick=${open}>
      <span class="row-top"><bdi class="who">${unturned(by.name)}</bdi><time class="hint" title=${wholeTime(at)}>${shortDay(at)}</time></span>
      <span class="row-words" dir="auto">${wordsOf(mention)}</span>
      <span class="row-sub"><bdi>${customerName(customer)}</bdi></span></a></li>`;
}

export function Mentions() {
  const list = mentions.value;
  if (!list.length) return null;
  return html`
    <section class="mentions" aria-label=${MENTIONS.label}><h2><${Icon} name="note" />${MENTIONS.label} <span class="count">${list.length}</span></h2>
      <ul class="rows">${list.slice(0, SHOWN).map((mention) => html`<${Mention} key=${mention.note_id} mention=${mention} />`)}</ul>
      ${list.length > SHOWN && html`<button type="button" class="link" onClick=${openMentions}>${MENTIONS.all}</button>`}</section>`;
}

function All() {
  const [page, setPage] = useState({ items: [], next: null, state: 'reading' });
  const more = async (cursor) => {
    try {
      const { items, next_cursor: next } = await get(`/mentions?limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
      setPage((known) => ({ items: [...known.items, ...items], next, state: 'ready' }));
    } catch (problem) {
      setPage((known) => ({ ...known, state: 'failed', why: problem.message }));
    }
  };
  useEffect(() => { more(null); }, []);
  return html`
    ${page.state === 'reading' && html`<div class="skeleton tall" aria-hidden="true"></div>`}
    ${page.state === 'failed' && html`<p role="alert">${MENTIONS.unreadable(page.why)} <button type="button" class="small" onClick=${() => more(page.next)}>${DESK.tryAgain}</button></p>`}
    ${page.state === 'ready' && page.items.length === 0 && html`<p class="hint">${MENTIONS.none}</p>`}
    <ul class="rows">${page.items.map((mention) => html`<${Mention} key=${mention.note_id} mention=${mention} whenOpened=${closeDialog} />`)}</ul>
    ${page.next && html`<button type="button" class="small" onClick=${() => more(page.next)}>${MENTIONS.more}</button>`}`;
}

export const openMentions = () => openDialog({ title: MENTIONS.label, body: All });

/** Wherever one is: how many notes that name one are not read yet. */
export function MentionsBadge() {
  const count = mentions.value.length;
  if (!count) return null;
  return html`<button type="button" class="quiet mentions-badge" aria-label=${MENTIONS.unread(count)} title=${MENTIONS.unread(count)} onClick=${openMentions}><${Icon} name="note" />${count}</button>`;
}
