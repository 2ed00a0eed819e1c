// Where words are written. It says where they will go before they go.
import { html, useEffect, useLayoutEffect, useRef } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { customerName, networkName, stateName } from '../core/format.js';
import { isMine, isOpen, isPrivate } from '../state/store.js';
import { COMPOSER, LISTS } from '../texts/en.js';
import { composerCall, mayReply } from './actions.js';
import { AttachButton, Attachments, takingFiles, whyNotFiles } from './attachments.js';
import { useCanned } from './canned.js';
import { FormButtons, closeDialog, openDialog } from './dialog.js';
import { DraftTrouble, holdDraft, openDraft, releaseDraft } from './draft_keeping.js';
import { changeDraft, clearReply, draftOf } from './drafts.js';
import { keyHint } from './key_table.js';
import { filesRuleOf, refusalsOf, useRoom } from './lengths.js';
import { Named, isTooMany, namedIn, useNaming } from './naming.js';
import { Onlookers, noteTyping } from './onlookers.js';
import { postNote, postReply } from './outbox.js';
import { Quote, chosenPost, stepTarget } from './reply_target.js';

function whyNoReply(conversation) {
  if (!isOpen(conversation)) return COMPOSER.ended;
  if (!isMine(conversation)) return COMPOSER.notYours;
  return conversation.state === 'held' ? COMPOSER.held : COMPOSER.otherState(stateName(conversation.state));
}

function ConfirmPublic({ conversation, text, send }) {
  const submit = (event) => {
    event.preventDefault();
    closeDialog();
    send();
  };
  return html`
    <form onSubmit=${submit}>
      <p>${COMPOSER.isPrivate} <b>${COMPOSER.everyone(networkName(conversation.network))}</b> <bdi>${COMPOSER.to(customerName(conversation.customer))}</bdi></p>
      <blockquote dir="auto">${text}</blockquote>
      <${FormButtons} submit=${COMPOSER.sayPublic} kind="end" />
    </form>`;
}

const namingFiles = (files) => (files.length ? { attachments: files.map(({ id, alt_text: altText }) => ({ id, alt_text: altText || null })) } : {});

function sendReply(conversation, draft, visibility) {
  const text = draft.reply.trim();
  const body = { text, visibility, from_draft: true, ...(draft.inReplyTo ? { in_reply_to: draft.inReplyTo.id } : {}), ...namingFiles(draft.attachments) };
  const leave = (more = {}) => {
    holdDraft(conversation.id);
    clearReply(conversation.id);
    postReply(conversation.id, { ...body, ...more }, draft.attachments).then((isSent) => releaseDraft(conversation.id, { isSent }));
  };
  if (!isPrivate(conversation) || visibility !== 'public') return leave();
  return openDialog({
    title: COMPOSER.askPublic, body: ConfirmPublic, props: { conversation, text, send: () => leave({ confirm_public: true }) },
  });
}

/** Why a reply with this audience cannot go, in words; '' where it can. */
function whyNot(conversation, visibility) {
  const refusal = refusalsOf(conversation)[visibility];
  if (!refusal) return '';
  return COMPOSER.refusals[refusal.code]?.(networkName(conversation.network), LISTS[visibility]) ?? refusal.detail;
}

function Target({ conversation, visibility }) {
  const choose = (event) => changeDraft(conversation.id, { visibility: event.currentTarget.value });
  return html`
    <span class="target">${COMPOSER.replyTo} <bdi><b>${customerName(chosenPost(conversation.id)?.author ?? conversation.customer)}</b></bdi> ${COMPOSER.on(networkName(conversation.network))}
      <label class="audience-choice"><${Icon} name=${visibility === 'private' ? 'lock' : 'globe'} /><span class="unseen">${COMPOSER.audience}</span>
        <select value=${visibility} aria-describedby="not-allowed" onChange=${choose}>${Object.entries(COMPOSER.audiences).map(([value, label]) => html`
          <option key=${value} value=${value} selected=${visibility === value} disabled=${visibility !== value && whyNot(conversation, value) !== ''}>${LISTS[value]}: ${label}</option>`)}</select></label>
    </span>`;
}

/** What the network does not allow, and why: an audience that cannot be chosen, or none at all. */
function Forbidden({ conversation, visibility }) {
  const other = visibility === 'private' ? 'public' : 'private';
  const [own, others] = [whyNot(conversation, visibility), whyNot(conversation, other)];
  if (own) return html`<p class="forbidden" id="not-allowed" role="status"><${Icon} name="warning" />${own}</p>`;
  return others && html`<p class="hint forbidden-other" id="not-allowed">${others}</p>`;
}

/** The posts that a long text becomes, to be read before they leave. */
function Split({ parts }) {
  return html`
    <details class="split"><summary>${COMPOSER.asPosts(parts.length)}</summary>
      <ol>${parts.map((part, index) => html`<li key=${index}><p class="words" dir="auto">${part.text}</p><span class="hint">${COMPOSER.partLength(part.length)}</span></li>`)}</ol></details>`;
}

function Counter({ room }) {
  if (!room) return null;
  const isOver = room.left < 0;
  if (room.told?.posts) return html`<span class="counter" aria-live="off">${COMPOSER.asPosts(room.told.posts)}</span>`;
  return html`<span class="counter ${isOver ? 'over' : ''}" aria-live="off" title=${room.told?.refusal ?? ''}>${isOver ? COMPOSER.tooMany(-room.left) : room.left}</span>`;
}

function Modes({ conversation, mode, canReply }) {
  const tab = (name, label, disabled) => html`
    <button type="button" role="tab" aria-selected=${mode === name} disabled=${disabled} onClick=${() => { composerCall.value = { conversationId: conversation.id, mode: name }; }}>${label}${keyHint(name) && html`<kbd>${keyHint(name)}</kbd>`}</button>`;
  return html`<div class="modes" role="tablist" aria-label=${COMPOSER.write}>${tab('reply', COMPOSER.reply, !canReply)}${tab('note', COMPOSER.note, false)}</div>`;
}

function useCalls(conversation, canReply, field) {
  const call = composerCall.value;
  useLayoutEffect(() => {
    if (call?.conversationId !== conversation.id) return;
    composerCall.value = null;
    if (call.mode === 'reply' && !canReply) return;
    changeDraft(conversation.id, { mode: call.mode });
    field.current.focus();
  }, [call]);
}

const GROWS_BY_ITSELF = globalThis.CSS?.supports('field-sizing', 'content');

// The field grows with its words, to a third of the screen.
function fit(field) {
  if (GROWS_BY_ITSELF) return;
  field.style.height = 'auto';
  field.style.height = `${Math.min(field.scrollHeight + 2, innerHeight / 3)}px`;
}

export function Composer({ conversation }) {
  const field = useRef(null);
  const canReply = mayReply(conversation);
  const draft = draftOf(conversation.id);
  const mode = canReply ? draft.mode : 'note';
  const visibility = draft.visibility ?? chosenPost(conversation.id)?.visibility ?? (isPrivate(conversation) ? 'private' : 'public');
  useCalls(conversation, canReply, field);
  useEffect(() => { if (canReply) openDraft(conversation.id); }, [conversation.id, canReply]);
  useLayoutEffect(() => { if (field.current) fit(field.current); }, [draft[mode], mode]);
  const isReply = mode === 'reply';
  const room = useRoom(conversation, draft.reply, { visibility, hasFiles: draft.attachments.length > 0 }, isReply);
  const filesRule = isReply ? filesRuleOf(conversation.id, visibility) : undefined;
  const whyNoFiles = isReply ? whyNotFiles(conversation.id, draft, filesRule, networkName(conversation.network)) : '';
  const named = mode === 'note' ? namedIn(draft.note) : [];
  const isHeldBack = isReply ? (room?.left < 0 && !room.canThread) || whyNot(conversation, visibility) !== '' || whyNoFiles !== '' : isTooMany(named);
  const canSend = draft[mode].trim() !== '' && !isHeldBack;
  const send = (event) => {
    event?.preventDefault();
    if (!canSend) return;
    if (isReply) return sendReply(conversation, draft, visibility);
    changeDraft(conversation.id, { note: '', mode: 'reply' });
    return postNote(conversation.id, draft.note.trim(), named.map(({ id }) => id));
  };
  const write = (text) => changeDraft(conversation.id, { [mode]: text, mode });
  const canned = useCanned({ conversation, field, isReply, setText: write });
  const naming = useNaming({ field, isNote: mode === 'note', setText: write });
  const offer = isReply ? canned : naming;
  const onInput = () => {
    write(field.current.value);
    offer.look();
    noteTyping(conversation.id);
  };
  const onKeyDown = (event) => {
    if (offer.onKeyDown(event)) return;
    const by = event.altKey && mode === 'reply' && { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (by) {
      event.preventDefault();
      stepTarget(conversation.id, by);
    }
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send(event);
    if (event.key === 'Escape') field.current.blur();
  };
  return html`
    <form class="composer ${mode} ${isReply ? visibility : ''}" onSubmit=${send} ...${takingFiles(conversation.id, filesRule)}>
      <div class="composer-head"><${Modes} conversation=${conversation} mode=${mode} canReply=${canReply} />
        ${isReply ? html`<${Target} conversation=${conversation} visibility=${visibility} />`
          : html`<span class="target"><${Icon} name="note" />${canReply ? COMPOSER.colleagues : whyNoReply(conversation)}</span>`}</div>
      ${isReply && html`<${Quote} conversation=${conversation} /><${Forbidden} conversation=${conversation} visibility=${visibility} />`}
      <textarea ref=${field} rows="2" dir="auto" aria-label=${isReply ? COMPOSER.yourReply : COMPOSER.yourNote} placeholder=${isReply ? COMPOSER.writeReply : COMPOSER.writeNote}
        value=${draft[mode]} onInput=${onInput} onKeyDown=${onKeyDown} onClick=${offer.look} onBlur=${offer.close} ...${offer.fieldProps}></textarea>
      ${offer.list}
      ${mode === 'note' && html`<${Named} text=${draft.note} />`}
      ${isReply && html`<${Attachments} conversationId=${conversation.id} attachments=${draft.attachments} rule=${filesRule} why=${whyNoFiles} />`}
      ${isReply && room?.told?.parts && html`<${Split} parts=${room.told.parts} />`}
      ${isReply && html`<${DraftTrouble} conversationId=${conversation.id} />`}
      <div class="composer-foot"><${AttachButton} conversationId=${conversation.id} rule=${filesRule} /><${Onlookers} conversationId=${conversation.id} /><${Counter} room=${room} /><span class="hint keys-hint">${isReply ? COMPOSER.cannedHint : COMPOSER.namingHint}${COMPOSER.sends}</span>
        <button type="submit" class="primary" disabled=${!canSend}>${isReply ? COMPOSER.send : COMPOSER.saveNote}</button></div>
    </form>`;
}
