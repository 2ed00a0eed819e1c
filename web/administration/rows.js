// What has been set up, list by list; read at the start, and again when somebody comes back to the window.
import { get, getAll } from '../core/api.js';
import { signal } from '../core/html.js';

const PAGES = 25;
const AGAIN_AFTER_MS = 3000;

/** Kind by kind, what is read of it: undefined before it is known. */
const lists = signal({});
const readAt = {};
/** Why a list could not be read. */
export const troubles = signal({});

/** Licences and skills have no id of their own. */
export const idOfRow = (row) => row.id ?? row.kind ?? row.network ?? row.name;
export const rowsOf = (kind) => lists.value[kind] ?? [];
export const isRead = (kind) => kind in lists.value;
export const rowOf = (kind, id) => rowsOf(kind).find((row) => idOfRow(row) === id);
export const nameOf = (kind, id) => rowOf(kind, id)?.name ?? id ?? '';

export const pathOf = (kind, id) => `/${kind}/${encodeURIComponent(id)}`;

export async function readList(kind) {
  readAt[kind] = Date.now();
  try {
    const rows = await getAll(`/${kind}`, { pages: PAGES });
    lists.value = { ...lists.value, [kind]: rows };
    const { [kind]: _, ...rest } = troubles.value;
    troubles.value = rest;
  } catch (problem) {
    troubles.value = { ...troubles.value, [kind]: problem };
  }
}

/** Lists that were read a while ago; several lookers ask once. */
export function refresh(kinds) {
  return Promise.all(kinds.filter((kind) => Date.now() - (readAt[kind] ?? 0) > AGAIN_AFTER_MS).map(readList));
}

/** One row as it is now. Where a kind is only listed, the list is read. */
export async function readRow(kind, id) {
  if (kind === 'licences' || kind === 'skills' || kind === 'networks') {
    await readList(kind);
    return rowOf(kind, id);
  }
  const row = await get(pathOf(kind, id));
  putRow(kind, row);
  return row;
}

export function putRow(kind, row) {
  const id = idOfRow(row);
  const rows = rowsOf(kind);
  const next = rows.some((one) => idOfRow(one) === id) ? rows.map((one) => (idOfRow(one) === id ? row : one)) : [...rows, row];
  lists.value = { ...lists.value, [kind]: next };
}

export function dropRow(kind, id) {
  lists.value = { ...lists.value, [kind]: rowsOf(kind).filter((row) => idOfRow(row) !== id) };
}
