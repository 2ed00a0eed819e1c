// The wallboard: six numbers, one tile per workgroup, the day as lines and who is there; readable from eight metres, and without names unless they are wanted.
import { wearWords } from './language.js';
import { get } from '../core/api.js';
import { now } from '../core/clock.js';
import { html, render, signal, useEffect, useState } from '../core/html.js';
import { nextTheme, wearPreferences } from '../core/settings.js';
import { clockSeconds, span } from '../core/format.js';
import { startTicker } from '../core/ticker.js';
import { DialogHost } from '../desk/dialog.js';
import { Toasts } from '../desk/toasts.js';
import { WALLBOARD } from '../texts/en_wallboard.js';
import { token } from './address.js';
import { Crew } from './crew.js';
import { boardOf } from './figures.js';
import { crew, day, floor, startReading, trouble, trueAt } from './readings.js';
import { Tile } from './tile.js';
import { Trend, sample } from './trend.js';

const OLD_AFTER_MS = 5000;
const lines = signal(null);
/** Whether whoever is signed in here may make displays. */
const mayMake = signal(false);

function Figure({ name, value, label, beside, level = '', word = '', target = null }) {
  return html`
    <section class="figure ${level}" aria-label=${label}>
      <h2>${label}</h2>
      <p class="value"><b>${value ?? '–'}</b><span class="beside">${word && html`<strong>${word}</strong>`}${beside}</span></p>
      <${Trend} name=${name} nowMs=${now.value} target=${target} />
    </section>`;
}

const percentOf = (value) => (value === null ? null : WALLBOARD.percent(Math.round(value)));
const Target = ({ children }) => html`<span>${WALLBOARD.target(children)}</span>`;

function Figures({ board }) {
  const { service, staff } = board;
  const target_ms = board.target_s === null ? null : board.target_s * 1000;
  const { levels } = WALLBOARD;
  return html`
    <div class="figures">
      <${Figure} name="waiting" label=${WALLBOARD.waiting} value=${board.waiting} level=${board.waitingLevel} word=${levels.waiting[board.waitingLevel]} target=${board.waitingLimit}
        beside=${html`<span>${WALLBOARD.alerting(board.alerting)}</span><${Target}>${WALLBOARD.atMost(board.waitingLimit)}</${Target}>`} />
      <${Figure} name="longest" label=${WALLBOARD.longestWaiting} value=${board.longestWaiting_ms === null ? null : span(board.longestWaiting_ms)} level=${board.longestLevel} word=${levels.waits[board.longestLevel] || (board.longestWaiting_ms === null ? WALLBOARD.nobody : '')}
        target=${target_ms} beside=${target_ms !== null && html`<${Target}>${WALLBOARD.atMost(span(target_ms))}</${Target}>`} />
      <${Figure} name="service" label=${WALLBOARD.service} value=${percentOf(service.percent)} level=${board.serviceLevel} word=${levels.service[board.serviceLevel]} target=${service.target}
        beside=${service.target === null ? WALLBOARD.nothingCounts : html`<${Target}>${WALLBOARD.atLeast(WALLBOARD.percent(service.target))}</${Target}><span>${WALLBOARD.ofWaits(service.counted)}</span>`} />
      <${Figure} name="active" label=${WALLBOARD.active} value=${board.active} level=${board.talkLevel === 'late' ? 'late' : ''} word=${board.talkLevel === 'late' ? WALLBOARD.long : ''}
        beside=${board.talk_ms !== null && html`<span>${WALLBOARD.longestIs(span(board.talk_ms))}</span>`} />
      <${Figure} name="onQueue" label=${WALLBOARD.onQueue} value=${staff.onQueue} level=${staff.notResponding ? 'soon' : ''} word=${staff.notResponding ? WALLBOARD.notResponding(staff.notResponding) : ''}
        target=${staff.total} beside=${html`<span>${WALLBOARD.of(staff.total)}</span>${staff.draining > 0 && html`<span>${WALLBOARD.draining(staff.draining)}</span>`}`} />
      <${Figure} name="load" label=${WALLBOARD.load} value=${percentOf(staff.load_percent)} level=${board.loadLevel} word=${levels.load[board.loadLevel]} target=${100}
        beside=${WALLBOARD.ofThose(staff.isIn)} />
    </div>`;
}

/** Said once in five seconds at most why nothing newer came. */
function whyOld() {
  const { status } = trouble.value ?? {};
  return WALLBOARD.troubles[status] ?? (status === undefined ? '' : WALLBOARD.troubles.other);
}

const isRefused = () => [401, 403].includes(trouble.value?.status);

// A moment without an answer is no news; that there will be none is.
function Clock() {
  const age_ms = now.value - trueAt.value;
  const isOld = isRefused() || (trueAt.value ? age_ms > OLD_AFTER_MS : performance.now() > OLD_AFTER_MS);
  return html`<p class="clock ${isOld ? 'old' : ''}" role="status">${WALLBOARD.asOf} <time>${trueAt.value ? clockSeconds(trueAt.value) : '–'}</time>${isOld && html` <strong>${trueAt.value ? WALLBOARD.old(span(age_ms)) : WALLBOARD.noData} ${whyOld()}</strong>`}</p>`;
}

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
}

const openDisplays = () => import('./displays.js').then(({ openDisplayDialog }) => openDisplayDialog());

function Board() {
  const board = boardOf(floor.value, crew.value, now.value - trueAt.value);
  const Lines = lines.value;
  return html`
    <header><h1>Parley</h1><${Clock} />
      ${mayMake.value && html`<button type="button" class="quiet" onClick=${openDisplays}>${WALLBOARD.displays}</button>`}
      <button type="button" class="quiet" onClick=${nextTheme}>${WALLBOARD.theme}</button><button type="button" class="quiet" onClick=${toggleFullScreen}>${WALLBOARD.fullScreen}</button></header>
    <${Figures} board=${board} />
    <div class="tiles">${board.tiles.map((tile) => html`<${Tile} key=${tile.id} tile=${tile} />`)}
      ${board.tiles.length === 0 && html`<p class="hint">${WALLBOARD.noGroup}</p>`}</div>
    ${Lines && day.value.length > 0 && html`<${Lines} items=${day.value} />`}
    <${Crew} people=${crew.value} />`;
}

function Outside() {
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), OLD_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!isRefused() && !isSlow) return null;
  return html`
    <div class="outside"><h1>${WALLBOARD.title}</h1>
      ${token || !isRefused() ? html`<p role="alert">${whyOld() || WALLBOARD.noData}</p>` : html`<p>${WALLBOARD.nobodyIn} <a href="/">${WALLBOARD.logIn}</a>${WALLBOARD.thenStarts}</p>`}</div>`;
}

const App = () => html`<main class="board">${floor.value ? html`<${Board} />` : html`<${Outside} />`}</main><${DialogHost} /><${Toasts} />`;

function keepSamples() {
  if (!floor.value) return;
  const board = boardOf(floor.value, crew.value, 0);
  sample(trueAt.value, {
    waiting: board.waiting, longest: board.longestWaiting_ms ?? 0, service: board.service.percent, active: board.active, onQueue: board.staff.onQueue, load: board.staff.load_percent,
  });
}

async function learnRights() {
  if (token) return;
  const { principal } = await get('/session').catch(() => ({}));
  mayMake.value = principal?.roles.some((role) => role === 'supervisor' || role === 'admin') ?? false;
}

wearWords();
wearPreferences();
startTicker();
trueAt.subscribe(keepSamples);
floor.subscribe((groups) => {
  if (!groups || lines.value) return;
  learnRights();
  import('./lines.js').then(({ Lines }) => { lines.value = Lines; }, () => {});
});
render(html`<${App} />`, document.getElementById('app'));
startReading();
