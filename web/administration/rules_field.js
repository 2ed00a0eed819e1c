// An ordered list of rules: when this holds, do that.
import { html, useState } from '../core/html.js';
import { RULES } from '../texts/en_administration.js';
import { ChoiceField, FlagField, Mistakes, NumberField, Setting, TermsField, TextField } from './fields.js';
import { mistakesAt, valueAt } from './form_state.js';
import { EntryButtons } from './groups.js';
import { ReferenceField, ReferencesField } from './picker.js';
import { ACTIONS } from './rule_facts.js';
import { Node, freshAction, freshCondition } from './rule_tree.js';
import { nameOf, rowsOf } from './rows.js';

const asOptions = (rows) => rows.map((row) => ({ id: row.id, name: row.name }));

const WORKGROUPS = () => asOptions(rowsOf('workgroups'));

/** Whether a skill is named, or made from what the post says. */
function SkillKind({ form, path }) {
  const place = path.slice(0, -1);
  const action = valueAt(form.value, place);
  const { skill, skill_from: source, among, otherwise, ...rest } = action;
  const isFrom = source !== undefined;
  const choose = (event) => form.set(place, event.currentTarget.value === 'from' ? { ...rest, skill_from: 'post.language' } : { ...rest, skill: skill ?? '' });
  return html`<div class="setting"><select aria-label=${RULES.skillKind} value=${isFrom ? 'from' : 'named'} onChange=${choose}>
    <option value="named" selected=${!isFrom}>${RULES.skillNamed}</option><option value="from" selected=${isFrom}>${RULES.skillFrom}</option></select></div>`;
}

/** One agent by name, or each customer's own. */
function AgentChoice({ form, field, path }) {
  const place = path.slice(0, -1);
  const { action, agent_id: id } = valueAt(form.value, place);
  const choose = (event) => form.set(place, event.currentTarget.value ? { action, agent_id: event.currentTarget.value } : { action, agent: 'customers_own' });
  return html`<${Setting} form=${form} field=${field} path=${path}>${({ attributes }) => html`
    <select ...${attributes} value=${id ?? ''} onChange=${choose}><option value="" selected=${!id}>${RULES.customersOwn}</option>
      ${rowsOf('agents').map((row) => html`<option key=${row.id} value=${row.id} selected=${row.id === id}>${row.name}</option>`)}
      ${id && !rowsOf('agents').some((row) => row.id === id) && html`<option value=${id} selected>${nameOf('agents', id)}</option>`}</select>`}<//>`;
}

const KINDS = { text: TextField, number: NumberField, terms: TermsField, choice: ChoiceField, workgroup: ReferenceField, workgroups: ReferencesField, skill_kind: SkillKind, agent: AgentChoice };

function Action({ form, path, list, at }) {
  const action = list[at];
  const known = ACTIONS[action.action];
  const name = RULES.actions[action.action] ?? action.action;
  return html`
    <li class="action"><span class="node-line"><select aria-label=${RULES.action} value=${action.action} onChange=${(event) => form.set([...path, at], freshAction(event.currentTarget.value))}>
        ${Object.keys(ACTIONS).map((one) => html`<option key=${one} value=${one} selected=${one === action.action}>${RULES.actions[one]}</option>`)}</select>
      <${EntryButtons} list=${list} at=${at} name=${name} change=${(next) => form.set(path, next)} /></span>
      <div class="action-fields">${(known?.fields ?? []).filter((field) => !field.when || field.when(form, [...path, at])).map((field) => html`
        <${KINDS[field.kind]} key=${field.name} form=${form} field=${{ ...field, options: WORKGROUPS }} path=${[...path, at, field.name]} />`)}</div>
      <${Mistakes} mistakes=${mistakesAt(form.mistakes, [...path, at])} /></li>`;
}

function Actions({ form, path }) {
  const list = valueAt(form.value, path) ?? [];
  return html`
    <ol class="entries actions-of">${list.map((_, at) => html`<${Action} key=${at} form=${form} path=${path} list=${list} at=${at} />`)}</ol>
    <${Mistakes} mistakes=${mistakesAt(form.mistakes, path)} />
    <button type="button" class="small" onClick=${() => form.set(path, [...list, freshAction('raise_priority')])}>${RULES.addAction}</button>`;
}

function Rule({ form, path, list, at, isOpen, toggle }) {
  const rule = list[at];
  const place = [...path, at];
  const setWhen = (when) => form.set(place, when === null ? Object.fromEntries(Object.entries(rule).filter(([name]) => name !== 'when')) : { ...rule, when });
  return html`
    <li class="rule"><div class="rule-head"><button type="button" class="quiet rule-name" aria-expanded=${isOpen} onClick=${toggle}><b>${at + 1}.</b> <bdi>${rule.name || RULES.unnamed}</bdi></button>
        <${EntryButtons} list=${list} at=${at} name=${rule.name || RULES.unnamed} change=${(next) => form.set(path, next)} /></div>
      <${Mistakes} mistakes=${mistakesAt(form.mistakes, place)} />
      ${isOpen && html`<div class="rule-body">
        <${TextField} form=${form} field=${{ name: 'name', kind: 'text', required: true }} path=${[...place, 'name']} />
        <h4>${RULES.when}</h4>
        ${rule.when ? html`<ul class="tree root"><${Node} form=${form} path=${[...place, 'when']} remove=${() => setWhen(null)} /></ul>`
          : html`<p class="hint">${RULES.always}</p><button type="button" class="small" onClick=${() => setWhen(freshCondition())}>${RULES.addCondition}</button>`}
        <h4>${RULES.then}</h4><${Actions} form=${form} path=${[...place, 'then']} />
        <${FlagField} form=${form} field=${{ name: 'stop', kind: 'flag' }} path=${[...place, 'stop']} /></div>`}
    </li>`;
}

export function RulesField({ form, path }) {
  const list = valueAt(form.value, path) ?? [];
  const [open, setOpen] = useState(() => new Set(list.length < 4 ? list.keys() : []));
  const wrong = new Set(form.mistakes.filter((one) => one.path[0] === 'rules').map((one) => Number(one.path[1])));
  const toggle = (at) => setOpen((was) => new Set(was.has(at) ? [...was].filter((one) => one !== at) : [...was, at]));
  const add = () => {
    setOpen((was) => new Set([...was, list.length]));
    form.set(path, [...list, { name: '', when: freshCondition(), then: [freshAction('raise_priority')] }]);
  };
  return html`
    <div><ol class="rules-list">${list.map((_, at) => html`<${Rule} key=${at} form=${form} path=${path} list=${list} at=${at} isOpen=${open.has(at) || wrong.has(at)} toggle=${() => toggle(at)} />`)}</ol>
      <${Mistakes} mistakes=${mistakesAt(form.mistakes, path)} />
      ${list.length === 0 && html`<p class="hint">${RULES.none}</p>`}
      <button type="button" class="small" onClick=${add}>${RULES.addRule}</button></div>`;
}
