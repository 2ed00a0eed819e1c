// One piece of quarantine: what came, as it came; tried again, put right by hand, or thrown away.
import { Intent, remove } from '../core/api.js';
import { html, useState } from '../core/html.js';
import { networkName, spaced, wholeTime } from '../core/format.js';
import { closeDialog } from '../desk/dialog.js';
import { openConversation } from '../desk/route.js';
import { say } from '../desk/toasts.js';
import { channelName } from '../state/store.js';
import { BULK, QUARANTINE } from '../texts/en_floor.js';

const pathOf = (piece) => `/quarantine/${encodeURIComponent(piece.id)}`;
const textOf = (value) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

/** What can be guessed of the post, so that a person writes only what is wrong. */
function guessed(piece) {
  let came = {};
  try {
    came = JSON.parse(piece.raw) ?? {};
  } catch {
    // Then all of it is written by hand.
  }
  const author = typeof came.author === 'object' && came.author ? came.author : {};
  return {
    external_id: piece.external_id ?? textOf(came.external_id ?? came.id), author_id: textOf(author.external_id ?? author.id),
    handle: textOf(author.handle ?? author.username), text: textOf(came.text), isPrivate: came.visibility === 'private',
  };
}

/** Runs one wish; what was refused stands in the dialog, and the words stay. */
function useWish({ onDone }) {
  const [problem, setProblem] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const run = async (act, after) => {
    setBusy(true);
    setProblem(null);
    try {
      const answer = await act();
      closeDialog();
      after(answer);
    } catch (refused) {
      setProblem(refused);
      setBusy(false);
    }
    onDone();
  };
  return { problem, isBusy, run };
}

function tellTaken(answer) {
  const [id] = Object.values(answer.conversation_ids ?? {});
  say({ title: answer.accepted ? QUARANTINE.taken : QUARANTINE.wasThere, kind: 'note' });
  if (id) openConversation(id);
}

function Field({ name, value, onValue, isLong = false }) {
  const onInput = (event) => onValue(event.currentTarget.value);
  return html`<label class="field">${QUARANTINE.fields[name]} ${isLong ? html`<textarea rows="3" required dir="auto" value=${value} onInput=${onInput}></textarea>` : html`<input required=${name !== 'handle'} value=${value} onInput=${onInput} />`}</label>`;
}

function ByHand({ piece, wish }) {
  const [post, setPost] = useState(guessed(piece));
  const put = (name) => (value) => setPost({ ...post, [name]: value });
  const submit = (event) => {
    event.preventDefault();
    const author = { external_id: post.author_id, ...(post.handle ? { handle: post.handle } : {}) };
    const body = { post: { external_id: post.external_id, author, text: post.text, visibility: post.isPrivate ? 'private' : 'public' } };
    wish.run(() => new Intent(`${pathOf(piece)}/retry`, body).send(), tellTaken);
  };
  return html`
    <form class="by-hand" onSubmit=${submit}>
      ${['external_id', 'author_id', 'handle'].map((name) => html`<${Field} key=${name} name=${name} value=${post[name]} onValue=${put(name)} />`)}
      <${Field} name="text" isLong value=${post.text} onValue=${put('text')} />
      <label class="choice"><input type="checkbox" checked=${post.isPrivate} onChange=${(event) => put('isPrivate')(event.currentTarget.checked)} />${QUARANTINE.private}</label>
      <div class="buttons"><button type="submit" class="primary" disabled=${wish.isBusy}>${QUARANTINE.take}</button></div>
    </form>`;
}

function Remove({ piece, wish }) {
  const [isSure, setSure] = useState(false);
  const throwAway = () => wish.run(() => remove(pathOf(piece)), () => say({ title: QUARANTINE.removed, kind: 'note' }));
  if (!isSure) return html`<button type="button" class="end" onClick=${() => setSure(true)}>${QUARANTINE.remove}…</button>`;
  return html`<span class="hint">${QUARANTINE.removeHint}</span><button type="button" class="end" disabled=${wish.isBusy} onClick=${throwAway}>${QUARANTINE.sure}</button>`;
}

export function Piece({ piece, onDone }) {
  const wish = useWish({ onDone });
  const again = () => wish.run(() => new Intent(`${pathOf(piece)}/retry`, {}).send(), tellTaken);
  return html`
    <div class="piece">
      <p><b>${spaced(piece.code)}</b>: <span dir="auto">${piece.detail}</span></p>
      <p class="hint"><bdi>${channelName(piece.channel_id)}</bdi>${piece.network && ` · ${networkName(piece.network)}`} · ${wholeTime(piece.received_at)} · <code>${piece.id}</code></p>
      <pre tabindex="0" dir="auto" aria-label=${QUARANTINE.raw}>${piece.raw}</pre>
      ${piece.is_readable === false && html`<p class="hint">${QUARANTINE.cut}</p>`}
      ${wish.problem && html`<p class="problem" role="alert" dir="auto">${wish.problem.message}</p>`}
      <details><summary>${QUARANTINE.correct}</summary><${ByHand} piece=${piece} wish=${wish} /></details>
      <div class="buttons"><${Remove} piece=${piece} wish=${wish} /><span class="grow"></span><button type="button" onClick=${closeDialog}>${BULK.close}</button>
        ${piece.is_readable !== false && html`<button type="button" disabled=${wish.isBusy} title=${QUARANTINE.retryHint} onClick=${again}>${QUARANTINE.retry}</button>`}</div>
    </div>`;
}
