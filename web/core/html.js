// Binds the template language to the renderer and hands out the few names that the pages need.
import { createElement, render } from '../vendor/preact.js';
import htm from '../vendor/htm.js';

export { useEffect, useLayoutEffect, useRef, useState } from '../vendor/hooks.js';
export { batch, computed, effect, signal } from '../vendor/signals.js';
export { render };
export const html = htm.bind(createElement);

/** After what is being drawn has been painted: what nobody sees yet must not hold up what they see. */
export const afterPaint = (run) => requestAnimationFrame(() => setTimeout(run));
