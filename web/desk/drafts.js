// Words that were typed and not sent, per conversation: kept as long as the tab is open, never longer.
import { signal } from '../core/html.js';

const STORE = 'parley.drafts';
const EMPTY = { mode: 'reply', reply: '', note: '', visibility: null, inReplyTo: null };

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE) ?? '{}');
  } catch {
    return {};
  }
}

const drafts = signal(read());

export const draftOf = (conversationId) => ({ ...EMPTY, ...drafts.value[conversationId] });

export function changeDraft(conversationId, change) {
  const draft = { ...draftOf(conversationId), ...change };
  const isEmpty = !draft.reply && !draft.note && !draft.visibility && !draft.inReplyTo && draft.mode === 'reply';
  const { [conversationId]: _old, ...others } = drafts.value;
  drafts.value = isEmpty ? others : { ...others, [conversationId]: draft };
  try {
    sessionStorage.setItem(STORE, JSON.stringify(drafts.value));
  } catch {
    // Memory still has it.
  }
}

export function forgetDrafts() {
  drafts.value = {};
  try {
    sessionStorage.removeItem(STORE);
  } catch {
    // Nothing was kept.
  }
}

export const hasDraft = (conversationId) => Boolean(drafts.value[conversationId]?.reply || drafts.value[conversationId]?.note);
