// By which rule a conversation's network counts, and what a text that is too long becomes.
import { signal, useEffect, useState } from '../core/html.js';
import { roomLeft } from '../core/count.js';
import { postPlain } from '../core/api.js';

const PREVIEW_AFTER_MS = 400;
const UNLIMITED = 20_000;

const rules = signal({});

const ask = (conversationId, text, visibility) => postPlain(`/conversations/${conversationId}/replies/preview`, { text, visibility });

async function learnRule(key, conversationId, visibility) {
  if (key in rules.value) return;
  rules.value = { ...rules.value, [key]: null };
  try {
    const rule = await ask(conversationId, '', visibility);
    rules.value = { ...rules.value, [key]: rule.limit < UNLIMITED ? rule : null };
  } catch {
    const { [key]: _failed, ...others } = rules.value;
    rules.value = others;
  }
}

/** What a text that does not fit into one post becomes: a number of posts, or why it cannot be sent. */
function usePosts(conversationId, text, visibility, isTooLong) {
  const [told, setTold] = useState(null);
  useEffect(() => {
    setTold(null);
    if (!isTooLong) return undefined;
    let isCurrent = true;
    const timer = setTimeout(async () => {
      try {
        const { parts } = await ask(conversationId, text, visibility);
        if (isCurrent) setTold({ posts: parts.length });
      } catch (problem) {
        if (isCurrent && problem.status === 409) setTold({ refusal: problem.message });
      }
    }, PREVIEW_AFTER_MS);
    return () => { isCurrent = false; clearTimeout(timer); };
  }, [conversationId, text, visibility, isTooLong]);
  return isTooLong ? told : null;
}

/** `{left, canThread, told}` while a reply is written on a network with a limit; else null. */
export function useRoom(conversation, text, visibility, isReply) {
  const key = `${conversation.id}:${visibility}`;
  useEffect(() => { if (isReply) learnRule(key, conversation.id, visibility); }, [key, isReply]);
  const rule = isReply ? rules.value[key] ?? null : null;
  const left = rule ? roomLeft(text, rule) : 0;
  const told = usePosts(conversation.id, text, visibility, left < 0 && rule.is_threaded);
  return rule && { left, canThread: rule.is_threaded && !told?.refusal, told };
}
