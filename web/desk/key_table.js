// Which key does what, by name: what the keys do is in keys.js; buttons, palette and the list of keys ask here.
import { signal } from '../core/html.js';
import { prefer, preferences } from '../core/settings.js';
import { KEYS } from '../texts/en.js';

const USUAL = {
  pickup: 'a', decline: 'd', next: 'j', previous: 'k', reply: 'r', earlier_post: '[', later_post: ']', note: 'n', hold: 'h', transfer: 't', consult: 'c', merge: 'm', park: 'p', disconnect: 'x',
  disconnect_next: 'X', status: 's', mine: 'g m', waiting: 'g w', floor: 'g f', help: '?',
};

/** Every key that can be remapped, in the order of the list. */
export const BINDINGS = Object.entries(USUAL).map(([name, key]) => ({ name, key, label: KEYS.names[name] }));

export const keyOf = ({ name, key }) => preferences.value.keys[name] ?? key;

/** The key of a binding as it is shown on buttons; '' when letters are off. */
export function keyHint(name) {
  const binding = BINDINGS.find((candidate) => candidate.name === name);
  return binding && preferences.value.letters ? keyOf(binding) : '';
}

/** Gives a binding another key; whoever had that key gets the old one. */
export function remap(binding, key) {
  const old = keyOf(binding);
  const other = BINDINGS.find((candidate) => candidate !== binding && keyOf(candidate) === key);
  prefer({ keys: { ...preferences.value.keys, [binding.name]: key, ...(other ? { [other.name]: old } : {}) } });
}

/** While the help sheet waits for a new key, it takes the next one. */
export const capture = signal(null);
