// The left column: what is offered above all, what colleagues want, then one's own conversations, and one line on the queue.
import { now } from '../core/clock.js';
import { html } from '../core/html.js';
import { span, toMs } from '../core/format.js';
import { hasLoaded, me, mine, waiting } from '../state/store.js';
import { LISTS } from '../texts/en.js';
import { Asked } from './asked.js';
import { setStatus } from './commands.js';
import { Mentions } from './mentions.js';
import { Offers } from './offers.js';
import { hrefOf, route } from './route.js';
import { Rows } from './rows.js';

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
  const first = list.reduce((least, { queued_at: at }) => (at < least ? at : least), list[0]?.queued_at);
  const longest = first ? now.value - toMs(first) : null;
  return html`
    <a class="queue-line" href=${hrefOf({ page: 'waiting' })}>
      <span><b>${LISTS.waiting}</b> ${list.length}</span>
      <span class="hint">${longest === null ? LISTS.nobody : html`${LISTS.longest} <time>${span(longest)}</time>`}</span>
    </a>`;
}

export function LeftColumn() {
  const isWaiting = route.value.page === 'waiting';
  const list = isWaiting ? waiting.value : mine.value;
  const empty = isWaiting ? html`<p class="empty">${LISTS.nobodyWaits}</p>` : html`<${EmptyMine} />`;
  return html`
    <section class="left" aria-label=${LISTS.label}>
      <${Offers} /><${Mentions} /><${Asked} />
      <h2>${isWaiting ? LISTS.waiting : LISTS.mine} <span class="count">${list.length}</span></h2>
      ${hasLoaded.value ? html`<${Rows} key=${isWaiting} conversations=${list} empty=${empty} />` : html`<${Skeleton} />`}
      ${isWaiting ? html`<a class="queue-line" href=${hrefOf({ page: 'mine' })}><span><b>${LISTS.mine}</b> ${mine.value.length}</span></a>` : html`<${QueueLine} />`}
    </section>`;
}
