// Log in, stay present, log out. The key that somebody types is sent once and never kept.
import { get, postPlain, put, remove, whenUnauthorized } from '../core/api.js';
import { serverNow } from '../core/clock.js';
import { toMs } from '../core/format.js';
import { prefer } from '../core/settings.js';
import { everySecond } from '../core/ticker.js';
import { beAttended, startAttendance } from '../state/attendance.js';
import { goDark, goLive, isLeaderTab } from '../state/live.js';
import { isSupervisor, logInNotice, me, myId, session } from '../state/store.js';
import { LOGIN } from '../texts/en.js';
import { closeDialog } from './dialog.js';
import { keepAll } from './draft_keeping.js';
import { forgetDrafts } from './drafts.js';
import { outbox } from './outbox.js';
import { changePassword } from './password.js';
import { go, readAddress, route } from './route.js';

const HEARTBEAT_EVERY_MS = 20_000;
const WHOSE = 'parley.whose';
// A use is written down once a minute: that is how exactly an end is known.
const BLUR_MS = 60_000;
let lastBeatAt = 0;

/** Without a page in the address a supervisor sees the floor, an agent what is theirs. */
function enterFirstPage() {
  readAddress();
  const { page, id } = route.value;
  if (!page || (page === 'floor' && !isSupervisor.value)) go({ page: isSupervisor.value && !myId.value ? 'floor' : 'mine', id });
}

// What one person typed, and where they were, is nobody else's.
function forgetOthers() {
  const { id } = session.value.principal;
  let before = null;
  try {
    before = sessionStorage.getItem(WHOSE);
    sessionStorage.setItem(WHOSE, id);
  } catch {
    // A browser that keeps nothing keeps no drafts either.
  }
  if (!before || before === id) return;
  outbox.value = [];
  forgetDrafts();
  keepAll();
  go({ page: '', id: null });
}

async function begin() {
  const found = await get('/session');
  session.value = found?.principal ? found : null;
  if (!session.value) return;
  beAttended();
  forgetOthers();
  logInNotice.value = '';
  lastBeatAt = 0;
  enterFirstPage();
  goLive();
}

/** On page load: a session that is still good goes on. */
export async function resume() {
  whenUnauthorized(endIfOver);
  startAttendance(() => endHere(whyOver()));
  try {
    await begin();
  } catch (problem) {
    session.value = null;
    if (problem.status !== 401) logInNotice.value = LOGIN.unreachable;
  }
}

// A call that was on its way while this session got another cookie is refused without anything being over.
async function endIfOver() {
  if (!session.value) return;
  try {
    await get('/session');
  } catch (problem) {
    if (problem.status === 401) endHere(whyOver());
  }
}

/** Why a session is over, as far as a page can tell. */
function whyOver() {
  const { expires_at, ends_at } = session.value ?? {};
  if (serverNow() > toMs(ends_at) - BLUR_MS) return LOGIN.over.long;
  return serverNow() > toMs(expires_at) - BLUR_MS ? LOGIN.over.idle : LOGIN.over.ended;
}

/** Signs in by what the path takes. */
export async function logIn(path, body) {
  await postPlain(path, body);
  await begin();
  if (body.password && session.value?.password === 'initial') changePassword({ isFirst: true });
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
