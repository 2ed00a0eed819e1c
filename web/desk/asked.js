// What colleagues ask one about: their conversations, to be read and noted on.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { customerName } from '../core/format.js';
import { agentName, consulted } from '../state/store.js';
import { LISTS } from '../texts/en.js';
import { hrefOf, openConversation, route } from './route.js';

export function Asked() {
  const rows = consulted.value;
  if (!rows.length) return null;
  return html`
    <h2>${LISTS.asked} <span class="count">${rows.length}</span></h2>
    <ul class="rows">${rows.map((conversation) => html`
      <li key=${conversation.id}><a class="row" href=${hrefOf({ page: 'mine', id: conversation.id })} aria-current=${route.value.id === conversation.id ? 'true' : undefined}
        onClick=${(event) => { event.preventDefault(); openConversation(conversation.id); }}>
        <span class="row-top"><bdi class="who">${customerName(conversation.customer)}</bdi><${Icon} name="question" /></span>
        <span class="row-sub"><bdi>${LISTS.askedBy(agentName(conversation.agent_id))}</bdi></span></a></li>`)}</ul>`;
}
