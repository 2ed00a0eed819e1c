// How often conversations ended so in the last thirty days.
import { get } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { PANELS } from '../texts/en_administration.js';
import { nameOf } from './rows.js';

const PERIOD_MS = 30 * 86_400_000;

export function DispositionPanel({ row }) {
  const [counts, setCounts] = useState(null);
  useEffect(() => {
    const [from, to] = [Date.now() - PERIOD_MS, Date.now()].map((ms) => encodeURIComponent(new Date(ms).toISOString()));
    get(`/statistics/dispositions?from=${from}&to=${to}`).then(({ items }) => setCounts(items.filter(({ code }) => code === row.code)), () => setCounts(null));
  }, [row.code]);
  if (!counts) return null;
  const most = Math.max(1, ...counts.map(({ conversations }) => conversations));
  return html`
    <section class="panel" aria-labelledby="counted"><h3 id="counted">${PANELS.counted}</h3>
      ${counts.length === 0 && html`<p class="hint">${PANELS.nothingCounted}</p>`}
      <ul class="lines">${counts.map(({ workgroup_id: id, conversations }) => html`<li key=${id}><bdi>${nameOf('workgroups', id)}</bdi>
        <svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class="ground" width="100" height="6" /><rect class="level" width=${(conversations / most) * 100} height="6" /></svg> ${conversations}</li>`)}</ul>
    </section>`;
}
