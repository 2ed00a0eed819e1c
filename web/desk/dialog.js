// One dialog at a time, on the browser's own <dialog>: it keeps the focus, and Escape closes it.
import { html, signal, useLayoutEffect, useRef } from '../core/html.js';
import { DESK } from '../texts/en.js';

/** `{title, body: component, props, wide}` */
const shown = signal(null);
export const isDialogOpen = () => shown.value !== null;

let cameFrom = null;

export function openDialog(dialog) {
  cameFrom = cameFrom ?? document.activeElement;
  shown.value = dialog;
}

export function closeDialog() {
  shown.value = null;
  // Where one came from may be gone by now.
  if (cameFrom?.isConnected) cameFrom.focus();
  cameFrom = null;
}

export function DialogHost() {
  return shown.value && html`<${Dialog} key=${shown.value.title} ...${shown.value} />`;
}

function Dialog({ title, body, props = {}, kind = '' }) {
  const element = useRef(null);
  // Before the next key is heard: whoever types fast types into the dialog.
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog.showModal();
    dialog.querySelector('[data-first]')?.focus();
    // What lies behind a modal dialog takes no focus; closing it gives the focus back to where it was.
    return () => dialog.close();
  }, []);
  const clickOutside = (event) => event.target === element.current && closeDialog();
  return html`
    <dialog ref=${element} class="dialog ${kind}" aria-label=${title} onCancel=${(event) => { event.preventDefault(); closeDialog(); }}
      onMouseDown=${clickOutside}>
      <div class="dialog-body">
        ${kind !== 'palette' && html`<h2>${title}</h2>`}
        <${body} ...${props} />
      </div>
    </dialog>`;
}

/** The row of buttons that ends a form. */
export function FormButtons({ submit, kind = 'primary', disabled = false }) {
  return html`
    <div class="buttons">
      <button type="button" onClick=${closeDialog}>${DESK.cancel}</button>
      <button type="submit" class=${kind} disabled=${disabled}>${submit}</button>
    </div>`;
}
