// One entry of a timeline: a post, a reply with its honest state, a note, or a thin line for what happened.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { clockTime, customerName, dayName, spaced, unturned, wholeTime } from '../core/format.js';
import { agentName, isMine, isSupervisor, workgroupName } from '../state/store.js';
import { AUDIT, DESK, ENTRIES, HAPPENED, LISTS, NAMES, POST, REPLY } from '../texts/en.js';
import { composerCall, mayReply } from './actions.js';
import { resolveReply, underway } from './commands.js';
import { Delivery, Parts } from './delivery.js';
import { Files } from './files.js';
import { returnToComposer, takeBack, tryAgain } from './outbox.js';
import { Level, answer, isAnswered } from './reply_target.js';
import { SecondThoughts, isDeleted, isWithdrawn } from './second_thoughts.js';
import { Media, OutLink, Words } from './words.js';

function Time({ at }) {
  return html`<time datetime=${at} title=${wholeTime(at)}>${clockTime(at)}</time>`;
}

const Closed = () => html`<span class="closed"><${Icon} name="lock" />${LISTS.private}</span>`;

/** What a post said before it was edited, for whoever asks. */
function Earlier({ texts }) {
  if (!texts?.length) return null;
  return html`
    <details class="earlier"><summary>${POST.earlier(texts.length)}</summary>
      <ul>${texts.map(({ text, until }, index) => html`<li key=${index}><p class="hint">${POST.until} <${Time} at=${until} /></p><p class="words" dir="auto">${unturned(text)}</p></li>`)}</ul>
    </details>`;
}

function PostWords({ post }) {
  if (post.deleted_at) return html`<p class="gone">${POST.gone}</p>`;
  return html`<${Words} text=${post.text} language=${post.language} /><${Media} postId=${post.id} media=${post.media} /><${Earlier} texts=${post.earlier_texts} />`;
}

function Changed({ post }) {
  const at = post.deleted_at ?? post.edited_at;
  return at ? html`<span class="changed" title=${wholeTime(at)}>${post.deleted_at ? POST.deleted : POST.edited} ${clockTime(at)}</span>` : null;
}

function choose(conversation, post) {
  answer(conversation.id, post);
  composerCall.value = { conversationId: conversation.id, mode: 'reply' };
}

function PostEntry({ post, at, conversation }) {
  const isLate = post.is_late ?? post.late;
  const isTarget = mayReply(conversation) && isAnswered(conversation.id, post);
  return html`
    <article class="entry post ${post.visibility === 'private' ? 'is-private' : ''} ${isTarget ? 'is-target' : ''}" data-post=${post.id}>
      <header><bdi class="who">${post.is_own ? ENTRIES.brand : customerName(post.author ?? conversation.customer)}</bdi>
        ${post.visibility === 'private' && html`<${Closed} />`}
        ${isLate && html`<span class="flag"><${Icon} name="late" />${ENTRIES.late}</span>`}
        <${Level} post=${post} conversation=${conversation} />${isTarget && html`<span class="target-mark"><${Icon} name="reply" />${ENTRIES.answered}</span>`}
        <${Changed} post=${post} /><${Time} at=${at} /></header>
      <${PostWords} post=${post} />
      <footer>
        ${post.url && !post.deleted_at && html`<${OutLink} url=${post.url}><${Icon} name="link" />${ENTRIES.original}</${OutLink}>`}
        ${mayReply(conversation) && !post.deleted_at && html`<button type="button" class="link" onClick=${() => choose(conversation, post)}><${Icon} name="reply" />${ENTRIES.answer}</button>`}
      </footer>
    </article>`;
}

// A long reply is in doubt with one of its posts only.
function partInDoubt(reply) {
  const parts = reply.parts ?? [];
  const index = parts.findIndex((part) => part.state === 'needs_human');
  return index < 0 ? ENTRIES.this : REPLY.part(index + 1, parts.length);
}

function NeedsHuman({ reply, conversation }) {
  if (!isMine(conversation) && !isSupervisor.value) return null;
  const isBusy = underway.value.has(`${reply.id}:resolve`);
  return html`
    <div class="needs-human">
      <p>${ENTRIES.doubt(partInDoubt(reply))}</p>
      <button type="button" class="small" disabled=${isBusy} onClick=${() => resolveReply(reply, 'sent')}>${ENTRIES.isThere}</button>
      <button type="button" class="small" disabled=${isBusy} onClick=${() => resolveReply(reply, 'absent')}>${ENTRIES.isNotThere}</button>
    </div>`;
}

function Rejected({ reply, conversation }) {
  return html`
    <div class="needs-human">
      <p>${isWithdrawn(reply) ? ENTRIES.takenBack : reply.reason ? html`${ENTRIES.refusedIt}: <span dir="auto">${unturned(reply.reason)}</span>` : `${ENTRIES.refusedIt}.`}</p>
      ${mayReply(conversation) && html`<button type="button" class="small" onClick=${() => returnToComposer(conversation.id, 'reply', reply.text, reply.attachments)}>${ENTRIES.editAgain}</button>`}
    </div>`;
}

function ReplyEntry({ reply, at, conversation }) {
  return html`
    <article class="entry reply ${reply.visibility === 'private' ? 'is-private' : ''} ${isDeleted(reply) ? 'is-deleted' : ''}">
      <header><bdi class="who">${agentName(reply.agent_id) || ENTRIES.automatic}</bdi>${reply.visibility === 'private' && html`<${Closed} />`}
        <${Delivery} reply=${reply} /><${Time} at=${at} /></header>
      <${Words} text=${reply.text} /><${Files} files=${reply.attachments} /><${Parts} reply=${reply} />
      <${SecondThoughts} reply=${reply} conversation=${conversation} />
      ${reply.state === 'needs_human' && html`<${NeedsHuman} reply=${reply} conversation=${conversation} />`}
      ${reply.state === 'rejected' && html`<${Rejected} reply=${reply} conversation=${conversation} />`}
    </article>`;
}

function NoteEntry({ note, at }) {
  return html`
    <article class="entry note"><header><${Icon} name="note" /><bdi class="who">${note.agent_id ? agentName(note.agent_id) : note.author_name}</bdi>
      <span class="hint">${ENTRIES.inside}</span><${Time} at=${at} /></header><${Words} text=${note.text} />
      ${note.mentions?.length > 0 && html`<p class="hint named">${ENTRIES.told} <bdi>${note.mentions.map(agentName).join(', ')}</bdi></p>`}</article>`;
}

/** What the server has not yet: said as it is, with both ways out when it failed. */
export function UnsentEntry({ entry }) {
  const { kind, text, visibility, files, state, problem } = entry;
  return html`
    <article class="entry ${kind} unsent ${visibility === 'private' ? 'is-private' : ''}">
      <header><span class="who">${NAMES.you}</span>${state === 'failed' ? html`<span class="delivery rejected"><${Icon} name="warning" />${ENTRIES.notLeft}</span>`
        : html`<span class="delivery"><${Icon} name="clock" />${ENTRIES.leaving}</span>`}</header>
      <${Words} text=${text} /><${Files} files=${files} />
      ${state === 'failed' && html`<div class="needs-human"><p>${problem.detail || problem.title || ENTRIES.refused}</p>
        <button type="button" class="small" onClick=${() => tryAgain(entry)}>${DESK.tryAgain}</button>
        <button type="button" class="small" onClick=${() => takeBack(entry)}>${ENTRIES.toComposer}</button></div>`}
    </article>`;
}

const by = (event) => event.by_name || agentName(event.agent_id) || ENTRIES.system;
/** A supervisor did it: whose work it was, and whether it went over a limit. */
const audit = (event) => `${event.by_name && event.agent_id ? AUDIT.from(agentName(event.agent_id)) : ''}${event.detail?.override_capacity ? AUDIT.override : ''}`;
const EVENTS = {
  created: () => HAPPENED.created, offered: (event) => HAPPENED.offered(agentName(event.agent_id) || HAPPENED.someAgent),
  offer_expired: (event) => (event.detail?.reason === 'rescinded' ? HAPPENED.rescinded(agentName(event.agent_id)) : HAPPENED.offer_expired(agentName(event.agent_id) || HAPPENED.theAgent)),
  disconnected: (event) => (event.agent_id || event.by_name ? HAPPENED.disconnected(by(event)) : HAPPENED.byItself),
  taken_from_quarantine: (event) => AUDIT.taken(by(event)), post_changed: (event) => POST.changed[event.detail?.kind] ?? HAPPENED.post_changed,
  consulted: (event) => HAPPENED.consulted(by(event), agentName(event.detail?.consulted_agent_id)), consult_ended: () => HAPPENED.consult_ended,
  merged: (event) => (event.detail?.into_conversation_id ? HAPPENED.mergedInto : HAPPENED.mergedFrom), split: () => HAPPENED.split, unmerged: () => HAPPENED.unmerged,
  completed: () => HAPPENED.completed, abandoned: () => HAPPENED.abandoned,
  ...Object.fromEntries(['declined', 'connected', 'held', 'resumed', 'parked', 'unparked', 'transferred', 'discarded', 'released'].map((name) => [name, (event) => HAPPENED[name](by(event))])),
};
/** Why a conversation went elsewhere by itself. */
const CAUSES = ENTRIES.causes;
/** Posts, replies and notes themselves are shown; a line about each would only repeat them. */
const REPEATS = ['conversation.post_received', 'conversation.note_written'];
const isRepeat = ({ type = '' }) => REPEATS.includes(type) || type.startsWith('reply.');

function EventEntry({ event, at }) {
  const name = String(event.type ?? '').replace(/^conversation\./, '');
  const detail = event.detail ?? {};
  const { to_agent_id: target, to_workgroup_id: group } = detail;
  const to = name === 'transferred' && (target || group) ? ENTRIES.to(target ? agentName(target) : workgroupName(group)) : '';
  const said = detail.comment ?? CAUSES[detail.cause]?.(workgroupName(detail.from_workgroup_id)) ?? (name === 'offer_expired' ? null : detail.reason);
  return html`<p class="entry event"><span>${EVENTS[name]?.(event) ?? spaced(name)}${to}${audit(event)}${typeof said === 'string' && said && html`: <span dir="auto">${unturned(said)}</span>`}</span> <${Time} at=${at} /></p>`;
}

export function Entry({ entry, conversation }) {
  const { kind, at } = entry;
  if (kind === 'day') return html`<p class="entry day"><span>${dayName(at)}</span></p>`;
  if (kind === 'post') return html`<${PostEntry} post=${entry.post} at=${at} conversation=${conversation} />`;
  if (kind === 'reply') return html`<${ReplyEntry} reply=${entry.reply} at=${at} conversation=${conversation} />`;
  if (kind === 'note') return html`<${NoteEntry} note=${entry.note} at=${at} />`;
  return isRepeat(entry.event ?? {}) ? null : html`<${EventEntry} event=${entry.event ?? {}} at=${at} />`;
}

export const entryKey = (entry, index) => `${entry.kind}:${entry[entry.kind]?.id ?? `${entry.at}:${index}`}`;
