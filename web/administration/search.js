// One field that finds everything that is set up, by name.
import { html } from '../core/html.js';
import { ADMINISTRATION, RESOURCES } from '../texts/en_administration.js';
import { hrefOf, visit } from './guard.js';
import { Picker } from './picker.js';
import { GROUPS } from './resources.js';
import { idOfRow } from './rows.js';

const ID = 'search-all';

function everything() {
  return GROUPS.flatMap(({ places }) => places.flatMap((resource) => [
    { id: hrefOf(resource.place), name: RESOURCES[resource.place].title, about: ADMINISTRATION.place },
    ...(resource.place === 'campaigns' ? [] : resource.rows().map((row) => ({ id: hrefOf(resource.place, idOfRow(row)), name: String(resource.nameOf(row)), about: `${RESOURCES[resource.place].one} · ${resource.aboutOf(row)}`.slice(0, 90) }))),
  ]));
}

export const Search = () => html`<${Picker} attributes=${{ id: ID, type: 'search', 'aria-label': ADMINISTRATION.search, 'aria-keyshortcuts': '/' }} options=${everything()} placeholder=${ADMINISTRATION.search} onChoose=${({ id }) => visit(id)} />`;

export function startSearchKey() {
  addEventListener('keydown', (event) => {
    const isTyping = event.target.closest?.('input, textarea, select, dialog, [contenteditable]');
    if (isTyping || event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
    const field = document.getElementById(ID);
    if (!field) return;
    event.preventDefault();
    field.focus();
  });
}
