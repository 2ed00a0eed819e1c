// One form for everything that is set up, drawn from a description of its fields.
import { remove } from '../core/api.js';
import { html, useEffect, useLayoutEffect, useRef } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { closeDialog, isDialogOpen, openDialog } from '../desk/dialog.js';
import { say as toast } from '../desk/toasts.js';
import { FORM, RESOURCES, SAVING } from '../texts/en_administration.js';
import { AreaField, ChoiceField, ChoicesField, FlagField, NumberField, TermsField, TextField } from './fields.js';
import { NetworkSettingsField } from './account_fields.js';
import { ByMediaField, GroupField, ListField, MaybeField, OrderField } from './groups.js';
import { HolidaysField, WeekField } from './hours.js';
import { ReferenceField, ReferencesField } from './picker.js';
import { SkillsField } from './skills.js';
import { RulesField } from './rules_field.js';
import { go, hrefOf, isDirty } from './guard.js';
import { dropRow, idOfRow, pathOf } from './rows.js';
import { useSaving } from './saving.js';
import { idOf, wordsAt } from './words.js';

const KINDS = {
  text: TextField, area: AreaField, number: NumberField, flag: FlagField, choice: ChoiceField, choices: ChoicesField, terms: TermsField,
  reference: ReferenceField, references: ReferencesField, skills: SkillsField, group: GroupField, maybe: MaybeField, list: ListField, by_media: ByMediaField,
  order: OrderField, week: WeekField, holidays: HolidaysField, network_settings: NetworkSettingsField, rules: RulesField,
};

function Fields({ form, fields, path = [] }) {
  const shown = fields.filter((field) => !field.when || field.when(form, path));
  return html`<div class="fields">${shown.map((field) => html`<${KINDS[field.kind]} key=${field.name} form=${form} field=${field} path=${[...path, field.name]} Fields=${Fields} />`)}</div>`;
}

const brief = (value) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
  return text.length > 90 ? `${text.slice(0, 90)}…` : text;
};

/** Which field a mistake is at, in words. */
function placeOf(kind, path) {
  return path.map((part, index) => (/^\d+$/.test(part) ? String(Number(part) + 1) : wordsAt(kind, path.slice(0, index + 1)).label)).join(' › ');
}

/** What the API said, above the form; each mistake leads to its field. */
function Refusal({ kind, state }) {
  const { said, mistakes, meanwhile } = state;
  const lead = (event, path) => {
    event.preventDefault();
    const field = document.getElementById(idOf(path)) ?? document.getElementById(idOf(path.slice(0, -1)));
    (field ?? event.currentTarget).focus();
    field?.scrollIntoView({ block: 'center' });
  };
  return html`
    <div role="alert" class="refusal" tabindex="-1">
      ${said && html`<p class="notice bad"><${Icon} name="warning" /><span dir="auto">${said}</span></p>`}
      ${mistakes.length > 0 && html`<div class="notice bad"><${Icon} name="warning" /><div><b>${SAVING.mistakes(mistakes.length)}</b>
        <ul>${mistakes.map(({ path, msg }, index) => html`<li key=${index}><a href="#" onClick=${(event) => lead(event, path)}>${placeOf(kind, path) || FORM.whole}</a>: <span dir="auto">${msg}</span></li>`)}</ul></div></div>`}
      ${meanwhile.length > 0 && html`<div class="notice"><${Icon} name="note" /><div><b>${SAVING.meanwhile}</b>
        <ul>${meanwhile.map(({ name, was, is, mine }) => html`<li key=${name}>${wordsAt(kind, [name]).label}: <del dir="auto">${brief(was)}</del> → <ins dir="auto">${brief(is)}</ins>${mine !== undefined && html` <strong>${SAVING.yours(brief(mine))}</strong>`}</li>`)}</ul></div></div>`}
    </div>`;
}

function DeleteForm({ resource, row, say }) {
  const submit = async (event) => {
    event.preventDefault();
    closeDialog();
    const name = resource.nameOf(row);
    try {
      await remove(pathOf(resource.kind, idOfRow(row)));
      isDirty.value = false;
      dropRow(resource.kind, idOfRow(row));
      go(hrefOf(resource.place));
      toast({ title: SAVING.deleted(name), kind: 'note' });
    } catch (problem) {
      say({ said: `${SAVING.notDeleted(name)} ${problem.status ? problem.detail : SAVING.unreachable}`, mistakes: [] });
    }
  };
  return html`<form onSubmit=${submit}><p>${SAVING.deleteHint}</p>
    <div class="buttons"><button type="button" data-first onClick=${closeDialog}>${FORM.keep}</button><button type="submit" class="end">${SAVING.delete}</button></div></form>`;
}

function Foot({ resource, row, saving }) {
  const { state, isChanged, reset } = saving;
  const ask = () => openDialog({ title: SAVING.deleteTitle(resource.nameOf(row)), body: DeleteForm, props: { resource, row, say: saving.say } });
  const status = state.isBusy ? SAVING.busy : isChanged ? SAVING.unsaved : state.isSaved ? SAVING.saved : '';
  return html`
    <div class="foot">
      <span class="hint" role="status">${status}</span>
      ${row && resource.canDelete !== false && html`<button type="button" class="end" onClick=${ask}>${SAVING.delete}</button>`}
      ${isChanged && html`<button type="button" onClick=${reset}>${SAVING.reset}</button>`}
      <button type="submit" class="primary" disabled=${state.isBusy || (row && !isChanged)} title=${SAVING.key}>${row ? SAVING.save : SAVING.create}</button>
    </div>`;
}

const MANY_SECTIONS = 4;

/** A long form's parts, to jump to; the address stays that of the form. */
function Parts({ resource }) {
  if (resource.sections.length < MANY_SECTIONS) return null;
  const jump = (name) => {
    const heading = document.getElementById(`section-${name}`);
    heading.scrollIntoView({ block: 'start' });
    heading.focus({ preventScroll: true });
  };
  return html`<nav class="parts" aria-label=${FORM.parts}>${resource.sections.map(({ name }) => html`<button type="button" key=${name} class="link" onClick=${() => jump(name)}>${RESOURCES[resource.kind].sections[name]}</button>`)}</nav>`;
}

/** `row` null: a new one. */
export function ResourceForm({ resource, row }) {
  const whenSaved = (saved) => {
    if (!row) go(hrefOf(resource.place, idOfRow(saved)));
    else resource.whenSaved?.(saved);
  };
  const saving = useSaving({ resource, row, whenSaved });
  const element = useRef(null);
  const { form, state } = saving;
  const submit = (event) => {
    event.preventDefault();
    saving.save();
  };
  useEffect(() => {
    const again = () => document.visibilityState === 'visible' && saving.readAgain();
    const press = (event) => {
      if (!isDialogOpen() && (event.ctrlKey || event.metaKey) && (event.key === 's' || event.key === 'Enter')) {
        event.preventDefault();
        saving.save();
      }
    };
    addEventListener('focus', again);
    addEventListener('keydown', press);
    return () => {
      removeEventListener('focus', again);
      removeEventListener('keydown', press);
    };
  });
  // What was refused is shown where it is: the first field that is wrong takes the focus.
  useLayoutEffect(() => {
    if (state.mistakes.length) element.current.querySelector('[aria-invalid="true"]')?.focus();
    else if (state.said) element.current.querySelector('.refusal').focus();
  }, [state.refusals, state.said]);
  return html`
    <div class="editor-body">
      <form ref=${element} class="resource" noValidate onSubmit=${submit}>
        <${Parts} resource=${resource} /><${Refusal} kind=${resource.kind} state=${state} />
        ${resource.sections.map(({ name, fields }) => html`
          <section key=${name} class="section" aria-labelledby=${`section-${name}`}>
            <h3 id=${`section-${name}`} tabindex="-1">${RESOURCES[resource.kind].sections[name]}</h3>
            <${Fields} form=${form} fields=${fields} /></section>`)}
        ${!resource.isShownOnly && html`<${Foot} resource=${resource} row=${row} saving=${saving} />`}
      </form>
      ${row && (resource.panels ?? []).map((Panel, index) => html`<${Panel} key=${index} row=${form.row} form=${form} change=${saving.change} isChanged=${saving.isChanged} />`)}
    </div>`;
}
