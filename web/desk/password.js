// One's own password, chosen or changed; all other browsers are signed out by it.
import { put } from '../core/api.js';
import { html, useRef, useState } from '../core/html.js';
import { session } from '../state/store.js';
import { PASSWORD } from '../texts/en.js';
import { FormButtons, closeDialog, openDialog } from './dialog.js';
import { SecretField } from './secret_field.js';
import { say } from './toasts.js';

function whyNot({ status, code, retryAfter_s }) {
  if (code === 'too_many_attempts') return PASSWORD.wait(retryAfter_s ?? 1);
  return PASSWORD.refusals[code] ?? PASSWORD.refusals[status] ?? PASSWORD.refusals.other;
}

function PasswordForm({ isFirst = false }) {
  const form = useRef(null);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const hasOne = session.value?.password !== 'none';
  const submit = async (event) => {
    event.preventDefault();
    const { current, chosen } = form.current.elements;
    setBusy(true);
    setProblem('');
    try {
      await put('/session/password', { ...(hasOne ? { current: current.value } : {}), new: chosen.value });
    } catch (refusal) {
      setProblem(whyNot(refusal));
      setBusy(false);
      (refusal.code === 'wrong_password' ? current : chosen).select();
      return;
    }
    session.value = { ...session.value, password: 'own' };
    closeDialog();
    say({ title: PASSWORD.done, detail: PASSWORD.others, kind: 'note' });
  };
  return html`
    <form ref=${form} onSubmit=${submit}>
      ${isFirst && html`<p class="hint">${PASSWORD.why}</p>`}
      <input class="unseen" name="username" autocomplete="username" value=${session.value?.username ?? ''} readonly tabindex="-1" aria-hidden="true" />
      ${hasOne && html`<${SecretField} label=${PASSWORD.current} name="current" autocomplete="current-password" isFirst />`}
      <${SecretField} label=${PASSWORD.chosen} name="chosen" autocomplete="new-password" minlength="8" hint=${PASSWORD.rule} isFirst=${!hasOne} />
      <p class="problem" role="alert">${problem}</p>
      <${FormButtons} submit=${PASSWORD.submit} disabled=${isBusy} />
    </form>`;
}

/** `isFirst`: somebody else has chosen the present one. */
export const changePassword = ({ isFirst = false } = {}) => openDialog({ title: PASSWORD.title, body: PasswordForm, props: { isFirst } });
