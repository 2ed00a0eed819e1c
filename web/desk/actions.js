// What can be done with a conversation now, by this person: buttons, keys and the palette all ask here.
import { signal } from '../core/html.js';
import { isMine, isOfferedToMe, isOpen, isSupervisor, me, mine, myId, myOffer } from '../state/store.js';
import { ACTIONS } from '../texts/en.js';
import { command, setStatus } from './commands.js';
import { openDialog } from './dialog.js';
import { ConsultForm, DiscardForm, ParkForm, TransferForm } from './forms.js';
import { MergeForm, SplitForm } from './joining.js';
import { askFor } from './later.js';
import { go, openConversation, route } from './route.js';

/** Raised to ask the composer for the focus: `{conversationId, mode}`. */
export const composerCall = signal(null);

const isOnQueue = () => me.value?.routing_status === 'on_queue';

export async function pickUp(conversation) {
  // Out of turn too, only who is on queue gets something.
  if (!isOfferedToMe(conversation) && !isOnQueue() && !(await setStatus('on_queue'))) return;
  const body = isOfferedToMe(conversation) ? { offer_id: myOffer(conversation).id } : {};
  const connected = await command(conversation.id, 'pickup', { body, what: ACTIONS.pickup });
  if (connected && isMine(connected)) go({ page: route.value.page === 'floor' ? 'floor' : 'mine', id: connected.id, filters: route.value.filters });
}

export function decline(conversation) {
  return command(conversation.id, 'decline', { body: { offer_id: myOffer(conversation).id }, what: ACTIONS.decline });
}

async function disconnect(conversation) {
  const ended = await command(conversation.id, 'disconnect', { what: ACTIONS.disconnect });
  return ended !== null;
}

async function disconnectAndNext(conversation) {
  const next = mine.value.find((other) => other.id !== conversation.id && other.state === 'connected');
  if (await disconnect(conversation)) go({ page: 'mine', id: next?.id ?? null });
}

export function compose(conversation, mode) {
  if (route.value.id !== conversation.id) openConversation(conversation.id);
  composerCall.value = { conversationId: conversation.id, mode };
}

const simple = (name, what) => (conversation) => command(conversation.id, name, { what });
// What is done to somebody else's work is asked about first.
const asking = (name, own) => (conversation) => (own && isMine(conversation) ? own(conversation) : askFor(name, [conversation]));
const dialog = (title, body) => (conversation) => openDialog({ title, body, props: { conversation } });

/** Order is the order of the buttons. `may` says whether it can be done now; `owner` and so on are facts. */
const TABLE = [
  { name: 'pickup', label: ACTIONS.pickup, labelOf: (c) => (isOfferedToMe(c) || isOnQueue() ? ACTIONS.pickup : ACTIONS.pickup_on), icon: 'tick', kind: 'primary', run: pickUp,
    may: (c, { offered }) => offered || (c.state === 'queued' && Boolean(myId.value)) },
  { name: 'decline', label: ACTIONS.decline, icon: 'cross', run: decline, may: (c, { offered }) => offered },
  { name: 'hold', label: ACTIONS.hold, icon: 'pause', run: simple('hold', ACTIONS.hold), may: (c, { owner }) => owner && c.state === 'connected' },
  { name: 'resume', label: ACTIONS.resume, icon: 'play', kind: 'primary', run: simple('resume', ACTIONS.resume), may: (c, { owner }) => owner && c.state === 'held' },
  { name: 'unpark', label: ACTIONS.unpark, icon: 'play', kind: 'primary', run: simple('unpark', ACTIONS.unpark),
    may: (c, { owner, supervisor }) => (owner || supervisor) && c.state === 'parked' },
  { name: 'transfer', label: ACTIONS.transfer, icon: 'transfer', run: asking('reassign', dialog(ACTIONS.transfer, TransferForm)),
    may: (c, { owner, supervisor }) => (owner && talks(c)) || (supervisor && isOpen(c) && c.state !== 'wrapup') },
  { name: 'park', label: ACTIONS.park, icon: 'park', run: dialog(ACTIONS.park, ParkForm), may: (c, { owner }) => owner && talks(c) },
  { name: 'release', label: ACTIONS.release, icon: 'back', run: asking('release'),
    may: (c, { supervisor }) => supervisor && (talks(c) || c.state === 'parked') },
  { name: 'discard', label: ACTIONS.discard, icon: 'cross', run: asking('discard', dialog(ACTIONS.discard, DiscardForm)),
    may: (c, { owner, supervisor }) => (owner || supervisor) && isOpen(c) && c.state !== 'wrapup' },
  { name: 'disconnect', label: ACTIONS.disconnect, icon: 'end', kind: 'end', run: asking('disconnect', disconnect),
    may: (c, { owner, supervisor }) => (owner || supervisor) && talks(c) },
  { name: 'disconnect_next', label: ACTIONS.disconnect_next, icon: 'end', isMore: true, run: disconnectAndNext,
    may: (c, { owner }) => owner && talks(c) },
  { name: 'consult', label: ACTIONS.consult, icon: 'question', isMore: true, run: dialog(ACTIONS.consult, ConsultForm), may: (c, { owner }) => owner && talks(c) && !c.consulted_agent_id },
  { name: 'end_consult', label: ACTIONS.end_consult, icon: 'cross', isMore: true, run: (conversation) => command(conversation.id, 'consult/end', { what: ACTIONS.end_consult }),
    may: (c, { owner, supervisor }) => Boolean(c.consulted_agent_id) && (owner || supervisor || c.consulted_agent_id === myId.value) },
  { name: 'merge', label: ACTIONS.merge, icon: 'reply', isMore: true, run: dialog(ACTIONS.merge, MergeForm),
    may: (c, { owner, offered, supervisor }) => isOpen(c) && c.state !== 'wrapup' && (owner || offered || supervisor || (c.state === 'queued' && Boolean(myId.value))) },
  { name: 'split', label: ACTIONS.split, icon: 'out', isMore: true, run: dialog(ACTIONS.split, SplitForm),
    may: (c, { owner, supervisor }) => (owner || supervisor) && isOpen(c) && c.state !== 'wrapup' && c.post_count > 1 },
];

const talks = (conversation) => conversation.state === 'connected' || conversation.state === 'held';

/** The actions that the person may take on the conversation now. */
export function actionsFor(conversation) {
  if (!conversation) return [];
  const facts = { offered: isOfferedToMe(conversation), owner: isMine(conversation), supervisor: isSupervisor.value };
  return TABLE.filter((action) => action.may(conversation, facts)).map((action) => (action.labelOf ? { ...action, label: action.labelOf(conversation) } : action));
}

export function act(conversation, name) {
  const action = actionsFor(conversation).find((candidate) => candidate.name === name);
  action?.run(conversation);
  return Boolean(action);
}

export const mayReply = (conversation) => isMine(conversation) && conversation.state === 'connected';

export function toggleStatus() {
  if (!me.value) return;
  setStatus(me.value.routing_status === 'on_queue' ? 'off_queue' : 'on_queue');
}
