// What a form knows, without any drawing: what was changed, what a patch has to say, where a mistake belongs.

/** Stands for a secret that is to be forgotten, until it is sent. */
export const FORGET = '\u0000';

const isGroup = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
export const isSame = (a, b) => JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));

/** The same whatever order the members came in; nothing is the same as null. */
function ordered(value) {
  if (Array.isArray(value)) return value.map(ordered);
  if (!isGroup(value)) return value ?? null;
  return Object.fromEntries(Object.keys(value).sort().filter((name) => value[name] !== undefined && value[name] !== null).map((name) => [name, ordered(value[name])]));
}

/** A merge patch (RFC 7396) from one value to the other: only what changed; lists as a whole, null where something went. */
export function patchOf(before, after) {
  const patch = {};
  for (const name of new Set([...Object.keys(before ?? {}), ...Object.keys(after)])) {
    const [was, is] = [before?.[name], after[name]];
    if (isSame(was, is)) continue;
    if (isGroup(is) && isGroup(was)) patch[name] = patchOf(was, is);
    else patch[name] = is === undefined ? null : withoutNothing(is);
  }
  return patch;
}

/** What a creation is told: what was left empty is left out, so that the API's own defaults hold. */
export function withoutNothing(value) {
  if (Array.isArray(value)) return value.map(withoutNothing);
  if (!isGroup(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null && part !== undefined).map(([name, part]) => [name, withoutNothing(part)]));
}

export const valueAt = (value, path) => path.reduce((part, name) => part?.[name], value);

/** A copy in which one place has another value. */
export function withAt(value, path, next) {
  if (path.length === 0) return next;
  const [name, ...rest] = path;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[name] = withAt(value?.[name], rest, next);
  return copy;
}

/** The names of the fields that differ. */
export function changedNames(before, after, names) {
  return names.filter((name) => !isSame(before?.[name], after?.[name]));
}

/** What somebody else saved, with what was typed here laid over it. */
export function rebased({ base, draft, theirs, names }) {
  const mine = changedNames(base, draft, names);
  return { ...theirs, ...Object.fromEntries(mine.map((name) => [name, draft[name]])) };
}

/** The API's `errors[]` as `{path, msg}`; a place may be written as `rings.0`. */
export function mistakesOf(problem) {
  return (problem.errors ?? []).map(({ loc, msg }) => ({
    path: loc.flatMap((part) => (typeof part === 'string' ? part.split('.') : [part])).slice(loc[0] === 'body' ? 1 : 0).map(String),
    msg,
  }));
}

const begins = (path, start) => start.every((part, index) => path[index] === String(part));

/** Mistakes at a place itself. */
export const mistakesAt = (mistakes, path) => mistakes.filter((one) => one.path.length === path.length && begins(one.path, path));
/** Mistakes at a place or anywhere below it. */
export const mistakesUnder = (mistakes, path) => mistakes.filter((one) => one.path.length >= path.length && begins(one.path, path));

/** Mistakes for which no field of the form stands: they are said on top. */
export function homeless(mistakes, fields) {
  const names = new Set(fields.map(({ name }) => name));
  return mistakes.filter(({ path }) => path.length === 0 || !names.has(path[0]));
}
