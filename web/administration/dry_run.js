// What would have happened: a recorded period once more under what stands in the form, beside what did happen.
import { Intent } from '../core/api.js';
import { html, useState } from '../core/html.js';
import { roughSpan } from '../core/format.js';
import { DRY_RUN, SAVING } from '../texts/en_administration.js';
import { nameOf } from './rows.js';

// The API ends a simulation after 20 s by itself.
const PATIENCE = { timeout_ms: 30_000 };
const HOUR_MS = 3_600_000;

/** As a field for date and time has it, in the browser's own zone. */
const fieldTime = (ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

/** `change`: what of the simulation's body is to be different. */
export function DryRun({ change, hint, isReady = true, notReady = '' }) {
  const [from, setFrom] = useState(() => fieldTime(Date.now() - 24 * HOUR_MS));
  const [until, setUntil] = useState(() => fieldTime(Date.now() - 60_000));
  const [state, setState] = useState({ isBusy: false, problem: '', answer: null });
  const run = async (event) => {
    event.preventDefault();
    setState({ isBusy: true, problem: '', answer: null });
    try {
      const answer = await new Intent('/simulations', { from: new Date(from).toISOString(), until: new Date(until).toISOString(), ...change }, PATIENCE).send();
      setState({ isBusy: false, problem: '', answer });
    } catch (problem) {
      setState({ isBusy: false, problem: problem.status ? problem.detail || problem.message : SAVING.unreachable, answer: null });
    }
  };
  return html`
    <form class="dry-run" onSubmit=${run}><p class="hint">${hint}</p>
      <div class="period"><label>${DRY_RUN.from} <input type="datetime-local" required value=${from} onChange=${(event) => setFrom(event.currentTarget.value)} /></label>
        <label>${DRY_RUN.until} <input type="datetime-local" required value=${until} onChange=${(event) => setUntil(event.currentTarget.value)} /></label>
        <button type="submit" disabled=${state.isBusy || !isReady}>${state.isBusy ? DRY_RUN.running : DRY_RUN.run}</button></div>
      ${!isReady && html`<p class="hint">${notReady}</p>`}
      <p class="mistakes" role="alert">${state.problem}</p>
      ${state.answer && html`<${Compared} answer=${state.answer} />`}
    </form>`;
}

const wait = (name) => ({ name, of: ({ waits }) => waits[name], show: roughSpan });
const count = (name) => ({ name, of: (outcome) => outcome[name], show: String });
const FIGURES = [
  count('conversations'), { name: 'answered', of: ({ waits }) => waits.answered, show: String }, wait('mean_ms'), wait('p50_ms'), wait('p95_ms'), wait('longest_ms'), count('missed'), count('overflowed'), count('unmatched'),
];

function rowsOfOutcome({ actual, simulated }) {
  const levels = [...new Set([...Object.keys(actual.service_level_percent), ...Object.keys(simulated.service_level_percent)])];
  const agents = [...new Set([...Object.keys(actual.assignments), ...Object.keys(simulated.assignments)])];
  return {
    figures: FIGURES.map(({ name, of, show }) => ({ key: name, name: DRY_RUN.figures[name], was: of(actual), is: of(simulated), show })),
    levels: levels.map((id) => ({ key: id, name: DRY_RUN.level(nameOf('workgroups', id)), was: actual.service_level_percent[id], is: simulated.service_level_percent[id], show: DRY_RUN.percent, most: 100 })),
    agents: agents.map((id) => ({ key: id, name: nameOf('agents', id), was: actual.assignments[id] ?? 0, is: simulated.assignments[id] ?? 0, show: String })),
  };
}

function Pair({ was, is, most }) {
  const width = (value) => (most ? Math.max(0, ((value ?? 0) / most) * 100) : 0);
  return html`<svg class="pair" viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true"><rect class="was" y="1" width=${width(was)} height="5" /><rect class="is" y="8" width=${width(is)} height="5" /></svg>`;
}

function Table({ caption, rows, most = null }) {
  if (!rows.length) return null;
  return html`
    <table class="compared"><caption>${caption}</caption>
      <thead><tr><th scope="col"><span class="unseen">${DRY_RUN.figure}</span></th><th scope="col" class="number was">${DRY_RUN.was}</th><th scope="col" class="number is">${DRY_RUN.is}</th><td></td></tr></thead>
      <tbody>${rows.map(({ key, name, was, is, show, most: own }) => html`<tr key=${key} class=${was === is ? '' : 'differs'}><th scope="row"><bdi>${name}</bdi></th>
        <td class="number">${was === null || was === undefined ? '–' : show(was)}</td><td class="number">${is === null || is === undefined ? '–' : show(is)}</td>
        <td class="drawn"><${Pair} was=${was} is=${is} most=${own ?? most ?? Math.max(was ?? 0, is ?? 0)} /></td></tr>`)}</tbody></table>`;
}

function Compared({ answer }) {
  const { figures, levels, agents } = rowsOfOutcome(answer);
  if (answer.actual.conversations === 0) return html`<p class="notice">${DRY_RUN.nothing}</p>`;
  return html`
    <div role="region" aria-label=${DRY_RUN.result}><p><strong>${DRY_RUN.summary(answer.compared, answer.changed_agent)}</strong></p>
      <${Table} caption=${DRY_RUN.waits} rows=${figures} /><${Table} caption=${DRY_RUN.levels} rows=${levels} />
      <${Table} caption=${DRY_RUN.agents} rows=${agents} most=${Math.max(0, ...agents.map(({ was, is }) => Math.max(was, is)))} /></div>`;
}

/** What a workgroup's unsaved settings would have done. */
export function SettingsDryRun({ row, change, isChanged }) {
  return html`
    <section class="panel" aria-labelledby="dry-run"><h3 id="dry-run">${DRY_RUN.title}</h3>
      <${DryRun} hint=${DRY_RUN.settingsHint} isReady=${isChanged} notReady=${DRY_RUN.changeFirst} change=${{ workgroups: { [row.id]: change } }} /></section>`;
}
