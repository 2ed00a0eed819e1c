// Log in, stay present, log out. The key that somebody types is sent once and never kept.
import { get, postPlain, put, remove, whenUnauthorized } from '../core/api.js';
import { prefer } from '../core/settings.js';
import { everySecond } from '../core/ticker.js';
import { goDark, goLive, isLeaderTab } from '../state/live.js';
import { isSupervisor, logInNotice, me, myId, session } from '../state/store.js';
import { LOGIN } from '../texts/en.js';
import { closeDialog } from './dialog.js';
import { keepAll } from './draft_keeping.js';
import { forgetDrafts } from './drafts.js';
import { go, route } from './route.js';

const HEARTBEAT_EVERY_MS = 20_000;
let lastBeatAt = 0;

/** Without a page in the address a supervisor sees the floor, an agent what is theirs. */
function enterFirstPage() {
  const { page, id } = route.value;
  if (!page || (page === 'floor' && !isSupervisor.value)) go({ page: isSupervisor.value && !myId.value ? 'floor' : 'mine', id });
}

async function begin() {
  const found = await get('/session');
  session.value = found?.principal ? found : null;
  if (!session.value) return;
  logInNotice.value = '';
  lastBeatAt = 0;
  enterFirstPage();
  goLive();
}

/** On page load: a session that is still good goes on. */
export async function resume() {
  whenUnauthorized(() => endHere(LOGIN.over));
  try {
    await begin();
  } catch (problem) {
    session.value = null;
    if (problem.status !== 401) logInNotice.value = LOGIN.unreachable;
  }
}

export async function logIn(key) {
  await postPlain('/session', { key });
  await begin();
}

function endHere(notice) {
  if (!session.value) return;
  closeDialog();
  goDark();
  session.value = null;
  logInNotice.value = notice;
}

/** Whoever logs out takes no more offers. */
export async function logOut() {
  await keepAll();
  const isOnQueue = me.value?.routing_status === 'on_queue';
  if (isOnQueue) await put(`/agents/${encodeURIComponent(myId.value)}/status`, { routing_status: 'off_queue', reason: 'Logged out' }).catch(() => {});
  await remove('/session').catch(() => {});
  // The answer empties the browser's storage; how the desk looks is no secret and stays.
  prefer({});
  forgetDrafts();
  go({ page: '', id: null });
  endHere('');
}

/** The server takes an agent whose heart is silent for 60 s off the queue; one tab beats for all. */
export function startHeartbeat() {
  everySecond(() => {
    if (!myId.value || !isLeaderTab() || Date.now() - lastBeatAt < HEARTBEAT_EVERY_MS) return;
    lastBeatAt = Date.now();
    postPlain(`/agents/${encodeURIComponent(myId.value)}/heartbeat`).catch(() => {});
  });
}
