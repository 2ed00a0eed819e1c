// A button that opens a small list of choices; arrows walk it, Escape and a click elsewhere close it.
import { html, useLayoutEffect, useRef, useState } from '../core/html.js';

/** `choices`: `{label, run, isOn?}`, or '-' for a line. */
export function Menu({ label, title, choices, kind = '' }) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef(null);
  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    root.current.querySelector('[role^=menuitem]')?.focus();
    const away = (event) => !root.current.contains(event.target) && setOpen(false);
    addEventListener('pointerdown', away);
    return () => removeEventListener('pointerdown', away);
  }, [isOpen]);
  const close = () => {
    setOpen(false);
    root.current.querySelector('button').focus();
  };
  const onKeyDown = (event) => {
    if (!isOpen) return;
    if (event.key === 'Escape') close();
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by && event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    const entries = Array.from(root.current.querySelectorAll('[role^=menuitem]'));
    if (by) entries[(entries.indexOf(document.activeElement) + by + entries.length) % entries.length].focus();
  };
  const choose = (choice) => {
    close();
    choice.run();
  };
  return html`
    <div class="menu ${kind}" ref=${root} onKeyDown=${onKeyDown}>
      <button type="button" class="quiet" title=${title} aria-label=${title} aria-haspopup="menu" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>${label}</button>
      ${isOpen && html`<ul role="menu">${choices.map((choice, index) => (choice === '-'
        ? html`<li role="separator" key=${index}></li>`
        : html`<li key=${choice.label} role="none"><button type="button" role=${choice.isOn === undefined ? 'menuitem' : 'menuitemcheckbox'}
            aria-checked=${choice.isOn} onClick=${() => choose(choice)}>${choice.label}${choice.isOn && html`<span class="mark" aria-hidden="true">✓</span>`}</button></li>`))}</ul>`}
    </div>`;
}
