// Where this page is (`#/workgroups/ID`), and that nobody leaves a form by mistake with words in it.
import { html, signal } from '../core/html.js';
import { closeDialog, openDialog } from '../desk/dialog.js';
import { FORM } from '../texts/en_administration.js';

/** `{kind, id, part, query}`; `id` is null in a list, `new` in an empty form. */
function parse(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [kind = '', id, part] = path.split('/');
  return { kind, id: id ? decodeURIComponent(id) : null, part: part ?? '', query: Object.fromEntries(new URLSearchParams(query)) };
}

export const route = signal(parse(location.hash));
/** Whether the form that is open holds what is not saved. */
export const isDirty = signal(false);
let shown = location.hash;
let isAllowed = false;

export const hrefOf = (kind, id = null, part = '') => `#/${kind}${id === null ? '' : `/${encodeURIComponent(id)}`}${part && `/${part}`}`;

export function go(href) {
  isAllowed = true;
  location.hash = href;
  follow();
  isAllowed = false;
}

const ask = (wanted) => openDialog({ title: FORM.unsaved, body: Leave, props: { wanted } });

/** Goes there, unless something would be lost: then it asks first. */
export function visit(href) {
  if (isDirty.value && href !== shown) ask(href);
  else location.hash = href;
}

function follow() {
  if (location.hash === shown) return;
  if (isDirty.value && !isAllowed) {
    const wanted = location.hash;
    history.replaceState(null, '', shown);
    ask(wanted);
    return;
  }
  isDirty.value = false;
  shown = location.hash;
  route.value = parse(shown);
}

function Leave({ wanted }) {
  const leave = () => {
    closeDialog();
    go(wanted);
  };
  return html`
    <p>${FORM.unsavedHint}</p>
    <div class="buttons"><button type="button" class="end" onClick=${leave}>${FORM.leave}</button><button type="button" class="primary" data-first onClick=${closeDialog}>${FORM.stay}</button></div>`;
}

function clickLink(event) {
  const href = event.target.closest?.('a[href^="#/"]')?.getAttribute('href');
  if (!href || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  visit(href);
}

export function startRouting() {
  // A link asks before it leads away; who went back or typed an address is brought back and asked.
  addEventListener('click', clickLink);
  addEventListener('hashchange', follow);
  addEventListener('beforeunload', (event) => { if (isDirty.value) event.preventDefault(); });
}
