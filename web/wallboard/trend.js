// The last half hour of each number, sampled here and kept as long as the page is open, drawn as one line.
import { html, signal } from '../core/html.js';

const WINDOW_MS = 30 * 60_000;
const EVERY_MS = 10_000;
const STORE = 'parley.wallboard';
const WIDTH = 300;
const HEIGHT = 40;

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE) ?? '[]');
  } catch {
    return [];
  }
}

const samples = signal(read());

/** `values`: name → number or null. Called often, it keeps one sample every ten seconds. */
export function sample(nowMs, values) {
  const last = samples.value.at(-1);
  if (last && nowMs - last.at < EVERY_MS) return;
  samples.value = [...samples.value.filter(({ at }) => nowMs - at <= WINDOW_MS), { at: nowMs, ...values }];
  try {
    sessionStorage.setItem(STORE, JSON.stringify(samples.value));
  } catch {
    // The line then begins at the next reload.
  }
}

export function Trend({ name, nowMs, target = null }) {
  const points = samples.value.filter((entry) => typeof entry[name] === 'number');
  const top = Math.max(1, target ?? 0, ...points.map((entry) => entry[name]));
  const x = (at) => WIDTH - ((nowMs - at) / WINDOW_MS) * WIDTH;
  const y = (value) => HEIGHT - 2 - (value / top) * (HEIGHT - 4);
  const line = points.map((entry) => `${x(entry.at).toFixed(1)},${y(entry[name]).toFixed(1)}`).join(' ');
  return html`
    <svg class="trend" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <line class="base" x1="0" x2=${WIDTH} y1=${HEIGHT - 1} y2=${HEIGHT - 1} />
      ${target !== null && html`<line class="target" x1="0" x2=${WIDTH} y1=${y(target)} y2=${y(target)} />`}
      <polyline points=${line} />
    </svg>`;
}
