// The agent's commands: one intent each, refusals said in words, and the answer put on the screen at once.
import { Intent, put } from '../core/api.js';
import { signal } from '../core/html.js';
import { agentName, agents, conversations, isMine, isOpen, myId } from '../state/store.js';
import { reread } from '../state/live.js';
import { showReply } from '../state/timelines.js';
import { REFUSED } from '../texts/en.js';
import { say } from './toasts.js';

/** Ids of the commands that are on their way, so that their buttons wait. */
export const underway = signal(new Set());

function mark(id, isUnderway) {
  const next = new Set(underway.value);
  if (isUnderway) next.add(id);
  else next.delete(id);
  underway.value = next;
}

/** What has become of the conversation instead: more use to whoever was refused than why. */
function whatIsSo(conversation) {
  if (!conversation || isMine(conversation)) return '';
  if (!isOpen(conversation)) return REFUSED.ended;
  if (conversation.state === 'queued') return REFUSED.waits;
  return conversation.agent_id ? REFUSED.taken(agentName(conversation.agent_id)) : '';
}

export function sayProblem(problem, { what, detail = '', retry = null }) {
  const title = problem.status === 0 ? REFUSED.unreachable(what)
    : REFUSED.codes[problem.code] ?? REFUSED.other(what, problem.title);
  say({ title, detail: detail || problem.detail, retry: problem.isPassing ? retry : null });
}

/**
 * Does one thing under one id; a second press while it runs is the same press. Answers the result, or null.
 * `lookAgain` reads what is so after a refusal, and says it.
 */
async function once(id, { what, act, lookAgain = () => '' }) {
  if (underway.value.has(id)) return null;
  mark(id, true);
  try {
    return await act();
  } catch (problem) {
    sayProblem(problem, { what, detail: await lookAgain(problem), retry: () => once(id, { what, act, lookAgain }) });
    return null;
  } finally {
    mark(id, false);
  }
}

/** `POST /conversations/{id}/{name}`; answers the conversation, or null when it was refused. */
export function command(conversationId, name, { body = {}, what }) {
  const intent = new Intent(`/conversations/${encodeURIComponent(conversationId)}/${name}`, body);
  return once(`${conversationId}:${name}`, {
    what,
    act: async () => {
      const conversation = await intent.send();
      conversations.put(conversation);
      return conversation;
    },
    lookAgain: async (problem) => (problem.status ? whatIsSo(await reread(conversationId).catch(() => null)) : ''),
  });
}

export function resolveReply(reply, outcome) {
  const intent = new Intent(`/replies/${encodeURIComponent(reply.id)}/resolve`, { outcome });
  return once(`${reply.id}:resolve`, {
    what: REFUSED.settle,
    act: async () => {
      const settled = await intent.send();
      if (settled?.id) showReply({ conversation_id: reply.conversation_id, ...settled });
      return settled;
    },
  });
}

/** Takes a reply back that has not left; the server says who was first. */
export function withdrawReply(reply) {
  const intent = new Intent(`/replies/${encodeURIComponent(reply.id)}/undo`);
  return once(`${reply.id}:undo`, {
    what: REFUSED.takeBack,
    act: async () => {
      const withdrawn = await intent.send();
      if (withdrawn?.id) showReply({ conversation_id: reply.conversation_id, ...withdrawn });
      return withdrawn;
    },
  });
}

/** `reason` says why somebody is off queue. */
export function setStatus(routingStatus, { reason, agentId = myId.value } = {}) {
  const path = `/agents/${encodeURIComponent(agentId)}/status`;
  return once(`${agentId}:status`, {
    what: REFUSED.status,
    act: async () => {
      const agent = await put(path, { routing_status: routingStatus, ...(reason ? { reason } : {}) });
      agents.put(agent);
      return agent;
    },
  });
}
