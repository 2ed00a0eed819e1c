// The six numbers and the tiles, from what the API told; the words for good and bad stand beside the colours.
import { limits } from './address.js';

const RANK = { '': 0, ok: 1, soon: 2, late: 3 };
const SOON = 0.7;
const SOON_LOADED = 0.9;

const sum = (rows, valueOf) => rows.reduce((total, row) => total + valueOf(row), 0);
const most = (rows, valueOf) => Math.max(0, ...rows.map(valueOf));
const worst = (levels) => levels.reduce((bad, level) => (RANK[level] > RANK[bad] ? level : bad), '');

/** How near a number is to its limit. */
function levelOf(value, limit, soon = SOON) {
  if (value > limit) return 'late';
  return value > limit * soon ? 'soon' : 'ok';
}

const levelsOf = (group) => Object.values(group.service_level);
const targetOf_s = (group) => Math.min(...levelsOf(group).map(({ target_s: target }) => target));
const waits = (group) => group.waiting + group.alerting > 0;
const waitLevel = (group, ahead_s) => (waits(group) ? levelOf(group.longest_waiting_s + ahead_s, targetOf_s(group)) : '');

/** Service level of several queues: each wait counts once. Null while nothing counts. */
function reached(groups) {
  const levels = groups.flatMap(levelsOf);
  const counted = sum(levels, (level) => level.counted);
  const percent = counted ? (100 * sum(levels, (level) => level.answered_in_time)) / counted : null;
  const targets = levels.filter((level) => level.counted).map((level) => level.percent);
  return { percent, target: targets.length ? Math.max(...targets) : null, counted };
}

const reachedLevel = ({ percent, target }) => (percent === null ? '' : percent >= target ? 'ok' : 'late');

function presence(people) {
  const isIn = people.filter(({ routing_status: status }) => status !== 'off_queue');
  const count = (status) => people.filter(({ routing_status: other }) => other === status).length;
  return {
    total: people.length, onQueue: count('on_queue'), notResponding: count('not_responding'), draining: count('draining'), isIn: isIn.length,
    load_percent: isIn.length ? sum(isIn, ({ utilization_percent: load }) => load) / isIn.length : null,
  };
}

function tileOf(group, ahead_s) {
  const service = reached([group]);
  return {
    id: group.workgroup_id, name: group.name, waiting: group.waiting, alerting: group.alerting, active: group.active_social_conversations,
    longestWaiting_ms: waits(group) ? (group.longest_waiting_s + ahead_s) * 1000 : null,
    longestTalk_ms: group.active_social_conversations ? (group.longest_social_conversation_s + ahead_s) * 1000 : null,
    onQueue: group.agents.on_queue, percent: group.service_level_percent, target: service.target,
    level: worst([waitLevel(group, ahead_s), reachedLevel({ percent: group.service_level_percent, target: service.target })]), waitLevel: waitLevel(group, ahead_s),
  };
}

/** Everything that the board shows, in plain numbers; spans go on between two readings: `ahead_ms` since the last. */
export function boardOf(groups, people, ahead_ms) {
  const ahead_s = Math.max(0, Math.floor(ahead_ms / 1000));
  const tiles = groups.map((group) => tileOf(group, ahead_s));
  const staff = presence(people);
  const waiting = sum(groups, (group) => group.waiting);
  const room = limits.waiting ?? staff.onQueue;
  const waitTargets = groups.filter(waits).map(targetOf_s);
  const talk_ms = most(tiles, ({ longestTalk_ms: span }) => span ?? 0);
  const service = reached(groups);
  return {
    waiting, alerting: sum(groups, (group) => group.alerting), waitingLimit: room, waitingLevel: waiting ? levelOf(waiting, room) : 'ok',
    longestWaiting_ms: groups.some(waits) ? most(tiles, ({ longestWaiting_ms: span }) => span ?? 0) : null,
    target_s: waitTargets.length ? Math.min(...waitTargets) : groups.length ? Math.min(...groups.map(targetOf_s)) : null,
    longestLevel: worst(tiles.map(({ waitLevel: level }) => level)),
    service, serviceLevel: reachedLevel(service),
    active: sum(groups, (group) => group.active_social_conversations), talk_ms: talk_ms || null, talkLevel: talk_ms ? levelOf(talk_ms, limits.talk_ms) : '',
    staff, loadLevel: staff.load_percent === null ? '' : levelOf(staff.load_percent, limits.load_percent, SOON_LOADED), tiles,
  };
}
