// After the talk: one word on how it ended, then done.
import { now } from '../core/clock.js';
import { html, useState } from '../core/html.js';
import { span, toMs } from '../core/format.js';
import { WRAPUP } from '../texts/en.js';
import { command, underway } from './commands.js';

export function WrapUp({ conversation }) {
  const [code, setCode] = useState(conversation.wrap_up_code ?? '');
  const until = toMs(conversation.wrap_up_until);
  const submit = (event) => {
    event.preventDefault();
    command(conversation.id, 'wrapup', { body: { ...(code ? { wrap_up_code: code } : {}), done: true }, what: WRAPUP.title });
  };
  return html`
    <form class="wrapup" onSubmit=${submit}>
      <label>${WRAPUP.title} <input list="wrapup-codes" placeholder=${WRAPUP.how} value=${code} onInput=${(event) => setCode(event.currentTarget.value)} /></label>
      <datalist id="wrapup-codes">${WRAPUP.codes.map((name) => html`<option key=${name} value=${name} />`)}</datalist>
      <button type="submit" class="primary" disabled=${underway.value.has(`${conversation.id}:wrapup`)}>${WRAPUP.done}</button>
      ${Number.isFinite(until) && html`<span class="hint">${WRAPUP.closes} <time>${span(until - now.value)}</time></span>`}
    </form>`;
}
