// After the talk: one word on how it ended, then done.
import { now } from '../core/clock.js';
import { html, useState } from '../core/html.js';
import { span, toMs } from '../core/format.js';
import { command, underway } from './commands.js';

const CODES = ['solved', 'answered', 'handed over', 'no answer needed', 'complaint', 'praise'];

export function WrapUp({ conversation }) {
  const [code, setCode] = useState(conversation.wrap_up_code ?? '');
  const until = toMs(conversation.wrap_up_until);
  const submit = (event) => {
    event.preventDefault();
    command(conversation.id, 'wrapup', { body: { ...(code ? { wrap_up_code: code } : {}), done: true }, what: 'Wrap-up' });
  };
  return html`
    <form class="wrapup" onSubmit=${submit}>
      <label>Wrap-up <input list="wrapup-codes" placeholder="how it ended" value=${code} onInput=${(event) => setCode(event.currentTarget.value)} /></label>
      <datalist id="wrapup-codes">${CODES.map((name) => html`<option key=${name} value=${name} />`)}</datalist>
      <button type="submit" class="primary" disabled=${underway.value.has(`${conversation.id}:wrapup`)}>Done</button>
      ${Number.isFinite(until) && html`<span class="hint">closes by itself in <time>${span(until - now.value)}</time></span>`}
    </form>`;
}
