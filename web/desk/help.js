// The list of keys, where they can be changed and switched off.
import { html, useEffect } from '../core/html.js';
import { prefer, preferences } from '../core/settings.js';
import { closeDialog } from './dialog.js';
import { BINDINGS, capture, keyOf, remap } from './keys.js';

const FIXED = [['Ctrl+K', 'Everything by name'], ['Ctrl+Enter', 'Send'], ['Esc', 'Leave the composer, close'], ['Enter', 'Open']];

function takeKey(event) {
  if (!capture.value || event.key === 'Shift') return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key.length === 1) remap(capture.value, event.key);
  capture.value = null;
}

const Keys = ({ text }) => text.split(/[ +]/).map((key) => html`<kbd key=${key}>${key}</kbd>`);

export function Help() {
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
          <button type="button" class="quiet" aria-label=${`Change the key of: ${binding.label}`} onClick=${() => { capture.value = binding; }}>
            ${capture.value === binding ? html`<em>press a key</em>` : html`<${Keys} text=${keyOf(binding)} />`}
          </button></li>`)}
        ${FIXED.map(([key, label]) => html`<li key=${key}><span>${label}</span><span class="fixed"><${Keys} text=${key} /></span></li>`)}
      </ul>
      <label class="choice"><input type="checkbox" checked=${preferences.value.letters}
        onChange=${(event) => prefer({ letters: event.currentTarget.checked })} /> Single letters act</label>
      <p class="hint">Letters rest while you type. Click a key to give it another.</p>
      <div class="buttons">
        <button type="button" onClick=${() => prefer({ keys: {} })}>Back to the usual keys</button>
        <button type="button" class="primary" data-first onClick=${closeDialog}>Close</button>
      </div>
    </div>`;
}
