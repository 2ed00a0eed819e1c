// The left column: the offer above all, then one's own conversations, then one line on the queue.
import { now } from '../core/clock.js';
import { html, useEffect } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { customerName, networkName, span, stateName, toMs, unturned } from '../core/format.js';
import { hasLoaded, isPrivate, isSupervisor, levelOf, me, mine, myOffer, offers, waiting, waitsSince, workgroupName } from '../state/store.js';
import { lastWords, timelineOf, watchTimeline } from '../state/timelines.js';
import { ACTIONS, LISTS } from '../texts/en.js';
import { decline, pickUp } from './actions.js';
import { setStatus, underway } from './commands.js';
import { hasDraft } from './drafts.js';
import { keyHint } from './key_table.js';
import { hrefOf, openConversation, route } from './route.js';

const RING = 2 * Math.PI * 9;

/** A ring that empties; the seconds stand inside, because a ring alone cannot be read. */
function Countdown({ leftMs, wholeMs }) {
  const share = Math.min(1, Math.max(0, leftMs / wholeMs));
  return html`
    <span class="countdown" role="timer" aria-label=${LISTS.left(Math.ceil(leftMs / 1000))}>
      <svg viewBox="0 0 22 22" width="30" height="30" aria-hidden="true"><circle class="ground" cx="11" cy="11" r="9" />
        <circle class="level" cx="11" cy="11" r="9" stroke-dasharray=${RING} stroke-dashoffset=${RING * (1 - share)} transform="rotate(-90 11 11)" /></svg>
      <b>${Math.max(0, Math.ceil(leftMs / 1000))}</b>
    </span>`;
}

const Key = ({ name }) => keyHint(name) && html`<kbd>${keyHint(name)}</kbd>`;

function Offer({ conversation }) {
  useEffect(() => watchTimeline(conversation.id), [conversation.id]);
  const words = lastWords(timelineOf(conversation.id).value.entries)?.text ?? conversation.preview;
  const expiresAt = toMs(myOffer(conversation)?.expires_at);
  const startedAt = toMs(conversation.offered_at);
  const isBusy = underway.value.has(`${conversation.id}:pickup`);
  return html`
    <section class="offer" aria-label=${LISTS.offer(customerName(conversation.customer))}>
      <div class="offer-head">
        <div><a class="who" href=${hrefOf({ id: conversation.id })} onClick=${() => openConversation(conversation.id)}><bdi>${customerName(conversation.customer)}</bdi></a>
          <p class="hint"><${Audience} conversation=${conversation} /> · ${LISTS.waited(span(now.value - toMs(conversation.queued_at)))}</p></div>
        <${Countdown} leftMs=${expiresAt - now.value} wholeMs=${Number.isFinite(startedAt) ? expiresAt - startedAt : 20_000} />
      </div>
      ${words && html`<p class="words" dir="auto">${unturned(words)}</p>`}
      <div class="offer-buttons">
        <button type="button" class="primary" disabled=${isBusy} onClick=${() => pickUp(conversation)}>${ACTIONS.pickup} <${Key} name="pickup" /></button>
        <button type="button" onClick=${() => decline(conversation)}>${ACTIONS.decline} <${Key} name="decline" /></button>
      </div>
    </section>`;
}

export function Audience({ conversation }) {
  const hidden = isPrivate(conversation);
  return html`<span class="audience">${networkName(conversation.network)} · <span class=${hidden ? 'closed' : 'open'}>
    <${Icon} name=${hidden ? 'lock' : 'globe'} />${hidden ? LISTS.private : LISTS.public}</span></span>`;
}

const LEVEL_WORDS = { ...LISTS.levels, ok: '' };

/** How long somebody waits, coloured only when it is late, and then with a word. */
export function Wait({ conversation }) {
  const since = waitsSince(conversation);
  if (since === null) return html`<span class="wait rest">${conversation.state === 'connected' ? LISTS.answered : stateName(conversation.state)}</span>`;
  const level = levelOf(conversation, now.value);
  return html`<span class="wait ${level}" title=${LISTS.since}>${LEVEL_WORDS[level] && html`<span class="word">${LEVEL_WORDS[level]}</span>`}<time>${span(now.value - since)}</time></span>`;
}

function Row({ conversation }) {
  const isCurrent = route.value.id === conversation.id;
  const unanswered = conversation.unanswered_count ?? 0;
  return html`
    <li><a class="row ${conversation.state} ${unanswered && conversation.state === 'connected' ? 'speaks' : ''}" href=${hrefOf({ id: conversation.id })}
      aria-current=${isCurrent ? 'true' : undefined} onClick=${(event) => { event.preventDefault(); openConversation(conversation.id); }}>
      <span class="row-top"><bdi class="who">${customerName(conversation.customer)}</bdi><${Wait} conversation=${conversation} /></span>
      <span class="row-sub"><${Audience} conversation=${conversation} />
        ${conversation.state === 'queued' && html`<span> · ${workgroupName(conversation.workgroup_id)}</span>`}
        ${unanswered > 1 && html`<span class="row-count" title=${LISTS.unanswered}>${LISTS.posts(unanswered)}</span>`}
        ${hasDraft(conversation.id) && html`<span class="draft">${LISTS.draft}</span>`}</span>
    </a></li>`;
}

function Skeleton() {
  return html`<ul class="rows" aria-hidden="true">${[1, 2, 3].map((n) => html`<li key=${n} class="skeleton"></li>`)}</ul>`;
}

function EmptyMine() {
  const status = me.value?.routing_status;
  if (!me.value) return html`<p class="empty">${LISTS.noAgent}</p>`;
  if (status === 'on_queue') return html`<p class="empty">${LISTS.onQueue}</p>`;
  return html`<div class="empty"><p>${LISTS.offQueue}</p>
    <button type="button" class="small" onClick=${() => setStatus('on_queue')}>${LISTS.goOn}</button></div>`;
}

function QueueLine() {
  const list = waiting.value;
  const longest = list.length ? Math.max(...list.map((conversation) => now.value - toMs(conversation.queued_at))) : null;
  return html`
    <a class="queue-line" href=${hrefOf({ page: 'waiting' })}>
      <span><b>${LISTS.waiting}</b> ${list.length}</span>
      <span class="hint">${longest === null ? LISTS.nobody : html`${LISTS.longest} <time>${span(longest)}</time>`}</span>
    </a>`;
}

export function LeftColumn() {
  const isWaiting = route.value.page === 'waiting';
  const list = isWaiting ? waiting.value : mine.value;
  return html`
    <section class="left" aria-label=${LISTS.label}>
      ${offers.value.map((conversation) => html`<${Offer} key=${myOffer(conversation).id} conversation=${conversation} />`)}
      <h2>${isWaiting ? LISTS.waiting : LISTS.mine} <span class="count">${list.length}</span></h2>
      ${!hasLoaded.value ? html`<${Skeleton} />` : html`
        <ul class="rows">${list.slice(0, 300).map((conversation) => html`<${Row} key=${conversation.id} conversation=${conversation} />`)}</ul>
        ${list.length === 0 && (isWaiting ? html`<p class="empty">${LISTS.nobodyWaits}</p>` : html`<${EmptyMine} />`)}`}
      ${isWaiting ? html`<a class="queue-line" href=${hrefOf({ page: 'mine' })}><span><b>${LISTS.mine}</b> ${mine.value.length}</span></a>` : html`<${QueueLine} />`}
    </section>`;
}
