// Why a conversation went to whom it went: a sentence, a drawing of how the choice came down to one, the candidates, the rules.
import { getAll } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { clockTime } from '../core/format.js';
import { route } from '../desk/route.js';
import { agentName, isSupervisor, myId } from '../state/store.js';
import { FLOOR, WHY } from '../texts/en_floor.js';
import { decidingName, decisionSentence, entriesOf, shownValue, titleOf } from './decision_words.js';
import { Funnel } from './funnel.js';
import { RuleTrace } from './rule_trace.js';
import { WhyNot } from './why_not.js';

function Candidates({ decision }) {
  const rows = [decision.chosen, ...(decision.also_offered ?? []), ...(decision.runners_up ?? [])].filter(Boolean);
  if (!rows.length) return null;
  const names = entriesOf(rows[0].order).map(([name]) => name);
  const deciding = decidingName(decision);
  const asked = (decision.also_offered ?? []).map(({ agent_id: id }) => id);
  const kind = (name) => (name === deciding ? 'deciding' : '');
  return html`
    <div class="candidates-frame" tabindex="0" role="region" aria-label=${WHY.candidates}>
    <table class="candidates"><caption class="unseen">${WHY.candidates}</caption><thead><tr><th scope="col">${WHY.agent}</th>
        ${names.map((name) => html`<th scope="col" key=${name} class=${kind(name)}>${titleOf(name)}${name === deciding && html`<span class="decided">${WHY.decided}</span>`}</th>`)}</tr></thead>
      <tbody>${rows.map((row, index) => html`<tr key=${row.agent_id} class=${index === 0 && decision.agent_id ? 'chosen' : ''}>
        <th scope="row">${index === 0 && decision.agent_id && html`<${Icon} name="tick" />`}<bdi>${agentName(row.agent_id)}</bdi>${asked.includes(row.agent_id) && html` <span class="hint">${WHY.alsoOffered}</span>`}</th>
        ${entriesOf(row.order).map(([name, value]) => html`<td key=${name} class=${kind(name)}>${shownValue(name, value, decision.at)}</td>`)}</tr>`)}</tbody></table></div>`;
}

function Earlier({ decisions, conversation }) {
  if (!decisions.length) return null;
  return html`
    <h3>${WHY.earlier}</h3>
    <ol class="earlier">${decisions.map((decision) => html`
      <li key=${decision.id}><time>${clockTime(decision.at)}</time>${decision.ring > 0 && html` <span class="ring">${WHY.ring(decision.ring)}</span>`} <span>${decisionSentence(decision, conversation)}</span></li>`)}</ol>`;
}

/** Whatever changes who has it, or that nobody has, is a reason to read the records again. */
function useDecisions(conversation) {
  const [decisions, setDecisions] = useState(null);
  const [hasFailed, setFailed] = useState(false);
  const moment = [conversation.id, conversation.offer?.id, conversation.agent_id, conversation.state === 'queued', conversation.ring, conversation.workgroup_id].join();
  useEffect(() => {
    let isCurrent = true;
    const take = (answer, failed) => {
      if (!isCurrent) return;
      setDecisions(answer);
      setFailed(failed);
    };
    getAll(`/conversations/${encodeURIComponent(conversation.id)}/decisions`, { pages: 2 }).then((answer) => take(answer, false), () => take([], true));
    return () => { isCurrent = false; };
  }, [moment]);
  return { decisions, hasFailed };
}

function Nothing({ conversation, decisions, hasFailed }) {
  if (!decisions) return html`<p class="hint">${WHY.asking}</p>`;
  return html`<p class="hint">${hasFailed ? WHY.failed : conversation.agent_id ? WHY.byHand : WHY.notYet}</p>`;
}

/** The newest match in full, then what came before it, then what the routing rules said. */
export function Why({ conversation }) {
  const { decisions, hasFailed } = useDecisions(conversation);
  const newestFirst = [...(decisions ?? [])].sort((a, b) => String(b.at).localeCompare(String(a.at)));
  const latest = newestFirst.find(({ kind }) => kind !== 'rules') ?? newestFirst[0];
  const rules = newestFirst.filter(({ kind }) => kind === 'rules');
  const isMatch = latest && latest.kind !== 'rules';
  return html`
    <section class="why"><h2>${latest?.agent_id && latest.agent_id === myId.value ? WHY.you : WHY.title}</h2>
      ${!latest && html`<${Nothing} conversation=${conversation} decisions=${decisions} hasFailed=${hasFailed} />`}
      ${latest && html`<p class="sentence">${decisionSentence(latest, conversation)}</p>`}
      ${isMatch && latest.kind !== 'named' && html`<${Funnel} decision=${latest} conversation=${conversation} />`}
      ${isMatch && html`<details open=${isSupervisor.value}><summary>${WHY.candidates}</summary><${Candidates} decision=${latest} />
        <p class="hint">${WHY.policy(latest.policy_version ?? '–', clockTime(latest.at))}${latest.ring > 0 ? `, ${WHY.ring(latest.ring)}` : ''}</p></details>`}
      ${isMatch && isSupervisor.value && html`<${WhyNot} key=${latest.id} conversation=${conversation} decision=${latest} />`}
      ${latest && html`<${Earlier} decisions=${newestFirst.filter((decision) => decision !== latest && decision.kind !== 'rules')} conversation=${conversation} />`}
      ${rules.map((decision) => html`<${RuleTrace} key=${decision.id} decision=${decision} />`)}
      ${isSupervisor.value && route.value.page === 'floor' && html`<p class="hint">${FLOOR.seen}</p>`}
    </section>`;
}
