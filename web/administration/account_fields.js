// What an account is told differs by network: the API names the values, their meaning, and which are secret.
import { html, useState } from '../core/html.js';
import { spaced } from '../core/format.js';
import { FORM } from '../texts/en_administration.js';
import { Setting, Settings, TermsField, TextField } from './fields.js';
import { FORGET, valueAt } from './form_state.js';
import { rowOf } from './rows.js';

/** Any network without a connector is spoken to as the generic webhook is. */
const settingsOf = (network) => (rowOf('networks', network) ?? rowOf('networks', 'webhook'))?.settings ?? [];

const isList = ({ meaning }, value) => Array.isArray(value) || meaning.includes('a list of');
const wordsOf = ({ name, meaning }) => ({ label: spaced(name), hint: meaning });

function Plain({ form, setting, path }) {
  const at = [...path, setting.name];
  const field = { name: setting.name, kind: 'text', required: false, words: wordsOf(setting) };
  const needed = { ...field, words: { ...field.words, hint: setting.is_required ? `${setting.meaning} · ${FORM.required}` : setting.meaning } };
  if (isList(setting, valueAt(form.value, at))) return html`<${TermsField} form=${form} field=${needed} path=${at} />`;
  return html`<${TextField} form=${textual(form, at)} field=${needed} path=${at} />`;
}

/** A flag or a number that the API gave keeps its type; what is typed anew is text, as networks read it. */
function textual(form, at) {
  const was = valueAt(form.base, at);
  const typed = (text) => {
    if (typeof was === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
    return typeof was === 'number' && text !== null && text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  };
  const shown = (value) => (value === null || value === undefined || typeof value === 'string' ? value : JSON.stringify(value));
  return { ...form, value: withShown(form.value, at, shown), set: (path, next) => form.set(path, typed(next)) };
}

function withShown(value, [part, name], shown) {
  return { ...value, [part]: { ...value[part], [name]: shown(value[part]?.[name]) } };
}

/** Write-only: what is kept is never shown, only that it is. */
function Secret({ form, setting }) {
  const path = ['credentials', setting.name];
  const typed = valueAt(form.value, path);
  const isSet = (form.row?.secrets_set ?? []).includes(setting.name);
  const state = typed === FORGET ? FORM.willForget : isSet ? FORM.isSet : setting.is_required ? FORM.isMissing : FORM.notSet;
  const set = (value) => {
    const { [setting.name]: _, ...rest } = form.value.credentials ?? {};
    form.set(['credentials'], value === undefined ? rest : { ...rest, [setting.name]: value });
  };
  return html`<${Setting} form=${form} field=${{ name: setting.name, kind: 'secret', words: wordsOf(setting) }} path=${path}>${({ attributes }) => html`
    <span class="with-unit"><input ...${attributes} type="password" autocomplete="new-password" placeholder=${state} value=${typed === FORGET ? '' : typed ?? ''} onInput=${(event) => set(event.currentTarget.value || undefined)} />
      ${isSet && (typed === FORGET ? html`<button type="button" class="small" onClick=${() => set(undefined)}>${FORM.keepIt}</button>` : html`<button type="button" class="small" onClick=${() => set(FORGET)}>${FORM.forget}</button>`)}</span>`}<//>`;
}

function Others({ form, path, names }) {
  const [name, setName] = useState('');
  const add = () => name.trim() && form.set([...path, name.trim()], '');
  return html`
    <details class="others"><summary>${FORM.otherSettings}</summary>
      ${names.map((one) => html`<${Plain} key=${one} form=${form} setting=${{ name: one, meaning: '' }} path=${path} />`)}
      <div class="with-unit"><input aria-label=${FORM.otherName} placeholder=${FORM.otherName} value=${name} onInput=${(event) => setName(event.currentTarget.value)} /><button type="button" class="small" onClick=${add}>${FORM.addSetting}</button></div>
    </details>`;
}

export function NetworkSettingsField({ form, field, path }) {
  const declared = settingsOf(form.value.network);
  const names = new Set(declared.map((setting) => setting.name));
  const others = Object.keys(valueAt(form.value, path) ?? {}).filter((name) => !names.has(name));
  if (!form.value.network) return html`<p class="hint">${FORM.chooseNetwork}</p>`;
  return html`<${Settings} form=${form} field=${{ ...field, hasEntries: true }} path=${path}>${() => html`
    ${declared.filter((setting) => !setting.is_secret).map((setting) => html`<${Plain} key=${setting.name} form=${form} setting=${setting} path=${path} />`)}
    ${declared.filter((setting) => setting.is_secret).map((setting) => html`<${Secret} key=${setting.name} form=${form} setting=${setting} />`)}
    <${Others} form=${form} path=${path} names=${others} />`}<//>`;
}
