// Everything by name: the open conversation's actions, conversations, places, people, status, looks.
import { html, useLayoutEffect, useRef, useState } from '../core/html.js';
import { customerName, networkName, stateName } from '../core/format.js';
import { THEMES, prefer, preferences } from '../core/settings.js';
import {
  agentName, conversations, isSupervisor, me, mine, offers, openConversations, staff, waiting, workgroups,
} from '../state/store.js';
import { DESK, PALETTE, PREFERENCES } from '../texts/en.js';
import { actionsFor, compose, mayReply } from './actions.js';
import { setStatus } from './commands.js';
import { useCustomers } from './customer_search.js';
import { closeDialog, openDialog } from './dialog.js';
import { openHelp } from './help.js';
import { keyHint } from './key_table.js';
import { openMentions } from './mentions.js';
import { openPreferences } from './preferences.js';
import { go, openConversation, route } from './route.js';
import { logOut } from './session.js';

const SHOWN = 12;
const RECENT = 8;
/** What was chosen last, newest first; kept as long as the page is. */
let recent = [];

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
  const note = { id: 'act:note', name: PALETTE.note, about, key: keyHint('note'), run: () => compose(open, 'note') };
  const reply = { id: 'act:reply', name: PALETTE.reply, about, key: keyHint('reply'), run: () => compose(open, 'reply') };
  return mayReply(open) ? [reply, ...actions, note] : [...actions, note];
}

function statusEntries() {
  if (!me.value) return [];
  const about = PALETTE.about.status;
  return [
    { id: 'on', name: PALETTE.on, about, run: () => setStatus('on_queue') },
    { id: 'off', name: PALETTE.off, about, run: () => setStatus('off_queue') },
    ...DESK.offReasons.map((reason) => ({ id: `off:${reason}`, name: DESK.offFor(reason), about, run: () => setStatus('off_queue', { reason }) })),
  ];
}

/** Whom a supervisor looks for, and what they then see: that agent's or that workgroup's conversations. */
function floorEntries() {
  if (!isSupervisor.value) return [];
  const show = (filters) => () => go({ page: 'floor', id: null, filters });
  const agents = staff.value.map(({ id }) => ({ id: `agent:${id}`, name: agentName(id), about: PALETTE.about.agent, run: show({ agent_id: id }) }));
  const groups = workgroups.all().map(({ id, name }) => ({ id: `group:${id}`, name, about: PALETTE.about.workgroup, run: show({ workgroup_id: id }) }));
  return [...agents, ...groups];
}

const place = (page) => ({ id: page, name: PALETTE[page], about: PALETTE.about.go, key: keyHint(page), run: () => go({ page, id: null }) });
const elsewhere = (name) => ({ id: name, name: PALETTE[name], about: PALETTE.about.go, run: () => open(`/${name}`, '_blank', 'noopener') });

function placeEntries() {
  return [
    place('mine'), place('waiting'), ...(isSupervisor.value ? [place('floor')] : []),
    { id: 'mentions', name: PALETTE.mentions, about: PALETTE.about.go, run: openMentions },
    elsewhere('wallboard'),
    { id: 'help', name: PALETTE.keys, about: PALETTE.about.help, key: keyHint('help'), run: openHelp },
    { id: 'logout', name: PALETTE.logOut, about: PALETTE.about.account, run: logOut },
  ];
}

function preferenceEntries() {
  const { density, theme } = preferences.value;
  const about = PALETTE.about.preference;
  const other = density === 'compact' ? 'comfortable' : 'compact';
  return [
    { id: 'preferences', name: PALETTE.preferences, about: PALETTE.about.looks, run: openPreferences },
    { id: 'density', name: PALETTE[other], about, run: () => prefer({ density: other }) },
    ...THEMES.filter((name) => name !== theme).map((name) => ({
      id: `theme:${name}`, name: PALETTE.theme(PREFERENCES.themes[name]), about, run: () => prefer({ theme: name }),
    })),
  ];
}

/** Letters in order, anywhere; what begins with them comes first, then words that do. */
function rank(entry, search) {
  const text = `${entry.name} ${entry.about}`.toLowerCase();
  if (text.startsWith(search) || text.startsWith(`@${search}`)) return 0;
  if (text.includes(` ${search}`)) return 1;
  if (text.includes(search)) return 2;
  let from = 0;
  for (const letter of search) {
    from = text.indexOf(letter, from) + 1;
    if (from === 0) return -1;
  }
  return 3;
}

const age = ({ id }) => (recent.includes(id) ? recent.indexOf(id) : RECENT);

function entriesFor(typed) {
  const search = typed.trim().toLowerCase();
  const all = [
    ...actionEntries(), ...conversationEntries(), ...placeEntries(), ...statusEntries(), ...preferenceEntries(), ...floorEntries(),
  ];
  const found = all.map((entry) => ({ entry, rank: rank(entry, search) })).filter((hit) => hit.rank >= 0);
  return found.sort((a, b) => a.rank - b.rank || age(a.entry) - age(b.entry)).slice(0, SHOWN).map((hit) => hit.entry);
}

function Palette() {
  const [search, setSearch] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef(null);
  const customers = useCustomers(search);
  const entries = [...entriesFor(search), ...customers];
  useLayoutEffect(() => list.current.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }), [at, search]);
  const look = (event) => {
    setSearch(event.currentTarget.value);
    setAt(0);
  };
  const choose = (entry) => {
    recent = [entry.id, ...recent.filter((id) => id !== entry.id)].slice(0, RECENT);
    closeDialog();
    entry.run();
  };
  const onKeyDown = (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && entries.length) setAt((at + by + entries.length) % entries.length);
    if (event.key === 'Enter' && !event.isComposing && entries[at]) choose(entries[at]);
    if (by || event.key === 'Enter') event.preventDefault();
  };
  return html`
    <input class="palette-search" data-first role="combobox" aria-expanded="true" aria-controls="palette-list" aria-label=${PALETTE.search}
      aria-activedescendant=${entries[at] ? `palette-${at}` : undefined} placeholder=${PALETTE.search} autocomplete="off"
      value=${search} onInput=${look} onKeyDown=${onKeyDown} />
    <ul id="palette-list" role="listbox" aria-label=${PALETTE.found} ref=${list}>
      ${entries.map((entry, index) => html`
        <li key=${entry.id} id=${`palette-${index}`} role="option" aria-selected=${index === at} onMouseMove=${() => at !== index && setAt(index)} onClick=${() => choose(entry)}>
          <bdi>${entry.name}</bdi><span class="hint">${entry.about}</span>${entry.key && html`<kbd>${entry.key}</kbd>`}</li>`)}
      ${entries.length === 0 && html`<li class="hint none">${PALETTE.none}</li>`}
    </ul>`;
}

export const openPalette = () => openDialog({ title: PALETTE.title, body: Palette, kind: 'palette' });
