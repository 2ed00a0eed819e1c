// The keyboard: letters act on the open conversation, and rest while somebody types.
import { preferences } from '../core/settings.js';
import { conversations, isSupervisor, mine, offers, openConversations, waiting } from '../state/store.js';
import { act, compose, decline, mayReply, pickUp, toggleStatus } from './actions.js';
import { isDialogOpen } from './dialog.js';
import { visibleFloor } from '../supervisor/floor_filter.js';
import { openHelp } from './help.js';
import { BINDINGS, capture, keyOf } from './key_table.js';
import { aimed } from './offers.js';
import { openPalette } from './palette.js';
import { stepTarget } from './reply_target.js';
import { go, openConversation, pane, route } from './route.js';

const SEQUENCE_MS = 1200;

/** What each key of the table does. */
const RUNS = {
  pickup: () => takeOffer(),
  decline: () => aimed() && decline(aimed()),
  next: () => step(1),
  previous: () => step(-1),
  reply: () => withOpen((conversation) => compose(conversation, 'reply')),
  note: () => withOpen((conversation) => compose(conversation, 'note')),
  earlier_post: () => withOpen((conversation) => mayReply(conversation) && stepTarget(conversation.id, -1)),
  later_post: () => withOpen((conversation) => mayReply(conversation) && stepTarget(conversation.id, 1)),
  hold: () => withOpen((c) => act(c, 'hold') || act(c, 'resume') || act(c, 'unpark')),
  transfer: () => withOpen((conversation) => act(conversation, 'transfer')),
  consult: () => withOpen((c) => act(c, 'consult') || act(c, 'end_consult')),
  merge: () => withOpen((conversation) => act(conversation, 'merge')),
  park: () => withOpen((c) => act(c, 'park') || act(c, 'unpark')),
  disconnect: () => withOpen((conversation) => act(conversation, 'disconnect')),
  disconnect_next: () => withOpen((conversation) => act(conversation, 'disconnect_next')),
  status: toggleStatus,
  mine: () => go({ page: 'mine', id: null }),
  waiting: () => go({ page: 'waiting', id: null }),
  floor: () => isSupervisor.value && go({ page: 'floor', id: null }),
  help: openHelp,
};

function takeOffer() {
  const offer = aimed();
  if (offer) return pickUp(offer);
  return withOpen((conversation) => act(conversation, 'pickup'));
}

function withOpen(run) {
  const conversation = route.value.id && conversations.get(route.value.id);
  if (conversation) run(conversation);
}

function listed() {
  if (route.value.page === 'floor') return visibleFloor(openConversations.value, route.value.filters);
  if (route.value.page === 'waiting') return waiting.value;
  return [...offers.value, ...mine.value];
}

function step(by) {
  const list = listed();
  if (!list.length) return;
  const at = list.findIndex((conversation) => conversation.id === route.value.id);
  const next = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + by, 0), list.length - 1);
  openConversation(list[next].id);
}

let pending = '';
let pendingTimer = null;

function matchLetter(key) {
  const sequence = pending ? `${pending} ${key}` : key;
  clearTimeout(pendingTimer);
  pending = '';
  const binding = BINDINGS.find((candidate) => keyOf(candidate) === sequence);
  if (binding) return binding;
  if (BINDINGS.some((candidate) => keyOf(candidate).startsWith(`${sequence} `))) {
    pending = sequence;
    pendingTimer = setTimeout(() => { pending = ''; }, SEQUENCE_MS);
  }
  return null;
}

const isTyping = (target) => target.matches?.('input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]');

function openPage() {
  if (!route.value.id) return step(1);
  pane.value = 'thread';
  document.querySelector('.thread')?.focus();
  return undefined;
}

function pressed(event) {
  const isCommand = event.ctrlKey || event.metaKey;
  if (isCommand && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    openPalette();
    return;
  }
  if (capture.value || isCommand || event.altKey || event.isComposing || isDialogOpen() || isTyping(event.target)) return;
  if (event.key === 'Enter' && event.target === document.body) openPage();
  if (!preferences.value.letters || event.key.length !== 1) return;
  const binding = matchLetter(event.key);
  if (!binding) return;
  event.preventDefault();
  RUNS[binding.name]();
}

export function startKeys() {
  addEventListener('keydown', pressed);
}
