// What this browser prefers: looks, language, time zone, keys, sound. Never anything about a customer or a key.
import { effect, signal } from './html.js';

const STORE = 'parley.preferences';
// An empty language or time zone is the browser's own.
const DEFAULTS = {
  theme: 'auto', density: 'comfortable', motion: 'auto', language: '', timeZone: '', letters: true, sound: true, keys: {},
};

function read() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(STORE) ?? '{}') };
  } catch {
    return DEFAULTS;
  }
}

export const preferences = signal(read());

export function prefer(change) {
  preferences.value = { ...preferences.value, ...change };
  try {
    localStorage.setItem(STORE, JSON.stringify(preferences.value));
  } catch {
    // A browser that keeps nothing still works; it only forgets.
  }
}

export const THEMES = ['auto', 'light', 'dark'];

export function nextTheme() {
  prefer({ theme: THEMES[(THEMES.indexOf(preferences.value.theme) + 1) % THEMES.length] });
}

/** Puts what is seen on the document, now and whenever they change. */
export function wearPreferences() {
  effect(() => {
    const { theme, density, motion } = preferences.value;
    Object.assign(document.documentElement.dataset, { theme, density, motion });
  });
}
