// Rules tried before they count: the tree with what each node saw, the versions and what differs, a recorded day once more.
import { Intent, get, getAll } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { clockTime, customerName, networkName, shortDay, spaced } from '../core/format.js';
import { RuleTrace } from '../supervisor/rule_trace.js';
import { PANELS, RULES, SAVING } from '../texts/en_administration.js';
import { DryRun } from './dry_run.js';
import { linesOf } from './difference.js';
import { pathOf, rowOf, rowsOf } from './rows.js';

const SAMPLE = { text: '', language: '', followers: '', visibility: 'public', country: '' };

function postOf(sample) {
  return {
    external_id: `trial-${Date.now()}`, text: sample.text, visibility: sample.visibility,
    author: { external_id: 'trial', handle: 'trial', ...(/^\d+$/.test(sample.followers) ? { followers: Number(sample.followers) } : {}) },
    ...(sample.language ? { language: sample.language } : {}), ...(sample.country ? { location: { country: sample.country } } : {}),
  };
}

function Sample({ sample, put, channel, setChannel }) {
  const channels = rowsOf('channels');
  return html`
    <label class="field">${RULES.sample.channel} <select value=${channel} onChange=${(event) => setChannel(event.currentTarget.value)}>${channels.map((row) => html`<option key=${row.id} value=${row.id} selected=${row.id === channel}>${row.name}</option>`)}</select></label>
    ${channels.length === 0 && html`<p class="hint">${RULES.noChannel}</p>`}
    <label class="field">${RULES.sample.text} <textarea dir="auto" rows="3" value=${sample.text} onInput=${(event) => put({ text: event.currentTarget.value })}></textarea></label>
    <div class="period">${['language', 'country', 'followers'].map((name) => html`<label class="field" key=${name}>${RULES.sample[name]} <input class="short" value=${sample[name]} onInput=${(event) => put({ [name]: event.currentTarget.value })} /></label>`)}
      <label class="field">${RULES.sample.visibility} <select value=${sample.visibility} onChange=${(event) => put({ visibility: event.currentTarget.value })}>${['public', 'private'].map((one) => html`<option key=${one} value=${one} selected=${one === sample.visibility}>${RULES.values[one]}</option>`)}</select></label></div>`;
}

const MOST_RECORDED = 50;

function Recorded({ chosen, choose }) {
  const [rows, setRows] = useState(null);
  useEffect(() => {
    get(`/conversations?newest_first=true&limit=${MOST_RECORDED}`).then(({ items }) => {
      setRows(items);
      if (!chosen && items.length) choose(items[0].id);
    }, () => setRows([]));
  }, []);
  if (rows?.length === 0) return html`<p class="hint">${RULES.noRecorded}</p>`;
  return html`<label class="field">${RULES.recorded} <select value=${chosen} onChange=${(event) => choose(event.currentTarget.value)}>${(rows ?? []).map((row) => html`
    <option key=${row.id} value=${row.id} selected=${row.id === chosen}>${`${shortDay(row.created_at)} ${clockTime(row.created_at)} · ${customerName(row.customer)} · ${networkName(row.network)} · ${row.preview ?? ''}`}</option>`)}</select></label>`;
}

function shown(value) {
  if (value === null || value === undefined || (Array.isArray(value) && !value.length)) return '–';
  if (typeof value === 'string') return rowOf('workgroups', value)?.name ?? rowOf('agents', value)?.name ?? spaced(value);
  return Array.isArray(value) ? value.map((one) => (typeof one === 'string' ? one : Object.values(one).join(' '))).join(', ') : JSON.stringify(value);
}

/** Only what the rules would change. */
function Effects({ record }) {
  const [before, after] = [record.before ?? {}, record.after ?? {}];
  const changed = Object.keys(after).filter((name) => shown(before[name]) !== shown(after[name]));
  if (!changed.length) return html`<p class="hint">${RULES.noEffect}</p>`;
  return html`<dl class="facts">${changed.map((name) => html`<div key=${name}><dt>${spaced(name)}</dt><dd>${shown(before[name])} → <strong>${shown(after[name])}</strong></dd></div>`)}</dl>`;
}

function Trial({ row, isChanged }) {
  const [kind, setKind] = useState('sample');
  const [sample, setSample] = useState(SAMPLE);
  const [channel, setChannel] = useState(rowsOf('channels')[0]?.id ?? '');
  const [chosen, setChosen] = useState('');
  const [state, setState] = useState({ problem: '', answer: null });
  const ask = async (event) => {
    event.preventDefault();
    const body = kind === 'sample' ? { channel_id: channel, post: postOf(sample) } : { conversation_id: chosen };
    try {
      setState({ problem: '', answer: await new Intent(`${pathOf('rules', row.id)}/test`, body).send() });
    } catch (problem) {
      setState({ problem: problem.status ? problem.detail || problem.message : SAVING.unreachable, answer: null });
    }
  };
  return html`
    <form onSubmit=${ask}><p class="hint">${isChanged ? RULES.trialUnsaved : RULES.trialHint}</p>
      <div class="modes" role="group" aria-label=${RULES.trial}>${['sample', 'recorded'].map((one) => html`<button type="button" key=${one} aria-pressed=${kind === one} onClick=${() => setKind(one)}>${RULES.trialKinds[one]}</button>`)}</div>
      ${kind === 'sample' ? html`<${Sample} sample=${sample} put=${(part) => setSample({ ...sample, ...part })} channel=${channel} setChannel=${setChannel} />` : html`<${Recorded} chosen=${chosen} choose=${setChosen} />`}
      <button type="submit" disabled=${kind === 'sample' ? !channel || !sample.text.trim() : !chosen}>${RULES.ask}</button>
      <p class="mistakes" role="alert">${state.problem}</p>
      ${state.answer && html`<div class="trace" role="region" aria-label=${RULES.trace}><${RuleTrace} key=${state.answer.at} isOpen decision=${{ kind: 'rules', at: state.answer.at, rules: state.answer.rules }} /><h4>${RULES.effects}</h4><${Effects} record=${state.answer.rules} /></div>`}
    </form>`;
}

function Difference({ before, after }) {
  const lines = linesOf(before?.rules ?? [], after?.rules ?? []);
  if (!lines.some(({ sign }) => sign !== ' ')) return html`<p class="hint">${PANELS.sameRules}</p>`;
  return html`<pre class="difference" tabindex="0" aria-label=${PANELS.difference} dir="ltr">${lines.map(({ sign, text }, index) => html`<span key=${index} class=${sign === '+' ? 'added' : sign === '-' ? 'removed' : ''}>${`${sign} ${text}\n`}</span>`)}</pre>`;
}

function Versions({ row }) {
  const [versions, setVersions] = useState([]);
  const [pair, setPair] = useState(null);
  useEffect(() => {
    getAll(`${pathOf('rules', row.id)}/versions`, { pages: 2 }).then((found) => {
      setVersions(found);
      setPair([found.at(-2)?.version ?? found.at(-1)?.version, found.at(-1)?.version]);
    }, () => setVersions([]));
  }, [row.id, row.version]);
  if (!pair) return null;
  const at = (version) => versions.find((one) => one.version === version);
  const pick = (index) => html`<select aria-label=${index ? PANELS.newer : PANELS.older} value=${pair[index]} onChange=${(event) => setPair(pair.map((one, at) => (at === index ? Number(event.currentTarget.value) : one)))}>
    ${versions.map((one) => html`<option key=${one.version} value=${one.version} selected=${one.version === pair[index]}>${PANELS.version(one.version, `${shortDay(one.at)} ${clockTime(one.at)}`)}</option>`)}</select>`;
  return html`<div class="period">${pick(0)} → ${pick(1)}</div><${Difference} before=${at(pair[0])} after=${at(pair[1])} />`;
}

export function RulesPanel({ row, form, isChanged }) {
  const isArrival = row.trigger === 'arrival';
  return html`
    <section class="panel" aria-labelledby="trial"><h3 id="trial">${RULES.trial}</h3><${Trial} row=${row} isChanged=${isChanged} /></section>
    <section class="panel" aria-labelledby="rules-dry-run"><h3 id="rules-dry-run">${RULES.dryRun}</h3>
      ${isArrival ? html`<${DryRun} hint=${RULES.dryRunHint} change=${{ rule_set: { rules: form.value.rules ?? [] } }} />` : html`<p class="hint">${RULES.dryRunArrival}</p>`}</section>
    <section class="panel" aria-labelledby="versions"><h3 id="versions">${PANELS.versions}</h3><${Versions} row=${row} /></section>`;
}
