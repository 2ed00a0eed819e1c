// What routing rules said: which applied, and for each node of a condition what it saw and whether it was so.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { clockTime, spaced } from '../core/format.js';
import { WHY } from '../texts/en_floor.js';
import { decisionSentence } from './decision_words.js';

const KNOWN = ['fact', 'seen', 'missing', 'matched', 'result'];
const shown = (value) => (Array.isArray(value) ? value.map(shown).join(', ') : typeof value === 'string' ? spaced(value) : JSON.stringify(value));
const Mark = ({ isSo }) => html`<${Icon} name=${isSo ? 'tick' : 'cross'} />`;

function Comparison({ node }) {
  const asked = Object.entries(node).filter(([name]) => !KNOWN.includes(name)).map(([name, value]) => `${spaced(name)} ${shown(value)}`).join(', ');
  return html`<span dir="auto">${spaced(node.fact)} ${asked}</span> <span class="hint" dir="auto">${node.missing ? WHY.missing : WHY.saw(shown(node.matched ?? node.seen))}</span>`;
}

function Node({ node }) {
  if (node.left_out) return html`<li class="hint">${WHY.leftOut}</li>`;
  const kind = ['all', 'any', 'not'].find((name) => name in node);
  const below = kind ? [node[kind]].flat() : [];
  return html`<li class=${node.result ? 'so' : 'not-so'}><${Mark} isSo=${node.result} />${kind ? WHY.kinds[kind] : html`<${Comparison} node=${node} />`}
    ${below.length > 0 && html`<ul>${below.map((child, index) => html`<${Node} key=${index} node=${child} />`)}</ul>`}</li>`;
}

const doneWords = (done) => Object.entries(done).map(([name, value]) => `${spaced(name)} ${shown(value)}`).join(', ');

function Rule({ rule, isOpen }) {
  return html`
    <details class=${rule.fired ? 'so' : 'not-so'} open=${isOpen}><summary><${Mark} isSo=${rule.fired} /><bdi>${rule.name}</bdi> <span class="hint">${rule.fired ? WHY.fired : WHY.notFired}</span></summary>
      ${rule.when && html`<ul class="nodes"><${Node} node=${rule.when} /></ul>`}
      ${(rule.done ?? []).map((done, index) => html`<p key=${index} dir="auto">${doneWords(done)}</p>`)}</details>`;
}

export function RuleTrace({ decision, isOpen = false }) {
  const rules = decision.rules?.rules ?? [];
  return html`
    <h3>${WHY.rules} <time>${clockTime(decision.at)}</time></h3><p class="hint">${decisionSentence(decision)}</p>
    <div class="rules">${rules.map((rule) => html`<${Rule} key=${rule.name} rule=${rule} isOpen=${isOpen} />`)}</div>`;
}
