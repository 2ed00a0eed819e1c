// Who works in a workgroup and what brings it conversations: both are changed at once, without saving.
import { put, remove } from '../core/api.js';
import { html, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { statusName } from '../core/format.js';
import { FORM, PANELS, SAVING } from '../texts/en_administration.js';
import { hrefOf } from './guard.js';
import { Picker } from './picker.js';
import { pathOf, readRow, rowsOf } from './rows.js';

const memberPath = (row, id) => `${pathOf('workgroups', row.id)}/members/${encodeURIComponent(id)}`;

export function MembersPanel({ row }) {
  const [problem, setProblem] = useState('');
  const agents = rowsOf('agents');
  const members = agents.filter((agent) => agent.workgroups.includes(row.id));
  const others = agents.filter((agent) => !agent.workgroups.includes(row.id)).map(({ id, name, username }) => ({ id, name, about: username }));
  const change = async (call, id) => {
    setProblem('');
    try {
      await call();
      await readRow('agents', id);
    } catch (refusal) {
      setProblem(refusal.status ? refusal.detail : SAVING.unreachable);
    }
  };
  return html`
    <section class="panel" aria-labelledby="members"><h3 id="members">${PANELS.members(members.length)}</h3>
      <p class="hint">${PANELS.membersHint}</p>
      <ul class="lines">${members.map((agent) => html`<li key=${agent.id}><a href=${hrefOf('agents', agent.id)}><bdi>${agent.name}</bdi></a><span class="hint">${statusName(agent.routing_status)}</span>
        <button type="button" class="quiet icon" aria-label=${FORM.removeOne(agent.name)} onClick=${() => change(() => remove(memberPath(row, agent.id)), agent.id)}><${Icon} name="cross" /></button></li>`)}</ul>
      ${agents.length === 0 ? html`<p><a href=${hrefOf('agents', 'new')}>${PANELS.firstAgent}</a></p>`
        : html`<${Picker} attributes=${{ id: 'new-member', 'aria-label': PANELS.addMember }} options=${others} placeholder=${PANELS.addMember} onChoose=${({ id }) => change(() => put(memberPath(row, id), {}), id)} />`}
      <p class="mistakes" role="alert">${problem}</p>
      <h3>${PANELS.bringing}</h3>
      <${Bringing} row=${row} />
    </section>`;
}

function Bringing({ row }) {
  const channels = rowsOf('channels').filter((channel) => channel.workgroup_id === row.id);
  if (!channels.length) return html`<p class="hint">${PANELS.noChannel} <a href=${hrefOf('channels', 'new')}>${PANELS.newChannel}</a></p>`;
  return html`<ul class="lines">${channels.map((channel) => html`<li key=${channel.id}><a href=${hrefOf('channels', channel.id)}><bdi>${channel.name}</bdi></a></li>`)}</ul>`;
}
