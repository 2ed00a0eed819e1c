// Which conversations are chosen for an action on several of them.
import { computed, signal } from '../core/html.js';
import { openConversations } from '../state/store.js';

const ids = signal(new Set());
let anchor = null;

/** Whatever has ended meanwhile is no longer chosen. */
export const chosen = computed(() => (ids.value.size ? openConversations.value.filter(({ id }) => ids.value.has(id)) : []));
export const isChosen = (id) => ids.value.has(id);

/** With Shift everything between this one and the last that was touched. */
export function choose(conversation, shown, { isOn, isRange }) {
  const next = new Set(ids.value);
  const [from, to] = [shown.findIndex(({ id }) => id === anchor), shown.findIndex(({ id }) => id === conversation.id)];
  const range = isRange && from >= 0 ? shown.slice(Math.min(from, to), Math.max(from, to) + 1) : [conversation];
  for (const { id } of range) {
    if (isOn) next.add(id);
    else next.delete(id);
  }
  anchor = conversation.id;
  ids.value = next;
}

export function chooseAll(shown, { isOn }) {
  ids.value = new Set(isOn ? shown.map(({ id }) => id) : []);
}

export const chooseNone = () => { ids.value = new Set(); };

export function unchoose(gone) {
  ids.value = new Set(Array.from(ids.value).filter((id) => !gone.includes(id)));
}
