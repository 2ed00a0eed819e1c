// How far a reply has come, as a whole and post by post.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { spaced } from '../core/format.js';
import { REPLY } from '../texts/en.js';
import { OutLink } from './words.js';

const ICONS = {
  accepted: 'clock', sending: 'clock', sent: 'tick', rejected: 'warning', unknown: 'question', needs_human: 'hand',
};

function State({ state, more = '', url }) {
  const icon = ICONS[state] ?? 'question';
  const words = REPLY.states[state] ?? spaced(state);
  return html`<span class="delivery ${state}"><${Icon} name=${icon} />${words}${more}
    ${state === 'sent' && url && html` <${OutLink} url=${url}><${Icon} name="link" /><span class="unseen">${REPLY.seeIt}</span></${OutLink}>`}</span>`;
}

export function Delivery({ reply }) {
  const more = reply.attempts > 1 && reply.state !== 'sent' ? REPLY.attempt(reply.attempts) : '';
  const isGone = reply.change?.kind === 'delete' && reply.change.state === 'done';
  return html`<${State} state=${reply.state} more=${more} url=${isGone ? null : reply.url} />`;
}

/** The posts of a reply that became a thread; laid open until all are there. */
export function Parts({ reply }) {
  const parts = reply.parts ?? [];
  if (parts.length < 2) return null;
  const sent = parts.filter((part) => part.state === 'sent').length;
  return html`
    <details class="parts" open=${sent < parts.length}><summary>${REPLY.partsSent(sent, parts.length)}</summary>
      <ol>${parts.map((part, index) => html`
        <li key=${index}><p class="hint">${REPLY.part(index + 1, parts.length)} <${State} state=${part.state} url=${part.url} /></p><p class="words" dir="auto">${part.text}</p></li>`)}</ol>
    </details>`;
}
