// Times, spans and names as people read them.
import { NAMES } from '../texts/en.js';
import { computed } from './html.js';
import { locale } from './language.js';
import { preferences } from './settings.js';

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
  return NAMES.days(Math.round(s / 86_400));
}

/** Written in the reader's language and in the time zone that they chose; else in the browser's. */
function inZone(options) {
  const format = computed(() => {
    const { timeZone } = preferences.value;
    try {
      return new Intl.DateTimeFormat(locale, { ...options, timeZone: timeZone || undefined });
    } catch {
      return new Intl.DateTimeFormat(locale, options);
    }
  });
  return (time) => {
    const ms = typeof time === 'number' ? time : toMs(time);
    return Number.isFinite(ms) ? format.value.format(ms) : '';
  };
}

export const clockTime = inZone({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
export const clockSeconds = inZone({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
export const shortDay = inZone({ day: '2-digit', month: 'short' });
export const dayName = inZone({ weekday: 'long', day: 'numeric', month: 'long' });
export const wholeTime = inZone({ dateStyle: 'medium', timeStyle: 'medium' });
/** The same for all moments of one day. */
export const dayKey = inZone({ year: 'numeric', month: '2-digit', day: '2-digit' });

const HOUR_MS = 3_600_000;

/** How far the wall clock of the chosen zone is ahead of UTC then. */
function aheadMs(ms) {
  const wall = new Date(ms).toLocaleString('en-US', { timeZone: preferences.value.timeZone || undefined, hourCycle: 'h23' });
  return Date.parse(`${wall} UTC`) - Math.floor(ms / 1000) * 1000;
}

// The clocks may be changed in between.
const momentOf = (wall) => wall - aheadMs(wall - aheadMs(wall));

/** The moment, in ms, at which the wall clock of the chosen zone shows the hour, so many days from today. */
export function dayAt({ hour, days, fromMs = Date.now() }) {
  return momentOf(Math.floor((fromMs + aheadMs(fromMs)) / (24 * HOUR_MS)) * 24 * HOUR_MS + (days * 24 + hour) * HOUR_MS);
}

/** What the wall clock of the chosen zone shows then, as fields for a date and a time want it: `2026-03-29T02:30`. */
export const wallClock = (ms) => new Date(ms + aheadMs(ms)).toISOString().slice(0, 16);

/** The moment, in ms, at which the wall clock of the chosen zone shows this; NaN when it is no date. */
export const wallMoment = (text) => {
  const wall = Date.parse(`${text}Z`);
  return Number.isFinite(wall) ? momentOf(wall) : NaN;
};

export const networkName = (network) => NAMES.networks[network] ?? network ?? NAMES.unknownNetwork;

export const stateName = (state) => NAMES.states[state] ?? state;

export const statusName = (status) => NAMES.statuses[status] ?? spaced(status ?? NAMES.unknown);

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
  return unturned(customer?.name) || NAMES.unknownCustomer;
}

/** Only these may become links; everything else stays text. */
export function safeUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : null;
  } catch {
    return null;
  }
}
