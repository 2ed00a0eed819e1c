// How long a customer still may wait by the service level, and how long it is over: by a word, an icon, a colour.
import { now } from '../core/clock.js';
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { clockSeconds, span, stateName } from '../core/format.js';
import { dueAt, levelOf, waitsSince } from '../state/store.js';
import { LISTS } from '../texts/en.js';

const ICONS = { late: 'warning', soon: 'late' };
const WORDS = { ...LISTS.levels, ok: '' };

const sinceWords = (since) => `${LISTS.since} ${clockSeconds(since)}`;

/** How long somebody waits, coloured only when it is late, and then with a word. */
export function Wait({ conversation }) {
  const since = waitsSince(conversation);
  if (since === null) return html`<span class="wait rest">${conversation.state === 'connected' ? LISTS.answered : stateName(conversation.state)}</span>`;
  const level = levelOf(conversation, now.value);
  return html`<span class="wait ${level}" title=${LISTS.since}>${WORDS[level] && html`<span class="word">${WORDS[level]}</span>`}<time>${span(now.value - since)}</time></span>`;
}

/** What is left of the service level's time; where there is none, how long it has been. */
export function Deadline({ conversation }) {
  const due = dueAt(conversation);
  if (due === null) return html`<${Wait} conversation=${conversation} />`;
  const left = due - now.value;
  const level = levelOf(conversation, now.value);
  return html`<span class="wait ${level}" title=${sinceWords(waitsSince(conversation))}>${ICONS[level] && html`<${Icon} name=${ICONS[level]} />`}
    <span class="word">${level === 'ok' ? LISTS.due : WORDS[level]}</span><time>${span(Math.abs(left))}</time></span>`;
}
