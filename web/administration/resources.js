// What can be set up, as descriptions: which fields, in which order, what a new one begins with.
import { networkName } from '../core/format.js';
import { FORM, RESOURCES } from '../texts/en_administration.js';
import { AccountPanel, ChannelPanel } from './listening_panels.js';
import { AgentPanel } from './agent_panel.js';
import { MembersPanel } from './members_panel.js';
import { CannedPanel } from './canned_panel.js';
import { DispositionPanel } from './disposition_panel.js';
import { RulesPanel } from './rules_panel.js';
import { SettingsDryRun } from './dry_run.js';
import { idOfRow, nameOf, refresh, rowsOf } from './rows.js';
import { SkillPanel } from './skill_panel.js';

const text = (name, more = {}) => ({ name, kind: 'text', ...more });
const number = (name, unit, more = {}) => ({ name, kind: 'number', unit, ...more });
const flag = (name, more = {}) => ({ name, kind: 'flag', ...more });
const choice = (name, choices, more = {}) => ({ name, kind: 'choice', choices, required: true, ...more });
const options = (kind, about = () => '') => () => rowsOf(kind).map((row) => ({ id: idOfRow(row), name: row.name, about: about(row) }));
const workgroup = (name, more = {}) => ({ name, kind: 'reference', options: options('workgroups'), ...more });
const workgroups = (name) => ({ name, kind: 'references', options: options('workgroups') });
const skills = (name, level = 'min_proficiency', usual = 0) => ({ name, kind: 'skills', level, usual });
const zones = () => Intl.supportedValuesOf?.('timeZone') ?? [];

const PLACE = [text('country'), text('region'), text('place'), { name: 'lat', kind: 'number', isFraction: true }, { name: 'lon', kind: 'number', isFraction: true }];
const place = (name) => ({ name, kind: 'maybe', fresh: () => ({}), fields: PLACE });
const utilization = { name: 'utilization', kind: 'by_media', fresh: () => ({ percent: 25 }), fields: [number('percent', 'percent'), number('max', null, { unset: FORM.noLimit })] };
const MEDIA_TYPES = ['social_conversation', 'social_direct_message'];
const noWorkgroup = () => ({ skills: [], workgroups: [] });

const hours = {
  name: 'business_hours', kind: 'maybe',
  fresh: () => ({
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone, weekly: Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri'].map((day) => [day, [{ from: '09:00', to: '17:00' }]])),
    holidays: [], when_closed: 'queue', service_level_clock: 'runs',
  }),
  fields: [
    text('time_zone', { required: true, among: zones }), { name: 'weekly', kind: 'week' }, { name: 'holidays', kind: 'holidays' },
    choice('when_closed', ['queue', 'overflow', 'automatic_reply']),
    workgroup('overflow_workgroup_id', { when: (form) => form.value.business_hours?.when_closed === 'overflow' }),
    { name: 'automatic_reply_text', kind: 'area', when: (form) => form.value.business_hours?.when_closed === 'automatic_reply' },
    choice('service_level_clock', ['runs', 'stops']),
  ],
};

const ringFields = [
  number('after_s', 's'), workgroups('workgroups'), { name: 'drop_skills', kind: 'references', options: () => rowsOf('skills').map(({ name }) => ({ id: name, name })) },
  skills('lower_skills'), flag('at_once_if_nobody'),
];

const WORKGROUPS = {
  kind: 'workgroups',
  nameOf: (row) => row.name,
  aboutOf: (row) => RESOURCES.workgroups.about(rowsOf('agents').filter((agent) => agent.workgroups.includes(row.id)).length, rowsOf('channels').filter((channel) => channel.workgroup_id === row.id).length),
  fresh: () => ({
    name: '', service_level: { target_s: 300, percent: 80, media_types: {}, counts_abandons: true, counts_flow_outs: false, short_abandon_s: 0 }, offer_timeout_s: 20, offer_timeout_action: 'not_responding', decline_backoff_s: 10,
    offers_at_once: 1, auto_accept: false, preferred_agent_wait_s: 10, undo_window_s: 0, utilization: Object.fromEntries(MEDIA_TYPES.map((media) => [media, { percent: 25 }])), wrap_up: { mode: 'none', codes: [], only_offered: false },
    required_skills: [], preferred_skills: [], rings: [], agent_order: ['preferred_agent', 'skill_fit', 'lowest_utilization', 'longest_idle'],
    score_weights: { skill: 0, priority: 1, time_in_queue: 1, time_in_system: 0 }, strict_priority: false, age_on_transfer: 'keep',
  }),
  sections: [
    { name: 'general', fields: [text('name', { required: true })] },
    { name: 'service_level', fields: [{ name: 'service_level', kind: 'group', fields: [
      number('target_s', 's'), number('percent', 'percent'), { name: 'media_types', kind: 'by_media', fresh: () => ({ target_s: 300, percent: 80 }), fields: [number('target_s', 's'), number('percent', 'percent')] },
      flag('counts_abandons', { usual: true }), flag('counts_flow_outs'), number('short_abandon_s', 's')] }] },
    { name: 'offers', fields: [
      number('offer_timeout_s', 's'), choice('offer_timeout_action', ['not_responding', 'return_to_queue']), number('decline_backoff_s', 's'), number('offers_at_once'), flag('auto_accept'),
      number('preferred_agent_wait_s', 's'), number('undo_window_s', 's')] },
    { name: 'load', fields: [utilization] },
    { name: 'skills', fields: [skills('required_skills'), skills('preferred_skills')] },
    { name: 'rings', fields: [{ name: 'rings', kind: 'list', most: 6, fresh: (list) => ({ after_s: (list.at(-1)?.after_s ?? 0) + 30, workgroups: [], drop_skills: [], lower_skills: [] }), fields: ringFields }] },
    { name: 'order', fields: [
      { name: 'agent_order', kind: 'order', choices: ['preferred_agent', 'skill_fit', 'lowest_utilization', 'longest_idle', 'round_robin', 'nearest'] },
      { name: 'score_weights', kind: 'group', fields: ['skill', 'priority', 'time_in_queue', 'time_in_system'].map((name) => number(name)) }, flag('strict_priority'), choice('age_on_transfer', ['keep', 'restart']), place('location')] },
    { name: 'hours', fields: [hours, { name: 'overflow', kind: 'maybe', fresh: () => ({ when_estimate_exceeds_s: 600, workgroup_id: null }), fields: [number('when_estimate_exceeds_s', 's'), workgroup('workgroup_id', { required: true })] }] },
    { name: 'wrap_up', fields: [{ name: 'wrap_up', kind: 'group', fields: [
      choice('mode', ['none', 'optional', 'mandatory', 'timeboxed']), number('timeout_s', 's', { when: (form) => form.value.wrap_up?.mode === 'timeboxed' }), flag('only_offered'), { name: 'codes', kind: 'terms' }] }] },
  ],
  panels: [MembersPanel, SettingsDryRun],
};

const AGENTS = {
  kind: 'agents',
  nameOf: (row) => row.name,
  aboutOf: (row) => [row.username, ...row.workgroups.map((id) => nameOf('workgroups', id))].join(' · '),
  isOff: (row) => !row.enabled,
  fresh: () => ({ username: '', name: '', ...noWorkgroup(), licensed: true, enabled: true, roles: ['agent'], media_types: MEDIA_TYPES, utilization: {}, presence_lease: true }),
  sections: [
    { name: 'general', fields: [text('username', { required: true }), text('name', { required: true }), flag('enabled', { usual: true }), { name: 'roles', kind: 'choices', choices: ['agent', 'supervisor', 'admin', 'integrator'] }] },
    { name: 'work', fields: [workgroups('workgroups'), skills('skills', 'proficiency', 100), { name: 'media_types', kind: 'choices', choices: MEDIA_TYPES }, flag('licensed', { usual: true })] },
    { name: 'load', fields: [utilization] },
    { name: 'place', fields: [text('location'), place('place'), flag('presence_lease', { usual: true })] },
  ],
  panels: [AgentPanel],
};

const ACCOUNTS = {
  kind: 'accounts',
  nameOf: (row) => row.name,
  aboutOf: (row) => [networkName(row.network), ...(row.missing_settings.length ? [RESOURCES.accounts.incomplete] : [])].join(' · '),
  isTroubled: (row) => row.missing_settings.length > 0 || Boolean(row.secrets_trouble),
  fresh: () => ({ network: '', name: '', settings: {} }),
  sections: [
    { name: 'general', fields: [text('network', { required: true, fixed: true, among: () => rowsOf('networks').map(({ network }) => network) }), text('name', { required: true })] },
    { name: 'settings', fields: [{ name: 'settings', kind: 'network_settings' }] },
  ],
  extra: ['credentials'],
  panels: [AccountPanel],
};

const CHANNELS = {
  kind: 'channels',
  nameOf: (row) => row.name,
  aboutOf: (row) => [nameOf('accounts', row.account_id), nameOf('workgroups', row.workgroup_id)].join(' → '),
  isOff: (row) => !row.enabled,
  isTroubled: (row) => row.enabled && row.health !== 'healthy',
  fresh: () => ({
    name: '', account_id: only('accounts'), workgroup_id: only('workgroups'), handles: [], keywords: [], poll_interval_ms: 5000, post_limit: 100, threading: 'customer', affinity_window_s: 3600, priority: 50,
    required_skills: [], preferred_skills: [], enabled: true, purpose: 'brand', include: ['quotes'], backfill_s: 3600,
  }),
  sections: [
    { name: 'general', fields: [
      text('name', { required: true }), { name: 'account_id', kind: 'reference', required: true, fixed: true, options: options('accounts', (row) => networkName(row.network)) }, workgroup('workgroup_id', { required: true }),
      choice('purpose', ['brand', 'competitor', 'campaign']), flag('enabled', { usual: true })] },
    { name: 'what', fields: [{ name: 'handles', kind: 'terms' }, { name: 'keywords', kind: 'terms' }, { name: 'include', kind: 'choices', choices: ['quotes', 'reposts', 'likes'] }, number('backfill_s', 's')] },
    { name: 'often', fields: [number('poll_interval_ms', 'ms'), number('post_limit')] },
    { name: 'threads', fields: [choice('threading', ['customer', 'thread', 'post'], { fixed: true }), number('affinity_window_s', 's')] },
    { name: 'routing', fields: [number('priority'), skills('required_skills'), skills('preferred_skills')] },
  ],
  panels: [ChannelPanel],
};

/** The only one there is, as a suggestion. */
function only(kind) {
  const rows = rowsOf(kind);
  return rows.length === 1 ? rows[0].id : null;
}

/** A campaign is a channel that asks a network for words instead of for the brand. */
const CAMPAIGNS = {
  ...CHANNELS, kind: 'channels', place: 'campaigns',
  rows: () => rowsOf('channels').filter((row) => row.purpose === 'campaign'),
  fresh: () => ({ ...CHANNELS.fresh(), purpose: 'campaign', threading: 'post', priority: 20 }),
};

const licencesChanged = () => refresh(['licences']);

const STATIONS = {
  kind: 'stations',
  nameOf: (row) => row.name,
  aboutOf: (row) => (row.agent_id ? RESOURCES.stations.taken(nameOf('agents', row.agent_id)) : RESOURCES.stations.free),
  fresh: () => ({ name: '', licensed: false }),
  sections: [{ name: 'general', fields: [text('name', { required: true }), flag('licensed')] }],
  whenSaved: licencesChanged,
};

const LICENCES = {
  kind: 'licences', canCreate: false, canDelete: false,
  nameOf: (row) => FORM.choices.kind[row.kind] ?? row.kind,
  aboutOf: (row) => RESOURCES.licences.use(row.in_use, row.count),
  isTroubled: (row) => row.count !== null && row.in_use >= row.count,
  fresh: () => ({}),
  sections: [{ name: 'general', fields: [choice('allocation', ['assigned', 'concurrent']), number('count', null, { unset: FORM.noLimit })] }],
};

const SKILLS = {
  kind: 'skills', canCreate: false, canDelete: false, isShownOnly: true,
  nameOf: (row) => row.name,
  aboutOf: (row) => RESOURCES.skills.about(rowsOf('agents').filter((agent) => agent.skills.some(({ skill }) => skill === row.name)).length),
  fresh: () => ({}), sections: [], panels: [SkillPanel],
};

const CANNED = {
  kind: 'canned-replies',
  nameOf: (row) => `/${row.shortcut}`,
  aboutOf: (row) => row.text,
  fresh: () => ({ shortcut: '', text: '', workgroups: [], language: null }),
  sections: [{ name: 'general', fields: [text('shortcut', { required: true }), { name: 'text', kind: 'area', required: true }, workgroups('workgroups'), text('language')] }],
  panels: [CannedPanel],
};

const DISPOSITIONS = {
  kind: 'dispositions',
  nameOf: (row) => row.name,
  aboutOf: (row) => [row.code, row.workgroups.length ? row.workgroups.map((id) => nameOf('workgroups', id)).join(', ') : RESOURCES.dispositions.everybody].join(' · '),
  isOff: (row) => !row.active,
  fresh: () => ({ code: '', name: '', workgroups: [], active: true, position: 0 }),
  sections: [{ name: 'general', fields: [text('code', { required: true, fixed: true }), text('name', { required: true }), workgroups('workgroups'), flag('active', { usual: true }), number('position')] }],
  panels: [DispositionPanel],
};

const RULES = {
  kind: 'rules',
  nameOf: (row) => row.name ?? FORM.choices.trigger[row.trigger] ?? row.trigger,
  aboutOf: (row) => RESOURCES.rules.about(FORM.choices.trigger[row.trigger] ?? row.trigger, row.rules.length),
  isOff: (row) => !row.enabled,
  fresh: () => ({ name: null, trigger: 'arrival', position: 0, enabled: false, rules: [] }),
  sections: [
    { name: 'general', fields: [text('name'), choice('trigger', ['arrival', 'transfer_conversation', 'transfer_direct_message', 'ring_step'], { fixed: true }), number('position'), flag('enabled', { usual: true })] },
    { name: 'rules', fields: [{ name: 'rules', kind: 'rules' }] },
  ],
  panels: [RulesPanel],
};

const named = (resource) => ({ place: resource.kind, rows: () => rowsOf(resource.kind), names: [...resource.sections.flatMap(({ fields }) => fields.map(({ name }) => name)), ...(resource.extra ?? [])], ...resource });

/** In the order in which the navigation has them. */
export const GROUPS = [
  { name: 'listening', places: [ACCOUNTS, CHANNELS, CAMPAIGNS] },
  { name: 'people', places: [WORKGROUPS, AGENTS, SKILLS, STATIONS, LICENCES] },
  { name: 'work', places: [RULES, CANNED, DISPOSITIONS] },
].map(({ name, places }) => ({ name, places: places.map(named) }));

const PLACES = GROUPS.flatMap(({ places }) => places);
export const placeOf = (name) => PLACES.find(({ place: at }) => at === name);
export const KINDS = [...new Set([...PLACES.map(({ kind }) => kind), 'networks'])];
