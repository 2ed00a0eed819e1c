// The line on top: one's status and load, where one is, everything by name; and below it what must be known at once.
import { now } from '../core/clock.js';
import { Icon } from '../core/icons.js';
import { html } from '../core/html.js';
import { span, statusName, toMs } from '../core/format.js';
import { nextTheme, preferences } from '../core/settings.js';
import { connection, connectionSince, isSupervisor, me, mine, offers, session, waiting } from '../state/store.js';
import { DESK, PREFERENCES } from '../texts/en.js';
import { setStatus } from './commands.js';
import { SessionEnding } from './ending.js';
import { openHelp } from './help.js';
import { keyHint } from './key_table.js';
import { MentionsBadge } from './mentions.js';
import { Menu } from './menu.js';
import { openPalette } from './palette.js';
import { changePassword } from './password.js';
import { openPreferences } from './preferences.js';
import { hrefOf, route } from './route.js';
import { logOut } from './session.js';

export function Load({ percent = 0, label = DESK.load }) {
  const value = Math.min(Math.max(percent ?? 0, 0), 100);
  return html`
    <span class="load" role="img" aria-label=${DESK.percent(label, value)}>
      <svg viewBox="0 0 40 8" width="40" height="8" aria-hidden="true">
        <rect class="ground" width="40" height="8" rx="2" /><rect class="level" width=${value * 0.4} height="8" rx="2" /></svg>
      ${value} %
    </span>`;
}

function StatusMenu() {
  const agent = me.value;
  if (!agent) return null;
  const isOn = agent.routing_status === 'on_queue';
  const label = html`<span class="status ${agent.routing_status}"><i class="dot" aria-hidden="true"></i>
    <b>${statusName(agent.routing_status)}</b>${!isOn && agent.reason && html`<span class="why">${agent.reason}</span>`}
    <time>${span(now.value - toMs(agent.since))}</time><${Icon} name="down" /></span>`;
  const choices = [
    { label: DESK.onQueue, isOn, run: () => setStatus('on_queue') },
    { label: DESK.offQueue, isOn: agent.routing_status === 'off_queue' && !agent.reason, run: () => setStatus('off_queue') },
    '-',
    ...DESK.offReasons.map((reason) => ({ label: DESK.offFor(reason), run: () => setStatus('off_queue', { reason }) })),
  ];
  return html`<${Menu} label=${label} title=${DESK.status(statusName(agent.routing_status))} choices=${choices} />`;
}

function Places() {
  const places = [
    ['mine', DESK.places.mine, mine.value.length], ['waiting', DESK.places.waiting, waiting.value.length],
    ...(isSupervisor.value ? [['floor', DESK.places.floor, null]] : []),
  ];
  return html`
    <nav class="places" aria-label=${DESK.views}>${places.map(([page, label, count]) => html`
      <a key=${page} href=${hrefOf({ page })} aria-current=${route.value.page === page ? 'page' : undefined}>${label}
        ${count !== null && html`<span class="count">${count}</span>`}</a>`)}
    </nav>`;
}

function AccountMenu() {
  const choices = [
    { label: DESK.preferences, run: openPreferences },
    { label: DESK.changePassword, run: () => changePassword() },
    '-',
    { label: DESK.wallboard, run: () => open('/wallboard', '_blank', 'noopener') },
    ...(session.value.principal.roles.includes('admin') ? [{ label: DESK.administration, run: () => location.assign('/administration') }] : []),
    { label: DESK.logOut, run: logOut },
  ];
  const name = me.value?.name ?? session.value.principal.name;
  return html`<${Menu} kind="at-right" title=${DESK.account} choices=${choices} label=${html`<${Icon} name="person" /><bdi class="account-name">${name}</bdi>`} />`;
}

export function TopBar() {
  return html`
    <header class="topbar">
      <${StatusMenu} />
      ${me.value && html`<span class="load-label">${DESK.load}</span><${Load} percent=${me.value.utilization_percent} label=${DESK.yourLoad} />`}
      <${Places} />
      <button type="button" class="search" aria-label=${DESK.search} onClick=${openPalette}><${Icon} name="search" /><span>${DESK.search}</span><kbd>Ctrl K</kbd></button>
      <${MentionsBadge} />
      <button type="button" class="quiet icon theme-button" aria-label=${DESK.changeTheme(PREFERENCES.themes[preferences.value.theme])} title=${DESK.theme} onClick=${nextTheme}><${Icon} name="theme" /></button>
      <button type="button" class="quiet icon help-button" aria-label=${DESK.keys} title=${`${DESK.keys}  ${keyHint('help')}`} onClick=${openHelp}>?</button>
      <${AccountMenu} />
    </header>`;
}

// A cut of a moment is no news; five seconds would be too late to say it.
const PATIENCE_MS = 2000;

export function Banners() {
  const lost_ms = now.value - connectionSince.value;
  const isLost = connection.value !== 'live' && lost_ms > PATIENCE_MS;
  const status = me.value?.routing_status;
  return html`
    <div class="banners" role="alert"><${SessionEnding} />
      ${isLost && html`<p class="banner warn"><${Icon} name="warning" /><span><b>${DESK.lost}</b> ${DESK.lostFor(span(lost_ms))}</span></p>`}
      ${status === 'not_responding' && html`<p class="banner warn"><${Icon} name="clock" />
        <span><b>${DESK.missed}</b>${DESK.missedHint}</span>
        <button type="button" class="small" onClick=${() => setStatus('on_queue')}>${DESK.backOnQueue}</button></p>`}
      ${status === 'draining' && html`<p class="banner"><span><b>${DESK.draining}</b> ${DESK.drainingHint}</span></p>`}
    </div>
    <p class="unseen" role="status">${DESK.counts(offers.value.length, mine.value.length, waiting.value.length)}</p>`;
}
