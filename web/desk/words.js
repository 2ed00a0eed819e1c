// A customer's words on the screen: text nodes and checked links only, each in its own direction.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { safeUrl } from '../core/format.js';

const LINKS = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/giu;

/** The address as it is, so that nobody is led elsewhere by a look-alike text. */
export function OutLink({ url, children }) {
  const checked = safeUrl(url);
  if (!checked) return html`<span>${children ?? url}</span>`;
  return html`<a href=${checked.href} target="_blank" rel="noopener noreferrer ugc" title=${checked.href}>${children ?? url}</a>`;
}

export function Words({ text, language }) {
  const parts = String(text ?? '').split(LINKS);
  return html`<p class="words" dir="auto" lang=${language || undefined}>${parts.map((part, index) =>
    (index % 2 ? html`<${OutLink} url=${part} />` : part))}</p>`;
}

/** Pictures are named and linked, never loaded: what they would load from elsewhere is nobody's business here. */
export function Media({ media }) {
  if (!media?.length) return null;
  return html`<ul class="media">${media.map((piece, index) => html`
    <li key=${index}><${OutLink} url=${piece.url}><${Icon} name="link" />${piece.kind || 'attachment'}</${OutLink}>
      <span class="hint" dir="auto">${piece.alt_text || 'without a description'}</span>
      ${safeUrl(piece.url) && html`<span class="hint">${safeUrl(piece.url).host}</span>`}</li>`)}</ul>`;
}
