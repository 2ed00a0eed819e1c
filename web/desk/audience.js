// Who reads a conversation: everybody or only its customer, by a word and an icon.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { networkName } from '../core/format.js';
import { isPrivate } from '../state/store.js';
import { LISTS } from '../texts/en.js';

export function Audience({ conversation }) {
  const hidden = isPrivate(conversation);
  return html`<span class="audience">${networkName(conversation.network)} · <span class=${hidden ? 'closed' : 'open'}>
    <${Icon} name=${hidden ? 'lock' : 'globe'} />${hidden ? LISTS.private : LISTS.public}</span></span>`;
}
