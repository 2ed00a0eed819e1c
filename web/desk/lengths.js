// By which rule a conversation's network counts, whom it lets read a reply, and what a text that is too long becomes.
import { signal, useEffect, useState } from '../core/html.js';
import { roomLeft } from '../core/count.js';
import { postPlain } from '../core/api.js';

const PREVIEW_AFTER_MS = 400;
const UNLIMITED = 20_000;
/** So many rules are remembered: what a conversation is allowed is asked again when it is opened again. */
const KEPT = 60;

/** `conversation:visibility` → what the server said of it; null while it is asked. */
const rules = signal({});

const ask = (conversationId, text, visibility) => postPlain(`/conversations/${conversationId}/replies/preview`, { text, visibility });

function keep(key, rule) {
  const { [key]: _old, ...others } = rules.value;
  const rest = Object.entries(others).slice(1 - KEPT);
  rules.value = Object.fromEntries(rule === undefined ? rest : [...rest, [key, rule]]);
}

async function learnRule(key, conversationId, visibility) {
  if (key in rules.value) return;
  keep(key, null);
  try {
    keep(key, await ask(conversationId, '', visibility));
  } catch {
    keep(key, undefined);
  }
}

/** What a text that does not fit into one post becomes: its posts, or why it cannot be sent. */
function usePosts(conversationId, text, visibility, isTooLong) {
  const [told, setTold] = useState(null);
  useEffect(() => {
    setTold(null);
    if (!isTooLong) return undefined;
    let isCurrent = true;
    const timer = setTimeout(async () => {
      try {
        const { parts } = await ask(conversationId, text, visibility);
        if (isCurrent) setTold({ posts: parts.length, parts });
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
  const known = isReply ? rules.value[key] ?? null : null;
  const rule = known && known.limit < UNLIMITED ? known : null;
  const left = rule ? roomLeft(text, rule) : 0;
  const told = usePosts(conversation.id, text, visibility, left < 0 && rule.is_threaded);
  return rule && { left, canThread: rule.is_threaded && !told?.refusal, told };
}

/** Visibility → why the network would refuse it to this customer: `{code, detail}`; nothing while that is not known. */
export function refusalsOf(conversation) {
  const known = ['public', 'private'].map((visibility) => rules.value[`${conversation.id}:${visibility}`]).find(Boolean);
  return Object.fromEntries((known?.audiences ?? []).filter(({ refusal }) => refusal).map(({ visibility, refusal }) => [visibility, refusal]));
}
