// Whom to give conversations to: workgroups first, then agents with their load; over the limit only when it is said, with a reason.
import { html, useEffect, useState } from '../core/html.js';
import { statusName } from '../core/format.js';
import { staff, workgroups } from '../state/store.js';
import { BULK } from '../texts/en_floor.js';

const MOST_SHOWN = 60;

function targets() {
  const groups = workgroups.all().map(({ id, name }) => ({ key: `w:${id}`, name, about: BULK.workgroup, body: { workgroup_id: id } }));
  const people = staff.value
    .toSorted((a, b) => Number(b.routing_status === 'on_queue') - Number(a.routing_status === 'on_queue') || (a.utilization_percent ?? 0) - (b.utilization_percent ?? 0))
    .map((agent) => ({
      key: `a:${agent.id}`, name: agent.name || agent.username || agent.id, body: { agent_id: agent.id },
      about: BULK.load(statusName(agent.routing_status), agent.utilization_percent ?? 0),
    }));
  return [...groups, ...people];
}

/** Tells the body of the transfer, or null while it is not complete. */
export function Target({ conversations, onTarget }) {
  const [search, setSearch] = useState('');
  const [key, setKey] = useState(null);
  const [isOver, setOver] = useState(false);
  const [comment, setComment] = useState('');
  const holders = new Set(conversations.map(({ agent_id: id }) => id));
  const found = targets().filter(({ name, body }) => name.toLowerCase().includes(search.toLowerCase()) && !(conversations.length === 1 && holders.has(body.agent_id)));
  const target = found.find((one) => one.key === key) ?? (search && found.length === 1 ? found[0] : null);
  const isOverride = isOver && Boolean(target?.body.agent_id);
  const said = comment.trim();
  useEffect(() => {
    const body = target && { ...target.body, ...(said ? { comment: said } : {}), ...(isOverride ? { override_capacity: true } : {}) };
    onTarget(isOverride && !said ? null : body);
  }, [target?.key, said, isOverride]);
  return html`
    <label class="field">${BULK.to} <input type="search" data-first placeholder=${BULK.target} value=${search} onInput=${(event) => setSearch(event.currentTarget.value)} /></label>
    <fieldset class="choices"><legend class="unseen">${BULK.to}</legend>
      ${found.length === 0 && html`<p class="hint">${BULK.nobody}</p>`}
      ${found.slice(0, MOST_SHOWN).map(({ key: one, name, about }) => html`
        <label key=${one} class="choice"><input type="radio" name="target" checked=${target?.key === one} onChange=${() => setKey(one)} /><bdi>${name}</bdi><span class="hint">${about}</span></label>`)}
    </fieldset>
    ${target?.body.agent_id && html`
      <label class="choice"><input type="checkbox" checked=${isOver} onChange=${(event) => setOver(event.currentTarget.checked)} />${BULK.override}</label>
      ${isOver && html`<p class="hint">${BULK.overrideHint}</p>`}`}
    <label class="field">${isOverride ? BULK.overrideReason : BULK.comment} <input required=${isOverride} value=${comment} onInput=${(event) => setComment(event.currentTarget.value)} /></label>`;
}
