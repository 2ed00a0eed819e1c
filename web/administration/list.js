// What there is of one kind; empty, it says what comes first.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { FORM, RESOURCES } from '../texts/en_administration.js';
import { hrefOf, route } from './guard.js';
import { idOfRow, isRead, readList, rowsOf, troubles } from './rows.js';

const MOST_SHOWN = 400;

function Row({ resource, row }) {
  const id = idOfRow(row);
  const marks = [resource.isOff?.(row) && FORM.off, resource.isTroubled?.(row) && FORM.troubled].filter(Boolean);
  return html`
    <li><a class="row" href=${hrefOf(resource.place, id)} aria-current=${route.value.id === id ? 'page' : undefined}>
      <span class="row-top"><bdi class="who">${resource.nameOf(row)}</bdi>${marks.map((mark) => html`<span key=${mark} class="mark ${mark === FORM.troubled ? 'bad' : ''}">${mark === FORM.troubled && html`<${Icon} name="warning" />`}${mark}</span>`)}</span>
      <span class="row-sub" dir="auto">${resource.aboutOf(row)}</span></a></li>`;
}

/** What has to be there before one of these makes sense. */
const FIRST = { channels: ['accounts', 'workgroups'], agents: ['workgroups'], rules: ['channels'] };

function Empty({ resource }) {
  const missing = (FIRST[resource.kind] ?? []).filter((kind) => isRead(kind) && rowsOf(kind).length === 0);
  return html`
    <div class="empty"><p>${RESOURCES[resource.place].empty}</p>
      ${missing.map((kind) => html`<p key=${kind}><a href=${hrefOf(kind, 'new')}>${RESOURCES[kind].first}</a></p>`)}</div>`;
}

function Trouble({ resource }) {
  const problem = troubles.value[resource.kind];
  if (!problem) return null;
  return html`<div class="notice bad"><${Icon} name="warning" /><span>${problem.status ? problem.detail || problem.message : FORM.unreachable}</span> <button type="button" class="small" onClick=${() => readList(resource.kind)}>${FORM.again}</button></div>`;
}

const walk = (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  const links = Array.from(event.currentTarget.querySelectorAll('a'));
  const next = links[links.indexOf(document.activeElement) + by];
  if (!next) return;
  event.preventDefault();
  next.focus();
};

export function List({ resource }) {
  const rows = resource.rows().toSorted((a, b) => (resource.kind === 'dispositions' ? a.position - b.position : 0) || String(resource.nameOf(a)).localeCompare(String(resource.nameOf(b))));
  const words = RESOURCES[resource.place];
  return html`
    <section class="list" aria-labelledby="list-title">
      <header><a class="to-places" href="#/" aria-label=${FORM.toPlaces}><${Icon} name="back" /></a><h2 id="list-title">${words.title} <span class="count">${isRead(resource.kind) ? rows.length : ''}</span></h2>
        ${resource.canCreate !== false && html`<a class="button" href=${hrefOf(resource.place, 'new')}>${words.create}</a>`}</header>
      <p class="hint about">${words.what}</p>
      <${Trouble} resource=${resource} />
      ${!isRead(resource.kind) && !troubles.value[resource.kind] && html`<ul class="skeleton" aria-hidden="true"><li></li><li></li><li></li></ul>`}
      ${isRead(resource.kind) && rows.length === 0 && html`<${Empty} resource=${resource} />`}
      <ul class="rows" onKeyDown=${walk}>${rows.slice(0, MOST_SHOWN).map((row) => html`<${Row} key=${idOfRow(row)} resource=${resource} row=${row} />`)}</ul>
      ${rows.length > MOST_SHOWN && html`<p class="empty">${FORM.more(rows.length - MOST_SHOWN)}</p>`}
    </section>`;
}
