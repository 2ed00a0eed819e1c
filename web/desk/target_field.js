// One field that finds workgroups and agents by name; arrows choose, Enter takes what is chosen.
import { html, useState } from '../core/html.js';
import { now } from '../core/clock.js';
import { span, statusName, toMs } from '../core/format.js';
import { staff } from '../state/store.js';
import { FORMS } from '../texts/en.js';

const MOST_SHOWN = 50;
const MOST_KEPT = 5;
/** Whom this page gave something last, newest first. */
let lately = [];

export function remember(key) {
  lately = [key, ...lately.filter((other) => other !== key)].slice(0, MOST_KEPT);
}

const recency = ({ key }) => (lately.includes(key) ? lately.indexOf(key) : MOST_KEPT);
const isOn = (agent) => agent.routing_status === 'on_queue';

/** Agents as choices: those on queue first, then those with the least to do. `whyNot` tells why one cannot be chosen. */
export function agentChoices({ without = [], whyNot = () => '' } = {}) {
  return staff.value
    .filter(({ id }) => !without.includes(id))
    .toSorted((a, b) => isOn(b) - isOn(a) || (a.utilization_percent ?? 0) - (b.utilization_percent ?? 0))
    .map((agent) => ({
      key: `a:${agent.id}`, name: agent.name || agent.username || agent.id, body: { agent_id: agent.id }, whyNot: whyNot(agent),
      about: FORMS.load(statusName(agent.routing_status), span(now.value - toMs(agent.since)), agent.utilization_percent ?? 0),
    }));
}

/** What was typed and what is chosen; typed down to one, that one is chosen. */
export function useTarget(choices) {
  const [search, setSearch] = useState('');
  const [key, choose] = useState(null);
  const words = search.trim().toLowerCase();
  const found = choices.filter(({ name }) => name.toLowerCase().includes(words)).toSorted((a, b) => recency(a) - recency(b)).slice(0, MOST_SHOWN);
  const able = found.filter(({ whyNot }) => !whyNot);
  const target = able.find((one) => one.key === key) ?? (words && able.length === 1 ? able[0] : null);
  const step = (by) => {
    const at = able.indexOf(target);
    if (able.length) choose(able[(at < 0 && by < 0 ? able.length : at) + by]?.key ?? able[by > 0 ? 0 : able.length - 1].key);
  };
  return { search, setSearch, choose, step, found, target };
}

export function TargetField({ picked, label, placeholder, legend }) {
  const { search, setSearch, choose, step, found, target } = picked;
  const onKeyDown = (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    step(by);
  };
  return html`
    <label class="field">${label} <input type="search" data-first placeholder=${placeholder} value=${search} onKeyDown=${onKeyDown}
      onInput=${(event) => setSearch(event.currentTarget.value)} /></label>
    <fieldset class="choices"><legend class="unseen">${legend}</legend>
      ${found.length === 0 && html`<p class="hint">${FORMS.nobody}</p>`}
      ${found.map(({ key, name, about, whyNot }) => html`
        <label key=${key} class="choice"><input type="radio" name="target" disabled=${Boolean(whyNot)} checked=${target?.key === key} onChange=${() => choose(key)} />
          <bdi>${name}</bdi><span class="hint">${whyNot ? `${about}: ${whyNot}` : about}</span></label>`)}
    </fieldset>`;
}
