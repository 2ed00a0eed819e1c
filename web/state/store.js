// What this page knows: who is logged in, and the rows it was told of. Everything shown is derived from here.
import { computed, signal } from '../core/html.js';
import { toMs } from '../core/format.js';
import { NAMES } from '../texts/en.js';
import { Table } from './table.js';

/** `{principal: {id, name, roles}, agent_id, expires_at}`; null when logged out, undefined before it is known. */
export const session = signal(undefined);
export const logInNotice = signal('');
export const connection = signal('connecting');
export const connectionSince = signal(Date.now());
export const signOfLifeAt = signal(0);
export const hasLoaded = signal(false);

export const conversations = new Table();
export const agents = new Table();
export const workgroups = new Table();
export const channels = new Table();

const roles = computed(() => session.value?.principal?.roles ?? []);
export const isSupervisor = computed(() => roles.value.includes('supervisor') || roles.value.includes('admin'));
/** Null for whoever takes no conversations, such as a supervisor who is no agent. */
export const myId = computed(() => (roles.value.includes('agent') ? session.value?.agent_id ?? null : null));
export const me = computed(() => (myId.value ? agents.get(myId.value) : undefined));

export const OPEN_STATES = ['queued', 'alerting', 'connected', 'held', 'parked', 'wrapup'];
/** Supervisors and integrators have an agent's row too, but no conversation is ever offered to them. */
export const staff = computed(() => agents.all().filter((agent) => !agent.roles || agent.roles.includes('agent')));

export const isOpen = (conversation) => OPEN_STATES.includes(conversation.state);

/** A workgroup may ask several at once: each sees an offer of their own. */
export function myOffer(conversation) {
  if (conversation.state !== 'alerting' || !myId.value) return null;
  return (conversation.offers ?? [conversation.offer]).find((offer) => offer?.agent_id === myId.value) ?? null;
}
export const isOfferedToMe = (conversation) => myOffer(conversation) !== null;
export const isMine = (conversation) => Boolean(myId.value) && conversation.agent_id === myId.value;

export const isPrivate = (conversation) => conversation.media_type === 'social_direct_message';

// Moments are all written alike, so they need not be read to be compared.
const byTime = (field) => (a, b) => {
  const [one, other] = [a[field] ?? '', b[field] ?? ''];
  if (one !== other) return one < other ? -1 : 1;
  return a.id < b.id ? -1 : 1;
};

export const offers = computed(() =>
  conversations.all().filter(isOfferedToMe).sort((a, b) => toMs(myOffer(a).expires_at) - toMs(myOffer(b).expires_at)));

// Who waits for words comes first, then what waits for a click, then what rests.
const URGENCY = { connected: 1, wrapup: 2, held: 3, parked: 4 };
const urgency = (conversation) =>
  (conversation.state === 'connected' && conversation.unanswered_count > 0 ? 0 : URGENCY[conversation.state] ?? 9);

export const mine = computed(() =>
  conversations
    .all()
    .filter((conversation) => isMine(conversation) && conversation.state in URGENCY)
    .sort((a, b) => urgency(a) - urgency(b) || byTime('last_post_at')(a, b)));

/** What one is consulted about: a colleague's conversations. */
export const consulted = computed(() => conversations.all().filter(({ consulted_agent_id: id }) => id && id === myId.value).sort(byTime('last_post_at')));

const myWorkgroups = computed(() => (me.value?.workgroups ?? []).map((entry) => entry.id ?? entry));

export const waiting = computed(() =>
  conversations
    .all()
    .filter((conversation) => conversation.state === 'queued')
    .filter((conversation) => isSupervisor.value || !myWorkgroups.value.length
      || myWorkgroups.value.includes(conversation.workgroup_id))
    .sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0) || byTime('queued_at')(a, b)));

export const openConversations = computed(() => conversations.all().filter(isOpen));

/** An agent's name, "you" for oneself; an id that is not known stays an id. */
export function agentName(id) {
  if (!id) return '';
  if (id === session.value?.agent_id) return NAMES.you;
  const agent = agents.get(id);
  return agent?.name || agent?.username || id;
}

export const workgroupName = (id) => workgroups.get(id)?.name ?? id ?? '';
export const channelName = (id) => channels.get(id)?.name ?? id ?? '';

/** How long the customer has been waiting for words, in ms, or null when nobody waits. */
export function waitsSince(conversation) {
  if (conversation.state === 'queued' || conversation.state === 'alerting') return toMs(conversation.queued_at);
  if (conversation.state === 'connected' && conversation.unanswered_count > 0) return toMs(conversation.last_post_at);
  return null;
}

const SOON = 0.7;

/** The service level's time for it, in ms; NaN where its workgroup has none. */
function targetMs({ workgroup_id: groupId, media_type: kind }) {
  const level = workgroups.get(groupId)?.service_level;
  return (level?.media_types?.[kind]?.target_s ?? level?.target_s) * 1000;
}

/** When the customer should have had words, by the service level; null when nobody waits or no target is known. */
export function dueAt(conversation) {
  const due = (waitsSince(conversation) ?? NaN) + targetMs(conversation);
  return Number.isFinite(due) ? due : null;
}

/** Service level as a word: `ok`, `soon`, `late`, or '' when no target is known or nobody waits. */
export function levelOf(conversation, nowMs) {
  const due = dueAt(conversation);
  if (due === null) return '';
  if (nowMs >= due) return 'late';
  return due - nowMs <= targetMs(conversation) * (1 - SOON) ? 'soon' : 'ok';
}
