// Who has a skill and what asks for it.
import { html } from '../core/html.js';
import { PANELS, RESOURCES } from '../texts/en_administration.js';
import { hrefOf } from './guard.js';
import { rowsOf } from './rows.js';

const asks = (name, list) => (list ?? []).find(({ skill }) => skill === name);

/** Every place that names the skill: workgroups and their rings, channels, rules. */
function needs(name) {
  const groups = rowsOf('workgroups').flatMap((row) => {
    const [needed, liked] = [asks(name, row.required_skills), asks(name, row.preferred_skills)];
    const rings = row.rings.filter((ring) => ring.drop_skills.includes(name) || asks(name, ring.lower_skills)).length;
    const how = [needed && PANELS.required(needed.min_proficiency), liked && PANELS.preferred(liked.min_proficiency), rings && PANELS.inRings(rings)].filter(Boolean);
    return how.length ? [{ kind: 'workgroups', row, how: how.join(', ') }] : [];
  });
  const channels = rowsOf('channels').flatMap((row) => {
    const [needed, liked] = [asks(name, row.required_skills), asks(name, row.preferred_skills)];
    const how = [needed && PANELS.required(needed.min_proficiency), liked && PANELS.preferred(liked.min_proficiency)].filter(Boolean);
    return how.length ? [{ kind: 'channels', row, how: how.join(', ') }] : [];
  });
  const rules = rowsOf('rules').filter((row) => JSON.stringify(row.rules).includes(JSON.stringify(name))).map((row) => ({ kind: 'rules', row, how: PANELS.inRules }));
  return [...groups, ...channels, ...rules];
}

export function SkillPanel({ row }) {
  const having = rowsOf('agents').flatMap((agent) => agent.skills.filter(({ skill }) => skill === row.name).map(({ proficiency }) => ({ agent, proficiency }))).sort((a, b) => b.proficiency - a.proficiency);
  const needing = needs(row.name);
  return html`
    <section class="panel" aria-labelledby="having"><h3 id="having">${PANELS.having(having.length)}</h3>
      ${having.length === 0 && html`<p class="hint">${needing.length ? PANELS.nobodyHasIt : PANELS.unusedSkill}</p>`}
      <ul class="lines">${having.map(({ agent, proficiency }) => html`<li key=${agent.id}><a href=${hrefOf('agents', agent.id)}><bdi>${agent.name}</bdi></a>
        <svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class="ground" width="100" height="6" /><rect class="level" width=${proficiency} height="6" /></svg> ${proficiency}</li>`)}</ul>
      <h3>${PANELS.needing}</h3>
      ${needing.length === 0 && html`<p class="hint">${PANELS.nothingNeedsIt}</p>`}
      <ul class="lines">${needing.map(({ kind, row: one, how }) => html`<li key=${`${kind}${one.id}`}><a href=${hrefOf(kind, one.id)}><bdi>${one.name ?? RESOURCES[kind].title}</bdi></a> <span class="hint">${how}</span></li>`)}</ul>
      <p class="hint">${PANELS.skillHint}</p>
    </section>`;
}
