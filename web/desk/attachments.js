// Files that go with a reply: brought as soon as they are chosen, kept with the draft, described for those who do not see them.
import { Upload, remove } from '../core/api.js';
import { html, signal, useRef } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { FILES } from '../texts/en.js';
import { changeDraft, draftOf } from './drafts.js';
import { FileName } from './files.js';

const NO_RULE = { limit: 0, limit_alt_text: 0 };
const LONGEST_NAME = 150;
const LEFT_OUT_OF_NAMES = /[\u0000-\u001f\u007f-\u009f/\\\u2028-\u202e\u2066-\u2069]/gu;

/** Conversation id → files on their way or refused: `{upload, name, state: 'leaving'|'failed', detail, isFinal}`. */
const arriving = signal({});

const arrivingOf = (conversationId) => arriving.value[conversationId] ?? [];

function keepArriving(conversationId, entries) {
  const { [conversationId]: _old, ...others } = arriving.value;
  arriving.value = entries.length ? { ...others, [conversationId]: entries } : others;
}

const takeOut = (conversationId, upload) => keepArriving(conversationId, arrivingOf(conversationId).filter((entry) => entry.upload !== upload));

function change(conversationId, upload, fields) {
  keepArriving(conversationId, arrivingOf(conversationId).map((entry) => (entry.upload === upload ? { ...entry, ...fields } : entry)));
}

const nameOf = (file) => file.name.replace(LEFT_OUT_OF_NAMES, '').slice(-LONGEST_NAME).trim() || FILES.unnamed;

async function deliver(conversationId, upload) {
  change(conversationId, upload, { state: 'leaving', detail: '' });
  try {
    const file = await upload.send();
    const wasDropped = !arrivingOf(conversationId).some((entry) => entry.upload === upload);
    if (wasDropped) return remove(`/attachments/${file.id}`).catch(() => {});
    takeOut(conversationId, upload);
    changeDraft(conversationId, { attachments: [...draftOf(conversationId).attachments, file] });
  } catch (problem) {
    const detail = problem.code === 'unsupported_media_type' ? FILES.unknownKind : problem.message;
    change(conversationId, upload, { state: 'failed', detail, isFinal: !problem.isPassing });
  }
  return undefined;
}

/** Brings files; what is larger than the network takes is said without bringing it. */
function bring(conversationId, files, rule) {
  for (const file of files) {
    const name = nameOf(file);
    const path = `/conversations/${encodeURIComponent(conversationId)}/attachments?name=${encodeURIComponent(name)}`;
    const upload = new Upload(path, file);
    const isTooLarge = rule.limit_bytes > 0 && file.size > rule.limit_bytes;
    keepArriving(conversationId, [...arrivingOf(conversationId), { upload, name, state: 'failed', detail: FILES.tooLarge(file.size, rule.limit_bytes), isFinal: isTooLarge }]);
    if (!isTooLarge) deliver(conversationId, upload);
  }
}

function drop(conversationId, file) {
  changeDraft(conversationId, { attachments: draftOf(conversationId).attachments.filter(({ id }) => id !== file.id) });
  remove(`/attachments/${file.id}`).catch(() => {}); // What is left there is forgotten in a week.
}

function describe(conversationId, file, altText) {
  const described = draftOf(conversationId).attachments.map((one) => (one.id === file.id ? { ...one, alt_text: altText } : one));
  changeDraft(conversationId, { attachments: described });
}

const firstOf = (attachments, isWrong) => attachments.find(isWrong)?.name;

/** Why these files cannot go with these words, in words; '' where they can. */
export function whyNotFiles(conversationId, { attachments, reply }, rule, network) {
  if (arrivingOf(conversationId).length) return FILES.wait;
  if (!attachments.length || !rule) return ''; // Until the rule is known the server judges.
  if (attachments.length > rule.limit) return FILES.tooMany(network, rule.limit);
  const [kind, alone, silent, long] = [
    firstOf(attachments, ({ media_type: one }) => !rule.media_types.includes(one)),
    attachments.length > 1 && firstOf(attachments, ({ media_type: one }) => rule.alone.includes(one)),
    rule.needs_alt_text && firstOf(attachments, ({ alt_text: one }) => !one?.trim()),
    rule.limit_alt_text > 0 && firstOf(attachments, ({ alt_text: one }) => (one?.trim().length ?? 0) > rule.limit_alt_text),
  ];
  if (kind) return FILES.wrongKind(kind, network);
  if (alone) return FILES.goesAlone(alone);
  if (silent) return FILES.needsWords(silent);
  if (long) return FILES.longWords(long, rule.limit_alt_text);
  return reply.trim() ? '' : FILES.sayAWord;
}

/** What a paste or a drop brings; nothing where it is only words. */
const filesOf = (transfer) => [...(transfer?.files ?? [])];

/** Takes files that are dropped on the composer or pasted into it, where the network takes any. */
export function takingFiles(conversationId, rule) {
  if (!rule?.limit) return {};
  const take = (event, transfer) => {
    const files = filesOf(transfer);
    if (!files.length) return;
    event.preventDefault();
    bring(conversationId, files, rule);
  };
  return {
    onPaste: (event) => take(event, event.clipboardData),
    onDrop: (event) => take(event, event.dataTransfer),
    onDragOver: (event) => { if ([...event.dataTransfer.types].includes('Files')) event.preventDefault(); },
  };
}

export function AttachButton({ conversationId, rule }) {
  const field = useRef(null);
  if (!rule?.limit) return null;
  const choose = () => {
    bring(conversationId, [...field.current.files], rule);
    field.current.value = '';
  };
  return html`
    <input ref=${field} class="unseen" type="file" tabindex="-1" aria-hidden="true" multiple=${rule.limit > 1} accept=${rule.media_types.join(',')} onChange=${choose} />
    <button type="button" class="attach" onClick=${() => field.current.click()}><${Icon} name="clip" />${FILES.attach}</button>`;
}

function Arriving({ conversationId, entry: { upload, name, state, detail, isFinal } }) {
  return html`
    <li class=${state}><span class="file-name"><${Icon} name=${state === 'failed' ? 'warning' : 'clock'} /><bdi>${name}</bdi></span>
      <span class="hint" role="status">${state === 'failed' ? detail : FILES.arriving}</span>
      ${state === 'failed' && !isFinal && html`<button type="button" class="small" onClick=${() => deliver(conversationId, upload)}>${FILES.tryAgain}</button>`}
      <button type="button" class="icon" aria-label=${FILES.drop(name)} onClick=${() => takeOut(conversationId, upload)}><${Icon} name="cross" /></button></li>`;
}

function Attached({ conversationId, file, rule }) {
  const onInput = (event) => describe(conversationId, file, event.currentTarget.value);
  return html`
    <li><${FileName} file=${file} />
      ${rule.limit_alt_text > 0 && html`<input type="text" dir="auto" maxlength=${rule.limit_alt_text} value=${file.alt_text ?? ''} placeholder=${FILES.whatItShows} aria-label=${FILES.shows(file.name)} onInput=${onInput} />`}
      <button type="button" class="icon" aria-label=${FILES.drop(file.name)} onClick=${() => drop(conversationId, file)}><${Icon} name="cross" /></button></li>`;
}

/** The files of a draft, those that are still arriving, and why they cannot go. */
export function Attachments({ conversationId, attachments, rule = NO_RULE, why }) {
  const entries = arrivingOf(conversationId);
  if (!attachments.length && !entries.length) return null;
  return html`
    <ul class="attachments" aria-label=${FILES.title}>${attachments.map((file) => html`<${Attached} key=${file.id} conversationId=${conversationId} file=${file} rule=${rule} />`)}
      ${entries.map((entry) => html`<${Arriving} key=${entry.upload.key} conversationId=${conversationId} entry=${entry} />`)}</ul>
    ${why && !entries.length && html`<p class="forbidden" role="status"><${Icon} name="warning" />${why}</p>`}`;
}
