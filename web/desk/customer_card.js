// The customer: every face on every network, where they are, what is known of them, whose they are.
import { get } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { locale } from '../core/language.js';
import { customerName, networkName, shortDay, unturned, wholeTime } from '../core/format.js';
import { agentName, connection } from '../state/store.js';
import { DESK, PERSON } from '../texts/en.js';

const KEPT = 30;
/** Customer id → what was read last: whoever comes back sees it at once, and then what it is now. */
const cards = new Map();

function keep(customerId, card) {
  cards.delete(customerId);
  cards.set(customerId, card);
  if (cards.size > KEPT) cards.delete(cards.keys().next().value);
}

/** `{card, problem, again}`; the card is null while nothing of it is known. */
function useCard(customerId) {
  const [found, setFound] = useState({ id: null, problem: null });
  const [turn, setTurn] = useState(0);
  const isLive = connection.value === 'live';
  const isRead = found.id === customerId && !found.problem;
  // What could not be read is read when the server is there again.
  useEffect(() => {
    if (!customerId || isRead) return undefined;
    let isCurrent = true;
    const take = (problem) => isCurrent && setFound({ id: customerId, problem });
    get(`/customers/${encodeURIComponent(customerId)}`).then((card) => { keep(customerId, card); take(null); }, take);
    return () => { isCurrent = false; };
  }, [customerId, turn, isLive]);
  return { card: cards.get(customerId) ?? null, problem: found.id === customerId ? found.problem : null, again: () => setTurn(turn + 1) };
}

const facts = ({ followers, language, location }) => [
  followers !== null && followers !== undefined && PERSON.followed(followers.toLocaleString(locale)), language, unturned(location),
].filter(Boolean);

function Identity({ identity, isHere }) {
  return html`
    <li class=${isHere ? 'here' : ''}><span class="identity"><bdi class="who">${customerName(identity)}</bdi> <span class="hint">${networkName(identity.network)}${isHere ? ` · ${PERSON.here}` : ''}</span></span>
      ${facts(identity).map((fact, index) => html`<bdi class="hint" dir="auto" key=${index}>${fact}</bdi>`)}</li>`;
}

function Known({ card, conversation }) {
  const handle = conversation.customer?.handle;
  const isHere = ({ network, handle: own }) => network === conversation.network && (!handle || own === handle);
  const isJoined = card.identities.length > 1;
  return html`
    ${isJoined && html`<p class="hint">${PERSON.joined(card.identities.length)}</p>`}
    <ul class="identities">${card.identities.map((identity) => html`<${Identity} key=${`${identity.network}:${identity.external_id}`} identity=${identity} isHere=${isJoined && isHere(identity)} />`)}</ul>
    ${card.tags.length > 0 && html`<ul class="tags" aria-label=${PERSON.tags}>${card.tags.map((tag) => html`<li key=${tag}><bdi>${unturned(tag)}</bdi></li>`)}</ul>`}
    <p class="hint">${PERSON.since} <time title=${wholeTime(card.created_at)}>${shortDay(card.created_at)}</time>${card.own_agent_id && html` · ${PERSON.ownAgent} <bdi>${agentName(card.own_agent_id)}</bdi>`}</p>`;
}

export function CustomerCard({ conversation }) {
  const { customer = {} } = conversation;
  const { card, problem, again } = useCard(customer.id);
  return html`
    <section class="customer"><h1><bdi>${customerName(customer)}</bdi></h1>
      ${customer.name && customerName(customer) !== customer.name && html`<p><bdi dir="auto">${unturned(customer.name)}</bdi></p>`}
      ${card ? html`<${Known} card=${card} conversation=${conversation} />`
        : problem ? html`<p class="hint"><${Icon} name="warning" />${PERSON.unreadable(problem.message)} <button type="button" class="small" onClick=${again}>${DESK.tryAgain}</button></p>`
          : html`<div class="skeleton" aria-hidden="true"></div>`}
    </section>`;
}
