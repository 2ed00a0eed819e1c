// The entries of the conversations that were looked at; read afresh whenever an event says that there is more.
import { getAll } from '../core/api.js';
import { dayKey } from '../core/format.js';
import { afterPaint, signal } from '../core/html.js';

const KEPT = 30;
const PAUSE_MS = 40;
/** Conversation id → signal of `{entries, state: 'reading'|'ready'|'failed', problem}`. */
const timelines = new Map();
const watched = new Map();
const reading = new Map();

function shelf(conversationId) {
  if (!timelines.has(conversationId)) {
    timelines.set(conversationId, signal({ entries: [], state: 'reading', problem: null }));
    for (const id of timelines.keys()) {
      if (timelines.size <= KEPT) break;
      if (!watched.has(id)) timelines.delete(id);
    }
  }
  return timelines.get(conversationId);
}

// A page that is hidden is not painted.
const soon = (run) => (document.hidden ? run() : afterPaint(run));

/** The signal of a conversation's timeline; reads it if it is not known yet. */
export function timelineOf(conversationId) {
  const isNew = !timelines.has(conversationId);
  const timeline = shelf(conversationId);
  if (isNew) soon(() => read(conversationId));
  return timeline;
}

/** While watched, a timeline follows the events. Answers how to stop. */
export function watchTimeline(conversationId) {
  watched.set(conversationId, (watched.get(conversationId) ?? 0) + 1);
  return () => {
    const left = watched.get(conversationId) - 1;
    if (left) watched.set(conversationId, left);
    else watched.delete(conversationId);
  };
}

export const isWatched = (conversationId) => watched.has(conversationId);
/** How many timelines lie here. */
export const keptTimelines = () => timelines.size;

async function read(conversationId) {
  if (reading.has(conversationId)) {
    reading.set(conversationId, 'again');
    return;
  }
  reading.set(conversationId, 'once');
  try {
    const entries = await getAll(`/conversations/${encodeURIComponent(conversationId)}/timeline`, { pages: 10 });
    shelf(conversationId).value = { entries, state: 'ready', problem: null };
  } catch (problem) {
    shelf(conversationId).value = { ...shelf(conversationId).value, state: 'failed', problem };
  }
  const wasAskedAgain = reading.get(conversationId) === 'again';
  reading.delete(conversationId);
  if (wasAskedAgain) setTimeout(() => read(conversationId), PAUSE_MS);
}

/** An event came: the reply's new state is shown at once, the rest is read. */
export function touchTimeline(conversationId, event = {}) {
  if (event.reply?.id) showReply(event.reply);
  if (watched.has(conversationId)) read(conversationId);
  else timelines.delete(conversationId);
}

/** Puts a reply into its timeline before the timeline was read again. */
export function showReply(reply) {
  const timeline = timelines.get(reply.conversation_id);
  if (!timeline) return;
  const { entries } = timeline.value;
  const index = entries.findIndex((entry) => entry.kind === 'reply' && entry.reply.id === reply.id);
  const shown = { kind: 'reply', at: reply.created_at, reply };
  const next = index < 0 ? [...entries, shown] : entries.with(index, { ...entries[index], reply });
  timeline.value = { ...timeline.value, entries: next };
}

export function showNote(conversationId, note) {
  const timeline = timelines.get(conversationId);
  if (!timeline || timeline.value.entries.some((entry) => entry.kind === 'note' && entry.note.id === note.id)) return;
  const shown = { kind: 'note', at: note.created_at ?? note.at, note };
  timeline.value = { ...timeline.value, entries: [...timeline.value.entries, shown] };
}

/** After a hole in the stream nothing that was read can be trusted; what is on the screen is read again. */
export function forgetTimelines() {
  for (const id of timelines.keys()) {
    if (watched.has(id)) read(id);
    else timelines.delete(id);
  }
}

/** The newest words of the customer, for an offer and for lists. */
export function lastWords(entries) {
  return entries.findLast((entry) => entry.kind === 'post')?.post ?? null;
}

/** Entries with the gaps between days marked: `{kind: 'day', at}` before the first of each day. */
export function withDays(entries) {
  const shown = [];
  let lastDay = '';
  for (const entry of entries) {
    const day = dayKey(entry.at);
    if (day !== lastDay) shown.push({ kind: 'day', at: entry.at });
    lastDay = day;
    shown.push(entry);
  }
  return shown;
}
