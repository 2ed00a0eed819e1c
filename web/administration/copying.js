// Something to be copied: shown as it is, and put into the clipboard by a button.
import { html, useState } from '../core/html.js';
import { FORM } from '../texts/en_administration.js';

export function Copyable({ label, text }) {
  const [said, setSaid] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid(FORM.copied);
    } catch {
      setSaid(FORM.notCopied);
    }
  };
  return html`
    <div class="copyable"><pre tabindex="0" aria-label=${label} dir="ltr">${text}</pre>
      <button type="button" class="small" aria-label=${FORM.copyOf(label)} onClick=${copy}>${FORM.copy}</button><span class="hint" role="status">${said}</span></div>`;
}
