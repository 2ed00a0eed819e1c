// The line on top: one's status and load, where one is, everything by name; and below it what must be known at once.
import { now } from '../core/clock.js';
import { Icon } from '../core/icons.js';
import { html } from '../core/html.js';
import { span, statusName, toMs } from '../core/format.js';
import { nextTheme, prefer, preferences } from '../core/settings.js';
import { connection, connectionSince, isSupervisor, me, mine, offers, session, waiting } from '../state/store.js';
import { mayNotify, allowNotifications } from './alarm.js';
import { OFF_REASONS } from './actions.js';
import { setStatus } from './commands.js';
import { openDialog } from './dialog.js';
import { Help } from './help.js';
import { Menu } from './menu.js';
import { Palette } from './palette.js';
import { hrefOf, route } from './route.js';
import { logOut } from './session.js';

export function Load({ percent = 0, label = 'load' }) {
  const value = Math.min(Math.max(percent ?? 0, 0), 100);
  return html`
    <span class="load" role="img" aria-label=${`${label} ${value} percent`}>
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
    { label: 'On queue', isOn, run: () => setStatus('on_queue') },
    { label: 'Off queue', isOn: agent.routing_status === 'off_queue' && !agent.reason, run: () => setStatus('off_queue') },
    '-',
    ...OFF_REASONS.map((reason) => ({ label: `Off queue: ${reason}`, run: () => setStatus('off_queue', { reason }) })),
  ];
  return html`<${Menu} label=${label} title=${`Status: ${statusName(agent.routing_status)}`} choices=${choices} />`;
}

function Places() {
  const places = [
    ['mine', 'Mine', mine.value.length], ['waiting', 'Waiting', waiting.value.length],
    ...(isSupervisor.value ? [['floor', 'Floor', null]] : []),
  ];
  return html`
    <nav class="places" aria-label="Views">${places.map(([page, label, count]) => html`
      <a key=${page} href=${hrefOf({ page })} aria-current=${route.value.page === page ? 'page' : undefined}>${label}
        ${count !== null && html`<span class="count">${count}</span>`}</a>`)}
    </nav>`;
}

function AccountMenu() {
  const { density, letters, sound, theme } = preferences.value;
  const choices = [
    { label: 'Compact lines', isOn: density === 'compact', run: () => prefer({ density: density === 'compact' ? 'comfortable' : 'compact' }) },
    { label: 'Sound at an offer', isOn: sound, run: () => prefer({ sound: !sound }) },
    { label: 'Notifications', isOn: mayNotify(), run: allowNotifications },
    { label: 'Single letters act', isOn: letters, run: () => prefer({ letters: !letters }) },
    { label: `Theme: ${theme}`, run: nextTheme },
    '-',
    { label: 'Open the wallboard', run: () => open('/wallboard', '_blank', 'noopener') },
    { label: 'Log out', run: logOut },
  ];
  const name = me.value?.name ?? session.value.principal.name;
  return html`<${Menu} kind="at-right" title="Account" choices=${choices} label=${html`<${Icon} name="person" /><bdi class="account-name">${name}</bdi>`} />`;
}

const openPalette = () => openDialog({ title: 'Commands', body: Palette, kind: 'palette' });
const openHelp = () => openDialog({ title: 'Keys', body: Help, kind: 'wide' });

export function TopBar() {
  return html`
    <header class="topbar">
      <${StatusMenu} />
      ${me.value && html`<span class="load-label">load</span><${Load} percent=${me.value.utilization_percent} label="your load" />`}
      <${Places} />
      <button type="button" class="search" aria-label="Search, commands" onClick=${openPalette}><${Icon} name="search" /><span>Search, commands</span><kbd>Ctrl K</kbd></button>
      <button type="button" class="quiet icon theme-button" aria-label=${`Theme: ${preferences.value.theme}. Change it`} title="Theme" onClick=${nextTheme}><${Icon} name="theme" /></button>
      <button type="button" class="quiet icon help-button" aria-label="Keys" title="Keys  ?" onClick=${openHelp}>?</button>
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
    <div class="banners" role="alert">
      ${isLost && html`<p class="banner warn"><${Icon} name="warning" /><span><b>No live connection.</b> What you see is ${span(lost_ms)} old. Trying again; nothing you do is sent twice.</span></p>`}
      ${status === 'not_responding' && html`<p class="banner warn"><${Icon} name="clock" />
        <span><b>You missed an offer</b>, so nothing is offered to you now.</span>
        <button type="button" class="small" onClick=${() => setStatus('on_queue')}>Back on queue</button></p>`}
      ${status === 'draining' && html`<p class="banner"><span><b>Draining.</b> You finish what you have; nothing new comes.</span></p>`}
    </div>
    <p class="unseen" role="status">${`${offers.value.length} offered, ${mine.value.length} mine, ${waiting.value.length} waiting`}</p>`;
}
