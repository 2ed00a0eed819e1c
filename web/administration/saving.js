// How a form is saved: what changed and nothing else, over the version that was read, once however often it is sent.
import { Intent, patch } from '../core/api.js';
import { useEffect, useRef, useState } from '../core/html.js';
import { SAVING } from '../texts/en_administration.js';
import { FORGET, changedNames, isSame, mistakesOf, patchOf, rebased, withAt, withoutNothing } from './form_state.js';
import { isDirty } from './guard.js';
import { idOfRow, pathOf, putRow, readRow } from './rows.js';

const pick = (row, names) => Object.fromEntries(names.map((name) => [name, row?.[name]]));

/** A secret that was typed is never read back, so it is no part of what others changed. */
const known = (names) => names.filter((name) => name !== 'credentials');

function useValues({ resource, row }) {
  const { names } = resource;
  const start = () => ({ ...pick(row ?? resource.fresh(), names), ...(names.includes('credentials') ? { credentials: {} } : {}) });
  const [base, setBase] = useState(start);
  const [draft, setDraft] = useState(start);
  return { names, base, draft, setBase, setDraft, start };
}

/** What the API answered to a save that was not done, as a form can show it. */
function refusalOf(problem) {
  if (problem.status === 401) return { said: SAVING.over };
  if (problem.status === 0) return { said: SAVING.unreachable };
  const mistakes = mistakesOf(problem);
  return { said: mistakes.length ? '' : problem.detail || problem.title, mistakes };
}

/** Everything about one row while it is being changed; without a row a new one is. */
export function useSaving({ resource, row, whenSaved }) {
  const { names, base, draft, setBase, setDraft, start } = useValues({ resource, row });
  const [version, setVersion] = useState(row?.version ?? null);
  const [shownRow, setRow] = useState(row);
  const [state, setState] = useState({ mistakes: [], said: '', meanwhile: [], isBusy: false, isSaved: false });
  const say = (change) => setState((was) => ({ ...was, ...(typeof change === 'function' ? change(was) : change) }));
  const intent = useRef(null);
  const isChanged = !isSame(base, draft);
  // A new row with what it began with has nothing to lose.
  useEffect(() => { isDirty.value = isChanged; }, [isChanged]);
  useEffect(() => () => { isDirty.value = false; }, []);
  const latest = useRef(null);
  latest.current = { base, draft, version, isBusy: state.isBusy };

  const take = (theirs) => {
    const values = { ...pick(theirs, names), ...(names.includes('credentials') ? { credentials: {} } : {}) };
    setBase(values);
    setDraft(values);
    setVersion(theirs.version);
    setRow(theirs);
  };

  /** Somebody saved another version: what was typed here stays, laid over theirs. */
  const meet = (theirs) => {
    const mine = latest.current;
    // An answer that was long on its way tells nothing new.
    if (theirs.version < mine.version) return;
    if (theirs.version === mine.version) {
      setRow(theirs);
      return;
    }
    const changed = changedNames(mine.base, theirs, known(names));
    if (isSame(mine.base, mine.draft)) {
      take(theirs);
      return;
    }
    const own = changedNames(mine.base, mine.draft, names);
    const values = { ...mine.base, ...pick(theirs, known(names)) };
    setDraft(rebased({ base: mine.base, draft: mine.draft, theirs: values, names }));
    setBase(values);
    setVersion(theirs.version);
    setRow(theirs);
    say({ meanwhile: changed.map((name) => ({ name, was: mine.base[name], is: theirs[name], mine: own.includes(name) ? mine.draft[name] : undefined })) });
  };

  useEffect(() => { if (row && !latest.current.isBusy) meet(row); }, [row]);

  const readAgain = async () => {
    if (!row || latest.current.isBusy) return;
    try {
      const theirs = await readRow(resource.kind, idOfRow(row));
      if (theirs) meet(theirs);
    } catch (problem) {
      if (problem.status === 404) say({ said: SAVING.gone });
    }
  };

  const change = async () => {
    const body = patchOf(base, draft);
    for (const [name, secret] of Object.entries(body.credentials ?? {})) if (secret === FORGET) body.credentials[name] = null;
    return patch(pathOf(resource.kind, idOfRow(row)), body, { version });
  };

  const create = async () => {
    const body = { ...withoutNothing(draft), ...(draft.credentials && Object.keys(draft.credentials).length === 0 ? { credentials: undefined } : {}) };
    if (!intent.current || !isSame(intent.current.body, body)) intent.current = new Intent(`/${resource.kind}`, body);
    return intent.current.send();
  };

  const save = async () => {
    if (latest.current.isBusy) return;
    say({ isBusy: true, mistakes: [], said: '', isSaved: false });
    try {
      const saved = await (row ? change() : create());
      take(saved);
      isDirty.value = false;
      say({ isBusy: false, meanwhile: [], isSaved: true });
      putRow(resource.kind, saved);
      whenSaved(saved);
    } catch (problem) {
      say({ isBusy: false, mistakes: [], ...refusalOf(problem) });
      // A refusal is remembered under its key; what is sent after it is another wish.
      if (problem.status === 409 || problem.status === 422) intent.current = null;
      if (problem.status === 412) {
        latest.current.isBusy = false;
        await readAgain();
        say({ said: SAVING.conflict });
      }
    }
  };

  const set = (path, next) => {
    setDraft((was) => withAt(was, path, next));
    // A mistake is looked at until its field is touched.
    say(({ mistakes }) => ({ isSaved: false, mistakes: mistakes.filter((one) => !path.every((part, index) => one.path[index] === String(part))) }));
  };
  const reset = () => {
    setDraft(row ? base : start());
    say({ mistakes: [], said: '', meanwhile: [], isSaved: false });
  };
  const form = { kind: resource.kind, value: draft, base, row: shownRow, mistakes: state.mistakes, isNew: !row, isFixed: (field) => Boolean(field.fixed && row), set };
  return { form, state, isChanged, save, reset, readAgain, say, change: patchOf(base, draft) };
}
