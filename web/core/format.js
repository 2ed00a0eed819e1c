// Times, spans and names as people read them.

const pad = (n) => String(Math.floor(n)).padStart(2, '0');

export const toMs = (time) => (time ? Date.parse(time) : NaN);

/** 00:42 · 12:05 · 3 h 07 · 2 d 4 h */
export function span(ms) {
  if (!Number.isFinite(ms)) return '–';
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 3600) return `${pad(s / 60)}:${pad(s % 60)}`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${pad((s % 3600) / 60)}`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** For sentences: 40 s · 4 min · 3 h · 2 days */
export function roughSpan(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 129_600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86_400)} days`;
}

const hour = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: 'short' });
const longDay = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

const formatted = (format) => (time) => (Number.isFinite(toMs(time)) ? format.format(toMs(time)) : '');
export const clockTime = formatted(hour);
export const shortDay = formatted(day);
export const dayName = formatted(longDay);
export const wholeTime = formatted(whole);

const NETWORKS = {
  x: 'X', facebook: 'Facebook', instagram: 'Instagram', mastodon: 'Mastodon', bluesky: 'Bluesky', youtube: 'YouTube',
  reddit: 'Reddit', telegram: 'Telegram', whatsapp: 'WhatsApp', linkedin: 'LinkedIn', threads: 'Threads', email: 'e-mail',
  sms: 'SMS', webhook: 'webhook', simulated: 'simulated network',
};
export const networkName = (network) => NETWORKS[network] ?? network ?? 'unknown network';

const STATES = { wrapup: 'wrap-up' };
export const stateName = (state) => STATES[state] ?? state;

const STATUSES = {
  on_queue: 'On queue', off_queue: 'Off queue', not_responding: 'Not responding', draining: 'Draining', logged_out: 'Logged out',
};
export const statusName = (status) => STATUSES[status] ?? spaced(status ?? 'unknown');

/** snake_case to words. */
export const spaced = (code) => String(code).replaceAll('_', ' ');

/**
 * The two letters that turn what follows around (and make `exe.png` of `gnp.exe`) as a mark that can be seen.
 * What people who write from right to left need is left alone.
 */
export const unturned = (text) => String(text ?? '').replace(/[\u202d\u202e]/g, '\ufffd');

/** How a customer is called: the handle with one @, else the name. */
export function customerName(customer) {
  const handle = unturned(customer?.handle);
  if (handle) return /^[@+]|@/.test(handle) ? handle : `@${handle}`;
  return unturned(customer?.name) || 'unknown customer';
}

export const plural = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** Only these may become links; everything else stays text. */
export function safeUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : null;
  } catch {
    return null;
  }
}
