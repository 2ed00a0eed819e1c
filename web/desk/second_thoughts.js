// A reply that waits a moment before it leaves can be taken back; what became of an edit or a deletion is said.
import { html } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { now } from '../core/clock.js';
import { toMs } from '../core/format.js';
import { isMine, isSupervisor } from '../state/store.js';
import { underway, withdrawReply } from './commands.js';

const CHANGES = {
  edit: { pending: 'an edit is on its way', done: 'edited', refused: 'the edit was refused' },
  delete: { pending: 'a deletion is on its way', done: 'deleted on the network', refused: 'the deletion was refused' },
};

export const isWithdrawn = (reply) => reply.state === 'rejected' && reply.attempts === 0;

function Undo({ reply, conversation }) {
  const left_s = Math.ceil((toMs(reply.undo_until) - now.value) / 1000);
  if (left_s <= 0 || (!isMine(conversation) && !isSupervisor.value)) return null;
  return html`<button type="button" class="small" disabled=${underway.value.has(`${reply.id}:undo`)} onClick=${() => withdrawReply(reply)}>Undo, ${left_s} s left</button>`;
}

export function SecondThoughts({ reply, conversation }) {
  if (reply.state === 'accepted' && reply.undo_until) return html`<${Undo} reply=${reply} conversation=${conversation} />`;
  const told = CHANGES[reply.change?.kind]?.[reply.change.state];
  if (!told) return null;
  return html`<p class="hint"><${Icon} name=${reply.change.state === 'done' ? 'tick' : 'clock'} />${told}${reply.change.reason ? html`: <span dir="auto">${reply.change.reason}</span>` : ''}</p>`;
}
