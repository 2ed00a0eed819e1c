// The door: username and password, a key, or in the demonstration one click.
import { get } from '../core/api.js';
import { Icon } from '../core/icons.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../core/html.js';
import { logInNotice } from '../state/store.js';
import { LOGIN } from '../texts/en.js';
import { SecretField } from './secret_field.js';
import { logIn } from './session.js';

// Elsewhere there is no demonstration: nobody has to ask.
const AT_HOME = ['127.0.0.1', 'localhost', '[::1]'];

/** What was refused, why, and what to do now. */
function whyNot({ status }, kind) {
  if (status === 401) return LOGIN.wrong[kind];
  return LOGIN.refusals[status] ?? LOGIN.refusals.other;
}

/** Seconds that remain until a moment; counts down while it is looked at. */
function useCountdown() {
  const [until, setUntil] = useState(0);
  const [, tick] = useState(0);
  const left_s = Math.max(0, Math.ceil((until - Date.now()) / 1000));
  useEffect(() => {
    if (left_s === 0) return undefined;
    const timer = setTimeout(() => tick((count) => count + 1), 250);
    return () => clearTimeout(timer);
  });
  return [left_s, (seconds) => setUntil(Date.now() + seconds * 1000)];
}

function useAttempt() {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [wait_s, waitFor] = useCountdown();
  const attempt = async (path, body, kind) => {
    setBusy(true);
    setProblem('');
    try {
      await logIn(path, body);
      return true;
    } catch (refusal) {
      setProblem(whyNot(refusal, kind));
      if (refusal.status === 429) waitFor(refusal.retryAfter_s ?? 1);
      setBusy(false);
      return false;
    }
  };
  return { problem, isBusy, wait_s, attempt, forget: () => setProblem('') };
}

function DemoPeople({ people, attempt, isBusy, problem }) {
  const list = useRef(null);
  useLayoutEffect(() => list.current.querySelector('button').focus(), []);
  const enter = (username) => attempt('/session/demo', { username }, 'demo');
  return html`
    <section class="one-click" aria-labelledby="one-click">
      <h2 id="one-click">${LOGIN.demo}</h2>
      <ul ref=${list}>${people.map(({ username, role }, index) => html`
        <li key=${username}><button type="button" class=${index === 0 ? 'primary wide' : 'wide'} disabled=${isBusy} onClick=${() => enter(username)}>
          <${Icon} name="person" /><bdi>${username}</bdi><span class="role">${LOGIN.roles[role] ?? role}</span></button></li>`)}</ul>
      <p class="problem" role="alert">${problem}</p>
    </section>`;
}

function Form({ kind, attempt, isBusy, wait_s, problem }) {
  const form = useRef(null);
  useLayoutEffect(() => form.current.querySelector('input').focus(), [kind]);
  const submit = async (event) => {
    event.preventDefault();
    const { key, username, password } = form.current.elements;
    const body = key ? { key: key.value.trim() } : { username: username.value.trim(), password: password.value };
    if (!await attempt('/session', body, kind)) (key ?? password).select();
  };
  return html`
    <form ref=${form} onSubmit=${submit}>
      ${kind === 'key'
        ? html`<${SecretField} key="key" label=${LOGIN.key} name="key" autocomplete="off" />`
        : html`<label key="name" class="field">${LOGIN.username} <input name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="100" /></label>
          <${SecretField} key="password" label=${LOGIN.password} name="password" autocomplete="current-password" />`}
      <p class="problem" role="alert">${problem}</p>
      <button type="submit" class="primary wide" disabled=${isBusy || wait_s > 0}>${wait_s ? LOGIN.wait(wait_s) : LOGIN.submit}</button>
    </form>`;
}

/** One way in is shown; the others are a click away. */
export function Login() {
  const { forget, ...trying } = useAttempt();
  const isAtHome = AT_HOME.includes(location.hostname);
  const [people, setPeople] = useState(isAtHome ? null : []);
  const [chosen, choose] = useState(null);
  useEffect(() => {
    if (isAtHome) get('/session/demo').then((found) => setPeople(found.items)).catch(() => setPeople([]));
  }, []);
  if (people === null) return html`<main class="login"><h1 class="unseen">Parley</h1></main>`;
  const kinds = people.length ? ['demo', 'password', 'key'] : ['password', 'key'];
  const kind = chosen ?? kinds[0];
  const turnTo = (other) => {
    forget();
    choose(other);
  };
  return html`
    <main class="login">
      <div class="door">
        <h1>Parley</h1>
        <p class="hint">${LOGIN.what}</p>
        ${logInNotice.value && html`<p class="notice" role="status">${logInNotice.value}</p>`}
        ${kind === 'demo' ? html`<${DemoPeople} people=${people} ...${trying} />` : html`<${Form} kind=${kind} ...${trying} />`}
        <p class="other-ways">${kinds.filter((other) => other !== kind).map((other) => html`<button type="button" class="link" key=${other} onClick=${() => turnTo(other)}>${LOGIN.use[other]}</button>`)}</p>
        <p class="hint">${LOGIN.hints[kind]}</p>
      </div>
    </main>`;
}
