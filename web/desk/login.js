// The door: one field for the key.
import { html, useLayoutEffect, useRef, useState } from '../core/html.js';
import { logInNotice } from '../state/store.js';
import { logIn } from './session.js';

const WORDS = {
  401: 'This key is not known here. Keys are shown once, when they are made.',
  429: 'Too many attempts. Wait a little.',
};

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
      setProblem(WORDS[refusal.status] ?? (refusal.status ? refusal.message : 'The server does not answer.'));
      setBusy(false);
      field.current.select();
    }
  };
  return html`
    <main class="login">
      <form onSubmit=${submit}>
        <h1>Parley</h1>
        <p class="hint">The desk for conversations with customers.</p>
        ${logInNotice.value && html`<p class="notice">${logInNotice.value}</p>`}
        <label class="field">Your key <input ref=${field} type="password" name="key" autocomplete="current-password" required spellcheck="false" /></label>
        <p class="problem" role="alert">${problem}</p>
        <button type="submit" class="primary wide" disabled=${isBusy}>Log in</button>
        <p class="hint">On a machine of your own the keys stand in <code>run.json</code>; elsewhere an administrator makes one for you.</p>
      </form>
    </main>`;
}
