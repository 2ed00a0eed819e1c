// The six numbers and the tiles, computed from what the API tells; the words for good and bad stand beside the colours.
import { toMs } from '../core/format.js';
import { levelOf, openConversations, staff, workgroups } from '../state/store.js';
import { WALLBOARD } from '../texts/en_wallboard.js';

export const WINDOW_MS = 30 * 60_000;
const RANK = { '': 0, ok: 1, soon: 2, late: 3 };

const worst = (levels) => levels.reduce((bad, level) => (RANK[level] > RANK[bad] ? level : bad), '');
const withAgent = ({ state }) => state === 'connected' || state === 'held';
const waits = ({ state }) => state === 'queued' || state === 'alerting';
const longest = (rows, field, nowMs) => (rows.length ? Math.max(...rows.map((row) => nowMs - toMs(row[field]))) : null);

/** What is true now of some conversations: counts and spans in ms, and the worst level of those that wait. */
function countsOf(rows, nowMs) {
  const waiting = rows.filter(waits);
  const connected = rows.filter(withAgent);
  return {
    waiting: waiting.filter(({ state }) => state === 'queued').length,
    alerting: waiting.filter(({ state }) => state === 'alerting').length,
    longestWaiting_ms: longest(waiting, 'queued_at', nowMs),
    connected: connected.length,
    longestConnected_ms: longest(connected, 'connected_at', nowMs),
    level: worst(waiting.map((row) => levelOf(row, nowMs))),
  };
}

export const levelWord = (level) => WALLBOARD.levels[level] ?? '';

/** Pick-ups of the last 30 minutes: `{at, wait_ms, target_ms}`. Older ones are let go. */
const pickUps = new Map();

export function notePickUp(conversation) {
  const at = toMs(conversation?.connected_at);
  const wait_ms = at - toMs(conversation?.queued_at);
  const group = workgroups.rows.get(conversation?.workgroup_id);
  if (!(wait_ms >= 0) || !group?.service_level) return;
  pickUps.set(`${conversation.id}:${at}`, { at, wait_ms, ...group.service_level });
}

function inTime(nowMs) {
  for (const [key, pickUp] of pickUps) if (nowMs - pickUp.at > WINDOW_MS) pickUps.delete(key);
  const all = Array.from(pickUps.values());
  if (!all.length) return { percent: null, target: null, count: 0 };
  const good = all.filter((pickUp) => pickUp.wait_ms <= pickUp.target_s * 1000).length;
  return { percent: Math.round((100 * good) / all.length), target: Math.max(...all.map((pickUp) => pickUp.percent ?? 0)) || null, count: all.length };
}

function presence(groupId = null) {
  const members = staff.value.filter((agent) => !groupId || (agent.workgroups ?? []).some((entry) => (entry.id ?? entry) === groupId));
  const onQueue = members.filter((agent) => agent.routing_status === 'on_queue');
  const load = onQueue.length ? Math.round(onQueue.reduce((sum, agent) => sum + (agent.utilization_percent ?? 0), 0) / onQueue.length) : null;
  return { total: members.length, onQueue: onQueue.length, load, notResponding: members.filter((agent) => agent.routing_status === 'not_responding').length };
}

/** Everything that the board shows, in plain numbers. */
export function boardOf(nowMs) {
  const rows = openConversations.value;
  const targets = workgroups.all().map((group) => group.service_level?.target_s).filter(Boolean);
  return {
    ...countsOf(rows, nowMs), inTime: inTime(nowMs), staff: presence(), target_s: targets.length ? Math.min(...targets) : null,
    groups: workgroups.all().map((group) => ({
      id: group.id, name: group.name, target_s: group.service_level?.target_s, staff: presence(group.id),
      ...countsOf(rows.filter((row) => row.workgroup_id === group.id), nowMs),
    })),
  };
}
