// Words that were typed and not sent, per conversation. A reply's are kept on the server too; a note's as long as the tab is open.
import { computed, signal } from '../core/html.js';
import { route } from './route.js';

const STORE = 'parley.drafts';
const EMPTY = { mode: 'reply', reply: '', note: '', visibility: null, inReplyTo: null, attachments: [], isUnsaved: false };
const OF_THE_REPLY = ['reply', 'visibility', 'inReplyTo', 'attachments'];

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE) ?? '{}');
  } catch {
    return {};
  }
}

const drafts = signal(read());
let onUnsaved = () => {};

/** Hears the id of a conversation whose reply the server does not know yet. */
export function whenUnsaved(listener) {
  onUnsaved = listener;
}

export const draftOf = (conversationId) => ({ ...EMPTY, ...drafts.value[conversationId] });

function keep(conversationId, draft) {
  const isEmpty = !draft.reply && !draft.note && !draft.visibility && !draft.inReplyTo && !draft.attachments?.length && !draft.isUnsaved && draft.mode === 'reply';
  const { [conversationId]: _old, ...others } = drafts.value;
  drafts.value = isEmpty ? others : { ...others, [conversationId]: draft };
  try {
    sessionStorage.setItem(STORE, JSON.stringify(drafts.value));
  } catch {
    // Memory still has it.
  }
}

/** What a person did: the server has yet to hear of it where it is about the reply. */
export function changeDraft(conversationId, change) {
  const before = draftOf(conversationId);
  const isNews = OF_THE_REPLY.some((name) => name in change && change[name] !== before[name]);
  keep(conversationId, { ...before, ...change, isUnsaved: before.isUnsaved || isNews });
  if (isNews) onUnsaved(conversationId);
}

/** What the server knows: nothing of it has to be told. */
export function settleDraft(conversationId, change) {
  keep(conversationId, { ...draftOf(conversationId), ...change, isUnsaved: false });
}

/** The reply has left, or its draft was thrown away. */
export const clearReply = (conversationId) => settleDraft(conversationId, { reply: '', visibility: null, inReplyTo: null, attachments: [] });

export const unsavedIds = () => Object.keys(drafts.value).filter((id) => drafts.value[id].isUnsaved);

export function forgetDrafts() {
  drafts.value = {};
  try {
    sessionStorage.removeItem(STORE);
  } catch {
    // Nothing was kept.
  }
}

// Lists and threads ask these: they are drawn anew when the answer is another one, not with every word.
const SEPARATOR = '\n';
const writtenIds = computed(() => Object.keys(drafts.value).filter((id) => drafts.value[id].reply || drafts.value[id].note || drafts.value[id].attachments?.length).join(SEPARATOR));
const written = computed(() => new Set(writtenIds.value.split(SEPARATOR)));
const openAnswer = computed(() => drafts.value[route.value.id]?.inReplyTo?.id ?? null);

export const hasDraft = (conversationId) => written.value.has(conversationId);

/** The id of the post that the draft answers; of the open conversation it is watched. */
export const answeredId = (conversationId) => (conversationId === route.value.id ? openAnswer.value : draftOf(conversationId).inReplyTo?.id ?? null);
