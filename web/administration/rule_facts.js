// What routing rules may look at, compare and do: the closed lists of docs/routing-rules.md.

const POINT = 'from';
const WORKGROUP = 'workgroup_id';
const TIME_ZONE = 'time_zone';

/** Fact by fact: its type, what it has to be told beside, and its choices. */
export const FACTS = {
  'post.text': { type: 'text' }, 'post.text_length': { type: 'number' }, 'post.language': { type: 'language' },
  'post.visibility': { type: 'choice', choices: ['public', 'private'] }, 'post.has_media': { type: 'flag' }, 'post.source_application': { type: 'text' },
  'author.followers': { type: 'number' }, 'author.account_age_days': { type: 'number' }, 'author.language': { type: 'language' },
  'author.location': { type: 'text' }, 'author.handle': { type: 'text' }, 'author.name': { type: 'text' }, 'author.verified': { type: 'flag' },
  'location.country': { type: 'text' }, 'location.region': { type: 'text' }, 'location.place': { type: 'text' }, 'location.distance_km': { type: 'number', argument: POINT },
  'customer.is_known': { type: 'flag' }, 'customer.has_own_agent': { type: 'flag' }, 'customer.own_agent_id': { type: 'id', of: 'agents' }, 'customer.tags': { type: 'names' },
  'conversation.media_type': { type: 'choice', choices: ['social_conversation', 'social_direct_message'] }, 'conversation.network': { type: 'id', of: 'networks' },
  'conversation.account_id': { type: 'id', of: 'accounts' }, 'conversation.channel_id': { type: 'id', of: 'channels' }, 'conversation.workgroup_id': { type: 'id', of: 'workgroups' },
  'conversation.priority': { type: 'number' }, 'conversation.tags': { type: 'names' }, 'conversation.waited_s': { type: 'number' }, 'conversation.ring': { type: 'number' },
  'conversation.post_count': { type: 'number' }, 'conversation.is_continued': { type: 'flag' },
  'time.is_open': { type: 'flag', argument: WORKGROUP },
  'time.weekday': { type: 'choice', argument: TIME_ZONE, choices: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] },
  'time.of_day': { type: 'time_of_day', argument: TIME_ZONE },
};

const CHOSEN = ['equals', 'one_of', 'is_present'];
export const OPERATORS = {
  text: ['contains_any', 'contains_all', 'equals', 'one_of', 'starts_with', 'ends_with', 'matches', 'is_present'],
  id: CHOSEN, language: CHOSEN, choice: CHOSEN,
  number: ['at_least', 'at_most', 'more_than', 'less_than', 'equals', 'between', 'is_present'],
  flag: ['equals', 'is_present'], names: ['contains_any', 'contains_all', 'is_present'],
  time_of_day: ['between', 'at_least', 'less_than'],
};

const LISTS = ['one_of', 'contains_any', 'contains_all'];
const FIRST = { number: 0, flag: true, time_of_day: '09:00' };

/** How the value beside an operator is entered. */
export function entryOf(fact, operator) {
  if (operator === 'is_present' || fact.type === 'flag') return 'flag';
  if (operator === 'between') return 'bounds';
  if (LISTS.includes(operator)) return fact.choices || fact.of ? 'several' : 'terms';
  if (fact.choices || fact.of) return 'one';
  return fact.type === 'number' ? 'number' : 'text';
}

function firstValue(fact, operator) {
  const entry = entryOf(fact, operator);
  if (entry === 'flag') return true;
  if (entry === 'bounds') return fact.type === 'number' ? [0, 100] : ['22:00', '06:00'];
  if (entry === 'terms' || entry === 'several') return [];
  if (entry === 'one') return fact.choices?.[0] ?? '';
  return FIRST[fact.type] ?? '';
}

const argumentOf = ({ argument }) => (argument ? { [argument]: argument === POINT ? { lat: 48.2, lon: 16.4 } : argument === TIME_ZONE ? Intl.DateTimeFormat().resolvedOptions().timeZone : '' } : {});

/** A comparison as it begins; a value that fits the new operator too stays. */
export function comparisonOf(name, operator = OPERATORS[FACTS[name].type][0], was = {}) {
  const fact = FACTS[name];
  const given = fact.argument && fact.argument in was ? { [fact.argument]: was[fact.argument] } : argumentOf(fact);
  const before = was.fact === name ? operatorIn(was) : null;
  const isKept = before && entryOf(fact, before) === entryOf(fact, operator);
  return { fact: name, ...given, [operator]: isKept ? was[before] : firstValue(fact, operator) };
}

export const operatorIn = (node) => OPERATORS[FACTS[node.fact]?.type]?.find((name) => name in node);

const skill = [
  { name: 'skill_kind', kind: 'skill_kind' }, { name: 'skill', kind: 'text', required: true, when: (form, path) => !hasSource(form, path) },
  { name: 'skill_from', kind: 'choice', required: true, choices: ['post.language', 'author.language', 'location.country', 'location.region', 'location.place'], when: hasSource },
  { name: 'min_proficiency', kind: 'number' }, { name: 'among', kind: 'terms', when: hasSource }, { name: 'otherwise', kind: 'text', when: hasSource },
];

function hasSource(form, path) {
  const action = path.reduce((part, name) => part?.[name], form.value);
  return action !== undefined && 'skill_from' in action;
}

/** Action by action: what it begins with and what can be said of it. */
export const ACTIONS = {
  set_priority: { fresh: { priority: 50 }, fields: [{ name: 'priority', kind: 'number' }] },
  raise_priority: { fresh: { by: 20 }, fields: [{ name: 'by', kind: 'number' }] },
  require_skill: { fresh: { skill: '' }, fields: skill },
  prefer_skill: { fresh: { skill: '' }, fields: skill },
  set_workgroup: { fresh: { workgroup_id: '' }, fields: [{ name: 'workgroup_id', kind: 'workgroup' }] },
  nearest_workgroup: { fresh: { workgroup_ids: [] }, fields: [{ name: 'workgroup_ids', kind: 'workgroups' }, { name: 'within_km', kind: 'number', unit: 'km', isFraction: true }] },
  prefer_agent: { fresh: { agent: 'customers_own' }, fields: [{ name: 'agent', kind: 'agent' }] },
  tag: { fresh: { tags: [] }, fields: [{ name: 'tags', kind: 'terms' }] },
  discard: { fresh: { reason: '' }, fields: [{ name: 'reason', kind: 'text', required: true }] },
};
