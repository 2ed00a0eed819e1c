// What this browser prefers: theme, density, keys, sound. Never anything about a customer or a key.
import { effect, signal } from './html.js';

const STORE = 'parley.preferences';
const DEFAULTS = { theme: 'auto', density: 'comfortable', letters: true, sound: true, keys: {} };

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

const THEMES = ['auto', 'light', 'dark'];

export function nextTheme() {
  prefer({ theme: THEMES[(THEMES.indexOf(preferences.value.theme) + 1) % THEMES.length] });
}

/** Puts theme and density on the document, now and whenever they change. */
export function wearPreferences() {
  effect(() => {
    document.documentElement.dataset.theme = preferences.value.theme;
    document.documentElement.dataset.density = preferences.value.density;
  });
}
