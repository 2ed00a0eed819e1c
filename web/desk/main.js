// The desk: logs in, listens, draws.
import { wearLanguage } from '../core/language.js';
import { html, render } from '../core/html.js';
import { wearPreferences } from '../core/settings.js';
import { startTicker } from '../core/ticker.js';
import { isSupervisor, session } from '../state/store.js';
import { DESK } from '../texts/en.js';
import { startAlarm } from './alarm.js';
import { DialogHost } from './dialog.js';
import { startKeeping } from './draft_keeping.js';
import { startKeys } from './keys.js';
import { Later } from './later.js';
import { LeftColumn } from './lists.js';
import { Login } from './login.js';
import { startMentions } from './mentions.js';
import { startAiming } from './offers.js';
import { startPresence } from './onlookers.js';
import { outbox } from './outbox.js';
import { Person } from './person.js';
import { pane, route, startRouting } from './route.js';
import { resume, startHeartbeat } from './session.js';
import { Thread } from './thread.js';
import { Toasts } from './toasts.js';
import { Banners, TopBar } from './topbar.js';

function Desk() {
  const page = route.value.page === 'floor' && !isSupervisor.value ? 'mine' : route.value.page;
  const hasThread = page !== 'floor' || route.value.id;
  return html`
    <div class="desk" data-page=${page} data-pane=${pane.value} data-open=${route.value.id ? 'yes' : 'no'}>
      <${TopBar} /><${Banners} />
      <main class="work"><h1 class="unseen">Parley</h1>
        ${page === 'floor' ? html`<${Later} name="Floor" />` : html`<${LeftColumn} />`}
        ${hasThread && html`<${Thread} />`}
        <${Person} /></main>
    </div>`;
}

function App() {
  if (session.value === undefined) return html`<p class="unseen" role="status">${DESK.loading}</p>`;
  return html`${session.value ? html`<${Desk} />` : html`<${Login} />`}<${DialogHost} /><${Toasts} />`;
}

// What has not left this screen would be lost with it.
addEventListener('beforeunload', (event) => { if (outbox.value.length) event.preventDefault(); });
wearLanguage();
wearPreferences();
startTicker();
startRouting();
startKeys();
startAlarm();
startHeartbeat();
startKeeping();
startPresence();
startAiming();
startMentions();
render(html`<${App} />`, document.getElementById('app'));
resume();
