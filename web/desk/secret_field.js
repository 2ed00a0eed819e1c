// A field for what others should not read over a shoulder; its owner may look.
import { html, useRef, useState } from '../core/html.js';
import { LOGIN } from '../texts/en.js';

export function SecretField({ label, name, autocomplete, minlength, hint = '', isFirst = false }) {
  const field = useRef(null);
  const [isShown, setShown] = useState(false);
  const toggle = () => {
    setShown(!isShown);
    field.current.focus();
  };
  const hintId = hint ? `${name}-hint` : undefined;
  return html`
    <div class="field secret">
      <label for=${`secret-${name}`}>${label}</label>
      <span><input ref=${field} id=${`secret-${name}`} name=${name} type=${isShown ? 'text' : 'password'} autocomplete=${autocomplete} required minlength=${minlength} maxlength="500"
          autocapitalize="none" spellcheck="false" aria-describedby=${hintId} data-first=${isFirst || undefined} />
        <button type="button" class="quiet small" aria-pressed=${isShown} aria-label=${LOGIN.show(label)} onClick=${toggle}>${isShown ? LOGIN.hide : LOGIN.reveal}</button></span>
      ${hint && html`<p class="hint" id=${hintId}>${hint}</p>`}
    </div>`;
}
