// Screens that show this board without anybody signed in: made, listed and ended by supervisors.
import { Intent, getAll, remove } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { roughSpan, shortDay, toMs } from '../core/format.js';
import { FormButtons, openDialog } from '../desk/dialog.js';
import { DISPLAYS } from '../texts/en_wallboard.js';
import { floor } from './readings.js';

const DAY_MS = 86_400_000;
const addressOf = (token) => `${location.origin}/wallboard#token=${token}`;

function Made({ display }) {
  return html`
    <p role="status">${DISPLAYS.made(display.name)}</p>
    <label class="field">${DISPLAYS.address} <input readonly data-first value=${addressOf(display.token)} onFocus=${(event) => event.currentTarget.select()} /></label>
    <p class="hint">${DISPLAYS.onlyNow}</p>`;
}

function Existing({ rows, onEnd }) {
  if (!rows.length) return html`<p class="hint">${DISPLAYS.none}</p>`;
  const seen = ({ last_used_at: at }) => (at ? DISPLAYS.seen(roughSpan(Date.now() - toMs(at))) : DISPLAYS.neverSeen);
  return html`
    <ul class="displays">${rows.map((row) => html`
      <li key=${row.id}><span><bdi>${row.name}</bdi> <span class="hint">${seen(row)}, ${DISPLAYS.until(shortDay(row.expires_at))}</span></span>
        <button type="button" class="small end" onClick=${() => onEnd(row)}>${DISPLAYS.end}<span class="unseen"> ${row.name}</span></button></li>`)}</ul>`;
}

function Form() {
  const [rows, setRows] = useState([]);
  const [made, setMade] = useState(null);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const read = () => getAll('/displays').then(setRows, (refusal) => setProblem(refusal.message));
  useEffect(() => { read(); }, []);
  const attempt = async (act) => {
    setBusy(true);
    setProblem('');
    try {
      await act();
      await read();
    } catch (refusal) {
      setProblem(refusal.message);
    }
    setBusy(false);
  };
  const submit = (event) => {
    event.preventDefault();
    const { elements } = event.currentTarget;
    const workgroups = [...event.currentTarget.querySelectorAll('[name=workgroup]:checked')].map(({ value }) => value);
    const body = { name: elements.name.value.trim(), workgroups, shows_agents: elements.agents.checked, expires_at: new Date(Date.now() + elements.days.value * DAY_MS).toISOString() };
    attempt(async () => setMade(await new Intent('/displays', body).send()));
  };
  if (made) return html`<${Made} display=${made} />`;
  return html`
    <${Existing} rows=${rows} onEnd=${(row) => attempt(() => remove(`/displays/${encodeURIComponent(row.id)}`))} />
    <form onSubmit=${submit}><h3>${DISPLAYS.another}</h3>
      <label class="field">${DISPLAYS.name} <input name="name" required maxlength="200" data-first placeholder=${DISPLAYS.nameLike} /></label>
      <fieldset class="choices"><legend>${DISPLAYS.workgroups}</legend>${(floor.value ?? []).map(({ workgroup_id: id, name }) => html`
        <label key=${id} class="choice"><input type="checkbox" name="workgroup" value=${id} /><bdi>${name}</bdi></label>`)}</fieldset>
      <label class="choice"><input type="checkbox" name="agents" />${DISPLAYS.agents}</label>
      <label class="field">${DISPLAYS.days} <input type="number" name="days" min="1" max="365" value="90" required /></label>
      <p class="problem" role="alert">${problem}</p>
      <${FormButtons} submit=${DISPLAYS.make} disabled=${isBusy} />
    </form>`;
}

export const openDisplayDialog = () => openDialog({ title: DISPLAYS.title, body: Form });
