// Many tabs, one stream: a browser opens only six connections to a server, so one tab listens and tells the others.
import { EventStream } from './sse.js';
import { everySecond } from './ticker.js';

const SAY_EVERY_S = 4;
const FOLLOWER_PATIENCE_S = 12;

/**
 * Shares one event stream among all tabs of a principal.
 *
 * Listeners: onEvent(event), onReload() when what is shown must be read afresh, onState('live'|'lost'|'connecting'),
 * onSign() at every sign of life, onUnauthorized(). Answers `{isLeader(), stop()}`.
 */
export function shareStream(name, listeners) {
  const shared = new SharedStream(name, listeners);
  shared.join();
  return { isLeader: () => shared.stream !== null, stop: () => shared.leave() };
}

class SharedStream {
  constructor(name, listeners) {
    this.name = name;
    this.listeners = listeners;
    this.stream = null;
    this.seq = null;
    this.state = 'connecting';
    this.hasLoaded = false;
    this.quiet_s = 0;
    this.leaving = new AbortController();
    this.channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(name) : null;
    if (this.channel) this.channel.onmessage = ({ data }) => this.hearLeader(data);
    this.stopTicking = everySecond(() => this.passSecond());
  }

  join() {
    if (!navigator.locks || !this.channel) {
      this.lead();
      return;
    }
    this.channel.postMessage({ kind: 'hello' });
    navigator.locks
      .request(this.name, { signal: this.leaving.signal }, () => {
        this.lead();
        return new Promise((resolve) => this.leaving.signal.addEventListener('abort', resolve));
      })
      .catch(() => {});
  }

  leave() {
    this.leaving.abort();
    this.stream?.stop();
    this.stopTicking();
    this.channel?.close();
    this.channel = null;
  }

  lead() {
    this.stream = new EventStream({
      onOpen: ({ resumed }) => (resumed ? this.ensureLoaded() : this.reload()),
      onEvent: (event) => this.takeEvent(event),
      onResync: () => this.reload(),
      onState: (state) => this.takeState(state),
      onSign: () => this.listeners.onSign(),
      onUnauthorized: () => this.listeners.onUnauthorized(),
    });
    this.stream.start(this.seq);
  }

  takeEvent(event) {
    this.channel?.postMessage({ kind: 'event', event });
    this.deliver(event);
  }

  takeState(state) {
    this.state = state;
    this.listeners.onState(state);
    this.sayState();
  }

  reload() {
    this.channel?.postMessage({ kind: 'reload' });
    this.startAfresh();
  }

  // A server that was set up anew counts from the beginning: an old place would drop its events.
  startAfresh() {
    this.seq = null;
    this.hasLoaded = true;
    this.listeners.onReload();
  }

  ensureLoaded() {
    if (this.hasLoaded) return;
    this.hasLoaded = true;
    this.listeners.onReload();
  }

  deliver(event) {
    const seq = Number(event.seq);
    if (Number.isFinite(seq)) {
      if (this.seq !== null && seq <= Number(this.seq)) return;
      this.seq = String(event.seq);
    }
    this.listeners.onEvent(event);
  }

  sayState() {
    this.channel?.postMessage({ kind: 'state', state: this.state, seq: this.stream?.cursor ?? this.seq });
  }

  hearLeader({ kind, event, state, seq }) {
    if (this.stream) {
      if (kind === 'hello') this.sayState();
      return;
    }
    if (kind === 'hello') return;
    this.quiet_s = 0;
    this.listeners.onSign();
    if (kind === 'event') this.deliver(event);
    if (kind === 'reload') this.startAfresh();
    if (kind !== 'state') return;
    this.seq = this.seq ?? seq;
    this.listeners.onState(state);
    if (state === 'live') this.ensureLoaded();
  }

  passSecond() {
    this.quiet_s += 1;
    if (this.stream && this.quiet_s % SAY_EVERY_S === 0) this.sayState();
    if (!this.stream && this.quiet_s === FOLLOWER_PATIENCE_S) this.listeners.onState('lost');
  }
}
