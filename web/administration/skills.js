// Skills with a level each: an agent's proficiency, or the least that is asked for.
import { html } from '../core/html.js';
import { FORM, UNITS } from '../texts/en_administration.js';
import { Mistakes, Settings } from './fields.js';
import { mistakesUnder, valueAt } from './form_state.js';
import { EntryButtons } from './groups.js';
import { Picker } from './picker.js';
import { idOf } from './words.js';
import { rowsOf } from './rows.js';

const levelOf = (text) => (/^\d+$/.test(text.trim()) ? Number(text) : text);

function Level({ id, name, value, isWrong, onType }) {
  const shown = Number.isInteger(value) ? Math.min(Math.max(value, 0), 100) : 0;
  return html`
    <input type="range" min="0" max="100" step="5" value=${shown} aria-label=${FORM.levelOf(name)} onInput=${(event) => onType(Number(event.currentTarget.value))} />
    <input id=${id} class="short" inputmode="numeric" autocomplete="off" aria-label=${FORM.levelOf(name)} aria-invalid=${isWrong ? 'true' : undefined} value=${value ?? ''} onInput=${(event) => onType(levelOf(event.currentTarget.value))} />
    <span class="unit">${UNITS.level}</span>`;
}

/** `field.level`: how the level is called in the API. A skill exists as soon as its name is used. */
export function SkillsField({ form, field, path }) {
  const list = valueAt(form.value, path) ?? [];
  const has = new Set(list.map(({ skill }) => skill));
  const known = rowsOf('skills').map(({ name }) => ({ id: name, name })).filter(({ id }) => !has.has(id));
  const add = (skill) => skill.trim() && !has.has(skill.trim()) && form.set(path, [...list, { skill: skill.trim(), [field.level]: field.usual }]);
  return html`<${Settings} form=${form} field=${{ ...field, hasEntries: true }} path=${path}>${({ id, label }) => html`
    <ul class="skills">${list.map((one, at) => {
      const place = [...path, at];
      const mistakes = mistakesUnder(form.mistakes, place);
      return html`<li key=${one.skill}><bdi>${one.skill}</bdi>
        <${Level} id=${idOf([...place, field.level])} name=${one.skill} value=${one[field.level]} isWrong=${mistakes.length > 0} onType=${(level) => form.set([...place, field.level], level)} />
        <${EntryButtons} list=${list} at=${at} name=${one.skill} isOrdered=${false} change=${(next) => form.set(path, next)} />
        <${Mistakes} mistakes=${mistakes} /></li>`;
    })}</ul>
    <${Picker} attributes=${{ id: `${id}-new`, 'aria-label': FORM.addTo(label) }} options=${known} placeholder=${FORM.addSkill} onChoose=${({ name }) => add(name)} onFree=${add} />`}<//>`;
}
