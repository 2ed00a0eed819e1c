// Says that the session is about to end; any sign of somebody keeps it, twelve hours end it all the same.
import { now } from '../core/clock.js';
import { Icon } from '../core/icons.js';
import { html } from '../core/html.js';
import { span, toMs } from '../core/format.js';
import { WARNED_MS, left_ms } from '../state/attendance.js';
import { session } from '../state/store.js';
import { LOGIN } from '../texts/en.js';

export function SessionEnding() {
  const left = now.value && left_ms();
  if (left === null || left > WARNED_MS) return null;
  const isLong = session.value.ends_at && toMs(session.value.ends_at) <= toMs(session.value.expires_at);
  return html`
    <p class="banner warn" role="alert"><${Icon} name="clock" /><span>${isLong ? LOGIN.soonLong : LOGIN.soonIdle}</span>
      <b aria-hidden="true">${span(Math.max(0, left))}</b>${!isLong && html`<button type="button" class="small">${LOGIN.stay}</button>`}</p>`;
}
