// What is offered: the one that runs out first on top, as a card; more below it, smaller, each with its own time.
import { now } from '../core/clock.js';
import { effect, html, signal, useEffect } from '../core/html.js';
import { customerName, networkName, span, toMs, unturned } from '../core/format.js';
import { myOffer, offers } from '../state/store.js';
import { lastWords, timelineOf, watchTimeline } from '../state/timelines.js';
import { ACTIONS, LISTS } from '../texts/en.js';
import { decline, pickUp } from './actions.js';
import { Audience } from './audience.js';
import { underway } from './commands.js';
import { keyHint } from './key_table.js';
import { hrefOf, openConversation, route } from './route.js';

const RING = 2 * Math.PI * 9;
/** A finger that is on its way means what was on top when it left. */
const AIM_MS = 700;

const top = signal({ id: null, before: null, at: 0 });

export function startAiming() {
  effect(() => {
    const id = offers.value[0]?.id ?? null;
    const known = top.peek();
    if (known.id !== id) top.value = { id, before: known.id, at: Date.now() };
  });
}

const offered = (id) => offers.value.find((conversation) => conversation.id === id);

/** The offer that keys mean: the one that is open beside, else the one on top, as it was a moment ago. */
export function aimed() {
  const { before, at } = top.value;
  // Whoever draws a mark by this draws it anew with the next second, when the moment is over.
  const isNew = now.value > 0 && Date.now() - at < AIM_MS;
  return offered(route.value.id) ?? (isNew ? offered(before) : null) ?? offers.value[0] ?? null;
}

/** A ring that empties; the seconds stand inside, because a ring alone cannot be read. */
function Countdown({ conversation }) {
  const expiresAt = toMs(myOffer(conversation)?.expires_at);
  const startedAt = toMs(conversation.offered_at);
  const whole = Number.isFinite(startedAt) ? expiresAt - startedAt : 20_000;
  const left = expiresAt - now.value;
  const share = Math.min(1, Math.max(0, left / whole));
  return html`
    <span class="countdown" role="timer" aria-label=${LISTS.left(Math.ceil(left / 1000))}>
      <svg viewBox="0 0 22 22" width="30" height="30" aria-hidden="true"><circle class="ground" cx="11" cy="11" r="9" />
        <circle class="level" cx="11" cy="11" r="9" stroke-dasharray=${RING} stroke-dashoffset=${RING * (1 - share)} transform="rotate(-90 11 11)" /></svg>
      <b>${Math.max(0, Math.ceil(left / 1000))}</b>
    </span>`;
}

function Who({ conversation }) {
  const open = (event) => {
    event.preventDefault();
    openConversation(conversation.id);
  };
  return html`<a class="who" href=${hrefOf({ id: conversation.id })} onClick=${open}><bdi>${customerName(conversation.customer)}</bdi></a>`;
}

function Buttons({ conversation, isAimed }) {
  const isBusy = underway.value.has(`${conversation.id}:pickup`);
  const key = (name) => isAimed && keyHint(name) && html`<kbd>${keyHint(name)}</kbd>`;
  return html`
    <div class="offer-buttons">
      <button type="button" class="primary" disabled=${isBusy} onClick=${() => pickUp(conversation)}>${ACTIONS.pickup} ${key('pickup')}</button>
      <button type="button" onClick=${() => decline(conversation)}>${ACTIONS.decline} ${key('decline')}</button>
    </div>`;
}

function Words({ conversation }) {
  useEffect(() => watchTimeline(conversation.id), [conversation.id]);
  const words = lastWords(timelineOf(conversation.id).value.entries)?.text ?? conversation.preview;
  return words ? html`<p class="words" dir="auto">${unturned(words)}</p>` : null;
}

function Offer({ conversation, isFirst }) {
  const isAimed = aimed()?.id === conversation.id;
  return html`
    <section class="offer ${isFirst ? '' : 'further'}" aria-label=${LISTS.offer(customerName(conversation.customer))}>
      <div class="offer-head">
        <div><${Who} conversation=${conversation} />
          <p class="hint">${isFirst ? html`<${Audience} conversation=${conversation} /> · ${LISTS.waited(span(now.value - toMs(conversation.queued_at)))}` : networkName(conversation.network)}</p></div>
        <${Countdown} conversation=${conversation} />
      </div>
      ${isFirst && html`<${Words} conversation=${conversation} />`}
      <${Buttons} conversation=${conversation} isAimed=${isAimed} />
    </section>`;
}

export function Offers() {
  const list = offers.value;
  if (!list.length) return null;
  return html`
    <div class="offers">${list.length > 1 && html`<h2>${LISTS.offers} <span class="count">${list.length}</span></h2>`}
      ${list.map((conversation, index) => html`<${Offer} key=${myOffer(conversation).id} conversation=${conversation} isFirst=${index === 0} />`)}</div>`;
}
