// Why not this agent: the decision is evaluated again by the server, and says what it meant for whoever is asked about.
import { get } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { agentName, staff } from '../state/store.js';
import { WHY } from '../texts/en_floor.js';
import { entriesOf, listed, reasonWords, shownValue, titleOf } from './decision_words.js';

/** The first criterion in which the asked-about agent differs from the chosen one. */
function behindBy(agent, decision) {
  const winner = decision.chosen?.order ?? {};
  const [name, theirs] = entriesOf(agent.order).find(([key, value]) => JSON.stringify(winner[key]) !== JSON.stringify(value)) ?? [];
  return name && name in winner ? WHY.behind(titleOf(name), shownValue(name, theirs, decision.at), shownValue(name, winner[name], decision.at)) : null;
}

function said(agent, decision, conversation) {
  const name = agentName(agent.agent_id);
  const reasons = listed((agent.reasons ?? []).map((reason) => reasonWords(reason, 1, { decision, conversation })));
  const sentence = (WHY.outcomes[agent.outcome] ?? WHY.outcomes.not_eligible)(name, reasons);
  const behind = ['runner_up', 'further_back'].includes(agent.outcome) ? behindBy(agent, decision) : null;
  return behind ? `${sentence} ${behind}.` : sentence;
}

export function WhyNot({ conversation, decision }) {
  const [agentId, setAgentId] = useState('');
  const [answer, setAnswer] = useState(null);
  useEffect(() => {
    if (!agentId) return undefined;
    let isCurrent = true;
    setAnswer(WHY.asking);
    const path = `/conversations/${encodeURIComponent(conversation.id)}/decisions?agent_id=${encodeURIComponent(agentId)}`;
    get(path).then(({ items }) => {
      const agent = items.find(({ id }) => id === decision.id)?.evaluated?.agent;
      if (isCurrent) setAnswer(agent ? said(agent, decision, conversation) : WHY.notKept);
    }, () => isCurrent && setAnswer(WHY.failed));
    return () => { isCurrent = false; };
  }, [agentId, decision.id]);
  if (decision.kind === 'named') return null;
  return html`
    <div class="why-not"><label>${WHY.whyNot} <select aria-label=${WHY.whyNotWho} value=${agentId} onChange=${(event) => { setAgentId(event.currentTarget.value); setAnswer(null); }}>
        <option value="">${WHY.whyNotNobody}</option>
        ${staff.value.toSorted((a, b) => agentName(a.id).localeCompare(agentName(b.id))).map(({ id }) => html`<option key=${id} value=${id} selected=${id === agentId}>${agentName(id)}</option>`)}</select></label>
      <p role="status">${agentId ? answer : ''}</p></div>`;
}
