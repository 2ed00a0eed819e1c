// Up to which post one has read each of one's own conversations: what came since is new. Kept in this tab only.
import { signal } from '../core/html.js';
import { mine } from './store.js';

const STORE = 'parley.seen';
const KEPT = 200;

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE) ?? '{}');
  } catch {
    return {};
  }
}

/** Conversation id → how many posts it had when it was last looked at. */
const seen = signal(read());

/** How many posts came since; of one that was never opened here, those without an answer. */
export const unreadOf = ({ id, post_count: posts = 0, unanswered_count: unanswered = 0 }) =>
  (id in seen.value ? Math.max(0, posts - seen.value[id]) : unanswered);

/** Of conversations that are no longer one's own nothing is remembered. */
function trimmed(places) {
  const ids = Object.keys(places);
  if (ids.length <= KEPT) return places;
  const own = new Set(mine.value.map(({ id }) => id));
  return Object.fromEntries(ids.filter((id) => own.has(id)).map((id) => [id, places[id]]));
}

export function see({ id, post_count: posts = 0 }) {
  if (seen.value[id] === posts) return;
  seen.value = trimmed({ ...seen.value, [id]: posts });
  try {
    sessionStorage.setItem(STORE, JSON.stringify(seen.value));
  } catch {
    // Then it is known until the page is closed.
  }
}
