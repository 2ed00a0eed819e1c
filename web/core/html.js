// Binds the template language to the renderer and hands out the few names that the pages need.
import { Fragment, createElement, render } from '../vendor/preact.js';
import htm from '../vendor/htm.js';

export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from '../vendor/hooks.js';
export { batch, computed, effect, signal, untracked } from '../vendor/signals.js';
export { Fragment, render };
export const html = htm.bind(createElement);
