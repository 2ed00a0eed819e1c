// A customer's words on the screen: text nodes and checked links only, each in its own direction.
import { POST } from '../texts/en.js';
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { safeUrl, unturned } from '../core/format.js';

const LINKS = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/giu;

/** An address may look like another one: then the host that it really leads to stands behind it. */
function realHost(url, { protocol, host }) {
  const origin = `${protocol}//${host}`;
  const isAsWritten = url.toLowerCase().startsWith(origin) && /^($|[/?#])/.test(url.slice(origin.length));
  return isAsWritten ? '' : ` (${host})`;
}

export function OutLink({ url, children }) {
  const checked = safeUrl(url);
  if (!checked) return html`<span>${children ?? url}</span>`;
  return html`<a href=${checked.href} target="_blank" rel="noopener noreferrer ugc" title=${checked.href}>${children ?? `${url}${realHost(url, checked)}`}</a>`;
}

export function Words({ text, language }) {
  const parts = unturned(text).split(LINKS);
  return html`<p class="words" dir="auto" lang=${language || undefined}>${parts.map((part, index) =>
    (index % 2 ? html`<${OutLink} url=${part} />` : part))}</p>`;
}

const mediaPath = (postId, index) => `/api/v1/posts/${encodeURIComponent(postId)}/media/${index}`;

/** Pictures are named and linked, never loaded; the link is ours, and the server fetches: no stranger hears of the viewer. */
export function Media({ postId, media }) {
  if (!media?.length) return null;
  return html`<ul class="media">${media.map((piece, index) => html`
    <li key=${index}>${safeUrl(piece.url) && postId
      ? html`<a href=${mediaPath(postId, index)} target="_blank" rel="noopener noreferrer"><${Icon} name="link" />${unturned(piece.kind) || POST.attachment}</a>`
      : html`<span>${unturned(piece.kind) || POST.attachment}</span>`}
      <span class="hint" dir="auto">${unturned(piece.alt_text) || POST.noDescription}</span>
      ${safeUrl(piece.url) && html`<span class="hint">${safeUrl(piece.url).host}</span>`}</li>`)}</ul>`;
}
