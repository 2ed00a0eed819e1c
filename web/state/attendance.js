// Whether somebody is at this page: what the page does by itself keeps no session alive, what people do is told once a minute.
import { get, whetherAttended } from '../core/api.js';
import { serverNow } from '../core/clock.js';
import { toMs } from '../core/format.js';
import { everySecond } from '../core/ticker.js';
import { session } from './store.js';

const TOLD_EVERY_MS = 60_000;
const ASKED_EVERY_MS = 20_000;
/** So long before its end a session says so. */
export const WARNED_MS = 120_000;
const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'];

let seenAt = Date.now();
let toldAt = Date.now();
let askedAt = 0;
let lastPlace = '';
let onEnd = () => {};

const isAttended = () => Date.now() - seenAt < TOLD_EVERY_MS;

/** How long the session lasts if nobody does anything; null while that is not known. */
export function left_ms() {
  const ends = toMs(session.value?.expires_at);
  return Number.isFinite(ends) ? ends - serverNow() : null;
}

// Of what others did in another window this page hears when it asks.
async function ask() {
  askedAt = Date.now();
  const asker = session.value;
  try {
    const { expires_at, ends_at } = await get('/session');
    if (session.value === asker && asker.expires_at !== expires_at) session.value = { ...asker, expires_at, ends_at };
  } catch (problem) {
    if (problem.status === 401) onEnd();
  }
}

// When things move below a pointer that rests, browsers say that it moved.
function isRest({ type, screenX, screenY }) {
  if (type !== 'pointermove') return false;
  const place = `${screenX} ${screenY}`;
  const isSame = place === lastPlace || !lastPlace;
  lastPlace = place;
  return isSame;
}

function see(event) {
  if (isRest(event)) return;
  seenAt = Date.now();
  if (!session.value || seenAt - toldAt < TOLD_EVERY_MS) return;
  toldAt = seenAt;
  ask();
}

function passSecond() {
  const left = left_ms();
  if (!session.value || left === null || left > WARNED_MS || Date.now() - askedAt < ASKED_EVERY_MS) return;
  ask();
}

/** Watches for somebody from now on; `whenEnded` hears that the session is over. */
export function startAttendance(whenEnded) {
  onEnd = whenEnded;
  whetherAttended(isAttended);
  for (const sign of SIGNS) addEventListener(sign, see, { capture: true, passive: true });
  everySecond(passSecond);
}

/** The session has just begun: that was somebody. */
export function beAttended() {
  seenAt = Date.now();
  toldAt = seenAt;
}
