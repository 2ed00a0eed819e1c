// The plain kinds of fields. Each gets its place in the form; what the API said of it stands right below it.
import { html, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { FORM, UNITS } from '../texts/en_administration.js';
import { homeless, mistakesAt, mistakesUnder, valueAt } from './form_state.js';
import { idOf, wordsAt } from './words.js';

/** What belongs here: of a group what none of its fields shows, of a list what none of its entries shows. */
function mistakesFor(form, field, path) {
  const own = mistakesUnder(form.mistakes, path);
  if (field.hasEntries) return mistakesAt(form.mistakes, path);
  if (!field.fields || valueAt(form.value, path) === null) return own;
  return homeless(own.map((one) => ({ ...one, path: one.path.slice(path.length) })), field.fields);
}

export function Mistakes({ id, mistakes }) {
  return html`<div id=${id} class="mistakes">${mistakes.map(({ msg }, index) => html`<p key=${index}><${Icon} name="warning" /><span dir="auto">${msg}</span></p>`)}</div>`;
}

/** What every input says of itself to whoever does not see it. */
function described({ form, field, path }) {
  const id = idOf(path);
  const mistakes = mistakesFor(form, field, path);
  return {
    id, mistakes,
    attributes: {
      id, disabled: form.isFixed(field), 'aria-invalid': mistakes.length > 0 ? 'true' : undefined, 'aria-required': field.required ? 'true' : undefined,
      'aria-describedby': [`${id}-hint`, ...(mistakes.length ? [`${id}-mistakes`] : [])].join(' '),
    },
  };
}

function Hint({ id, text, isFixed }) {
  return html`<p class="hint" id=${`${id}-hint`}>${isFixed ? FORM.fixed : text}</p>`;
}

/** A label, one input, a sentence, the mistakes. */
export function Setting({ form, field, path, children }) {
  const { id, mistakes, attributes } = described({ form, field, path });
  const { label, hint } = field.words ?? wordsAt(form.kind, path);
  return html`
    <div class="setting ${mistakes.length ? 'wrong' : ''}" data-kind=${field.kind}>
      <label for=${id}>${label}${field.required && field.kind !== 'choice' && !form.isFixed(field) && html` <span class="needed">${FORM.required}</span>`}</label>
      ${children({ id, attributes, label })}
      <${Hint} id=${id} text=${hint} isFixed=${form.isFixed(field)} />
      <${Mistakes} id=${`${id}-mistakes`} mistakes=${mistakes} />
    </div>`;
}

/** Several inputs under one name. */
export function Settings({ form, field, path, children }) {
  const { id, mistakes } = described({ form, field, path });
  const { label, hint } = field.words ?? wordsAt(form.kind, path);
  return html`
    <fieldset class="setting settings ${mistakes.length ? 'wrong' : ''}" data-kind=${field.kind} aria-describedby=${`${id}-hint ${id}-mistakes`}>
      <legend>${label}</legend>
      ${hint && html`<${Hint} id=${id} text=${hint} isFixed=${form.isFixed(field)} />`}
      <div class="body">${children({ id, label })}</div>
      <${Mistakes} id=${`${id}-mistakes`} mistakes=${mistakes} />
    </fieldset>`;
}

export function TextField({ form, field, path }) {
  const value = valueAt(form.value, path);
  const type = (event) => form.set(path, event.currentTarget.value === '' && !field.required ? null : event.currentTarget.value);
  return html`<${Setting} form=${form} field=${field} path=${path}>${({ id, attributes }) => html`
    <input ...${attributes} dir="auto" autocomplete="off" spellcheck=${false} value=${value ?? ''} list=${field.among ? `${id}-among` : undefined} onInput=${type} />
    ${field.among && html`<datalist id=${`${id}-among`}>${field.among().map((one) => html`<option key=${one} value=${one} />`)}</datalist>`}`}<//>`;
}

export function AreaField({ form, field, path }) {
  const value = valueAt(form.value, path) ?? '';
  const type = (event) => form.set(path, event.currentTarget.value === '' && !field.required ? null : event.currentTarget.value);
  return html`<${Setting} form=${form} field=${field} path=${path}>${({ attributes }) => html`
    <textarea ...${attributes} dir="auto" rows=${Math.min(12, Math.max(3, value.split('\n').length + 1))} value=${value} onInput=${type}></textarea>`}<//>`;
}

/** What is no number is sent as it was typed: the API says what is wrong with it, in the same words everywhere. */
function numberOf(text) {
  const typed = text.trim();
  if (typed === '') return null;
  return /^[-+]?\d+(?:\.\d+)?$/.test(typed) && Math.abs(Number(typed)) <= Number.MAX_SAFE_INTEGER ? Number(typed) : typed;
}

export function NumberField({ form, field, path }) {
  const value = valueAt(form.value, path);
  const [typed, setTyped] = useState(null);
  const shown = typed !== null && Object.is(numberOf(typed), value) ? typed : String(value ?? '');
  const type = (event) => {
    setTyped(event.currentTarget.value);
    form.set(path, numberOf(event.currentTarget.value));
  };
  return html`<${Setting} form=${form} field=${field} path=${path}>${({ attributes }) => html`
    <span class="with-unit"><input ...${attributes} class="short" inputmode=${field.isFraction ? 'decimal' : 'numeric'} autocomplete="off" placeholder=${field.unset ?? ''} value=${shown} onInput=${type} />
      ${field.unit && html`<span class="unit">${UNITS[field.unit]}</span>`}</span>`}<//>`;
}

export function FlagField({ form, field, path }) {
  const value = valueAt(form.value, path) ?? field.usual ?? false;
  const { id, mistakes, attributes } = described({ form, field, path });
  const { label, hint } = field.words ?? wordsAt(form.kind, path);
  return html`
    <div class="setting flag ${mistakes.length ? 'wrong' : ''}">
      <label for=${id}><input type="checkbox" ...${attributes} checked=${value} onChange=${(event) => form.set(path, event.currentTarget.checked)} /> <span>${label}</span></label>
      <${Hint} id=${id} text=${hint} isFixed=${form.isFixed(field)} />
      <${Mistakes} id=${`${id}-mistakes`} mistakes=${mistakes} />
    </div>`;
}

const choiceWords = (form, path, one) => FORM.choices[path.filter((part) => !/^\d+$/.test(part)).at(-1)]?.[one] ?? FORM.choices.shared[one] ?? one;

export function ChoiceField({ form, field, path }) {
  const value = valueAt(form.value, path) ?? '';
  const choose = (event) => form.set(path, event.currentTarget.value || null);
  const offered = field.choices.includes(value) || value === '' ? field.choices : [value, ...field.choices];
  return html`<${Setting} form=${form} field=${field} path=${path}>${({ attributes }) => html`
    <select ...${attributes} value=${value} onChange=${choose}>
      ${!field.required && value === '' && html`<option value="">${FORM.nothing}</option>`}
      ${offered.map((one) => html`<option key=${one} value=${one} selected=${one === value}>${choiceWords(form, path, one)}</option>`)}
    </select>`}<//>`;
}

/** Any of a few: boxes to tick, kept in the order in which the API lists them. */
export function ChoicesField({ form, field, path }) {
  const value = valueAt(form.value, path) ?? [];
  const toggle = (one) => form.set(path, field.choices.filter((each) => (each === one ? !value.includes(one) : value.includes(each))));
  return html`<${Settings} form=${form} field=${field} path=${path}>${({ id }) => html`
    <div class="boxes">${field.choices.map((one) => html`
      <label key=${one}><input type="checkbox" id=${`${id}-${one}`} checked=${value.includes(one)} onChange=${() => toggle(one)} /> ${choiceWords(form, path, one)}</label>`)}</div>`}<//>`;
}

/** Short texts, one after the other: Enter or a comma ends one, Backspace takes the last back. */
export function TermsField({ form, field, path }) {
  const value = valueAt(form.value, path) ?? [];
  const [typed, setTyped] = useState('');
  const add = () => {
    const added = typed.split(',').map((one) => one.trim()).filter(Boolean);
    if (added.length) form.set(path, [...value, ...added.filter((one) => !value.includes(one))]);
    setTyped('');
  };
  const press = (event) => {
    if ((event.key === 'Enter' || event.key === ',') && typed.trim()) {
      event.preventDefault();
      add();
    }
    if (event.key === 'Backspace' && typed === '' && value.length) form.set(path, value.slice(0, -1));
  };
  return html`<${Setting} form=${form} field=${field} path=${path}>${({ attributes, label }) => html`
    <${Chips} label=${label} names=${value} remove=${(index) => form.set(path, value.filter((_, at) => at !== index))} />
    <input ...${attributes} dir="auto" autocomplete="off" placeholder=${FORM.addTerm} value=${typed} onInput=${(event) => setTyped(event.currentTarget.value)} onKeyDown=${press} onBlur=${add} />`}<//>`;
}

export function Chips({ label, names, remove }) {
  if (!names.length) return null;
  return html`<ul class="chosen" aria-label=${label}>${names.map((name, index) => html`
    <li key=${index}><bdi>${name}</bdi><button type="button" class="quiet icon" aria-label=${FORM.removeOne(name)} onClick=${() => remove(index)}><${Icon} name="cross" /></button></li>`)}</ul>`;
}
