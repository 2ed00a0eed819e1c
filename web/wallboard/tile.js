// One workgroup.
import { html } from '../core/html.js';
import { span } from '../core/format.js';
import { WALLBOARD } from '../texts/en_wallboard.js';

const spanOr = (value) => (value === null ? '–' : span(value));

function wordOf({ level, waitLevel, percent, target }) {
  if (waitLevel === 'late' || waitLevel === 'soon') return WALLBOARD.levels.waits[waitLevel];
  if (level === 'late') return WALLBOARD.levels.service.late;
  return waitLevel === 'ok' ? WALLBOARD.levels.waits.ok : percent !== null && target !== null ? WALLBOARD.levels.service.ok : WALLBOARD.nobody;
}

export function Tile({ tile }) {
  const { tile: said } = WALLBOARD;
  const facts = [
    [said.waiting, tile.alerting ? said.andAlerting(tile.waiting, tile.alerting) : tile.waiting], [said.longest, spanOr(tile.longestWaiting_ms)],
    [said.active, tile.active], [said.longestTalk, spanOr(tile.longestTalk_ms)],
    [said.service, tile.percent === null ? '–' : WALLBOARD.percent(Math.round(tile.percent))], [said.onQueue, tile.onQueue],
  ];
  return html`
    <section class="tile ${tile.level}" aria-label=${tile.name}>
      <h2><bdi>${tile.name}</bdi><strong>${wordOf(tile)}</strong></h2>
      <dl>${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    </section>`;
}
