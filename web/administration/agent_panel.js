// How an agent gets in: password, keys, open sessions. None of it is ever shown again.
import { Intent, get, put, remove } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { clockTime, shortDay, span, statusName, toMs } from '../core/format.js';
import { now } from '../core/clock.js';
import { PANELS, SAVING } from '../texts/en_administration.js';
import { Copyable } from './copying.js';
import { pathOf } from './rows.js';

/** What was done, or why not. */
function useDoing() {
  const [said, setSaid] = useState({ text: '', isBad: false });
  const run = async (call, done) => {
    setSaid({ text: '', isBad: false });
    try {
      const answer = await call();
      setSaid({ text: done, isBad: false });
      return answer;
    } catch (problem) {
      setSaid({ text: problem.status ? problem.detail : SAVING.unreachable, isBad: true });
      return null;
    }
  };
  return { said, run };
}

const Said = ({ said }) => html`<p class=${said.isBad ? 'mistakes' : 'hint'} role="status">${said.text}</p>`;

function Keys({ row }) {
  const { said, run } = useDoing();
  const [made, setMade] = useState(null);
  const make = async () => setMade(await run(() => new Intent(`${pathOf('agents', row.id)}/keys`).send(), ''));
  const revoke = async () => {
    await run(() => remove(`/keys/${encodeURIComponent(made.id)}`), PANELS.revoked);
    setMade(null);
  };
  return html`
    <h4>${PANELS.keys}</h4><p class="hint">${PANELS.keysHint}</p>
    ${made ? html`<p><strong>${PANELS.once}</strong></p><${Copyable} label=${PANELS.key} text=${made.key} /><p class="hint">${PANELS.keyId} <code>${made.id}</code></p>
      <button type="button" class="small end" onClick=${revoke}>${PANELS.revoke}</button>`
      : html`<button type="button" class="small" onClick=${make}>${PANELS.makeKey}</button>`}
    <${Said} said=${said} />`;
}

function Password({ row }) {
  const path = `${pathOf('agents', row.id)}/password`;
  const { said, run } = useDoing();
  const [state, setState] = useState(null);
  const [typed, setTyped] = useState('');
  const read = () => get(path).then(setState, () => setState(null));
  useEffect(() => { read(); }, [row.id]);
  if (state === null) return null;
  const give = async (event) => {
    event.preventDefault();
    const isDone = await run(() => put(path, { password: typed }).then(() => true), PANELS.passwordGiven);
    if (isDone) setTyped('');
    read();
  };
  const take = async () => {
    await run(() => remove(path), PANELS.passwordTaken);
    read();
  };
  const since = state.changed_at ? PANELS.since(`${shortDay(state.changed_at)} ${clockTime(state.changed_at)}`) : '';
  return html`
    <h4>${PANELS.password}</h4><p class="hint">${PANELS.passwordStates[state.state] ?? state.state} ${since}</p>
    <form class="with-unit" onSubmit=${give}><input type="text" autocomplete="username" hidden value=${row.username} /><input type="password" autocomplete="new-password" aria-label=${PANELS.newPassword} placeholder=${PANELS.newPassword} value=${typed} onInput=${(event) => setTyped(event.currentTarget.value)} />
      <button type="submit" class="small" disabled=${!typed}>${PANELS.givePassword}</button>
      ${state.changed_at && html`<button type="button" class="small end" onClick=${take}>${PANELS.takePassword}</button>`}</form>
    <${Said} said=${said} />`;
}

function Sessions({ row }) {
  const { said, run } = useDoing();
  const end = () => run(() => remove(`${pathOf('agents', row.id)}/sessions`), PANELS.sessionsEnded);
  return html`<h4>${PANELS.sessions}</h4><p class="hint">${PANELS.sessionsHint}</p><button type="button" class="small end" onClick=${end}>${PANELS.endSessions}</button><${Said} said=${said} />`;
}

export function AgentPanel({ row }) {
  return html`
    <section class="panel" aria-labelledby="getting-in"><h3 id="getting-in">${PANELS.gettingIn}</h3>
      <p class="hint">${PANELS.nowIs(statusName(row.routing_status), span(now.value - toMs(row.since)), row.utilization_percent)}</p>
      <${Password} key=${row.id} row=${row} /><${Keys} key=${`k${row.id}`} row=${row} /><${Sessions} key=${`s${row.id}`} row=${row} />
    </section>`;
}
