// What a canned reply will say: its variables filled in with samples as the words are typed.
import { html } from '../core/html.js';
import { PANELS } from '../texts/en_administration.js';

const VARIABLES = ['customer_name', 'agent_name', 'conversation_id'];

export function CannedPanel({ form }) {
  const said = form.value.text ?? '';
  const parts = said.split(/(\{(?:customer_name|agent_name|conversation_id)\})/);
  return html`
    <section class="panel" aria-labelledby="preview"><h3 id="preview">${PANELS.preview}</h3>
      <p class="adders">${VARIABLES.map((name) => html`<button type="button" key=${name} class="small" aria-label=${PANELS.insert(name)} onClick=${() => form.set(['text'], `${said}{${name}}`)}>+ ${`{${name}}`}</button>`)}</p>
      <blockquote dir="auto">${parts.map((part, index) => (index % 2 ? html`<mark key=${index}>${PANELS.samples[part.slice(1, -1)]}</mark>` : part))}</blockquote>
    </section>`;
}
