// The keyboard: letters act on the open conversation, and rest while somebody types.
import { signal } from '../core/html.js';
import { prefer, preferences } from '../core/settings.js';
import { conversations, isSupervisor, mine, offers, openConversations, waiting } from '../state/store.js';
import { act, compose, decline, pickUp, toggleStatus } from './actions.js';
import { isDialogOpen, openDialog } from './dialog.js';
import { visibleFloor } from '../supervisor/floor_filter.js';
import { Help } from './help.js';
import { Palette } from './palette.js';
import { go, openConversation, pane, route } from './route.js';

const SEQUENCE_MS = 1200;

/** Every key that can be remapped: default key, what it says in the list, what it does. */
export const BINDINGS = [
  { name: 'pickup', key: 'a', label: 'Pick up the offer', run: () => takeOffer() },
  { name: 'decline', key: 'd', label: 'Decline the offer', run: () => offers.value[0] && decline(offers.value[0]) },
  { name: 'next', key: 'j', label: 'Next conversation', run: () => step(1) },
  { name: 'previous', key: 'k', label: 'Previous conversation', run: () => step(-1) },
  { name: 'reply', key: 'r', label: 'Reply', run: () => withOpen((conversation) => compose(conversation, 'reply')) },
  { name: 'note', key: 'n', label: 'Write a note', run: () => withOpen((conversation) => compose(conversation, 'note')) },
  { name: 'hold', key: 'h', label: 'Hold or resume', run: () => withOpen((c) => act(c, 'hold') || act(c, 'resume') || act(c, 'unpark')) },
  { name: 'transfer', key: 't', label: 'Transfer', run: () => withOpen((conversation) => act(conversation, 'transfer')) },
  { name: 'park', key: 'p', label: 'Park, or take back', run: () => withOpen((c) => act(c, 'park') || act(c, 'unpark')) },
  { name: 'disconnect', key: 'x', label: 'Disconnect', run: () => withOpen((conversation) => act(conversation, 'disconnect')) },
  { name: 'disconnect_next', key: 'X', label: 'Disconnect and go to the next', run: () => withOpen((c) => act(c, 'disconnect_next')) },
  { name: 'status', key: 's', label: 'On queue, off queue', run: toggleStatus },
  { name: 'mine', key: 'g m', label: 'My interactions', run: () => go({ page: 'mine', id: null }) },
  { name: 'waiting', key: 'g w', label: 'Waiting', run: () => go({ page: 'waiting', id: null }) },
  { name: 'floor', key: 'g f', label: 'The floor', run: () => isSupervisor.value && go({ page: 'floor', id: null }) },
  { name: 'help', key: '?', label: 'This list', run: () => openDialog({ title: 'Keys', body: Help, kind: 'wide' }) },
];

export const keyOf = ({ name, key }) => preferences.value.keys[name] ?? key;
/** The key of a binding as it is shown on buttons; '' when letters are off. */
export function keyHint(name) {
  const binding = BINDINGS.find((candidate) => candidate.name === name);
  return binding && preferences.value.letters ? keyOf(binding) : '';
}

/** Gives a binding another key; whoever had that key gets the old one. */
export function remap(binding, key) {
  const old = keyOf(binding);
  const other = BINDINGS.find((candidate) => candidate !== binding && keyOf(candidate) === key);
  prefer({ keys: { ...preferences.value.keys, [binding.name]: key, ...(other ? { [other.name]: old } : {}) } });
}

function takeOffer() {
  const offer = offers.value[0];
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

/** While the help sheet waits for a new key, it takes the next one. */
export const capture = signal(null);

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
    openDialog({ title: 'Commands', body: Palette, kind: 'palette' });
    return;
  }
  if (capture.value || isCommand || event.altKey || event.isComposing || isDialogOpen() || isTyping(event.target)) return;
  if (event.key === 'Enter' && event.target === document.body) openPage();
  if (!preferences.value.letters || event.key.length !== 1) return;
  const binding = matchLetter(event.key);
  if (!binding) return;
  event.preventDefault();
  binding.run();
}

export function startKeys() {
  addEventListener('keydown', pressed);
}
