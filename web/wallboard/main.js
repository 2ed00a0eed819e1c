// The wallboard: six numbers and one tile per workgroup, readable from eight metres, without anybody's name.
import { wearWords } from './language.js';
import { get, getAll } from '../core/api.js';
import { now, serverNow } from '../core/clock.js';
import { html, render, signal } from '../core/html.js';
import { nextTheme, wearPreferences } from '../core/settings.js';
import { clockSeconds, span } from '../core/format.js';
import { everySecond, startTicker } from '../core/ticker.js';
import { goLive, whenEvent } from '../state/live.js';
import { agents, connection, conversations, hasLoaded, session } from '../state/store.js';
import { WALLBOARD } from '../texts/en_wallboard.js';
import { boardOf, levelWord, notePickUp } from './figures.js';
import { Trend, sample } from './trend.js';

const OLD_AFTER_MS = 5000;
const POLL_EVERY_S = 2;
const ASK_AGAIN_MS = 4000;
/** The newest moment at which everything shown was true. */
const trueAt = signal(0);

function Figure({ name, value, label, beside, level = '', word = levelWord(level), target = null }) {
  return html`
    <section class="figure ${level}" aria-label=${label}>
      <h2>${label}</h2>
      <p class="value"><b>${value ?? '–'}</b><span class="beside">${word && html`<strong>${word}</strong>`}${beside}</span></p>
      <${Trend} name=${name} nowMs=${now.value} target=${target} />
    </section>`;
}

function inTimeLevel({ percent, target }) {
  if (percent === null || target === null) return '';
  return percent >= target ? 'ok' : 'late';
}

function Figures({ board }) {
  const { inTime, staff } = board;
  const target_ms = board.target_s ? board.target_s * 1000 : null;
  return html`
    <div class="figures">
      <${Figure} name="waiting" label=${WALLBOARD.waiting} value=${board.waiting} beside=${WALLBOARD.alerting(board.alerting)} />
      <${Figure} name="longest" label=${WALLBOARD.longestWaiting} value=${board.longestWaiting_ms === null ? null : span(board.longestWaiting_ms)} level=${board.level}
        beside=${target_ms && html`<span>${WALLBOARD.target(span(target_ms))}</span>`} target=${target_ms} />
      <${Figure} name="inTime" label=${WALLBOARD.inTime} value=${inTime.percent === null ? null : WALLBOARD.percent(inTime.percent)} level=${inTimeLevel(inTime)} word=${WALLBOARD.inTimeLevels[inTimeLevel(inTime)] ?? ''}
        beside=${inTime.target ? html`<span>${WALLBOARD.target(WALLBOARD.percent(inTime.target))}</span>` : WALLBOARD.noPickUp} target=${inTime.target} />
      <${Figure} name="connected" label=${WALLBOARD.withAgents} value=${board.connected} beside=${board.longestConnected_ms !== null && html`<span>${WALLBOARD.longestIs(span(board.longestConnected_ms))}</span>`} />
      <${Figure} name="onQueue" label=${WALLBOARD.onQueue} value=${staff.onQueue} level=${staff.notResponding ? 'soon' : ''}
        word=${staff.notResponding ? WALLBOARD.notResponding(staff.notResponding) : ''} beside=${html`<span>${WALLBOARD.of(staff.total)}</span>`} />
      <${Figure} name="load" label=${WALLBOARD.load} value=${staff.load === null ? null : WALLBOARD.percent(staff.load)} beside=${WALLBOARD.of(WALLBOARD.percent(100))} target=${100} />
    </div>`;
}

function Tile({ group }) {
  const word = levelWord(group.level) || (group.waiting || group.alerting ? WALLBOARD.noTarget : WALLBOARD.nobody);
  return html`
    <section class="tile ${group.level}" aria-label=${group.name}>
      <h2><bdi>${group.name}</bdi><strong>${word}</strong></h2>
      <dl><div><dt>${WALLBOARD.tile.waiting}</dt><dd>${group.waiting}</dd></div><div><dt>${WALLBOARD.tile.longest}</dt><dd>${group.longestWaiting_ms === null ? '–' : span(group.longestWaiting_ms)}</dd></div>
        <div><dt>${WALLBOARD.tile.withAgents}</dt><dd>${group.connected}</dd></div><div><dt>${WALLBOARD.tile.onQueue}</dt><dd>${group.staff.onQueue}</dd></div></dl>
    </section>`;
}


function Clock() {
  const age_ms = now.value - trueAt.value;
  const isOld = trueAt.value ? age_ms > OLD_AFTER_MS : performance.now() > OLD_AFTER_MS;
  const old = trueAt.value ? WALLBOARD.old(span(age_ms)) : WALLBOARD.noData;
  return html`<p class="clock ${isOld ? 'old' : ''}" role="status">${WALLBOARD.asOf} <time>${trueAt.value ? clockSeconds(trueAt.value) : '–'}</time>${isOld && html` <strong>${old}</strong>`}</p>`;
}

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
}

function Board() {
  const board = boardOf(now.value);
  return html`
    <header><h1>Parley</h1><${Clock} /><button type="button" class="quiet" onClick=${nextTheme}>${WALLBOARD.theme}</button><button type="button" class="quiet" onClick=${toggleFullScreen}>${WALLBOARD.fullScreen}</button></header>
    <${Figures} board=${board} />
    <div class="tiles">${board.groups.map((group) => html`<${Tile} key=${group.id} group=${group} />`)}
      ${hasLoaded.value && board.groups.length === 0 && html`<p class="hint">${WALLBOARD.noGroup}</p>`}</div>`;
}

function Outside() {
  if (session.value === undefined) return null;
  return html`<div class="outside"><h1>${WALLBOARD.title}</h1><p>${WALLBOARD.nobodyIn} <a href="/">${WALLBOARD.logIn}</a>${WALLBOARD.thenStarts}</p></div>`;
}

const App = () => html`<main class="board">${session.value ? html`<${Board} />` : html`<${Outside} />`}</main>`;

/** Agents' load has no event of its own; asking for it also shows that the server is there. */
async function poll() {
  try {
    agents.replaceAll(await getAll('/agents'));
  } catch (problem) {
    if (problem.status !== 403) return;
  }
  if (connection.value === 'live' && hasLoaded.value) trueAt.value = serverNow();
}

let second = 0;

function passSecond() {
  if (!session.value) return;
  second += 1;
  if (second % POLL_EVERY_S === 0) poll();
  if (!hasLoaded.value) return;
  const board = boardOf(now.value);
  sample(now.value, {
    waiting: board.waiting, longest: board.longestWaiting_ms ?? 0, inTime: board.inTime.percent, connected: board.connected,
    onQueue: board.staff.onQueue, load: board.staff.load,
  });
}

async function enter() {
  try {
    const found = await get('/session');
    session.value = found?.principal ? found : null;
  } catch {
    session.value = null;
  }
  if (!session.value) {
    setTimeout(enter, ASK_AGAIN_MS);
    return;
  }
  goLive({ everything: true });
}

wearWords();
wearPreferences();
startTicker();
everySecond(passSecond);
whenEvent((event) => { if (event.type === 'conversation.connected') notePickUp(event.conversation); });
hasLoaded.subscribe((isLoaded) => {
  if (!isLoaded) return;
  for (const conversation of conversations.rows.values()) notePickUp(conversation);
  poll();
});
render(html`<${App} />`, document.getElementById('app'));
enter();
