// The day as lines: what came and what became of it, how much was in time, how long it took.
import { clockTime, span } from '../core/format.js';
import { html, useEffect, useRef } from '../core/html.js';
import { preferences } from '../core/settings.js';
import { WALLBOARD } from '../texts/en_wallboard.js';
import uPlot from '../vendor/uplot.js';
import { columnsOf } from './day.js';

const HEIGHT_PX = 150;
const AXIS_PX = 46;
const HOURS_PX = 26;
const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400];

/** What a colour of the sheet comes to in the theme that is worn: a canvas knows neither variables nor light-dark(). */
function colour(name) {
  const probe = document.body.appendChild(document.createElement('span'));
  probe.style.color = `var(${name})`;
  const worn = getComputedStyle(probe).color;
  probe.remove();
  return worn;
}

const seconds = (value) => (value === null || value === undefined ? '–' : span(value * 1000));
const whole = (value) => (value === null || value === undefined ? '–' : String(Math.round(value)));

const CHARTS = [
  { title: WALLBOARD.day.counts, said: whole, lines: [['offered', '--accent'], ['answered', '--green'], ['abandoned', '--red']] },
  { title: WALLBOARD.day.level, said: (value) => (value === null || value === undefined ? '–' : WALLBOARD.percent(Math.round(value))), lines: [['percent', '--accent']], range: [0, 100], steps: [25, 50, 100] },
  { title: WALLBOARD.day.times, said: seconds, lines: [['speed_s', '--accent'], ['longest_s', '--amber']] },
];

function optionsOf({ lines, said, range, steps = STEPS }, width) {
  const axis = { stroke: colour('--soft'), grid: { stroke: colour('--hairline'), width: 1 }, ticks: { show: false }, font: '12px system-ui' };
  return {
    width, height: HEIGHT_PX, cursor: { show: false }, legend: { show: false },
    scales: { x: { time: true }, y: range ? { range } : { range: (_plot, _low, high) => [0, Math.max(1, (high ?? 1) * 1.1)] } },
    axes: [
      { ...axis, values: (_plot, ticks) => ticks.map((at) => clockTime(at * 1000)), space: 70, size: HOURS_PX },
      { ...axis, size: AXIS_PX, values: (_plot, ticks) => ticks.map(said), space: 34, incrs: steps },
    ],
    series: [{}, ...lines.map(([, name], index) => ({ stroke: colour(name), width: 2, dash: index === 0 ? undefined : [index * 6, 4], points: { show: true, size: 5 }, spanGaps: false }))],
  };
}

function Chart({ chart, columns }) {
  const frame = useRef(null);
  const data = [columns.at, ...chart.lines.map(([name]) => columns[name])];
  const { theme } = preferences.value;
  useEffect(() => {
    const plot = new uPlot(optionsOf(chart, frame.current.clientWidth), data, frame.current);
    const observer = new ResizeObserver(() => plot.setSize({ width: frame.current?.clientWidth ?? 0, height: HEIGHT_PX }));
    observer.observe(frame.current);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [columns, theme]);
  const last = chart.lines.map(([name]) => `${WALLBOARD.day.names[name]} ${chart.said(columns[name].at(-1))}`).join(', ');
  return html`
    <figure class="chart"><figcaption>${chart.title}<span class="keys">${chart.lines.map(([name, shade]) => html`
        <span key=${name} class="key key${shade}">${WALLBOARD.day.names[name]}</span>`)}</span></figcaption>
      <div ref=${frame} role="img" aria-label=${WALLBOARD.day.lastQuarter(chart.title, last)}></div></figure>`;
}

export function Lines({ items }) {
  const columns = columnsOf(items);
  if (!columns.at.length) return null;
  return html`<section class="lines" aria-label=${WALLBOARD.day.title}>${CHARTS.map((chart) => html`<${Chart} key=${chart.title} chart=${chart} columns=${columns} />`)}</section>`;
}
