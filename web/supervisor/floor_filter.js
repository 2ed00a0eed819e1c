// Which conversations a supervisor's filters let through, and in which order.
import { customerName, toMs } from '../core/format.js';
import { OPEN_STATES, agentName, dueAt, levelOf, waitsSince, workgroupName } from '../state/store.js';

const SAME = ['state', 'workgroup_id', 'network', 'channel_id', 'media_type'];

/** Who has it, or is asked to take it. */
const holdersOf = (conversation) => (conversation.state === 'alerting'
  ? (conversation.offers ?? [conversation.offer]).filter(Boolean).map((offer) => offer.agent_id)
  : [conversation.agent_id].filter(Boolean));

export const holderNames = (conversation) => holdersOf(conversation).map(agentName).join(', ');

function hasWords(conversation, words) {
  const text = [customerName(conversation.customer), conversation.customer?.name, conversation.network, conversation.state,
    workgroupName(conversation.workgroup_id), holderNames(conversation), conversation.preview, conversation.id].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

const byText = (read) => ({ read: (conversation) => read(conversation).toLowerCase(), compare: (a, b) => a.localeCompare(b) });
const byNumber = (read) => ({ read, compare: (a, b) => a - b });

/** The natural direction comes first: the oldest, the longest waiting, the most urgent. */
export const ORDERS = {
  customer: byText((conversation) => customerName(conversation.customer)),
  state: byNumber(({ state }) => OPEN_STATES.indexOf(state)),
  network: byText(({ network }) => network ?? ''),
  workgroup: byText(({ workgroup_id: id }) => workgroupName(id)),
  agent: byText(holderNames),
  age: byNumber(({ created_at: at }) => toMs(at)),
  waits: byNumber((conversation) => waitsSince(conversation) ?? Number.MAX_SAFE_INTEGER),
  due: byNumber((conversation) => dueAt(conversation) ?? Number.MAX_SAFE_INTEGER),
  priority: byNumber(({ priority }) => -(priority ?? 0)),
};

function sorted(conversations, sort) {
  const isTurned = sort.startsWith('-');
  const { read, compare } = ORDERS[isTurned ? sort.slice(1) : sort] ?? ORDERS.waits;
  return conversations
    .map((conversation) => ({ conversation, key: read(conversation), createdAt: toMs(conversation.created_at) }))
    .sort((a, b) => (isTurned ? compare(b.key, a.key) : compare(a.key, b.key)) || a.createdAt - b.createdAt)
    .map(({ conversation }) => conversation);
}

/** Longest waiting first, unless another order is asked for. The moment is needed for the service level only. */
export function visibleFloor(conversations, filters, nowMs = Date.now()) {
  const words = (filters.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const shown = conversations.filter((conversation) => SAME.every((name) => !filters[name] || conversation[name] === filters[name])
    && (!filters.agent_id || holdersOf(conversation).includes(filters.agent_id))
    && (!filters.level || levelOf(conversation, nowMs) === filters.level)
    && (!words.length || hasWords(conversation, words)));
  return sorted(shown, filters.sort ?? '');
}
