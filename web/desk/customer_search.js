// Customers by name in the palette: the server finds them, and what was last said with them is opened.
import { get } from '../core/api.js';
import { useEffect, useState } from '../core/html.js';
import { customerName, networkName } from '../core/format.js';
import { conversations } from '../state/store.js';
import { PALETTE } from '../texts/en.js';
import { sayProblem } from './commands.js';
import { openConversation } from './route.js';
import { say } from './toasts.js';

const ASK_AFTER_MS = 150;
const FEWEST_LETTERS = 2;
const SHOWN = 6;

async function openLatest(customer) {
  try {
    const { items: [latest] } = await get(`/conversations?customer_id=${encodeURIComponent(customer.id)}&newest_first=true&limit=1`);
    if (!latest) return say({ title: PALETTE.noConversation, kind: 'note' });
    conversations.put(latest);
    return openConversation(latest.id);
  } catch (problem) {
    return sayProblem(problem, { what: PALETTE.about.customer });
  }
}

function entryOf(customer) {
  const [face = {}] = customer.identities;
  const networks = customer.identities.map(({ network }) => networkName(network)).join(', ');
  return { id: `customer:${customer.id}`, name: customerName({ handle: face.handle, name: customer.name }), about: `${PALETTE.about.customer}, ${networks}`, run: () => openLatest(customer) };
}

/** A page may find nobody and lead on: so many are asked for, then the rest is left to a longer word. */
const MOST_PAGES = 5;

async function find(asked, isCurrent) {
  const found = [];
  let cursor = '';
  for (let page = 0; page < MOST_PAGES && isCurrent() && found.length < SHOWN; page += 1) {
    const { items, next_cursor: next } = await get(`/customers?q=${encodeURIComponent(asked)}&limit=${SHOWN}${cursor}`);
    found.push(...items);
    if (!next) break;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
  return found.slice(0, SHOWN).map(entryOf);
}

/** The entries for what is typed; none until the server has answered, and none that are older than what is typed. */
export function useCustomers(typed) {
  const [found, setFound] = useState({ typed: '', entries: [] });
  const asked = typed.trim();
  useEffect(() => {
    if (asked.length < FEWEST_LETTERS) return undefined;
    let isCurrent = true;
    const take = (entries) => isCurrent && setFound({ typed: asked, entries });
    const timer = setTimeout(() => find(asked, () => isCurrent).then(take, () => take([])), ASK_AFTER_MS);
    return () => { isCurrent = false; clearTimeout(timer); };
  }, [asked]);
  return asked.length >= FEWEST_LETTERS && found.typed === asked ? found.entries : [];
}
