// How settings are called: each has a label and, where it needs one, a sentence.
import { FIELDS } from '../texts/en_administration.js';

/** Words for a place in a resource; numbers in the path are places in lists. */
export function wordsAt(kind, path) {
  let node = FIELDS[kind] ?? {};
  for (const part of path) if (!/^\d+$/.test(part)) node = node?.[part] ?? FIELDS.shared[part];
  const said = node !== null && typeof node === 'object' && !Array.isArray(node) ? node[''] : node;
  const [label, hint = ''] = [said ?? path.at(-1) ?? ''].flat();
  return { label, hint };
}

export const idOf = (path) => `field-${path.join('-').replace(/[^\w-]/g, '_')}`;
