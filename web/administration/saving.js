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
  const [state, setState] = useState({ mistakes: [], said: '', meanwhile: [], refusals: 0, isBusy: false, isSaved: false });
  const say = (change) => setState((was) => ({ ...was, ...(typeof change === 'function' ? change(was) : change) }));
  const intent = useRef(null);
  const isChanged = !isSame(base, draft);
  // A new row with what it began with has nothing to lose.
  useEffect(() => { isDirty.value = isChanged; }, [isChanged]);
  useEffect(() => () => { isDirty.value = false; }, []);
  const latest = useRef(null);
  latest.current = { base, draft, version, isBusy: state.isBusy };

  /** `theirs` is the truth now; what differs from `since` was typed here and stays, laid over it. */
  const take = (theirs, since) => {
    const values = { ...pick(theirs, names), ...(names.includes('credentials') ? { credentials: {} } : {}) };
    const kept = rebased({ base: since, draft: latest.current.draft, theirs: values, names });
    Object.assign(latest.current, { base: values, draft: kept, version: theirs.version });
    setBase(values);
    setDraft(kept);
    setVersion(theirs.version);
    setRow(theirs);
  };

  /** Somebody saved another version. Answers how many fields they changed. */
  const meet = (theirs) => {
    const { base: was, draft: typed, version: before } = latest.current;
    // An answer that was long on its way tells nothing new.
    if (theirs.version < before) return 0;
    if (theirs.version === before) {
      setRow(theirs);
      return 0;
    }
    const changed = changedNames(was, theirs, known(names));
    const own = changedNames(was, typed, names);
    take(theirs, was);
    if (own.length) say({ meanwhile: changed.map((name) => ({ name, was: was[name], is: theirs[name], mine: own.includes(name) ? typed[name] : undefined })) });
    return changed.length;
  };

  useEffect(() => { if (row && !latest.current.isBusy) meet(row); }, [row]);

  const readAgain = async () => {
    if (!row || latest.current.isBusy) return 0;
    try {
      const theirs = await readRow(resource.kind, idOfRow(row));
      return theirs ? meet(theirs) : 0;
    } catch (problem) {
      if (problem.status === 404) say({ said: SAVING.gone });
      return 0;
    }
  };

  // What was typed a moment ago counts too: a key that saves may come before the form is drawn again.
  const change = async () => {
    const body = patchOf(latest.current.base, latest.current.draft);
    for (const [name, secret] of Object.entries(body.credentials ?? {})) if (secret === FORGET) body.credentials[name] = null;
    return patch(pathOf(resource.kind, idOfRow(row)), body, { version: latest.current.version });
  };

  const create = async () => {
    const body = withoutNothing(latest.current.draft);
    if (!intent.current || !isSame(intent.current.body, body)) intent.current = new Intent(`/${resource.kind}`, body);
    return intent.current.send();
  };

  const save = async ({ isAgain = false } = {}) => {
    if (latest.current.isBusy || (row && isSame(latest.current.base, latest.current.draft))) return;
    latest.current.isBusy = true;
    const sent = latest.current.draft;
    say({ isBusy: true, mistakes: [], said: '', isSaved: false });
    try {
      const saved = await (row ? change() : create());
      latest.current.isBusy = false;
      take(saved, sent);
      isDirty.value = false;
      say({ isBusy: false, meanwhile: [], isSaved: true });
      putRow(resource.kind, saved);
      whenSaved(saved);
    } catch (problem) {
      latest.current.isBusy = false;
      // A refusal is remembered under its key; what is sent after it is another wish.
      if (problem.status === 409 || problem.status === 422) intent.current = null;
      const isConflict = problem.status === 412;
      // A version may rise without a change of what stands in the form: an agent went on queue.
      if (isConflict && (await readAgain()) === 0 && !isAgain) {
        await save({ isAgain: true });
        return;
      }
      say(({ refusals }) => ({ isBusy: false, refusals: refusals + 1, ...(isConflict ? { said: SAVING.conflict } : refusalOf(problem)) }));
    }
  };

  const set = (path, next) => {
    latest.current.draft = withAt(latest.current.draft, path, next);
    setDraft(latest.current.draft);
    // A mistake is looked at until its field is touched.
    say(({ mistakes }) => ({ isSaved: false, mistakes: mistakes.filter((one) => !path.every((part, index) => one.path[index] === String(part))) }));
  };
  const reset = () => {
    setDraft(row ? base : start());
    isDirty.value = false;
    say({ mistakes: [], said: '', meanwhile: [], isSaved: false });
  };
  const form = { kind: resource.kind, value: draft, base, row: shownRow, mistakes: state.mistakes, isNew: !row, isFixed: (field) => Boolean(field.fixed && row), set };
  return { form, state, isChanged, save: () => save(), reset, readAgain, say, change: patchOf(base, draft) };
}
