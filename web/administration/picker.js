// Choosing rows by name: what is typed narrows the list, arrows walk it, Enter takes one.
import { html, useRef, useState } from '../core/html.js';
import { FORM } from '../texts/en_administration.js';
import { Chips, Setting } from './fields.js';
import { valueAt } from './form_state.js';

const MOST_SHOWN = 50;
const fold = (text) => String(text).toLocaleLowerCase();

/** `options`: `{id, name, about}`; `onFree` takes what is no option. */
export function Picker({ attributes, options, onChoose, placeholder = FORM.find, onFree = null }) {
  const [said, setTyped] = useState('');
  const [at, setAt] = useState(-1);
  const input = useRef(null);
  const found = options.filter(({ name, about = '' }) => fold(`${name} ${about}`).includes(fold(said))).slice(0, MOST_SHOWN);
  const [isOpen, setOpen] = useState(false);
  const listId = `${attributes.id}-list`;
  const type = (text) => {
    setTyped(text);
    setAt(-1);
    setOpen(true);
  };
  const take = (option, choose = onChoose) => {
    choose(option);
    setTyped('');
    setOpen(false);
    setAt(-1);
    input.current.focus();
  };
  const press = (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && found.length) {
      event.preventDefault();
      setOpen(true);
      setAt((at + by + found.length) % found.length);
    } else if (event.key === 'Escape' && isOpen) {
      event.stopPropagation();
      setOpen(false);
    } else if (event.key === 'Enter' && said.trim() && onFree && at < 0) {
      event.preventDefault();
      take(said.trim(), onFree);
    } else if (event.key === 'Enter' && isOpen && (at >= 0 || (found.length === 1 && said))) {
      event.preventDefault();
      take(found[Math.max(at, 0)]);
    }
  };
  return html`
    <div class="picker">
      <input ...${attributes} ref=${input} role="combobox" dir="auto" autocomplete="off" spellcheck=${false} aria-expanded=${isOpen && found.length > 0} aria-controls=${listId} aria-autocomplete="list"
        aria-activedescendant=${isOpen && at >= 0 ? `${listId}-${at}` : undefined} placeholder=${placeholder} value=${said}
        onInput=${(event) => type(event.currentTarget.value)} onKeyDown=${press} onFocus=${() => setOpen(true)} onBlur=${() => setOpen(false)} />
      <ul id=${listId} role="listbox" aria-label=${placeholder} hidden=${!isOpen || !found.length}>${isOpen && found.map((option, index) => html`
        <li key=${option.id} id=${`${listId}-${index}`} role="option" aria-selected=${index === at} onMouseDown=${(event) => { event.preventDefault(); take(option); }}>
          <bdi>${option.name}</bdi>${option.about && html`<span class="hint">${option.about}</span>`}</li>`)}</ul>
    </div>`;
}

/** One row of another list. */
export function ReferenceField({ form, field, path }) {
  const id = valueAt(form.value, path);
  const options = field.options(form);
  const chosen = options.find((one) => one.id === id) ?? (id ? { id, name: id } : null);
  const remove = form.isFixed(field) ? null : () => form.set(path, null);
  return html`<${Setting} form=${form} field=${field} path=${path}>${({ attributes, label }) => (chosen && remove === null
    ? html`<p class="fixed"><bdi>${chosen.name}</bdi><input ...${attributes} type="hidden" /></p>`
    : html`${chosen && html`<${Chips} label=${label} names=${[chosen.name]} remove=${remove} />`}
      <${Picker} attributes=${attributes} options=${options.filter((one) => one.id !== id)} placeholder=${chosen ? FORM.findOther : FORM.find} onChoose=${(option) => form.set(path, option.id)} />
      ${options.length === 0 && html`<p class="hint">${FORM.noneYet}</p>`}`)}<//>`;
}

/** Several rows of another list. */
export function ReferencesField({ form, field, path }) {
  const ids = valueAt(form.value, path) ?? [];
  const options = field.options(form);
  const names = ids.map((id) => options.find((one) => one.id === id)?.name ?? id);
  return html`<${Setting} form=${form} field=${field} path=${path}>${({ attributes, label }) => html`
    <${Chips} label=${label} names=${names} remove=${(index) => form.set(path, ids.filter((_, at) => at !== index))} />
    <${Picker} attributes=${attributes} options=${options.filter((one) => !ids.includes(one.id))} onChoose=${(option) => form.set(path, [...ids, option.id])} />
    ${options.length === 0 && html`<p class="hint">${FORM.noneYet}</p>`}`}<//>`;
}
