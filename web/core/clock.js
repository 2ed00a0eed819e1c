// The server's time on this screen: deadlines are the server's, so they are counted down in its time, not in the computer's.
import { signal } from './html.js';

// A server's Date header is cut to seconds and may be a second old when it is sent.
const HEADER_BLUR_MS = 2000;
// Below this the computer's clock is taken as right.
const bounds = { low: -Infinity, high: Infinity };

function offsetMs() {
  return Math.min(Math.max(0, bounds.low), bounds.high);
}

function narrow(low, high) {
  const [nextLow, nextHigh] = [Math.max(bounds.low, low), Math.min(bounds.high, high)];
  // Bounds that contradict each other mean that the computer's clock was set: what was known is void.
  if (nextLow > nextHigh) {
    [bounds.low, bounds.high] = [low, high];
    return;
  }
  [bounds.low, bounds.high] = [nextLow, nextHigh];
}

/** Learns from an answer whose Date header lies between the moments of sending and receiving. */
export function hearDate(header, sentAt, receivedAt) {
  const said = Date.parse(header ?? '');
  if (Number.isNaN(said)) return;
  narrow(said - receivedAt, said + HEADER_BLUR_MS - sentAt);
}

/** The server's time now, in milliseconds since 1970. */
export function serverNow() {
  return Date.now() + offsetMs();
}

/** Ticks once a second; whoever reads it is drawn again then. */
export const now = signal(serverNow());

export function tick() {
  now.value = serverNow();
}
