// The right column: the person, what was before, why it came here.
import { html, useEffect, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { customerName, wholeTime } from '../core/format.js';
import { channelName, conversations, isSupervisor, workgroupName } from '../state/store.js';
import { PERSON, THREAD } from '../texts/en.js';
import { CustomerCard } from './customer_card.js';
import { History } from './history.js';
import { Later } from './later.js';
import { hrefOf, pane, route } from './route.js';
import { OutLink } from './words.js';

function Fact({ name, children }) {
  return children ? html`<div class="fact"><dt>${name}</dt><dd>${children}</dd></div>` : null;
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

const Name = ({ customer }) => html`<section><h1><bdi>${customerName(customer)}</bdi></h1></section>`;

const RESTS_AFTER_MS = 100;

/** Whether somebody stays there: who only passes does not need all that there is to know. */
function useRest(id) {
  const [rested, setRested] = useState(null);
  useEffect(() => {
    const timer = setTimeout(() => setRested(id), RESTS_AFTER_MS);
    return () => clearTimeout(timer);
  }, [id]);
  return rested === id;
}

export function Person() {
  const conversation = route.value.id ? conversations.get(route.value.id) : null;
  const isResting = useRest(route.value.id);
  return html`
    <section class="right" tabindex="0" aria-label=${THREAD.about}>
      <button type="button" class="quiet icon only-phone" aria-label=${PERSON.back} onClick=${() => { pane.value = 'thread'; }}><${Icon} name="back" /></button>
      ${conversation && !isResting && html`<${Name} customer=${conversation.customer} />`}
      ${conversation && isResting && html`<${CustomerCard} conversation=${conversation} /><${History} conversation=${conversation} /><${Later} name="Why" conversation=${conversation} /><${Facts} conversation=${conversation} />`}
    </section>`;
}
