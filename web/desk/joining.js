// Two conversations of one customer: their posts brought together, sent to a colleague, or set apart again.
import { getAll } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { clockTime, networkName, shortDay, stateName, toMs, unturned } from '../core/format.js';
import { agentName, isMine, isOfferedToMe, isPrivate, isSupervisor } from '../state/store.js';
import { timelineOf } from '../state/timelines.js';
import { ACTIONS, JOINING } from '../texts/en.js';
import { command } from './commands.js';
import { FormButtons, closeDialog } from './dialog.js';
import { openConversation } from './route.js';
import { say } from './toasts.js';

const JOINABLE = ['queued', 'alerting', 'connected', 'held', 'parked'];
const isWithinReach = (conversation) => isMine(conversation) || isOfferedToMe(conversation) || conversation.state === 'queued';

/** What may be done with another conversation of the customer, or why nothing: a reply must reach the right place. */
function wayTo(here, other) {
  if (isPrivate(here) !== isPrivate(other)) return { whyNot: JOINING.differs.visibility };
  if (here.network !== other.network) return { whyNot: JOINING.differs.network };
  const supervises = isSupervisor.value;
  if (supervises || (isMine(here) && isWithinReach(other))) return { name: 'merge', from: other, to: here, body: { into: here.id }, says: JOINING.bring };
  if (isMine(other) && isWithinReach(here)) return { name: 'merge', from: here, to: other, body: { into: other.id }, says: JOINING.send };
  if (other.agent_id && isWithinReach(here)) return { name: 'forward', from: here, to: other, body: { conversation_id: other.id }, says: JOINING.forward(agentName(other.agent_id)) };
  return { whyNot: JOINING.notYours };
}

/** The customer's other open conversations, newest first; null while they are read. */
function useOthers(conversation) {
  const [rows, setRows] = useState(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let isCurrent = true;
    const path = `/conversations?customer_id=${encodeURIComponent(conversation.customer.id)}`;
    getAll(path, { pages: 3 }).then((all) => isCurrent && setRows(all), (refusal) => isCurrent && setProblem(refusal.message));
    return () => { isCurrent = false; };
  }, [conversation.id]);
  const open = rows?.filter(({ id, state }) => id !== conversation.id && JOINABLE.includes(state));
  return { others: open?.toSorted((a, b) => toMs(b.last_post_at) - toMs(a.last_post_at)) ?? null, problem };
}

function Other({ other, way, isChosen, onChoose, isFirst }) {
  const holder = other.agent_id ? `, ${agentName(other.agent_id)}` : '';
  return html`
    <label class="choice"><input type="radio" name="other" data-first=${isFirst || undefined} disabled=${Boolean(way.whyNot)} checked=${isChosen} onChange=${onChoose} />
      <span><bdi dir="auto">${unturned(other.preview) || JOINING.noWords}</bdi><br />
        <span class="hint">${shortDay(other.created_at)} ${clockTime(other.created_at)}, ${networkName(other.network)}, ${stateName(other.state)}${holder}${way.whyNot ? `: ${way.whyNot}` : ''}</span></span></label>`;
}

export function MergeForm({ conversation }) {
  const { others, problem } = useOthers(conversation);
  const [chosenId, choose] = useState(null);
  const [comment, setComment] = useState('');
  const ways = new Map(others?.map((other) => [other.id, wayTo(conversation, other)]));
  const able = others?.filter(({ id }) => !ways.get(id).whyNot) ?? [];
  const way = ways.get(chosenId ?? (able.length === 1 ? able[0].id : null));
  const submit = async (event) => {
    event.preventDefault();
    closeDialog();
    const body = { ...way.body, ...(comment ? { comment } : {}) };
    const merged = await command(way.from.id, way.name, { body, what: ACTIONS.merge });
    if (merged && way.to.id !== conversation.id) openConversation(way.to.id);
  };
  return html`
    <form onSubmit=${submit}>
      <p>${JOINING.about}</p>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      ${!others && !problem && html`<p class="hint" role="status">${JOINING.reading}</p>`}
      ${others?.length === 0 && html`<p class="hint">${JOINING.none}</p>`}
      <fieldset class="choices"><legend class="unseen">${JOINING.others}</legend>${others?.map((other) => html`
        <${Other} key=${other.id} other=${other} way=${ways.get(other.id)} isFirst=${other === able[0]} isChosen=${way !== undefined && (way.from === other || way.to === other)} onChoose=${() => choose(other.id)} />`)}</fieldset>
      <label class="field">${JOINING.comment} <input maxlength="2000" value=${comment} onInput=${(event) => setComment(event.currentTarget.value)} /></label>
      <p class="hint" role="status">${way?.says ?? ''} ${way ? JOINING.undo : ''}</p>
      <${FormButtons} submit=${way?.name === 'forward' ? JOINING.submitForward : JOINING.submit} disabled=${!way || Boolean(way.whyNot)} />
    </form>`;
}

export function SplitForm({ conversation }) {
  const [chosen, setChosen] = useState([]);
  const posts = timelineOf(conversation.id).value.entries.filter(({ kind, post }) => kind === 'post' && !post.is_own).map(({ post }) => post);
  const isAll = chosen.length === posts.length;
  const turn = (id) => setChosen(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id]);
  const submit = async (event) => {
    event.preventDefault();
    closeDialog();
    const made = await command(conversation.id, 'split', { body: { post_ids: chosen }, what: ACTIONS.split });
    if (made) say({ title: JOINING.isSplit(chosen.length), detail: JOINING.waitsForYou, kind: 'note' });
  };
  return html`
    <form onSubmit=${submit}>
      <p>${JOINING.splitAbout}</p>
      <fieldset class="choices"><legend class="unseen">${JOINING.posts}</legend>${posts.map((post, index) => html`
        <label key=${post.id} class="choice"><input type="checkbox" data-first=${index === 0 || undefined} checked=${chosen.includes(post.id)} onChange=${() => turn(post.id)} />
          <span><bdi dir="auto">${unturned(post.text).slice(0, 120) || JOINING.noWords}</bdi> <span class="hint">${clockTime(post.created_at)}</span></span></label>`)}</fieldset>
      <p class="hint" role="status">${posts.length < 2 ? JOINING.onlyOne : isAll ? JOINING.leaveOne : ''}</p>
      <${FormButtons} submit=${ACTIONS.split} disabled=${!chosen.length || isAll} />
    </form>`;
}
