// What the board was told last: the floor now, who is there, and the day by quarters of an hour. It asks; nobody has to push.
import { get, speakAs } from '../core/api.js';
import { serverNow } from '../core/clock.js';
import { signal } from '../core/html.js';
import { everySecond } from '../core/ticker.js';
import { token, wanted } from './address.js';

const CREW_EVERY_S = 3;
const DAY_EVERY_S = 30;
const REFUSED_EVERY_S = 10;
const QUARTER_S = 900;
const DAY_MS = 24 * 3_600_000;

/** Items of `/statistics/now`, null before the first. */
export const floor = signal(null);
export const crew = signal([]);
/** Items of `/statistics/intervals`, a day of quarters of an hour. */
export const day = signal([]);
/** The moment at which what is shown was true, in ms; 0 before the first answer. */
export const trueAt = signal(0);
/** Why nothing newer came: the refusal, or null. */
export const trouble = signal(null);

const isWanted = (id) => wanted.length === 0 || wanted.includes(id);
const iso = (ms) => new Date(ms).toISOString();

async function readFloor() {
  const { as_of: at, items } = await get('/statistics/now');
  floor.value = items.filter(({ workgroup_id: id }) => isWanted(id));
  trueAt.value = Date.parse(at);
}

async function readCrew() {
  const { items } = await get('/statistics/agents');
  crew.value = items.filter(({ workgroups }) => wanted.length === 0 || workgroups.some(isWanted));
}

async function readDay() {
  const end = Math.ceil(serverNow() / (QUARTER_S * 1000)) * QUARTER_S * 1000;
  const { items } = await get(`/statistics/intervals?from=${iso(end - DAY_MS)}&to=${iso(end)}&width_s=${QUARTER_S}`);
  day.value = items.filter(({ workgroup_id: id }) => isWanted(id));
}

let second = 0;
const busy = new Set();

// One question of a kind at a time: a slow server is not asked faster than it answers.
async function ask(name, read) {
  if (busy.has(name)) return;
  busy.add(name);
  try {
    await read();
    if (name === 'floor') trouble.value = null;
  } catch (problem) {
    trouble.value = problem;
  } finally {
    busy.delete(name);
  }
}

function passSecond() {
  const isRefused = trouble.value?.status === 401 || trouble.value?.status === 403;
  if (isRefused && second % REFUSED_EVERY_S !== 0) {
    second += 1;
    return;
  }
  ask('floor', readFloor);
  if (second % CREW_EVERY_S === 0) ask('crew', readCrew);
  const isFirst = floor.value?.length > 0 && day.value.length === 0;
  if (second % (isFirst ? CREW_EVERY_S : DAY_EVERY_S) === 0) ask('day', readDay);
  second += 1;
}

export function startReading() {
  if (token) speakAs(token);
  passSecond();
  everySecond(passSecond);
}
