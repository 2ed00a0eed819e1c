// A decision in words: how each agent is ruled out or preferred, and one sentence of it all.
import { roughSpan, spaced, span, toMs } from '../core/format.js';
import { agentName, myId } from '../state/store.js';
import { WHY } from '../texts/en_floor.js';

/** In the order in which the rules ask. */
const REASONS = Object.keys(WHY.reasons);

const momentMs = (value) => (typeof value === 'number' ? value : toMs(value));
const ago = (value, at) => toMs(at) - momentMs(value);
const SHOWN = {
  not_preferred: (value) => (value ? WHY.no : WHY.yes), lacking_skill: (value) => String(Math.abs(value)), load_percent: WHY.percent,
  offered_at: (value, at) => span(ago(value, at)), distance_km: WHY.km, idle_since: (value, at) => span(ago(value, at)),
};

export const titleOf = (name) => WHY.criteria[name]?.title ?? spaced(name);
export const shownValue = (name, value, at) => (SHOWN[name] ?? String)(value, at);
const saidOf = (name, value, at) => WHY.criteria[name]?.said(name === 'idle_since' ? roughSpan(ago(value, at)) : shownValue(name, value, at)) ?? WHY.firstBy(spaced(name));

export const entriesOf = (order) => Object.entries(order ?? {});
export const listed = (parts, last = WHY.and) => (parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')}${last}${parts.at(-1)}`);

/** `lacked parcel` says more than `lacked a skill`; who opened a ring dropped some of them, so there it is left open. */
function skillsOf(decision, conversation) {
  return decision.ring ? [] : (conversation?.required_skills ?? []).map((need) => (typeof need === 'string' ? need : need.skill));
}

export function reasonWords(reason, count, { decision = {}, conversation = null } = {}) {
  const skills = reason === 'missing_skill' ? skillsOf(decision, conversation) : [];
  if (skills.length) return WHY.lacked(listed(skills, WHY.or));
  const [one, many] = WHY.reasons[reason] ?? [WHY.unknownReason(spaced(reason)), WHY.unknownReason(spaced(reason))];
  return count === 1 ? one : many;
}

/** `[{reason, count}]` in the order in which they were asked. */
export function fallenAway(decision) {
  const place = (reason) => (REASONS.includes(reason) ? REASONS.indexOf(reason) : REASONS.length);
  return Object.entries(decision.filtered ?? {}).filter(([, count]) => count > 0).sort(([a], [b]) => place(a) - place(b)).map(([reason, count]) => ({ reason, count }));
}

export function totalOf(decision) {
  const out = fallenAway(decision).reduce((sum, { count }) => sum + count, 0);
  return Math.max(decision.candidates ?? 0, (decision.runners_up?.length ?? 0) + (decision.agent_id ? 1 : 0) + out);
}

/** The first criterion in which the chosen one differs from the runner-up is the one that decided; null when there is none. */
export function decidingName(decision) {
  const theirs = new Map(entriesOf(decision.runners_up?.[0]?.order));
  if (!theirs.size) return null;
  return entriesOf(decision.chosen?.order).find(([name, mine]) => JSON.stringify(theirs.get(name)) !== JSON.stringify(mine))?.[0] ?? null;
}

function decidingWords(decision) {
  if (!decision.runners_up?.length) return WHY.onlyOne;
  const name = decidingName(decision);
  return name ? saidOf(name, decision.chosen.order[name], decision.at) : WHY.equals;
}

function rest(decision, conversation) {
  const parts = fallenAway(decision).sort((a, b) => b.count - a.count).map(({ reason, count }) => `${count} ${reasonWords(reason, count, { decision, conversation })}`);
  const agents = WHY.agents(totalOf(decision));
  return parts.length ? WHY.of(agents, listed(parts)) : WHY.anybody(agents);
}

export function decisionSentence(decision, conversation = null) {
  if (decision.kind === 'rules') {
    const fired = decision.rules?.fired ?? [];
    return fired.length ? WHY.rulesApplied(listed(fired)) : WHY.noRule;
  }
  if (decision.kind === 'named') return WHY.given(agentName(decision.agent_id));
  const facts = rest(decision, conversation);
  if (decision.waits_for_agent_id) return WHY.waitsFor(agentName(decision.waits_for_agent_id), facts);
  if (!decision.agent_id) return WHY.nobody(facts);
  const isMe = decision.agent_id === myId.value;
  const name = agentName(decision.agent_id);
  const deciding = decidingWords(decision);
  return WHY.wentTo(name, facts, isMe ? `${name} ${deciding.replace(/^was /, 'were ')}` : `${name} ${deciding}`);
}
