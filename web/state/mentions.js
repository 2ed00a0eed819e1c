// The notes that name oneself and were not read yet: asked for once, and again when an event says so.
import { get, put } from '../core/api.js';
import { signal } from '../core/html.js';
import { whenEvent } from './live.js';
import { session } from './store.js';

/** Unread ones, the newest first: `{note_id, conversation_id, customer, network, by, text, created_at}`. */
export const mentions = signal([]);

let asked = 0;

export async function readMentions() {
  asked += 1;
  const turn = asked;
  if (!session.value?.agent_id) {
    mentions.value = [];
    return [];
  }
  try {
    const { items } = await get('/mentions?unread=true');
    if (turn === asked) mentions.value = items;
  } catch {
    // The next event or the next look at the page asks again.
  }
  return mentions.value;
}

/** Its conversation was opened: they are gone from here at once, and then from the server. */
export async function readThere(conversationId) {
  const [here, elsewhere] = [[], []];
  for (const mention of mentions.value) (mention.conversation_id === conversationId ? here : elsewhere).push(mention);
  if (!here.length) return;
  mentions.value = elsewhere;
  await put(`/conversations/${encodeURIComponent(conversationId)}/mentions`, { read: true }).catch(readMentions);
}

const namesMe = ({ type, detail }) => type === 'conversation.note_written' && Boolean(detail?.mentions?.includes(session.value?.agent_id));

/** `onNew` hears of each note that names oneself, when it is written. */
export function startMentions(onNew) {
  whenEvent(async (event) => {
    if (!namesMe(event)) return;
    const found = await readMentions();
    const news = found.find(({ note_id: id }) => id === event.detail.note_id);
    if (news) onNew(news);
  });
  document.addEventListener('visibilitychange', () => { if (!document.hidden && session.value) readMentions(); });
}
