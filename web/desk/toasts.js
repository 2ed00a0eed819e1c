// What went wrong, said until it is read; what went right says itself on the screen.
import { html, signal } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { DESK } from '../texts/en.js';

const SHOWN_MS = 8000;
const TOAST_ICONS = { error: 'warning', note: 'note' };
const toasts = signal([]);
let lastId = 0;

function dismiss(id) {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** `retry` makes the toast stay until it was answered. */
export function say({ title, detail = '', retry = null, kind = 'error' }) {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value.slice(-3), { id, title, detail, retry, kind }];
  if (!retry) setTimeout(() => dismiss(id), SHOWN_MS);
}

function Toast({ toast }) {
  const again = () => {
    dismiss(toast.id);
    toast.retry();
  };
  return html`
    <li class="toast ${toast.kind}">
      <${Icon} name=${TOAST_ICONS[toast.kind] ?? 'tick'} />
      <p><strong>${toast.title}</strong> ${toast.detail && html`<span>${toast.detail}</span>`}</p>
      ${toast.retry && html`<button type="button" class="small" onClick=${again}>${DESK.tryAgain}</button>`}
      <button type="button" class="quiet icon" aria-label=${DESK.dismiss} onClick=${() => dismiss(toast.id)}><${Icon} name="cross" /></button>
    </li>`;
}

export function Toasts() {
  return html`
    <div role="alert"><ul class="toasts" aria-label=${DESK.messages}>
      ${toasts.value.map((toast) => html`<${Toast} key=${toast.id} toast=${toast} />`)}
    </ul></div>`;
}
