// The public API: one way to call it, one shape of error, and intents that can be repeated without harm.
import { NAMES } from '../texts/en.js';
import { hearDate } from './clock.js';

const BASE = '/api/v1';
const CALL_TIMEOUT_MS = 10_000;
const UPLOAD_TIMEOUT_MS = 60_000;
const ATTEMPTS = 3;
const LONGEST_WAIT_MS = 2000;
const PAGE_LIMIT = 200;
// Browsers let a request outlive its page up to 64 kB; a character takes at most three bytes.
const OUTLIVES_ITS_PAGE = 20_000;

/** What the server refused, or that it could not be reached. */
class Problem extends Error {
  constructor({ status = 0, code = 'unreachable', title = '', detail = '', errors = [], retryAfter_s = null, requestId = null }) {
    super(detail || title || code);
    Object.assign(this, { status, code, title, detail, errors, retryAfter_s, requestId });
  }

  /** True when the same call may well succeed a little later. */
  get isPassing() {
    return this.status === 0 || this.status === 503 || this.status === 429 || this.code === 'command_in_progress';
  }
}

let onUnauthorized = () => {};

export function whenUnauthorized(listener) {
  onUnauthorized = listener;
}

let bearer = '';

/** From now on every call carries this token instead of the session's cookie. */
export function speakAs(token) {
  bearer = token;
}

let isAttended = () => true;

/** Learns how to know whether somebody is at the page; what it does by itself says so to the server. */
export function whetherAttended(ask) {
  isAttended = ask;
}

async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  const detail = typeof body.detail === 'string' ? body.detail : '';
  return new Problem({
    status: response.status,
    code: body.code ?? `http_${response.status}`,
    title: body.title ?? '',
    detail: detail || (body.errors ?? []).map((error) => error.msg ?? error.detail ?? '').join('; '),
    errors: body.errors ?? [],
    retryAfter_s: Number(response.headers.get('Retry-After')) || null,
    requestId: response.headers.get('X-Request-Id'),
  });
}

async function call(method, path, { body, file, key, version = null, timeout_ms = CALL_TIMEOUT_MS } = {}) {
  const headers = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (file) headers['Content-Type'] = file.type || 'application/octet-stream';
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (key) headers['Idempotency-Key'] = key;
  if (version !== null) headers['If-Match'] = `"${version}"`;
  if (!isAttended()) headers['Parley-Attended'] = 'no';
  const text = body === undefined ? undefined : JSON.stringify(body);
  const sentAt = Date.now();
  let response;
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      body: file ?? text,
      keepalive: method === 'PUT' && text.length < OUTLIVES_ITS_PAGE,
      cache: 'no-store',
      credentials: bearer ? 'omit' : 'same-origin',
      signal: AbortSignal.timeout(timeout_ms),
    });
  } catch {
    throw new Problem({ title: NAMES.unreachable });
  }
  hearDate(response.headers.get('Date'), sentAt, Date.now());
  if (!response.ok) {
    const problem = await problemOf(response);
    if (problem.status === 401 && path !== '/session') onUnauthorized(problem);
    throw problem;
  }
  return response.status === 204 ? null : response.json();
}

export const get = (path) => call('GET', path);
/** With a `version` it is put over that one only; over another one it is 412. */
export const put = (path, body, { version = null } = {}) => call('PUT', path, { body, version });
/** A merge patch, over that version only. */
export const patch = (path, body, { version = null } = {}) => call('PATCH', path, { body, version });
export const remove = (path) => call('DELETE', path);
/** A POST that stores nothing under a key: log-in and heartbeats. */
export const postPlain = (path, body = {}) => call('POST', path, { body });

/** Reads a list to its end, or to the bound: a list that grows without end must not hang the page. */
export async function getAll(path, { pages = 5 } = {}) {
  const rows = [];
  let cursor = null;
  for (let page = 0; page < pages; page += 1) {
    const separator = path.includes('?') ? '&' : '?';
    const from = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
    const answer = await get(`${path}${separator}limit=${PAGE_LIMIT}${from}`);
    rows.push(...(answer.items ?? []));
    cursor = answer.next_cursor;
    if (!cursor) break;
  }
  return rows;
}

/** Random and visible; randomUUID exists only on secure origins. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One wish of a person. However often it is sent, it happens once, because its key stays the same. */
export class Intent {
  constructor(path, body = {}, { timeout_ms = CALL_TIMEOUT_MS, file } = {}) {
    Object.assign(this, { path, body: file ? undefined : body, file, timeout_ms, key: newKey() });
  }

  async send() {
    const { body, file, key, timeout_ms } = this;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call('POST', this.path, { body, file, key, timeout_ms });
      } catch (problem) {
        if (!problem.isPassing || attempt === ATTEMPTS) throw problem;
        await pause(Math.min((problem.retryAfter_s ?? 0.4) * 1000, LONGEST_WAIT_MS));
      }
    }
  }
}

/** A file that is brought: an intent whose body is the file itself. */
export class Upload extends Intent {
  constructor(path, file) {
    super(path, undefined, { timeout_ms: UPLOAD_TIMEOUT_MS, file });
  }
}
