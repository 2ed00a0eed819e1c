// Reads a stream of server-sent events, keeps its place, and comes back by itself after a cut.
import { hearDate } from './clock.js';

// Keep-alives come every 15 s: two missed ones mean that the line is dead although nobody hung up.
const SILENCE_LIMIT_MS = 35_000;
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 2000;

/** Cuts a text stream into blocks `{id, event, data}`; blocks without data (keep-alives) are given too. */
function createParser(onBlock) {
  let rest = '';
  return (chunk) => {
    rest += chunk;
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) onBlock(parseBlock(block));
  };
}

function parseBlock(block) {
  const fields = { id: null, event: 'message', data: null };
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^([a-z]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === 'data') fields.data = fields.data === null ? value : `${fields.data}\n${value}`;
    if (name === 'id' || name === 'event') fields[name] = value;
  }
  return fields;
}

/** One live connection to `/api/v1/events`. Listeners: onOpen({resumed}), onEvent(event), onResync(), onState(word), onSign(), onUnauthorized(). */
export class EventStream {
  constructor(listeners) {
    this.listeners = listeners;
    this.cursor = null;
    this.isStopped = false;
    this.abort = null;
  }

  start(cursor) {
    this.cursor = cursor;
    this.run();
  }

  stop() {
    this.isStopped = true;
    this.abort?.abort();
  }

  async run() {
    let wait_ms = FIRST_WAIT_MS;
    while (!this.isStopped) {
      const opened = await this.connect().catch(() => false);
      if (this.isStopped) return;
      this.listeners.onState('lost');
      wait_ms = opened ? FIRST_WAIT_MS : Math.min(wait_ms * 2, LONGEST_WAIT_MS);
      await new Promise((resolve) => setTimeout(resolve, wait_ms * (0.6 + Math.random() * 0.8)));
    }
  }

  /** Answers whether the stream had been open when it ended. */
  async connect() {
    this.abort = new AbortController();
    const resumed = this.cursor !== null;
    const headers = { Accept: 'text/event-stream' };
    if (resumed) headers['Last-Event-ID'] = this.cursor;
    const sentAt = Date.now();
    const response = await fetch('/api/v1/events?presence=true', { headers, signal: this.abort.signal, cache: 'no-store' });
    hearDate(response.headers.get('Date'), sentAt, Date.now());
    // Whoever hears it stops the stream when the session is over; with another cookie it goes on.
    if (response.status === 401) this.listeners.onUnauthorized();
    if (!response.ok) return false;
    this.listeners.onState('live');
    this.listeners.onOpen({ resumed });
    await this.read(response.body.pipeThrough(new TextDecoderStream()).getReader()).catch(() => {});
    return true;
  }

  async read(reader) {
    const parse = createParser((block) => this.hear(block));
    let watchdog = null;
    try {
      for (;;) {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => this.abort.abort(), SILENCE_LIMIT_MS);
        const { done, value } = await reader.read();
        if (done) return;
        parse(value);
        this.listeners.onSign();
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  hear({ id, event, data }) {
    if (event === 'resync') {
      this.cursor = id || null;
      this.listeners.onResync();
      return;
    }
    if (data) {
      try {
        this.listeners.onEvent({ type: event, ...JSON.parse(data) });
      } catch {
        // A keep-alive may carry words that are no JSON; its id still counts.
      }
    }
    if (id) this.cursor = id;
  }
}
