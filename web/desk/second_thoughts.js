// A reply that waits a moment before it leaves is taken back; one that is there is edited or deleted where the network can.
import { Intent } from '../core/api.js';
import { html, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { now } from '../core/clock.js';
import { networkName, toMs } from '../core/format.js';
import { isMine, isSupervisor } from '../state/store.js';
import { canChange } from '../state/networks.js';
import { showReply } from '../state/timelines.js';
import { CHANGES, REPLY } from '../texts/en.js';
import { underway, withdrawReply } from './commands.js';
import { FormButtons, closeDialog, openDialog } from './dialog.js';

export const isWithdrawn = (reply) => reply.state === 'rejected' && reply.attempts === 0;
export const isDeleted = (reply) => reply.change?.kind === 'delete' && reply.change.state === 'done';

const mayChange = (conversation) => isMine(conversation) || isSupervisor.value;

function Undo({ reply, conversation }) {
  const left_s = Math.ceil((toMs(reply.undo_until) - now.value) / 1000);
  if (left_s <= 0 || !mayChange(conversation)) return null;
  return html`<button type="button" class="small" disabled=${underway.value.has(`${reply.id}:undo`)} onClick=${() => withdrawReply(reply)}>${REPLY.undo(left_s)}</button>`;
}

/** Sends a change from its dialog: what is refused is said there, beside the words, which stay. */
function useChange(reply, kind) {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const send = async (body) => {
    setBusy(true);
    setProblem('');
    try {
      const changed = await new Intent(`/replies/${encodeURIComponent(reply.id)}/${kind}`, body).send();
      showReply({ ...reply, ...changed });
      closeDialog();
    } catch (refused) {
      setBusy(false);
      setProblem(refused.status === 0 ? REPLY.unreachable : refused.message);
    }
  };
  return { problem, isBusy, send };
}

const Refused = ({ problem }) => html`<p class="form-refused" role="alert">${problem && html`<${Icon} name="warning" />`}${problem}</p>`;

function EditForm({ reply }) {
  const [text, setText] = useState(reply.text);
  const { problem, isBusy, send } = useChange(reply, 'edit');
  const isSame = !text.trim() || text.trim() === reply.text;
  const submit = (event) => {
    event.preventDefault();
    if (!isSame && !isBusy) send({ text: text.trim() });
  };
  return html`
    <form onSubmit=${submit}>
      <label class="field">${REPLY.editLabel}<textarea data-first rows="4" dir="auto" maxlength="20000" value=${text} onInput=${(event) => setText(event.currentTarget.value)}></textarea></label>
      <p class="hint">${REPLY.editHint}</p><${Refused} problem=${problem} />
      <${FormButtons} submit=${REPLY.editSubmit} disabled=${isSame || isBusy} />
    </form>`;
}

function DeleteForm({ reply, network }) {
  const { problem, isBusy, send } = useChange(reply, 'delete');
  const submit = (event) => {
    event.preventDefault();
    if (!isBusy) send({});
  };
  return html`
    <form onSubmit=${submit}>
      <blockquote dir="auto">${reply.text}</blockquote>
      <p class="hint">${REPLY.removeHint(networkName(network))}</p><${Refused} problem=${problem} />
      <${FormButtons} submit=${REPLY.removeSubmit} kind="end" disabled=${isBusy} />
    </form>`;
}

function ChangeButtons({ reply, conversation }) {
  const { network } = conversation;
  if (!mayChange(conversation) || reply.change?.state === 'pending' || isDeleted(reply)) return null;
  const canEdit = canChange(network, reply.visibility, 'can_edit');
  const canDelete = canChange(network, reply.visibility, 'can_delete');
  if (!canEdit && !canDelete) return null;
  return html`
    <footer>
      ${canEdit && html`<button type="button" class="link" onClick=${() => openDialog({ title: REPLY.editTitle, body: EditForm, props: { reply } })}>${REPLY.edit}</button>`}
      ${canDelete && html`<button type="button" class="link" onClick=${() => openDialog({ title: REPLY.removeTitle, body: DeleteForm, props: { reply, network } })}>${REPLY.remove}</button>`}
    </footer>`;
}

const CHANGE_ICONS = { pending: 'clock', done: 'tick', refused: 'warning' };

function Told({ change }) {
  const told = CHANGES[change?.kind]?.[change.state];
  if (!told) return null;
  const wanted = change.kind === 'edit' && change.state !== 'done' && change.text;
  return html`
    <div class="change ${change.state}"><p><${Icon} name=${CHANGE_ICONS[change.state]} /><span>${told}${change.reason ? html`: <span dir="auto">${change.reason}</span>` : ''}</span></p>
      ${wanted && html`<p class="hint">${REPLY.wanted[change.state]} <span dir="auto">${wanted}</span></p>`}</div>`;
}

export function SecondThoughts({ reply, conversation }) {
  if (reply.state === 'accepted' && reply.undo_until) return html`<${Undo} reply=${reply} conversation=${conversation} />`;
  return html`<${Told} change=${reply.change} />${reply.state === 'sent' && html`<${ChangeButtons} reply=${reply} conversation=${conversation} />`}`;
}
