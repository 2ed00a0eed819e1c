// One second hand for the page, kept going in tabs that lie in the background.
import { tick } from './clock.js';

const listeners = new Set();

function beat() {
  tick();
  for (const listener of listeners) listener();
}

/** Calls the listener about once a second until the returned function is called. */
export function everySecond(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Browsers slow the timers of hidden tabs to one a minute, too slow for a lease of 60 s; a worker's timers are not slowed. */
export function startTicker() {
  try {
    const worker = new Worker(trusted('/web/core/ticker-worker.js'));
    worker.onmessage = beat;
    worker.onerror = () => setInterval(beat, 1000);
  } catch {
    setInterval(beat, 1000);
  }
}

/** The one script address made outside a tag: our own file, named to the browser as such. */
function trusted(address) {
  const policy = globalThis.trustedTypes?.createPolicy('parley-worker', {
    createScriptURL: (own) => own,
  });
  return policy ? policy.createScriptURL(address) : address;
}
