// Fields that hold fields: a group, one that may be missing as a whole, a list of groups, one per kind of conversation.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { FLOOR } from '../texts/en_floor.js';
import { FORM } from '../texts/en_administration.js';
import { Mistakes, Settings } from './fields.js';
import { mistakesAt, valueAt } from './form_state.js';

/** `Fields` draws what a group holds; it is handed down because a group may hold groups. */
export function GroupField({ form, field, path, Fields }) {
  return html`<${Settings} form=${form} field=${field} path=${path}>${() => html`<${Fields} form=${form} fields=${field.fields} path=${path} />`}<//>`;
}

/** A group that is there or not. */
export function MaybeField({ form, field, path, Fields }) {
  const isThere = (valueAt(form.value, path) ?? null) !== null;
  const toggle = (event) => form.set(path, event.currentTarget.checked ? field.fresh() : null);
  return html`<${Settings} form=${form} field=${field} path=${path}>${({ id }) => html`
    <label class="switch"><input type="checkbox" id=${id} checked=${isThere} onChange=${toggle} /> ${FORM.switches[field.name] ?? FORM.switches.usual}</label>
    ${isThere && html`<${Fields} form=${form} fields=${field.fields} path=${path} />`}`}<//>`;
}

const swapped = (list, at, other) => list.map((one, index) => (index === at ? list[other] : index === other ? list[at] : one));

/** The buttons of one entry: earlier, later, away. */
export function EntryButtons({ list, at, name, change, isOrdered = true }) {
  return html`
    <span class="entry-buttons">
      ${isOrdered && html`<button type="button" class="quiet icon turned" disabled=${at === 0} aria-label=${FORM.earlier(name)} onClick=${() => change(swapped(list, at, at - 1))}><${Icon} name="down" /></button>
        <button type="button" class="quiet icon" disabled=${at === list.length - 1} aria-label=${FORM.later(name)} onClick=${() => change(swapped(list, at, at + 1))}><${Icon} name="down" /></button>`}
      <button type="button" class="quiet icon" aria-label=${FORM.removeOne(name)} onClick=${() => change(list.filter((_, index) => index !== at))}><${Icon} name="cross" /></button>
    </span>`;
}

/** A list of groups, in an order that means something. */
export function ListField({ form, field, path, Fields }) {
  const list = valueAt(form.value, path) ?? [];
  const name = (at) => FORM.entries[field.name](at + 1);
  return html`<${Settings} form=${form} field=${{ ...field, hasEntries: true }} path=${path}>${() => html`
    <ol class="entries">${list.map((_, at) => html`
      <li key=${at}><fieldset><legend>${name(at)}</legend>
        <${EntryButtons} list=${list} at=${at} name=${name(at)} change=${(next) => form.set(path, next)} />
        <${Fields} form=${form} fields=${field.fields} path=${[...path, at]} />
        <${Mistakes} mistakes=${mistakesAt(form.mistakes, [...path, at])} /></fieldset></li>`)}</ol>
    ${list.length < field.most && html`<button type="button" class="small" onClick=${() => form.set(path, [...list, field.fresh(list)])}>${FORM.add[field.name]}</button>`}`}<//>`;
}

const MEDIA_TYPES = ['social_conversation', 'social_direct_message'];

/** The same few numbers for public and for private conversations; left out, what lies above holds. */
export function ByMediaField({ form, field, path, Fields }) {
  const value = valueAt(form.value, path) ?? {};
  const toggle = (media) => {
    const { [media]: was, ...rest } = value;
    form.set(path, was ? rest : { ...value, [media]: field.fresh() });
  };
  return html`<${Settings} form=${form} field=${{ ...field, hasEntries: true }} path=${path}>${({ id }) => html`
    <div class="by-media">${MEDIA_TYPES.map((media) => html`
      <div key=${media}><label class="switch"><input type="checkbox" id=${`${id}-${media}`} checked=${media in value} onChange=${() => toggle(media)} /> ${FLOOR.kinds[media]}</label>
        ${media in value && html`<${Fields} form=${form} fields=${field.fields} path=${[...path, media]} />`}
        <${Mistakes} mistakes=${mistakesAt(form.mistakes, [...path, media])} /></div>`)}</div>`}<//>`;
}

/** Keys in the order in which they decide; those that do not take part wait below. */
export function OrderField({ form, field, path }) {
  const list = valueAt(form.value, path) ?? [];
  const rest = field.choices.filter((one) => !list.includes(one));
  const words = FORM.choices[field.name];
  return html`<${Settings} form=${form} field=${field} path=${path}>${() => html`
    <ol class="order">${list.map((one, at) => html`
      <li key=${one}><span>${words[one] ?? one}</span><${EntryButtons} list=${list} at=${at} name=${words[one] ?? one} change=${(next) => form.set(path, next)} /></li>`)}</ol>
    ${rest.length > 0 && html`<div class="adders">${rest.map((one) => html`<button type="button" key=${one} class="small" onClick=${() => form.set(path, [...list, one])}>+ ${words[one] ?? one}</button>`)}</div>`}`}<//>`;
}
