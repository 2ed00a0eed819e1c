// What not everybody needs at first comes when it is first wanted, as a script of its own.
import { html, signal, useEffect } from '../core/html.js';
import { DESK } from '../texts/en.js';
import { say } from './toasts.js';

const supervision = signal(null);
const hasFailed = signal(false);
let coming = null;

// Every view that wants it asks; what has failed is asked for again by the next one.
function bring() {
  coming ??= import('../supervisor/main.js').then(
    (part) => { supervision.value = part; hasFailed.value = false; },
    () => { coming = null; hasFailed.value = true; },
  );
  return coming;
}

const reload = () => location.reload();

/** Shows one of the components that come later. */
export function Later({ name, ...props }) {
  useEffect(() => { if (!supervision.value) bring(); }, []);
  if (supervision.value) return html`<${supervision.value[name]} ...${props} />`;
  if (!hasFailed.value) return html`<p class="hint" role="status">${DESK.loading}</p>`;
  return html`<p class="hint" role="alert">${DESK.partFailed} <button type="button" class="small" onClick=${reload}>${DESK.reload}</button></p>`;
}

/** Asks before something is done to somebody else's work. */
export async function askFor(name, conversations) {
  await bring();
  if (supervision.value) supervision.value.askFor(name, conversations);
  else say({ title: DESK.partFailed, retry: () => askFor(name, conversations) });
}
