// A rule's condition as a tree that is written by choosing: groups that join, comparisons with a fact.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { FACT_NAMES, FORM, RULES } from '../texts/en_administration.js';
import { Chips, Mistakes } from './fields.js';
import { mistakesAt, mistakesUnder, valueAt } from './form_state.js';
import { Picker } from './picker.js';
import { ACTIONS, FACTS, OPERATORS, comparisonOf, entryOf, operatorIn } from './rule_facts.js';
import { idOfRow, nameOf, rowsOf } from './rows.js';
import { idOf } from './words.js';

const JOINING = ['all', 'any', 'not'];
const joiningOf = (node) => JOINING.find((name) => name in (node ?? {}));
const childrenOf = (node) => [node[joiningOf(node)]].flat();
const fresh = () => comparisonOf('post.text');

/** The same children joined otherwise; `not` has one child only. */
function joinedAs(node, kind) {
  const children = joiningOf(node) ? childrenOf(node) : [node];
  if (kind === 'compare') return children.find((child) => child.fact) ?? fresh();
  if (kind !== 'not') return { [kind]: children };
  return { not: children.length === 1 ? children[0] : { all: children } };
}

const numberOf = (text) => (/^-?\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : text);
const Say = ({ value, words, onChoose, label, ...rest }) => html`<select ...${rest} aria-label=${label} value=${value} onChange=${(event) => onChoose(event.currentTarget.value)}>
  ${(words.some(([one]) => one === value) ? words : [[value, value], ...words]).map(([one, said]) => html`<option key=${one} value=${one} selected=${one === value}>${said}</option>`)}</select>`;

const optionsOf = (fact) => fact.choices?.map((one) => ({ id: one, name: RULES.values[one] ?? one })) ?? rowsOf(fact.of).map((row) => ({ id: idOfRow(row), name: row.name ?? idOfRow(row) }));
const nameIn = (fact, id) => RULES.values[id] ?? (fact.of ? nameOf(fact.of, id) : id);

function Several({ id, fact, value, change }) {
  const options = optionsOf(fact).filter((one) => !value.includes(one.id));
  return html`<${Chips} label=${RULES.value} names=${value.map((one) => nameIn(fact, one))} remove=${(at) => change(value.filter((_, index) => index !== at))} />
    <${Picker} attributes=${{ id, 'aria-label': RULES.value }} options=${options} onChoose=${(option) => change([...value, option.id])} />`;
}

function Terms({ id, value, change }) {
  const add = (text) => change([...value, ...text.split(',').map((one) => one.trim()).filter((one) => one && !value.includes(one))]);
  return html`<${Chips} label=${RULES.value} names=${value} remove=${(at) => change(value.filter((_, index) => index !== at))} />
    <${Picker} attributes=${{ id, 'aria-label': RULES.value }} options=${[]} placeholder=${FORM.addTerm} onChoose=${() => {}} onFree=${add} />`;
}

function Value({ id, fact, operator, value, change }) {
  const entry = entryOf(fact, operator);
  const type = (event) => change(fact.type === 'number' ? numberOf(event.currentTarget.value) : event.currentTarget.value);
  if (entry === 'flag') return html`<${Say} id=${id} label=${RULES.value} value=${String(value)} words=${[['true', RULES.yes], ['false', RULES.no]]} onChoose=${(said) => change(said === 'true')} />`;
  if (entry === 'one') return html`<${Say} id=${id} label=${RULES.value} value=${value} words=${[['', FORM.nothing], ...optionsOf(fact).map((one) => [one.id, one.name])]} onChoose=${change} />`;
  if (entry === 'several') return html`<${Several} id=${id} fact=${fact} value=${value ?? []} change=${change} />`;
  if (entry === 'terms') return html`<${Terms} id=${id} value=${value ?? []} change=${change} />`;
  if (entry === 'bounds') return html`${[0, 1].map((at) => html`<input key=${at} id=${at === 0 ? id : undefined} class="short" aria-label=${at === 0 ? RULES.low : RULES.high} value=${value?.[at] ?? ''} onChange=${(event) => change([0, 1].map((index) => (index === at ? numberOf(event.currentTarget.value) : value?.[index] ?? '')))} />`)}`;
  return html`<input id=${id} class=${fact.type === 'number' || fact.type === 'time_of_day' ? 'short' : ''} dir="auto" autocomplete="off" aria-label=${RULES.value} value=${value ?? ''} onInput=${type} />`;
}

function Argument({ node, argument, change }) {
  const put = (value) => change({ ...node, [argument]: value });
  if (argument === 'workgroup_id') return html`<span>${RULES.of}</span><${Say} label=${RULES.arguments.workgroup_id} value=${node.workgroup_id} words=${[['', FORM.nothing], ...rowsOf('workgroups').map((row) => [row.id, row.name])]} onChoose=${put} />`;
  if (argument === 'time_zone') return html`<span>${RULES.in}</span><input aria-label=${RULES.arguments.time_zone} value=${node.time_zone ?? ''} onInput=${(event) => put(event.currentTarget.value)} />`;
  return html`<span>${RULES.from}</span>${['lat', 'lon'].map((name) => html`<input key=${name} class="short" aria-label=${RULES.arguments[name]} value=${node.from?.[name] ?? ''} onChange=${(event) => put({ ...node.from, [name]: numberOf(event.currentTarget.value) })} />`)}`;
}

function Comparison({ form, path, node }) {
  const fact = FACTS[node.fact];
  const change = (next) => form.set(path, next);
  const operator = operatorIn(node) ?? OPERATORS[fact.type][0];
  const id = idOf(path);
  return html`
    <${Say} id=${`${id}-fact`} label=${RULES.fact} value=${node.fact} words=${Object.keys(FACTS).map((name) => [name, FACT_NAMES[name]])} onChoose=${(name) => change(comparisonOf(name, undefined, node))} />
    ${fact.argument && html`<${Argument} node=${node} argument=${fact.argument} change=${change} />`}
    <${Say} label=${RULES.operator} value=${operator} words=${OPERATORS[fact.type].map((name) => [name, RULES.operators[name]])} onChoose=${(name) => change(comparisonOf(node.fact, name, node))} />
    <${Value} id=${id} fact=${fact} operator=${operator} value=${node[operator]} change=${(value) => change({ ...node, [operator]: value })} />`;
}

/** A node and what is below it. A fact that this page does not know is shown as it is. */
export function Node({ form, path, remove }) {
  const node = valueAt(form.value, path);
  const kind = joiningOf(node);
  const own = kind ? mistakesAt(form.mistakes, path).concat(mistakesAt(form.mistakes, [...path, kind])) : mistakesUnder(form.mistakes, path);
  const shown = kind ?? 'compare';
  return html`
    <li class="node ${own.length ? 'wrong' : ''}">
      <div class="node-line"><${Say} label=${RULES.joined} value=${shown} words=${[...JOINING.map((one) => [one, RULES.kinds[one]]), ['compare', RULES.kinds.compare]]} onChoose=${(next) => form.set(path, joinedAs(node, next))} />
        ${!kind && (node.fact in FACTS ? html`<${Comparison} form=${form} path=${path} node=${node} />` : html`<code>${JSON.stringify(node)}</code>`)}
        <button type="button" class="quiet icon" aria-label=${RULES.removeNode} onClick=${remove}><${Icon} name="cross" /></button></div>
      <${Mistakes} mistakes=${own} />
      ${kind && html`<${Below} form=${form} path=${path} kind=${kind} node=${node} />`}
    </li>`;
}

function Below({ form, path, kind, node }) {
  const children = childrenOf(node);
  const place = (at) => (kind === 'not' ? [...path, kind] : [...path, kind, at]);
  const without = (at) => (kind === 'not' ? fresh() : children.filter((_, index) => index !== at));
  const add = (child) => form.set([...path, kind], [...children, child]);
  return html`<ul class="tree">${children.map((_, at) => html`<${Node} key=${at} form=${form} path=${place(at)} remove=${() => form.set([...path, kind], without(at))} />`)}
    ${kind !== 'not' && html`<li class="adders"><button type="button" class="small" onClick=${() => add(fresh())}>${RULES.addComparison}</button>
      <button type="button" class="small" onClick=${() => add({ any: [fresh()] })}>${RULES.addGroup}</button></li>`}</ul>`;
}

export const freshCondition = () => ({ all: [fresh()] });
export const freshAction = (name) => ({ action: name, ...ACTIONS[name].fresh });
