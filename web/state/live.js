// Keeps the store true: one snapshot, then the event stream; after a hole, a snapshot again.
import { get, getAll } from '../core/api.js';
import { batch } from '../core/html.js';
import { shareStream } from '../core/leader.js';
import {
  OPEN_STATES, agents, channels, connection, connectionSince, conversations, hasLoaded, isMine, isOfferedToMe, isOpen, isSupervisor,
  myId, session, signOfLifeAt, workgroups,
} from './store.js';
import { forgetTimelines, isWatched, touchTimeline } from './timelines.js';

const FIRST_LOAD_PATIENCE_MS = 1500;
const AGENTS_PAUSE_MS = 300;
const ALL_AGENTS_PAUSE_MS = 1500;
const NAMES_PAUSE_MS = 5000;
const eventListeners = new Set();

/** Hears every event after it was applied. */
export function whenEvent(listener) {
  eventListeners.add(listener);
  return () => eventListeners.delete(listener);
}

// A desk shows one agent's work and what waits; a supervisor and a wallboard show everything.
function conversationPaths({ everything }) {
  const own = encodeURIComponent(myId.value);
  const open = OPEN_STATES.map((state) => `/conversations?state=${state}${!everything && state !== 'queued' ? `&agent_id=${own}` : ''}`);
  return everything ? open : [...open, `/conversations?consulted_agent_id=${own}`];
}

async function loadNames(table, path) {
  try {
    table.replaceAll(await getAll(path));
  } catch {
    // Who may not read the set-up sees ids instead of names.
  }
}

async function loadAgents() {
  if (!isSupervisor.value && myId.value) await get('/agents/me').then((agent) => agents.put(agent)).catch(() => {});
  try {
    const rows = await getAll('/agents');
    agents.replaceAll(rows, { keep: (agent) => agent.id === myId.value });
  } catch {
    // An agent who may not list colleagues still knows himself.
  }
}

async function loadConversations(scope) {
  const pages = await Promise.all(conversationPaths(scope).map((path) => getAll(path)));
  conversations.replaceAll(pages.flat(), { keep: (known) => !isOpen(known) && isMine(known) });
}

let loading = null;
let loadAgain = false;

async function load(scope) {
  if (loading) {
    loadAgain = true;
    // Whoever began it tries again by himself.
    return loading.catch(() => {});
  }
  loading = Promise.all([
    loadConversations(scope), loadAgents(), loadNames(workgroups, '/workgroups'), loadNames(channels, '/channels'),
  ]);
  try {
    await loading;
    hasLoaded.value = true;
    signOfLifeAt.value = Date.now();
  } catch {
    setTimeout(() => load(scope), 2000);
  } finally {
    loading = null;
  }
  if (!loadAgain) return undefined;
  loadAgain = false;
  return load(scope);
}

let agentsTimer = null;

/** Load and counts of agents come with no event of their own; they are asked for after a burst. */
export function refreshAgents() {
  if (agentsTimer) return;
  agentsTimer = setTimeout(async () => {
    agentsTimer = null;
    if (isSupervisor.value) return loadAgents();
    if (!myId.value) return undefined;
    return get('/agents/me').then((agent) => agents.put(agent)).catch(() => {});
  }, isSupervisor.value ? ALL_AGENTS_PAUSE_MS : AGENTS_PAUSE_MS);
}

/** When a channel last caught up comes with no event. */
export const refreshChannels = () => loadNames(channels, '/channels');

let namesReadAt = 0;

// A workgroup that was made after this page was opened.
function learnWorkgroup(id) {
  if (!id || workgroups.rows.has(id) || Date.now() - namesReadAt < NAMES_PAUSE_MS) return;
  namesReadAt = Date.now();
  loadNames(workgroups, '/workgroups');
  loadNames(channels, '/channels');
}

/** Live only, of no row and no timeline. */
const isPassing = ({ type }) => type === 'conversation.presence';

/** Takes an event over into what this page knows. */
export function apply(event) {
  if (!isPassing(event)) applyToRows(event);
  for (const listener of eventListeners) listener(event);
}

function hearHealth({ at, detail: { channel_id: id, health, detail } }) {
  const known = channels.rows.get(id);
  if (known) channels.put({ ...known, health, health_detail: detail, health_since: at });
  else loadNames(channels, '/channels');
}

function applyToRows(event) {
  if (event.type === 'channel.health_changed') hearHealth(event);
  if (event.conversation) conversations.put(event.conversation);
  if (event.agent) agents.put(event.agent);
  learnWorkgroup(event.workgroup_id);
  if (event.conversation_id) touchTimeline(event.conversation_id, event);
  const concernsMe = isSupervisor.value || event.agent_id === myId.value || isMine(event.conversation ?? {})
    || isOfferedToMe(event.conversation ?? {}) || event.type === 'conversation.offer_expired';
  if (concernsMe) refreshAgents();
  prune();
}

const KEEP_ENDED = 100;
const PRUNE_EVERY = 50;
let sincePruned = 0;

// Ended conversations are kept for a while, and those on the screen for as long as they are there; memory stays flat.
function prune() {
  sincePruned += 1;
  if (sincePruned < PRUNE_EVERY) return;
  sincePruned = 0;
  const ended = Array.from(conversations.rows.values()).filter((conversation) => !isOpen(conversation) && !isWatched(conversation.id));
  if (ended.length <= KEEP_ENDED) return;
  ended.sort((a, b) => ((a.ended_at ?? '') < (b.ended_at ?? '') ? -1 : 1));
  for (const { id } of ended.slice(0, ended.length - KEEP_ENDED)) conversations.drop(id);
}

function setConnection(state) {
  if (connection.value === state) return;
  batch(() => {
    connection.value = state;
    connectionSince.value = Date.now();
  });
}

let shared = null;

/** Starts to listen for the logged-in principal. `everything`: read all open conversations, not only one's own. */
export function goLive({ everything = false } = {}) {
  const scope = { everything: everything || isSupervisor.value };
  shared = shareStream(`parley-events-${session.value.principal.id}`, {
    onEvent: apply,
    onReload: () => {
      forgetTimelines();
      load(scope);
    },
    onState: setConnection,
    onSign: () => { signOfLifeAt.value = Date.now(); },
    onUnauthorized: () => get('/agents/me').catch(() => {}),
  });
  // Without a stream there is still something to show.
  setTimeout(() => { if (!hasLoaded.value && !loading) load(scope); }, FIRST_LOAD_PATIENCE_MS);
}

export function goDark() {
  shared?.stop();
  shared = null;
  hasLoaded.value = false;
  for (const table of [conversations, agents, workgroups, channels]) table.replaceAll([]);
  forgetTimelines();
  setConnection('connecting');
}

export const isLeaderTab = () => shared?.isLeader() ?? false;

/** Reads one conversation afresh, after a refusal that shows that this page was wrong. */
export async function reread(conversationId) {
  const conversation = await get(`/conversations/${encodeURIComponent(conversationId)}`);
  conversations.put(conversation);
  return conversation;
}
