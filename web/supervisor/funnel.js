// How the agents came down to one: a bar for everybody, one for each reason, and what was left. The words say the same.
import { html } from '../core/html.js';
import { agentName } from '../state/store.js';
import { WHY } from '../texts/en_floor.js';
import { fallenAway, reasonWords, totalOf } from './decision_words.js';

const WIDTH = 100;

/** `stays` and `falls` are parts of `whole`: the first is drawn full, the second hollow behind it. */
function Bar({ stays, falls = 0, whole, kind = '' }) {
  const scale = WIDTH / Math.max(whole, 1);
  return html`
    <svg class="bar ${kind}" viewBox="0 0 ${WIDTH} 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="ground" width=${WIDTH} height="8" /><rect class="stays" width=${stays * scale} height="8" />
      ${falls > 0 && html`<rect class="falls" x=${stays * scale} width=${falls * scale} height="8" />`}</svg>`;
}

function Step({ count, words, children }) {
  return html`<li><span class="step-count number">${count}</span>${children}<span class="step-words">${words}</span></li>`;
}

export function Funnel({ decision, conversation }) {
  const whole = totalOf(decision);
  if (whole < 2) return null;
  let left = whole;
  const steps = fallenAway(decision).map(({ reason, count }) => {
    left -= count;
    return { reason, count, left };
  });
  return html`
    <ol class="funnel" aria-label=${WHY.funnel}>
      <${Step} count=${whole} words=${WHY.looked}><${Bar} stays=${whole} whole=${whole} /></${Step}>
      ${steps.map((step) => html`<${Step} key=${step.reason} count=${`−${step.count}`} words=${reasonWords(step.reason, step.count, { decision, conversation })}>
        <${Bar} stays=${step.left} falls=${step.count} whole=${whole} /></${Step}>`)}
      ${decision.agent_id ? html`<${Step} count="1" words=${html`<b><bdi>${WHY.chosen(agentName(decision.agent_id))}</bdi></b>${left > 1 ? `, ${WHY.left(left)}` : ''}`}><${Bar} stays=${1} whole=${whole} kind="chosen" /></${Step}>`
        : html`<${Step} count=${left} words=${WHY.left(left)}><${Bar} stays=${left} whole=${whole} /></${Step}>`}
    </ol>`;
}
