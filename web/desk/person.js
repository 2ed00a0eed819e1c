// The right column: the person, what was before, why it came here.
import { getAll } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { locale } from '../core/language.js';
import { customerName, networkName, shortDay, stateName, toMs, unturned, wholeTime } from '../core/format.js';
import { channelName, conversations, isSupervisor, workgroupName } from '../state/store.js';
import { lastWords, timelineOf } from '../state/timelines.js';
import { PERSON, THREAD } from '../texts/en.js';
import { Later } from './later.js';
import { hrefOf, openConversation, pane, route } from './route.js';
import { OutLink } from './words.js';

const SHOWN = 8;

function Fact({ name, children }) {
  return children ? html`<div class="fact"><dt>${name}</dt><dd>${children}</dd></div>` : null;
}

function About({ conversation }) {
  const { customer = {} } = conversation;
  const author = lastWords(timelineOf(conversation.id).value.entries)?.author ?? {};
  return html`
    <section><h1><bdi>${customerName(customer)}</bdi></h1>
      ${customer.name && html`<p><bdi dir="auto">${unturned(customer.name)}</bdi></p>`}
      <dl><${Fact} name=${PERSON.on}>${networkName(conversation.network)}</${Fact}>
        <${Fact} name=${PERSON.followers}>${author.followers?.toLocaleString(locale)}</${Fact}>
        <${Fact} name=${PERSON.language}>${author.language}</${Fact}>
        <${Fact} name=${PERSON.place}>${author.location && html`<bdi dir="auto">${unturned(author.location)}</bdi>`}</${Fact}></dl>
    </section>`;
}

function History({ conversation }) {
  const [earlier, setEarlier] = useState(null);
  const customerId = conversation.customer?.id;
  useEffect(() => {
    let isCurrent = true;
    const take = (rows) => isCurrent && setEarlier(rows);
    if (customerId) getAll(`/conversations?customer_id=${encodeURIComponent(customerId)}`, { pages: 1 }).then(take, () => take([]));
    return () => { isCurrent = false; };
  }, [customerId, conversation.id]);
  const rows = (earlier ?? []).filter((other) => other.id !== conversation.id).sort((a, b) => toMs(b.created_at) - toMs(a.created_at)).slice(0, SHOWN);
  return html`
    <section><h2>${PERSON.history}</h2>
      ${earlier && rows.length === 0 && html`<p class="hint">${PERSON.first}</p>`}
      <ul class="history">${rows.map((other) => html`
        <li key=${other.id}><a href=${hrefOf({ id: other.id })} onClick=${(event) => { event.preventDefault(); conversations.put(other); openConversation(other.id); }}>
          <time title=${wholeTime(other.created_at)}>${shortDay(other.created_at)}</time>
          <span dir="auto">${other.wrap_up_code || networkName(other.network)}</span><span class="hint">${stateName(other.state)}</span></a></li>`)}</ul>
    </section>`;
}

function Facts({ conversation }) {
  const skills = (conversation.required_skills ?? []).map((need) => (typeof need === 'string' ? need : `${need.skill}${need.min_proficiency ? ` ≥ ${need.min_proficiency}` : ''}`));
  const link = (id, words) => id && html`<a href=${hrefOf({ id })}>${words}</a>`;
  return html`
    <section><h2>${PERSON.conversation}</h2>
      <dl><${Fact} name=${PERSON.workgroup}><bdi>${workgroupName(conversation.workgroup_id)}</bdi></${Fact}>
        <${Fact} name=${PERSON.channel}><bdi>${channelName(conversation.channel_id)}</bdi></${Fact}>
        <${Fact} name=${PERSON.priority}>${conversation.priority}</${Fact}><${Fact} name=${PERSON.skills}>${skills.join(', ')}</${Fact}>
        <${Fact} name=${PERSON.opened}>${wholeTime(conversation.created_at)}</${Fact}>
        <${Fact} name=${PERSON.posts}>${conversation.post_count}</${Fact}>
        <${Fact} name=${PERSON.continues}>${link(conversation.continues, PERSON.earlier)}</${Fact}>
        <${Fact} name=${PERSON.continuedBy}>${link(conversation.continued_by, PERSON.later)}</${Fact}>
        ${isSupervisor.value && conversation.workflow?.url && html`<${Fact} name=${PERSON.workflow}><${OutLink} url=${conversation.workflow.url}>${PERSON.temporal} <${Icon} name="link" /></${OutLink}></${Fact}>`}</dl>
    </section>`;
}

export function Person() {
  const conversation = route.value.id ? conversations.get(route.value.id) : null;
  return html`
    <section class="right" tabindex="0" aria-label=${THREAD.about}>
      <button type="button" class="quiet icon only-phone" aria-label=${PERSON.back} onClick=${() => { pane.value = 'thread'; }}><${Icon} name="back" /></button>
      ${conversation && html`<${About} conversation=${conversation} /><${History} conversation=${conversation} /><${Later} name="Why" conversation=${conversation} /><${Facts} conversation=${conversation} />`}
    </section>`;
}
