// The list of keys, where they can be changed and switched off.
import { html, useEffect } from '../core/html.js';
import { prefer, preferences } from '../core/settings.js';
import { closeDialog, openDialog } from './dialog.js';
import { BINDINGS, capture, keyOf, remap } from './key_table.js';
import { KEYS } from '../texts/en.js';

function takeKey(event) {
  if (!capture.value || event.key === 'Shift') return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key.length === 1) remap(capture.value, event.key);
  capture.value = null;
}

const Keys = ({ text }) => text.split(/[ +]/).map((key) => html`<kbd key=${key}>${key}</kbd>`);

function Help() {
  useEffect(() => {
    addEventListener('keydown', takeKey, true);
    return () => {
      removeEventListener('keydown', takeKey, true);
      capture.value = null;
    };
  }, []);
  return html`
    <div class="keys">
      <ul>${BINDINGS.map((binding) => html`
        <li key=${binding.name}><span>${binding.label}</span>
          <button type="button" class="quiet" aria-label=${KEYS.change(binding.label)} onClick=${() => { capture.value = binding; }}>
            ${capture.value === binding ? html`<em>${KEYS.press}</em>` : html`<${Keys} text=${keyOf(binding)} />`}
          </button></li>`)}
        ${KEYS.fixed.map(([key, label]) => html`<li key=${key}><span>${label}</span><span class="fixed"><${Keys} text=${key} /></span></li>`)}
      </ul>
      <label class="choice"><input type="checkbox" checked=${preferences.value.letters}
        onChange=${(event) => prefer({ letters: event.currentTarget.checked })} /> ${KEYS.letters}</label>
      <p class="hint">${KEYS.hint}</p>
      <div class="buttons">
        <button type="button" onClick=${() => prefer({ keys: {} })}>${KEYS.usual}</button>
        <button type="button" class="primary" data-first onClick=${closeDialog}>${KEYS.close}</button>
      </div>
    </div>`;
}

export const openHelp = () => openDialog({ title: KEYS.title, body: Help, kind: 'wide' });
