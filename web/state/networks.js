// What each network can do, asked once: a button for what it cannot do would only lead to a refusal.
import { get } from '../core/api.js';
import { signal } from '../core/html.js';

const known = signal({});
let isAsked = false;

async function learn() {
  isAsked = true;
  try {
    const { items } = await get('/networks');
    known.value = Object.fromEntries(items.map(({ network, capabilities }) => [network, capabilities]));
  } catch {
    isAsked = false;
  }
}

/** Whether what was said there can be edited or deleted: `what` is `can_edit` or `can_delete`. */
export function canChange(network, visibility, what) {
  if (!isAsked) queueMicrotask(learn);
  const can = known.value[network];
  return Boolean(can?.[what]) && (visibility === 'public' || can.can_change_private);
}
