// What this browser prefers, in one dialog; every choice counts at once.
import { html } from '../core/html.js';
import { languages } from '../core/language.js';
import { THEMES, prefer, preferences } from '../core/settings.js';
import { PREFERENCES } from '../texts/en.js';
import { allowNotifications, mayNotify } from './alarm.js';
import { closeDialog, openDialog } from './dialog.js';
import { openHelp } from './help.js';

const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const zones = ['', ...(Intl.supportedValuesOf?.('timeZone') ?? [])];
const zoneName = (zone) => zone.replaceAll('_', ' ') || PREFERENCES.ownZone(ownZone.replaceAll('_', ' '));

function Choice({ label, name, values, nameOf, then = () => {}, isFirst = false }) {
  const choose = (event) => {
    prefer({ [name]: event.currentTarget.value });
    then();
  };
  return html`
    <label class="preference"><span>${label}</span>
      <select data-first=${isFirst || undefined} onChange=${choose}>${values.map((value) => html`
        <option key=${value} value=${value} selected=${preferences.value[name] === value}>${nameOf(value)}</option>`)}</select></label>`;
}

function Switch({ label, name }) {
  return html`
    <label class="choice"><input type="checkbox" checked=${preferences.value[name]}
      onChange=${(event) => prefer({ [name]: event.currentTarget.checked })} /> ${label}</label>`;
}

// Words are read when the page loads.
const reload = () => location.reload();
const languageName = (code) => languages.find(([known]) => known === code)?.[1] ?? PREFERENCES.ownLanguage;

function Preferences() {
  return html`
    <${Choice} label=${PREFERENCES.theme} name="theme" values=${THEMES} nameOf=${(value) => PREFERENCES.themes[value]} isFirst />
    <${Choice} label=${PREFERENCES.density} name="density" values=${['comfortable', 'compact']} nameOf=${(value) => PREFERENCES.densities[value]} />
    <${Choice} label=${PREFERENCES.motion} name="motion" values=${['auto', 'none']} nameOf=${(value) => PREFERENCES.motions[value]} />
    <${Choice} label=${PREFERENCES.timeZone} name="timeZone" values=${zones} nameOf=${zoneName} />
    ${languages.length > 1 && html`<${Choice} label=${PREFERENCES.language} name="language" values=${['', ...languages.map(([code]) => code)]} nameOf=${languageName} then=${reload} />`}
    <${Switch} label=${PREFERENCES.sound} name="sound" />
    <${Switch} label=${PREFERENCES.letters} name="letters" />
    <p class="choice">${PREFERENCES.notifications} ${mayNotify() ? html`<b>${PREFERENCES.allowed}</b>` : html`<button type="button" class="small" onClick=${allowNotifications}>${PREFERENCES.allow}</button>`}</p>
    <p class="hint">${PREFERENCES.hint}</p>
    <div class="buttons">
      <button type="button" onClick=${openHelp}>${PREFERENCES.keys}</button>
      <button type="button" class="primary" onClick=${closeDialog}>${PREFERENCES.close}</button>
    </div>`;
}

export const openPreferences = () => openDialog({ title: PREFERENCES.title, body: Preferences });
