// The door: one field for the key.
import { html, useLayoutEffect, useRef, useState } from '../core/html.js';
import { logInNotice } from '../state/store.js';
import { LOGIN, NAMES } from '../texts/en.js';
import { logIn } from './session.js';

export function Login() {
  const field = useRef(null);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  useLayoutEffect(() => field.current.focus(), []);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    try {
      await logIn(field.current.value.trim());
    } catch (refusal) {
      setProblem(LOGIN.refusals[refusal.status] ?? (refusal.status ? refusal.message : NAMES.unreachable));
      setBusy(false);
      field.current.select();
    }
  };
  return html`
    <main class="login">
      <form onSubmit=${submit}>
        <h1>Parley</h1>
        <p class="hint">${LOGIN.what}</p>
        ${logInNotice.value && html`<p class="notice">${logInNotice.value}</p>`}
        <label class="field">${LOGIN.key} <input ref=${field} type="password" name="key" autocomplete="current-password" required spellcheck="false" /></label>
        <p class="problem" role="alert">${problem}</p>
        <button type="submit" class="primary wide" disabled=${isBusy}>${LOGIN.submit}</button>
        <p class="hint">${LOGIN.hint} <code>run.json</code>${LOGIN.elsewhere}</p>
      </form>
    </main>`;
}
