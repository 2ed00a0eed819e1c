// Which conversations a supervisor's filters let through, and in which order.
import { customerName, toMs } from '../core/format.js';
import { agentName, waitsSince, workgroupName } from '../state/store.js';

export const FILTERS = ['state', 'workgroup_id', 'network', 'agent_id'];
const holderOf = (conversation) => (conversation.state === 'alerting' ? conversation.offer?.agent_id : conversation.agent_id);

function hasWords(conversation, words) {
  const text = [customerName(conversation.customer), conversation.customer?.name, conversation.network, conversation.state,
    workgroupName(conversation.workgroup_id), agentName(holderOf(conversation)), conversation.preview, conversation.id].join(' ').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** Longest waiting first: whoever waits for words comes before whoever was answered. */
export function visibleFloor(conversations, filters) {
  return conversations
    .filter((conversation) => FILTERS.every((name) => !filters[name]
      || (name === 'agent_id' ? holderOf(conversation) : conversation[name]) === filters[name]))
    .filter((conversation) => !filters.q || hasWords(conversation, filters.q))
    .sort((a, b) => (waitsSince(a) ?? Infinity) - (waitsSince(b) ?? Infinity) || toMs(a.created_at) - toMs(b.created_at));
}
