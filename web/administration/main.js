// Administration: everything that is set up, as lists and forms on the public API.
import { wearWords } from './language.js';
import { get, whenUnauthorized } from '../core/api.js';
import { html, render, signal, useEffect } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { nextTheme, wearPreferences } from '../core/settings.js';
import { startTicker } from '../core/ticker.js';
import { DialogHost } from '../desk/dialog.js';
import { Toasts } from '../desk/toasts.js';
import { session } from '../state/store.js';
import { ADMINISTRATION, FORM, RESOURCES } from '../texts/en_administration.js';
import { FirstSteps } from './first_steps.js';
import { ResourceForm } from './form.js';
import { hrefOf, route, startRouting } from './guard.js';
import { List } from './list.js';
import { GROUPS, KINDS, placeOf } from './resources.js';
import { isRead, readRow, refresh, rowOf, rowsOf } from './rows.js';
import { Search, startSearchKey } from './search.js';

const ASK_AGAIN_MS = 4000;
const hasEnded = signal(false);
const gone = signal('');

const countOf = (resource) => (isRead(resource.kind) ? resource.rows().length : '');
const troubled = (resource) => resource.isTroubled && resource.rows().some(resource.isTroubled);

function Places() {
  const { kind } = route.value;
  return html`
    <nav class="places-of" aria-label=${ADMINISTRATION.places}>
      <a class="place" href="#/" aria-current=${kind === '' ? 'page' : undefined}>${ADMINISTRATION.firstSteps}</a>
      ${GROUPS.map(({ name, places }) => html`<h2 key=${name}>${ADMINISTRATION.groups[name]}</h2>
        <ul>${places.map((resource) => html`<li key=${resource.place}><a class="place" href=${hrefOf(resource.place)} aria-current=${kind === resource.place ? 'page' : undefined}>
          <span>${RESOURCES[resource.place].title}</span>${troubled(resource) && html`<span class="bad"><${Icon} name="warning" /><span class="unseen">${FORM.troubled}</span></span>`}<span class="count">${countOf(resource)}</span></a></li>`)}</ul>`)}
    </nav>`;
}

/** The form of the row in the address; it is read anew when it is opened. */
function Editor({ resource, id }) {
  const row = id === 'new' ? null : rowOf(resource.kind, id);
  useEffect(() => {
    gone.value = '';
    if (id !== 'new') readRow(resource.kind, id).catch((problem) => { if (problem.status === 404) gone.value = id; });
  }, [resource.kind, id]);
  const title = row ? resource.nameOf(row) : RESOURCES[resource.place].create;
  if (id !== 'new' && !row) return html`<section class="editor"><p class="empty" role="status">${gone.value === id || isRead(resource.kind) ? RESOURCES[resource.place].gone : ADMINISTRATION.loading}</p></section>`;
  return html`
    <section class="editor" aria-labelledby="editor-title"><header><a class="to-list" href=${hrefOf(resource.place)} aria-label=${FORM.toList}><${Icon} name="back" /></a>
        <h2 id="editor-title"><bdi>${title}</bdi></h2>${row?.id && html`<code class="hint">${row.id}</code>`}</header>
      <${ResourceForm} key=${`${resource.place}/${id}`} resource=${resource} row=${row} /></section>`;
}

function Page() {
  const { kind, id } = route.value;
  const resource = placeOf(kind);
  const nothing = resource && id === null;
  return html`
    ${resource ? html`<${List} resource=${resource} />` : ''}
    ${resource && id !== null && html`<${Editor} key=${`${kind}/${id}`} resource=${resource} id=${id} />`}
    ${nothing && html`<section class="editor resting"><p class="hint">${rowsOf(resource.kind).length ? ADMINISTRATION.choose : RESOURCES[resource.place].what}</p></section>`}
    ${!resource && html`<div class="editor wide"><${FirstSteps} /></div>`}`;
}

function Administration() {
  const { kind, id } = route.value;
  const pane = id !== null ? 'editor' : placeOf(kind) ? 'list' : 'places';
  return html`
    <div class="administration" data-pane=${pane} data-empty=${isRead('channels') && !rowsOf('channels').length ? 'yes' : 'no'}>
      <header class="bar"><h1><a href="#/">${ADMINISTRATION.title}</a></h1><${Search} /><a class="to-desk" href="/">${ADMINISTRATION.desk}</a>
        <button type="button" class="quiet icon" aria-label=${ADMINISTRATION.theme} title=${ADMINISTRATION.theme} onClick=${nextTheme}><${Icon} name="theme" /></button></header>
      ${hasEnded.value && html`<p class="banner warn" role="alert"><${Icon} name="warning" /><span>${ADMINISTRATION.over}</span> <a href="/" target="_blank" rel="noopener">${ADMINISTRATION.logIn}</a></p>`}
      <${Places} /><main><${Page} /></main>
    </div>`;
}

function Outside() {
  const who = session.value;
  return html`
    <main class="login"><form onSubmit=${(event) => event.preventDefault()}><h1>${ADMINISTRATION.title}</h1>
      <p>${who ? ADMINISTRATION.notYours(who.principal.name, who.principal.roles) : ADMINISTRATION.nobody}</p>
      <p><a href="/">${who ? ADMINISTRATION.desk : ADMINISTRATION.logIn}</a></p></form></main>`;
}

function App() {
  if (session.value === undefined) return html`<p class="unseen" role="status">${ADMINISTRATION.loading}</p>`;
  const isAdmin = session.value?.principal.roles.includes('admin');
  return html`${isAdmin ? html`<${Administration} />` : html`<${Outside} />`}<${DialogHost} /><${Toasts} />`;
}

async function enter() {
  try {
    const found = await get('/session');
    hasEnded.value = false;
    const isNew = session.value?.principal?.id !== found?.principal?.id;
    session.value = found?.principal ? found : null;
    if (isNew && session.value?.principal.roles.includes('admin')) refresh(KINDS);
  } catch (problem) {
    // A form that is open is not taken away: whoever signs in again in another window goes on.
    if (session.value) hasEnded.value = problem.status === 401;
    else session.value = null;
  }
  if (!session.value || hasEnded.value) setTimeout(enter, ASK_AGAIN_MS);
}

/** Whoever comes back sees what others did meanwhile. */
function comeBack() {
  if (document.visibilityState !== 'visible' || !session.value) return;
  const resource = placeOf(route.value.kind);
  refresh(resource ? [resource.kind] : []);
}

wearWords();
wearPreferences();
startTicker();
startRouting();
startSearchKey();
addEventListener('focus', comeBack);
addEventListener('visibilitychange', comeBack);
whenUnauthorized(() => { if (session.value && !hasEnded.value) { hasEnded.value = true; setTimeout(enter, ASK_AGAIN_MS); } });
render(html`<${App} />`, document.getElementById('app'));
enter();
