// Files as they stand beside a reply's words: named and linked, opened in a tab of their own, never drawn by themselves.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { unturned } from '../core/format.js';
import { FILES } from '../texts/en.js';

const pathOf = (id) => `/api/v1/attachments/${encodeURIComponent(id)}`;

export function FileName({ file }) {
  return html`<span class="file-name"><${Icon} name="clip" /><a href=${pathOf(file.id)} target="_blank" rel="noopener noreferrer"><bdi>${unturned(file.name)}</bdi></a>
    <span class="hint">${FILES.size(file.size_bytes)}</span></span>`;
}

/** What went out with a reply. */
export function Files({ files }) {
  if (!files?.length) return null;
  return html`<ul class="media">${files.map((file) => html`
    <li key=${file.id}><${FileName} file=${file} />${file.alt_text && html`<span class="hint" dir="auto">${unturned(file.alt_text)}</span>`}</li>`)}</ul>`;
}
