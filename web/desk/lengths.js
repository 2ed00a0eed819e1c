// By which rule a conversation's network counts, whom it lets read a reply, and what a text that is too long becomes.
import { signal, useEffect, useState } from '../core/html.js';
import { roomLeft } from '../core/count.js';
import { postPlain } from '../core/api.js';

const PREVIEW_AFTER_MS = 400;
const UNLIMITED = 20_000;
/** So many rules are remembered: what a conversation is allowed is asked again when it is opened again. */
const KEPT = 60;

/** `conversation:visibility`, with `:files` where files go with the words → what the server said of it; null while it is asked. */
const rules = signal({});

const ask = (conversationId, text, { visibility, hasFiles }) => postPlain(`/conversations/${conversationId}/replies/preview`, { text, visibility, ...(hasFiles ? { has_attachments: true } : {}) });

function keep(key, rule) {
  const { [key]: _old, ...others } = rules.value;
  const rest = Object.entries(others).slice(1 - KEPT);
  rules.value = Object.fromEntries(rule === undefined ? rest : [...rest, [key, rule]]);
}

const keyOf = (conversationId, { visibility, hasFiles }) => `${conversationId}:${visibility}${hasFiles ? ':files' : ''}`;

async function learnRule(key, conversationId, said) {
  if (key in rules.value) return;
  keep(key, null);
  try {
    keep(key, await ask(conversationId, '', said));
  } catch {
    keep(key, undefined);
  }
}

/** What a text that does not fit into one post becomes: its posts, or why it cannot be sent. */
function usePosts(conversationId, text, said, isTooLong) {
  const { visibility, hasFiles } = said;
  const [told, setTold] = useState(null);
  useEffect(() => {
    setTold(null);
    if (!isTooLong) return undefined;
    let isCurrent = true;
    const timer = setTimeout(async () => {
      try {
        const { parts } = await ask(conversationId, text, said);
        if (isCurrent) setTold({ posts: parts.length, parts });
      } catch (problem) {
        if (isCurrent && problem.status === 409) setTold({ refusal: problem.message });
      }
    }, PREVIEW_AFTER_MS);
    return () => { isCurrent = false; clearTimeout(timer); };
  }, [conversationId, text, visibility, hasFiles, isTooLong]);
  return isTooLong ? told : null;
}

/** `{left, canThread, told}` while a reply is written on a network with a limit; else null. */
export function useRoom(conversation, text, said, isReply) {
  const key = keyOf(conversation.id, said);
  useEffect(() => { if (isReply) learnRule(key, conversation.id, said); }, [key, isReply]);
  const known = isReply ? rules.value[key] ?? null : null;
  const rule = known && known.limit < UNLIMITED ? known : null;
  const left = rule ? roomLeft(text, rule) : 0;
  const told = usePosts(conversation.id, text, said, left < 0 && rule.is_threaded);
  return rule && { left, canThread: rule.is_threaded && !told?.refusal, told };
}

/** Which files may go with a reply of this visibility; undefined while that is not known. */
export const filesRuleOf = (conversationId, visibility) =>
  (rules.value[keyOf(conversationId, { visibility })] ?? rules.value[keyOf(conversationId, { visibility, hasFiles: true })])?.attachments;

/** Visibility → why the network would refuse it to this customer: `{code, detail}`; nothing while that is not known. */
export function refusalsOf(conversation) {
  const known = ['public', 'private'].map((visibility) => rules.value[`${conversation.id}:${visibility}`]).find(Boolean);
  return Object.fromEntries((known?.audiences ?? []).filter(({ refusal }) => refusal).map(({ visibility, refusal }) => [visibility, refusal]));
}
