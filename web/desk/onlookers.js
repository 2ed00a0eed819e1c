// Who else is at the conversation that is open here, and telling the others what is done here.
import { get, postPlain } from '../core/api.js';
import { html, signal, useEffect } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { everySecond } from '../core/ticker.js';
import { whenEvent } from '../state/live.js';
import { agentName, connection } from '../state/store.js';
import { ONLOOKERS } from '../texts/en.js';

const SAID_EVERY_MS = 10_000;
const TYPING_LASTS_MS = 5000;
const NAMED = 2;

/** Conversation id → who is there besides oneself. */
const onlookers = signal({});
let here = null;

const pathOf = (id) => `/conversations/${encodeURIComponent(id)}/presence`;

// It holds for seconds only: what did not arrive is said again by itself.
function tell(activity) {
  Object.assign(here, { activity, toldAt: Date.now() });
  postPlain(pathOf(here.id), { activity }).catch(() => {});
}

function beat() {
  if (!here) return;
  const isTyping = Date.now() - here.typedAt < TYPING_LASTS_MS;
  const activity = document.hidden ? 'gone' : isTyping ? 'typing' : 'looking';
  const isDue = activity !== 'gone' && Date.now() - here.toldAt >= SAID_EVERY_MS;
  if (activity !== here.activity || isDue) tell(activity);
}

export function noteTyping(id) {
  if (here?.id !== id) return;
  here.typedAt = Date.now();
  if (here.activity !== 'typing') beat();
}

function enter(id) {
  here = { id, activity: '', toldAt: 0, typedAt: 0 };
  beat();
  const place = here;
  return () => {
    if (here === place) tell('gone');
    here = null;
    onlookers.value = {};
  };
}

async function read(id) {
  const { items } = await get(pathOf(id)).catch(() => ({ items: [] }));
  if (here?.id === id) onlookers.value = { [id]: items };
}

/** Whoever only passes on the way to another one does not look. */
const LOOKS_AFTER_MS = 200;

/** While a conversation is open, the others see it; after a cut the list is read again. */
export function usePresence(id) {
  const isLive = connection.value === 'live';
  useEffect(() => {
    let leave = null;
    const timer = setTimeout(() => {
      leave = enter(id);
      if (connection.value === 'live') read(id);
    }, LOOKS_AFTER_MS);
    return () => { clearTimeout(timer); leave?.(); };
  }, [id]);
  useEffect(() => { if (isLive) read(id); }, [isLive]);
}

export function startPresence() {
  everySecond(beat);
  document.addEventListener('visibilitychange', beat);
  whenEvent(({ type, conversation_id: id, onlookers: told }) => {
    if (type === 'conversation.presence' && here?.id === id) onlookers.value = { [id]: told };
  });
}

const nameOf = ({ agent_id: id, name }) => (id && agentName(id) !== id ? agentName(id) : name);

function said(list) {
  const names = list.slice(0, NAMED).map(nameOf);
  return { names: list.length > NAMED ? [...names, ONLOOKERS.more(list.length - NAMED)] : names, count: list.length };
}

/** Stands in a line that is there anyway, so that nothing moves when somebody comes or goes. */
export function Onlookers({ conversationId }) {
  const list = onlookers.value[conversationId] ?? [];
  const typing = list.filter(({ activity }) => activity === 'typing');
  const { names, count } = said(typing.length ? typing : list);
  const phrase = typing.length ? ONLOOKERS.typing : ONLOOKERS.looking;
  const words = count ? phrase(names.join(ONLOOKERS.and), count) : '';
  return html`<span class="onlookers ${typing.length ? 'typing' : ''}" role="status" title=${words || undefined}>
    ${words && html`<${Icon} name=${typing.length ? 'pen' : 'eye'} /><bdi>${words}</bdi>`}</span>`;
}
