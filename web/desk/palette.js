// Everything by name: the open conversation's actions, conversations, places, status, looks.
import { html, useEffect, useState } from '../core/html.js';
import { customerName, networkName, stateName } from '../core/format.js';
import { nextTheme, prefer, preferences } from '../core/settings.js';
import { conversations, isSupervisor, me, mine, offers, openConversations, waiting } from '../state/store.js';
import { OFF_REASONS, actionsFor, compose, mayReply } from './actions.js';
import { setStatus } from './commands.js';
import { closeDialog, openDialog } from './dialog.js';
import { Help } from './help.js';
import { keyHint } from './key_table.js';
import { go, openConversation, route } from './route.js';
import { logOut } from './session.js';

const SHOWN = 12;

function conversationEntries() {
  const known = isSupervisor.value ? openConversations.value : [...offers.value, ...mine.value, ...waiting.value];
  return known.map((conversation) => ({
    id: conversation.id, name: customerName(conversation.customer),
    about: `${networkName(conversation.network)}, ${stateName(conversation.state)}`, run: () => openConversation(conversation.id),
  }));
}

function actionEntries() {
  const open = route.value.id ? conversations.get(route.value.id) : null;
  if (!open) return [];
  const about = customerName(open.customer);
  const actions = actionsFor(open).map(({ name, label, run }) => ({ id: `act:${name}`, name: label, about, key: keyHint(name), run: () => run(open) }));
  const note = { id: 'act:note', name: 'Write a note', about, key: keyHint('note'), run: () => compose(open, 'note') };
  const reply = { id: 'act:reply', name: 'Reply', about, key: keyHint('reply'), run: () => compose(open, 'reply') };
  return mayReply(open) ? [reply, ...actions, note] : [...actions, note];
}

function statusEntries() {
  if (!me.value) return [];
  return [
    { id: 'on', name: 'Go on queue', about: 'status', run: () => setStatus('on_queue') },
    { id: 'off', name: 'Go off queue', about: 'status', run: () => setStatus('off_queue') },
    ...OFF_REASONS.map((reason) => ({ id: `off:${reason}`, name: `Off queue: ${reason}`, about: 'status', run: () => setStatus('off_queue', { reason }) })),
  ];
}

function placeEntries() {
  const { density } = preferences.value;
  return [
    { id: 'mine', name: 'My interactions', about: 'go', key: keyHint('mine'), run: () => go({ page: 'mine', id: null }) },
    { id: 'waiting', name: 'Waiting', about: 'go', key: keyHint('waiting'), run: () => go({ page: 'waiting', id: null }) },
    ...(isSupervisor.value ? [{ id: 'floor', name: 'The floor', about: 'go', key: keyHint('floor'), run: () => go({ page: 'floor', id: null }) }] : []),
    { id: 'wallboard', name: 'Wallboard', about: 'go', run: () => open('/wallboard', '_blank', 'noopener') },
    { id: 'theme', name: 'Change the theme', about: preferences.value.theme, run: nextTheme },
    { id: 'density', name: density === 'compact' ? 'Comfortable lines' : 'Compact lines', about: 'looks', run: () => prefer({ density: density === 'compact' ? 'comfortable' : 'compact' }) },
    { id: 'help', name: 'Keys', about: 'help', key: keyHint('help'), run: () => openDialog({ title: 'Keys', body: Help, kind: 'wide' }) },
    { id: 'logout', name: 'Log out', about: 'account', run: logOut },
  ];
}

/** Letters in order, anywhere; what begins with them comes first. */
function rank(entry, search) {
  const text = `${entry.name} ${entry.about}`.toLowerCase();
  if (text.startsWith(search)) return 0;
  if (text.includes(search)) return 1;
  let from = 0;
  for (const letter of search) {
    from = text.indexOf(letter, from) + 1;
    if (from === 0) return -1;
  }
  return 2;
}

function entriesFor(search) {
  const all = [...actionEntries(), ...conversationEntries(), ...placeEntries(), ...statusEntries()];
  const found = all.map((entry) => ({ entry, rank: rank(entry, search.trim().toLowerCase()) })).filter((hit) => hit.rank >= 0);
  return found.sort((a, b) => a.rank - b.rank).slice(0, SHOWN).map((hit) => hit.entry);
}

export function Palette() {
  const [search, setSearch] = useState('');
  const [at, setAt] = useState(0);
  const entries = entriesFor(search);
  useEffect(() => setAt(0), [search]);
  const choose = (entry) => {
    closeDialog();
    entry.run();
  };
  const onKeyDown = (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && entries.length) setAt((at + by + entries.length) % entries.length);
    if (event.key === 'Enter' && entries[at]) choose(entries[at]);
    if (by || event.key === 'Enter') event.preventDefault();
  };
  return html`
    <input class="palette-search" data-first role="combobox" aria-expanded="true" aria-controls="palette-list" aria-label="Search commands and conversations"
      aria-activedescendant=${entries[at] ? `palette-${at}` : undefined} placeholder="Search commands and conversations" autocomplete="off"
      value=${search} onInput=${(event) => setSearch(event.currentTarget.value)} onKeyDown=${onKeyDown} />
    <ul id="palette-list" role="listbox" aria-label="Found">
      ${entries.map((entry, index) => html`
        <li key=${entry.id} id=${`palette-${index}`} role="option" aria-selected=${index === at} onMouseMove=${() => at !== index && setAt(index)} onClick=${() => choose(entry)}>
          <bdi>${entry.name}</bdi><span class="hint">${entry.about}</span>${entry.key && html`<kbd>${entry.key}</kbd>`}</li>`)}
      ${entries.length === 0 && html`<li class="hint none">Nothing by that name.</li>`}
    </ul>`;
}
