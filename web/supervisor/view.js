// What the supervisor looks at, kept in the address bar: filters, order, and which list lies below.
import { go, route } from '../desk/route.js';

const FILTERS = ['state', 'workgroup_id', 'agent_id', 'network', 'channel_id', 'media_type', 'level', 'q'];

export const wish = (name) => route.value.filters[name] ?? '';
export const isHistory = () => wish('view') === 'history';

/** Whatever is empty leaves the address. */
export function change(wishes) {
  const { page, id, filters } = route.value;
  go({ page, id, filters: { ...filters, ...wishes } });
}

/** The conversation beside goes away; the table has all the room again. */
export const closeConversation = () => go({ page: 'floor', id: null, filters: route.value.filters });

export const clearFilters = () => change(Object.fromEntries(FILTERS.map((name) => [name, ''])));

export const isFiltered = () => FILTERS.some((name) => wish(name));

/** `waits` → `-waits` → as it was. */
export function turnOrder(column) {
  const next = { [column]: `-${column}`, [`-${column}`]: '' };
  change({ sort: next[wish('sort')] ?? column });
}
