// While somebody is consulted: who asks whom, and what either can do.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { agentName, conversations, isMine, isSupervisor, myId } from '../state/store.js';
import { ACTIONS, CONSULTATION, THREAD } from '../texts/en.js';
import { command, underway } from './commands.js';
import { openConversation } from './route.js';

const end = (conversation) => command(conversation.id, 'consult/end', { what: ACTIONS.end_consult });
const give = (conversation) => command(conversation.id, 'transfer', { body: { agent_id: conversation.consulted_agent_id }, what: ACTIONS.transfer });

export function Consultation({ conversation }) {
  const { consulted_agent_id: consulted } = conversation;
  if (!consulted) return null;
  const isAsked = consulted === myId.value;
  const isBusy = underway.value.has(`${conversation.id}:consult/end`) || underway.value.has(`${conversation.id}:transfer`);
  const says = isAsked ? CONSULTATION.asksYou(agentName(conversation.agent_id))
    : isMine(conversation) ? CONSULTATION.youAsk(agentName(consulted)) : CONSULTATION.asks(agentName(conversation.agent_id), agentName(consulted));
  return html`
    <p class="banner" role="status"><${Icon} name="person" /><span><bdi>${says}</bdi> ${isAsked ? CONSULTATION.youMay : CONSULTATION.theyMay}</span>
      ${isMine(conversation) && html`<button type="button" class="small" disabled=${isBusy} onClick=${() => give(conversation)}>${CONSULTATION.give}</button>`}
      ${(isAsked || isMine(conversation) || isSupervisor.value) && html`<button type="button" class="small" disabled=${isBusy} onClick=${() => end(conversation)}>${CONSULTATION.end}</button>`}</p>`;
}

/** Where the posts of a merged conversation are now. */
export function MergedInto({ conversation }) {
  const { merged_into: id } = conversation;
  if (conversation.state !== 'merged' || !id) return null;
  const mayUndo = isSupervisor.value || isMine(conversations.get(id) ?? {});
  return html`
    <p class="ending">${THREAD.merged} <button type="button" class="link" onClick=${() => openConversation(id)}>${THREAD.openIt}</button>
      ${mayUndo && html` <button type="button" class="small" onClick=${() => command(conversation.id, 'unmerge', { what: ACTIONS.unmerge })}>${ACTIONS.unmerge}</button>`}</p>`;
}
