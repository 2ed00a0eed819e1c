// Replies and notes between the composer and the server's 202: shown as what they are, and never typed twice.
import { Intent } from '../core/api.js';
import { signal } from '../core/html.js';
import { showNote, showReply, timelineOf, touchTimeline } from '../state/timelines.js';
import { changeDraft, draftOf } from './drafts.js';

/** `{key, conversationId, kind: 'reply'|'note', text, visibility, files, state: 'leaving'|'failed', problem, intent}` */
export const outbox = signal([]);

const idsOf = (entries, kind) => entries.filter((entry) => entry.kind === kind).map((entry) => entry[kind].id);

/** The stream may tell of a reply before its own request is answered: then it is shown once, as what the stream told. */
const hasArrived = ({ kind, text, knownIds }, entries) =>
  entries.some((entry) => entry.kind === kind && entry[kind].text === text && !knownIds.has(entry[kind].id));

export const unsentOf = (conversationId, entries) =>
  outbox.value.filter((entry) => entry.conversationId === conversationId && !(entry.state === 'leaving' && hasArrived(entry, entries)));

function change(key, fields) {
  outbox.value = outbox.value.map((entry) => (entry.key === key ? { ...entry, ...fields } : entry));
}

function takeOut(key) {
  outbox.value = outbox.value.filter((entry) => entry.key !== key);
}

/** Answers whether the server has it. */
async function deliver({ key, intent, kind, conversationId }) {
  change(key, { state: 'leaving', problem: null });
  try {
    const answer = await intent.send();
    if (kind === 'reply') showReply({ conversation_id: conversationId, ...answer });
    else if (answer?.id) showNote(conversationId, answer);
    takeOut(key);
    touchTimeline(conversationId);
    return true;
  } catch (problem) {
    change(key, { state: 'failed', problem });
    return false;
  }
}

function post(conversationId, kind, body, files = []) {
  const path = `/conversations/${encodeURIComponent(conversationId)}/${kind === 'reply' ? 'replies' : 'notes'}`;
  const intent = new Intent(path, body);
  const entry = {
    key: intent.key, conversationId, kind, text: body.text, visibility: body.visibility, files, state: 'leaving', problem: null, intent,
    knownIds: new Set(idsOf(timelineOf(conversationId).value.entries, kind)),
  };
  outbox.value = [...outbox.value, entry];
  return deliver(entry);
}

export const postReply = (conversationId, body, files) => post(conversationId, 'reply', body, files);
export const postNote = (conversationId, text, mentions = []) => post(conversationId, 'note', { text, ...(mentions.length ? { mentions } : {}) });

/** The same intent under the same key: if the first one arrived after all, it is not said twice. */
export const tryAgain = (entry) => deliver(entry);

/** Gives the words back to the composer; whatever is being typed there stays, below. */
export function takeBack({ key, conversationId, kind, text, files }) {
  takeOut(key);
  returnToComposer(conversationId, kind, text, files);
}

export function returnToComposer(conversationId, kind, text, files = []) {
  const { [kind]: typed, attachments } = draftOf(conversationId);
  const others = attachments.filter(({ id }) => !files.some((file) => file.id === id));
  changeDraft(conversationId, { mode: kind, [kind]: typed ? `${text}\n${typed}` : text, ...(files.length ? { attachments: [...files, ...others] } : {}) });
}
