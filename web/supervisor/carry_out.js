// One command on several conversations, a few at a time; every outcome is kept, and a refused one is read again.
import { Intent } from '../core/api.js';
import { reread } from '../state/live.js';
import { conversations as known } from '../state/store.js';
import { unchoose } from './selection.js';

const AT_ONCE = 4;

async function carryOutOne(conversation, { command, body }) {
  try {
    const after = await new Intent(`/conversations/${encodeURIComponent(conversation.id)}/${command}`, body).send();
    known.put(after);
    return { conversation, state: after.state };
  } catch (problem) {
    if (problem.status) reread(conversation.id).catch(() => {});
    return { conversation, problem };
  }
}

/** `onProgress` hears all outcomes so far, after each. Those that worked are no longer chosen. */
export async function carryOut(conversations, { command, body, onProgress }) {
  const waiting = conversations.slice();
  const outcomes = [];
  const work = async () => {
    while (waiting.length) {
      outcomes.push(await carryOutOne(waiting.shift(), { command, body }));
      onProgress(outcomes.slice());
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  unchoose(outcomes.filter(({ problem }) => !problem).map(({ conversation }) => conversation.id));
}
