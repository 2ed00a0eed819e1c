// Where this person is, kept in the address bar so that a view can be reloaded and sent to a colleague.
import { signal } from '../core/html.js';

const PAGES = ['mine', 'waiting', 'floor'];

/** `#/mine`, `#/mine/ID`, `#/floor?state=queued&workgroup_id=W`. */
function parse(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [page, id] = path.split('/');
  return {
    page: PAGES.includes(page) ? page : '',
    id: id ? decodeURIComponent(id) : null,
    filters: Object.fromEntries(new URLSearchParams(query)),
  };
}

export const route = signal(parse(location.hash));
/** On a phone one of `list`, `thread`, `person` is the page. */
export const pane = signal(route.value.id ? 'thread' : 'list');

let parsed = location.hash;

/** Whoever goes somewhere is there at once; the browser tells of it a little later. */
export function readAddress() {
  if (location.hash === parsed) return;
  parsed = location.hash;
  route.value = parse(parsed);
}

export function startRouting() {
  addEventListener('hashchange', readAddress);
}

export function hrefOf({ page = route.value.page || 'mine', id = null, filters = {} } = {}) {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value)).toString();
  return `#/${page}${id ? `/${encodeURIComponent(id)}` : ''}${query ? `?${query}` : ''}`;
}

export function go(target) {
  const href = hrefOf(target);
  // Not by the address itself: the browser would look for a place of that name on the page, and tell of it.
  if (href !== location.hash) history.pushState(null, '', href);
  readAddress();
  pane.value = route.value.id ? 'thread' : 'list';
}

/** Opens a conversation in the page that is shown; the filters stay. */
export function openConversation(id) {
  const { page, filters } = route.value;
  go({ page: page || 'mine', id, filters: page === 'floor' ? filters : {} });
}
