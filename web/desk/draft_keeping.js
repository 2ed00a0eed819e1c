// Keeps a reply's draft on the server while it is typed, so that it is there on any machine where its agent opens it.
import { get, put, remove } from '../core/api.js';
import { html, signal } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { DRAFT } from '../texts/en.js';
import { changeDraft, draftOf, settleDraft, unsavedIds, whenUnsaved } from './drafts.js';

const SAVE_AFTER_MS = 600;
const AGAIN_AFTER_MS = 3000;
const MOST_KEEPERS = 50;

/** Conversation id → `{kind: 'lost'}`, or `{kind: 'conflict', kept}` with the words of another window. */
const troubles = signal({});
const keepers = new Map();

function setTrouble(id, trouble) {
  const { [id]: known, ...others } = troubles.value;
  if (!known && !trouble) return;
  troubles.value = trouble ? { ...others, [id]: trouble } : others;
}

const asKept = ({ text, visibility, in_reply_to: target, attachments }) => ({
  reply: text, visibility: visibility ?? null, inReplyTo: target ? { id: target, words: null } : null, attachments: attachments ?? [],
});

const named = (attachments = []) => attachments.map(({ id, alt_text: altText }) => ({ id, ...(altText?.trim() ? { alt_text: altText.trim() } : {}) }));

const isSame = (draft, kept) => draft.reply === kept.text && (draft.visibility ?? null) === (kept.visibility ?? null)
  && (draft.inReplyTo?.id ?? null) === (kept.in_reply_to ?? null) && JSON.stringify(named(draft.attachments)) === JSON.stringify(named(kept.attachments));

/** What the server left out is not there any more: it was sent or thrown away elsewhere. */
function leaveOut(id, sent, kept) {
  const gone = new Set(sent.map((file) => file.id).filter((each) => !(kept.attachments ?? []).some((file) => file.id === each)));
  if (gone.size) changeDraft(id, { attachments: draftOf(id).attachments.filter((file) => !gone.has(file.id)) });
}

/** One conversation's draft: one call at a time, each over the version that it was made from. */
class Keeper {
  constructor(id) {
    Object.assign(this, { id, version: null, timer: null, isBusy: false, isHeld: false });
    this.path = `/conversations/${encodeURIComponent(id)}/draft`;
  }

  schedule(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.goOn(), ms);
  }

  goOn() {
    if (this.isHeld || troubles.value[this.id]?.kind === 'conflict') return undefined;
    if (this.isBusy) return this.schedule(SAVE_AFTER_MS);
    if (this.version === null) return this.read();
    return draftOf(this.id).isUnsaved ? this.save() : undefined;
  }

  async read() {
    if (this.isBusy || this.isHeld) return;
    await this.call(async () => this.meet(await get(this.path)));
  }

  // Words that were typed here meet what another window or machine has left.
  meet(kept) {
    if (this.isHeld) return;
    this.version = kept.version;
    const draft = draftOf(this.id);
    if (!draft.isUnsaved) {
      if (!isSame(draft, kept)) settleDraft(this.id, asKept(kept));
    } else if (!kept.text || kept.text === draft.reply) this.schedule(0);
    else setTrouble(this.id, { kind: 'conflict', kept });
  }

  async save() {
    const draft = draftOf(this.id);
    const body = { text: draft.reply, visibility: draft.visibility, in_reply_to: draft.inReplyTo?.id ?? null, attachments: named(draft.attachments) };
    await this.call(async () => {
      const kept = await put(this.path, body, { version: this.version });
      this.version = kept.version;
      setTrouble(this.id, null);
      leaveOut(this.id, body.attachments, kept);
      if (isSame(draftOf(this.id), kept)) settleDraft(this.id, {});
      else this.schedule(SAVE_AFTER_MS);
    });
  }

  async call(act) {
    this.isBusy = true;
    try {
      await act();
    } catch (problem) {
      this.fail(problem);
    } finally {
      this.isBusy = false;
    }
  }

  fail({ status }) {
    if (!draftOf(this.id).isUnsaved) return;
    if (status === 412) {
      this.version = null;
      this.schedule(0);
      return;
    }
    setTrouble(this.id, { kind: 'lost' });
    this.schedule(AGAIN_AFTER_MS);
  }
}

/** Of what is saved and was left long ago nothing is remembered: it is read when it is opened again. */
function forgetIdle() {
  for (const [id, { isBusy, isHeld }] of keepers) {
    if (keepers.size <= MOST_KEEPERS) return;
    if (!isBusy && !isHeld && !draftOf(id).isUnsaved && !troubles.value[id]) keepers.delete(id);
  }
}

function keeperOf(id) {
  if (!keepers.has(id)) {
    forgetIdle();
    keepers.set(id, new Keeper(id));
  }
  return keepers.get(id);
}

/** A conversation was opened: what was left elsewhere is fetched. */
export const openDraft = (id) => keeperOf(id).read();

/** While a reply that takes its draft along is on its way, nothing is saved: it would come back or be lost with it. */
export function holdDraft(id) {
  const keeper = keeperOf(id);
  Object.assign(keeper, { isHeld: true, wasOnItsWay: keeper.isBusy });
  clearTimeout(keeper.timer);
  setTrouble(id, null);
}

export function releaseDraft(id, { isSent }) {
  const keeper = keeperOf(id);
  Object.assign(keeper, { isHeld: false, version: null });
  if (draftOf(id).isUnsaved) keeper.schedule(0);
  // A first save that the reply overtook has brought back what was just said.
  else if (isSent && keeper.wasOnItsWay) remove(keeper.path).catch(() => {});
}

/** Before a log-out: what is not saved yet gets its last chance. */
export async function keepAll() {
  await Promise.all(unsavedIds().map((id) => keeperOf(id).version !== null && keeperOf(id).save()));
  for (const keeper of keepers.values()) clearTimeout(keeper.timer);
  keepers.clear();
  troubles.value = {};
}

/** Listens to what is typed, and saves a last time when the page is left. */
export function startKeeping() {
  whenUnsaved((id) => keeperOf(id).schedule(SAVE_AFTER_MS));
  addEventListener('pagehide', () => {
    for (const id of unsavedIds()) keeperOf(id).goOn();
  });
  for (const id of unsavedIds()) keeperOf(id).schedule(SAVE_AFTER_MS);
}

/** Said where the words are typed: that they are not saved, or that there are others. */
export function DraftTrouble({ conversationId }) {
  const trouble = troubles.value[conversationId];
  if (!trouble) return null;
  if (trouble.kind === 'lost') return html`<p class="draft-trouble" role="status"><${Icon} name="warning" />${DRAFT.lost}</p>`;
  const take = () => {
    settleDraft(conversationId, asKept(trouble.kept));
    setTrouble(conversationId, null);
  };
  const stay = () => {
    setTrouble(conversationId, null);
    keeperOf(conversationId).schedule(0);
  };
  return html`
    <div class="draft-trouble" role="status"><p><${Icon} name="warning" />${DRAFT.conflict} <q dir="auto">${trouble.kept.text.slice(0, 200)}</q></p>
      <button type="button" class="small" onClick=${stay}>${DRAFT.stay}</button><button type="button" class="small" onClick=${take}>${DRAFT.take}</button></div>`;
}
