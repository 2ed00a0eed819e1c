// A week as a drawing and as times: what is open is a bar; holidays have times of their own, or none.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { FORM } from '../texts/en_administration.js';
import { Mistakes, Settings } from './fields.js';
import { mistakesUnder, valueAt } from './form_state.js';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const HOURS = [0, 6, 12, 18, 24];
const DAY_WIDTH = 240;
const ROW = 14;

function hourOf(time) {
  const match = /^(\d{2}):(\d{2})$/.exec(time ?? '');
  return match ? Number(match[1]) + Number(match[2]) / 60 : null;
}

/** Bars of a day; what ends earlier than it begins goes on into the next one. */
function barsOf(weekly, index) {
  const own = (weekly[DAYS[index]] ?? []).map(({ from, to }) => [hourOf(from), hourOf(to)]).filter(([from, to]) => from !== null && to !== null);
  const before = (weekly[DAYS[(index + 6) % 7]] ?? []).map(({ from, to }) => [hourOf(from), hourOf(to)]).filter(([from, to]) => from !== null && to !== null && to <= from && to > 0);
  return [...own.map(([from, to]) => [from, to <= from ? 24 : to]), ...before.map(([, to]) => [0, to])];
}

function DrawnWeek({ weekly }) {
  const said = DAYS.map((day) => `${FORM.days[day]} ${(weekly[day] ?? []).map(({ from, to }) => `${from}–${to}`).join(', ') || FORM.closed}`).join('; ');
  const x = (hour) => (hour / 24) * DAY_WIDTH;
  return html`
    <svg class="week" viewBox="0 0 ${DAY_WIDTH + 30} ${ROW * 7 + 14}" role="img" aria-label=${said}>
      ${HOURS.map((hour) => html`<line key=${hour} class="grid" x1=${30 + x(hour)} x2=${30 + x(hour)} y1="0" y2=${ROW * 7} /><text key=${`t${hour}`} x=${30 + x(hour)} y=${ROW * 7 + 10} text-anchor=${hour === 24 ? 'end' : hour === 0 ? 'start' : 'middle'}>${hour}</text>`)}
      ${DAYS.map((day, index) => html`<text key=${day} x="0" y=${index * ROW + 10}>${FORM.shortDays[day]}</text>
        ${barsOf(weekly, index).map(([from, to], at) => html`<rect key=${`${day}${at}`} class="open" x=${30 + x(from)} width=${Math.max(x(to) - x(from), 1)} y=${index * ROW + 2} height=${ROW - 4} rx="2" />`)}`)}
    </svg>`;
}

function Intervals({ list, label, change }) {
  const put = (at, name, value) => change(list.map((one, index) => (index === at ? { ...one, [name]: value } : one)));
  return html`
    <span class="intervals">${list.map((one, at) => html`
      <span key=${at} class="interval"><input type="time" aria-label=${FORM.from(label)} value=${one.from} onChange=${(event) => put(at, 'from', event.currentTarget.value)} />–<${End} label=${label} value=${one.to} put=${(value) => put(at, 'to', value)} />
        <button type="button" class="quiet icon" aria-label=${FORM.removeOne(`${one.from}–${one.to}`)} onClick=${() => change(list.filter((_, index) => index !== at))}><${Icon} name="cross" /></button></span>`)}
      ${list.length === 0 && html`<span class="hint">${FORM.closed}</span>`}
      <button type="button" class="small" aria-label=${FORM.addHours(label)} onClick=${() => change([...list, list.length ? { from: list.at(-1).to, to: '24:00' } : { from: '09:00', to: '17:00' }])}>+</button></span>`;
}

/** A field for times knows no 24:00; midnight as an end is that. */
const End = ({ label, value, put }) => html`<input type="time" aria-label=${FORM.to(label)} value=${value === '24:00' ? '00:00' : value} onChange=${(event) => put(event.currentTarget.value === '00:00' ? '24:00' : event.currentTarget.value)} />`;

export function WeekField({ form, field, path }) {
  const weekly = valueAt(form.value, path) ?? {};
  const copy = () => form.set(path, { ...weekly, ...Object.fromEntries(DAYS.slice(1, 5).map((day) => [day, weekly.mon ?? []])) });
  return html`<${Settings} form=${form} field=${{ ...field, hasEntries: true }} path=${path}>${() => html`
    <${DrawnWeek} weekly=${weekly} />
    <ul class="days">${DAYS.map((day) => html`
      <li key=${day}><span class="day">${FORM.days[day]}</span><${Intervals} list=${weekly[day] ?? []} label=${FORM.days[day]} change=${(next) => form.set([...path, day], next)} />
        <${Mistakes} mistakes=${mistakesUnder(form.mistakes, [...path, day])} /></li>`)}</ul>
    <button type="button" class="small" onClick=${copy}>${FORM.asMonday}</button>`}<//>`;
}

export function HolidaysField({ form, field, path }) {
  const list = valueAt(form.value, path) ?? [];
  const put = (at, change) => form.set(path, list.map((one, index) => (index === at ? { ...one, ...change } : one)));
  const today = () => new Date().toISOString().slice(0, 10);
  return html`<${Settings} form=${form} field=${{ ...field, hasEntries: true }} path=${path}>${() => html`
    <ul class="days">${list.map((one, at) => html`
      <li key=${at}><input type="date" aria-label=${FORM.date} value=${one.date} onChange=${(event) => put(at, { date: event.currentTarget.value })} />
        <${Intervals} list=${one.intervals ?? []} label=${one.date} change=${(intervals) => put(at, { intervals })} />
        <button type="button" class="quiet icon" aria-label=${FORM.removeOne(one.date)} onClick=${() => form.set(path, list.filter((_, index) => index !== at))}><${Icon} name="cross" /></button>
        <${Mistakes} mistakes=${mistakesUnder(form.mistakes, [...path, at])} /></li>`)}</ul>
    <button type="button" class="small" onClick=${() => form.set(path, [...list, { date: today(), intervals: [] }])}>${FORM.addHoliday}</button>`}<//>`;
}
