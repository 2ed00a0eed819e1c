// Which post is answered: any of the thread, at any depth; the newest one when nobody says.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { clockTime, customerName, unturned } from '../core/format.js';
import { agentName } from '../state/store.js';
import { timelineOf } from '../state/timelines.js';
import { DRAFT, ENTRIES, TARGET } from '../texts/en.js';
import { answeredId, changeDraft, draftOf } from './drafts.js';
import { keyHint } from './key_table.js';

const QUOTED = 140;

const idOf = (post) => post.external_id ?? post.id;
const cut = (text) => (text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text);

/** What can be named as the one before, by its id on the network: posts, and replies with all their parts. */
function said(entries) {
  const known = new Map();
  for (const { kind, post, reply } of entries) {
    if (kind === 'post') known.set(idOf(post), { above: post.in_reply_to, who: null, text: post.text, post });
    if (kind !== 'reply') continue;
    const ids = [reply.external_id, ...(reply.parts ?? []).map((part) => part.external_id)].filter(Boolean);
    for (const id of ids) known.set(id, { above: reply.in_reply_to, who: reply.agent_id, text: reply.text });
  }
  return known;
}

const threads = new WeakMap();

function threadOf(entries) {
  if (!threads.has(entries)) threads.set(entries, said(entries));
  return threads.get(entries);
}

/** How deep a post is in its thread, and what it answers: `{level, answers}`; a circle is no depth. */
function placeOf(entries, post) {
  const known = threadOf(entries);
  const seen = new Set([idOf(post)]);
  let above = post.in_reply_to;
  while (above && known.has(above) && !seen.has(above)) {
    seen.add(above);
    ({ above } = known.get(above));
  }
  return { level: seen.size, answers: known.get(post.in_reply_to) ?? null };
}

const isTarget = ({ kind, post }) => kind === 'post' && !post.deleted_at && !post.is_own;
const targetsOf = (conversationId) => timelineOf(conversationId).value.entries.filter(isTarget).map(({ post }) => post);

/** The post that the draft answers, or null; one that this page has not read is only its id. */
export function chosenPost(conversationId) {
  const { inReplyTo } = draftOf(conversationId);
  if (!inReplyTo) return null;
  return targetsOf(conversationId).find((post) => idOf(post) === inReplyTo.id) ?? { external_id: inReplyTo.id, text: inReplyTo.words ?? DRAFT.somePost };
}

/** Answers this post from now on; the words that are typed stay. */
export function answer(conversationId, post) {
  changeDraft(conversationId, { mode: 'reply', inReplyTo: post && { id: idOf(post), words: String(post.text ?? '').slice(0, QUOTED) } });
}

function show(post) {
  document.querySelector(`.post[data-post="${CSS.escape(post.id)}"]`)?.scrollIntoView({ block: 'nearest' });
}

/** Goes to the post before or after the one that is answered; behind the last one stands the newest, whichever that is. */
export function stepTarget(conversationId, by) {
  const posts = targetsOf(conversationId);
  if (!posts.length) return;
  const { inReplyTo } = draftOf(conversationId);
  const at = inReplyTo ? posts.findIndex((post) => idOf(post) === inReplyTo.id) : posts.length;
  const next = Math.max(0, (at < 0 ? posts.length : at) + by);
  answer(conversationId, posts[next] ?? null);
  show(posts[Math.min(next, posts.length - 1)]);
}

/** Whether it is the one; changes with the choice only, not with every word that is typed. */
export const isAnswered = (conversationId, post) => answeredId(conversationId) === idOf(post);

const nameOf = ({ who, post }, conversation) => (who ? agentName(who) : post ? customerName(post.author ?? conversation.customer) : ENTRIES.brand);

/** In the thread: what a post that is no beginning answers. */
export function Level({ post, conversation }) {
  const { level, answers } = placeOf(timelineOf(conversation.id).value.entries, post);
  if (level === 1) return post.in_reply_to ? html`<span class="hint level">${TARGET.answersElsewhere}</span>` : null;
  return html`<span class="hint level" title=${unturned(cut(answers.text ?? ''))}><${Icon} name="reply" />${TARGET.level(level)}, ${TARGET.answers} <bdi>${nameOf(answers, conversation)}</bdi></span>`;
}

function Steps({ conversation }) {
  const count = targetsOf(conversation.id).length;
  if (count < 2) return null;
  const step = (by, name, icon) => html`<button type="button" class="quiet icon" aria-label=${TARGET[name]} title=${`${TARGET[name]}  ${keyHint(name)}`} onClick=${() => stepTarget(conversation.id, by)}><${Icon} name=${icon} /></button>`;
  return html`<span class="steps">${step(-1, 'earlier_post', 'up')}${step(1, 'later_post', 'down')}</span>`;
}

/** In the composer: the post that will be answered, as a quote with its place. */
export function Quote({ conversation }) {
  const post = chosenPost(conversation.id);
  if (!post) return html`<div class="quote none"><span class="hint">${TARGET.newest}</span><${Steps} conversation=${conversation} /></div>`;
  const { level } = placeOf(timelineOf(conversation.id).value.entries, post);
  return html`
    <div class="quote"><blockquote dir="auto">${unturned(cut(post.text || ENTRIES.noWords))}</blockquote>
      <span class="hint">${TARGET.to} <bdi>${customerName(post.author ?? conversation.customer)}</bdi>${post.created_at && html` · <time>${clockTime(post.created_at)}</time>`} · ${level > 1 ? TARGET.level(level) : TARGET.first}</span>
      <${Steps} conversation=${conversation} />
      <button type="button" class="quiet icon" aria-label=${TARGET.no} title=${TARGET.no} onClick=${() => answer(conversation.id, null)}><${Icon} name="cross" /></button></div>`;
}
