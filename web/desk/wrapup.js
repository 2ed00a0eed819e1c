// After the talk: one word on how it ended, then done.
import { getAll } from '../core/api.js';
import { now } from '../core/clock.js';
import { html, useEffect, useState } from '../core/html.js';
import { span, toMs } from '../core/format.js';
import { workgroups } from '../state/store.js';
import { WRAPUP } from '../texts/en.js';
import { command, underway } from './commands.js';

/** Read once per workgroup and visit: they change seldom. */
const known = new Map();

function dispositionsOf(workgroupId) {
  if (!known.has(workgroupId)) {
    const reading = getAll(`/dispositions?workgroup_id=${encodeURIComponent(workgroupId)}&active=true`);
    known.set(workgroupId, reading);
    reading.catch(() => known.delete(workgroupId));
  }
  return known.get(workgroupId);
}

/** What is offered: `[{code, name}]`, the workgroup's own codes first; null while it is read. */
function useOffered(workgroupId) {
  const [dispositions, setDispositions] = useState(null);
  useEffect(() => {
    let isCurrent = true;
    dispositionsOf(workgroupId).then((rows) => isCurrent && setDispositions(rows), () => isCurrent && setDispositions([]));
    return () => { isCurrent = false; };
  }, [workgroupId]);
  if (!dispositions) return null;
  const named = new Map(dispositions.map(({ code, name }) => [code, name]));
  const own = workgroups.get(workgroupId)?.wrap_up?.codes ?? [];
  return [...new Set([...own, ...named.keys()])].map((code) => ({ code, name: named.get(code) ?? code }));
}

/** Only what is listed may be given where a workgroup lists codes, or says so. */
const isClosed = ({ codes = [], only_offered: onlyOffered = false } = {}, offered) => offered.length > 0 && (onlyOffered || codes.length > 0);

function Codes({ offered, code, setCode }) {
  return html`
    <fieldset class="codes"><legend>${WRAPUP.title}</legend>${offered.map(({ code: one, name }, index) => html`
      <label key=${one} class="code"><input type="radio" name="wrapup-code" data-first=${index === 0 || undefined} checked=${code === one} onChange=${() => setCode(one)} /><bdi>${name}</bdi></label>`)}</fieldset>`;
}

function FreeCode({ offered, code, setCode }) {
  return html`
    <label>${WRAPUP.title} <input list="wrapup-codes" maxlength="100" placeholder=${WRAPUP.how} value=${code} onInput=${(event) => setCode(event.currentTarget.value)} /></label>
    <datalist id="wrapup-codes">${offered.map(({ code: one, name }) => html`<option key=${one} value=${one}>${name}</option>`)}</datalist>`;
}

export function WrapUp({ conversation }) {
  const [code, setCode] = useState(conversation.wrap_up_code ?? '');
  const offered = useOffered(conversation.workgroup_id);
  const rule = workgroups.get(conversation.workgroup_id)?.wrap_up ?? {};
  const isMissing = rule.mode === 'mandatory' && !code.trim();
  const until = toMs(conversation.wrap_up_until);
  const submit = (event) => {
    event.preventDefault();
    command(conversation.id, 'wrapup', { body: { ...(code ? { wrap_up_code: code } : {}), done: true }, what: WRAPUP.title });
  };
  if (!offered) return html`<p class="wrapup hint" role="status">${WRAPUP.reading}</p>`;
  const Field = isClosed(rule, offered) ? Codes : FreeCode;
  return html`
    <form class="wrapup" onSubmit=${submit}>
      <${Field} offered=${offered} code=${code} setCode=${setCode} />
      <button type="submit" class="primary" disabled=${isMissing || underway.value.has(`${conversation.id}:wrapup`)}>${WRAPUP.done}</button>
      ${isMissing && html`<span class="hint">${WRAPUP.needed}</span>`}
      ${Number.isFinite(until) && html`<span class="hint">${WRAPUP.closes} <time>${span(until - now.value)}</time></span>`}
    </form>`;
}
