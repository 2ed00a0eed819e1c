// The middle: who it is, what was said, and what can be done now.
import { now } from '../core/clock.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { customerName, roughSpan, span, stateName, toMs } from '../core/format.js';
import { reread } from '../state/live.js';
import { see } from '../state/seen.js';
import { agentName, conversations, hasLoaded, isMine, isOpen, mine, waiting, waitsSince } from '../state/store.js';
import { timelineOf, touchTimeline, watchTimeline, withDays } from '../state/timelines.js';
import { DESK, THREAD } from '../texts/en.js';
import { actionsFor } from './actions.js';
import { underway } from './commands.js';
import { Audience } from './audience.js';
import { Composer } from './composer.js';
import { Consultation, MergedInto } from './consultation.js';
import { Deadline } from './deadline.js';
import { Entry, UnsentEntry, entryKey } from './entries.js';
import { keyHint } from './key_table.js';
import { Menu } from './menu.js';
import { usePresence } from './onlookers.js';
import { unsentOf } from './outbox.js';
import { pane, route } from './route.js';
import { WrapUp } from './wrapup.js';

const SINCE = { queued: 'queued_at', alerting: 'offered_at', connected: 'connected_at', held: 'held_at', completed: 'ended_at', discarded: 'ended_at', wrapup: 'ended_at' };

function Lapse({ conversation }) {
  const left = toMs(conversation.affinity_until) - now.value;
  if (conversation.state !== 'connected' || conversation.unanswered_count > 0 || !(left > 0)) return null;
  return html`<span class="hint" title=${THREAD.lapseHint}>${THREAD.lapse(roughSpan(left))}</span>`;
}

function Head({ conversation }) {
  const { state } = conversation;
  const holder = state === 'alerting' ? conversation.offer?.agent_id : conversation.agent_id;
  return html`
    <header class="thread-head">
      <button type="button" class="quiet icon only-phone" aria-label=${THREAD.toList} onClick=${() => { pane.value = 'list'; }}><${Icon} name="back" /></button>
      <div class="thread-title"><h1><bdi>${customerName(conversation.customer)}</bdi></h1><${Audience} conversation=${conversation} /></div>
      <div class="thread-facts">
        <span class="state ${state}">${stateName(state)}</span>
        ${isOpen(conversation) && html`<time>${span(now.value - toMs(conversation[SINCE[state]] ?? conversation.created_at))}</time>`}
        ${holder && !isMine(conversation) && html`<span class="hint">${state === 'alerting' ? THREAD.offeredTo : THREAD.with} <bdi>${agentName(holder)}</bdi></span>`}
        ${isMine(conversation) && state === 'connected' && conversation.unanswered_count > 0 && html`<span class="hint not-phone">${THREAD.waits}</span>`}
        ${waitsSince(conversation) !== null && html`<${Deadline} conversation=${conversation} />`}
        <${Lapse} conversation=${conversation} />
      </div>
      <button type="button" class="quiet icon not-wide" aria-label=${THREAD.about} onClick=${() => { pane.value = pane.value === 'person' ? 'thread' : 'person'; }}><${Icon} name="person" /></button>
    </header>`;
}

const NEAR_END_PX = 80;

function Log({ conversation, timeline }) {
  const log = useRef(null);
  const isAtEnd = useRef(true);
  const [hasMore, setMore] = useState(false);
  const unsent = unsentOf(conversation.id, timeline.entries);
  const entries = withDays(timeline.entries);
  const toEnd = () => { if (log.current) log.current.scrollTop = log.current.scrollHeight; };
  useLayoutEffect(() => {
    if (!timeline.entries.length && !unsent.length) return;
    if (isAtEnd.current) toEnd();
    else setMore(true);
  }, [timeline.entries.length, unsent.length]);
  // The composer grows with its words, and entries with what can be done: what was said last stays in sight.
  useEffect(() => {
    const follow = () => { if (log.current && isAtEnd.current) toEnd(); };
    const observer = new ResizeObserver(() => requestAnimationFrame(follow));
    for (const element of [log.current, ...log.current.children]) observer.observe(element);
    return () => observer.disconnect();
  }, [timeline.entries.length, unsent.length]);
  const onScroll = () => {
    const { scrollHeight, scrollTop, clientHeight } = log.current;
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (isAtEnd.current) setMore(false);
  };
  return html`
    <div class="log-frame">
      <div class="log" ref=${log} role="log" aria-label=${THREAD.said} tabindex="0" onScroll=${onScroll}>
        ${timeline.state === 'reading' && html`<div class="skeleton tall" aria-hidden="true"></div>`}
        ${timeline.state === 'failed' && html`<p class="empty">${THREAD.unreadable(timeline.problem.message)}
          <button type="button" class="small" onClick=${() => touchTimeline(conversation.id)}>${DESK.tryAgain}</button></p>`}
        ${entries.map((entry, index) => html`<${Entry} key=${entryKey(entry, index)} entry=${entry} conversation=${conversation} />`)}
        ${unsent.map((entry) => html`<${UnsentEntry} key=${entry.key} entry=${entry} />`)}
      </div>
      ${hasMore && html`<button type="button" class="small more" onClick=${toEnd}>${THREAD.below} <${Icon} name="down" /></button>`}
    </div>`;
}

function ActionBar({ conversation }) {
  const all = actionsFor(conversation);
  const actions = all.filter((action) => !action.isMore);
  const more = all.filter((action) => action.isMore).map(({ label, run }) => ({ label, run: () => run(conversation) }));
  if (!all.length) return null;
  return html`
    <div class="actions" role="toolbar" aria-label=${THREAD.actions}>${actions.map(({ name, label, icon, kind, run }) => html`
      <button type="button" key=${name} class="${kind ?? ''} act-${name}" disabled=${underway.value.has(`${conversation.id}:${name}`)} onClick=${() => run(conversation)}>
        <${Icon} name=${icon} />${label}${keyHint(name === 'resume' || name === 'unpark' ? 'hold' : name) && html`<kbd>${keyHint(name === 'resume' || name === 'unpark' ? 'hold' : name)}</kbd>`}</button>`)}
      ${more.length > 0 && html`<${Menu} kind="at-right" title=${THREAD.more} label=${html`${THREAD.more} <${Icon} name="down" />`} choices=${more} />`}
    </div>`;
}

function Ending({ conversation }) {
  if (isOpen(conversation) || conversation.state === 'merged') return null;
  const by = THREAD.endedBy[conversation.ended_by];
  return html`<p class="ending">${THREAD.ended} ${conversation.ended_by ? by ?? html`${THREAD.by} <bdi>${agentName(conversation.ended_by)}</bdi>` : ''}${conversation.wrap_up_code ? html`, ${THREAD.wrapUp} <b dir="auto">${conversation.wrap_up_code}</b>` : ''}.
    ${THREAD.goesOn}</p>`;
}

function Teaching() {
  const lines = mine.value.length ? THREAD.choose(keyHint('next'))
    : waiting.value.length ? THREAD.nothingOpen
      : THREAD.nothing;
  return html`<div class="teaching"><p>${lines}</p><p class="hint">${THREAD.teach} <kbd>${keyHint('help') || '?'}</kbd> ${THREAD.teachKeys} <kbd>Ctrl K</kbd> ${THREAD.teachPalette}</p></div>`;
}

/** Reads a conversation that this page was not told of, such as an old one from the history. */
function useKnown(id) {
  const [problem, setProblem] = useState(null);
  const conversation = conversations.get(id);
  useEffect(() => {
    setProblem(null);
    if (!conversation && hasLoaded.value) reread(id).catch(setProblem);
  }, [id, Boolean(conversation), hasLoaded.value]);
  return { conversation, problem };
}

/** What is shown to somebody who looks is no longer new. */
function useSeeing(conversation) {
  useEffect(() => {
    const look = () => { if (conversation && isMine(conversation) && !document.hidden) see(conversation); };
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [conversation?.id, conversation?.post_count]);
}

function OpenThread({ id }) {
  const { conversation, problem } = useKnown(id);
  useSeeing(conversation);
  useEffect(() => watchTimeline(id), [id]);
  usePresence(id);
  if (problem) return html`<div class="teaching"><p>${THREAD.hidden(problem.status === 404 ? THREAD.notVisible : problem.message)}</p></div>`;
  if (!conversation) return html`<div class="log"><div class="skeleton tall"></div></div>`;
  const timeline = timelineOf(id).value;
  return html`
    <${Head} conversation=${conversation} /><${Consultation} conversation=${conversation} />
    <${Log} conversation=${conversation} timeline=${timeline} />
    ${isMine(conversation) && conversation.state === 'wrapup' && html`<${WrapUp} conversation=${conversation} />`}
    <${Ending} conversation=${conversation} /><${MergedInto} conversation=${conversation} />
    <${Composer} conversation=${conversation} />
    <${ActionBar} conversation=${conversation} />`;
}

export function Thread() {
  const { id } = route.value;
  return html`<section class="thread" tabindex="-1" aria-label=${THREAD.label}>${id ? html`<${OpenThread} key=${id} id=${id} />` : html`<${Teaching} />`}</section>`;
}
