// Of many rows of one height only those that are seen are drawn, and a few around them.
import { useEffect, useLayoutEffect, useRef, useState } from './html.js';

const OVERSCAN = 12;
/** Whoever scrolls less than so many rows sees rows that are drawn already. */
const STEP = 4;

/** How much of a frame is seen, and from where on: `{from, to, onScroll}`. */
export function useWindow(frame, count, rowPx) {
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  useEffect(() => {
    const observer = new ResizeObserver(() => frame.current && setHeight(frame.current.clientHeight));
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);
  const seen = Math.ceil(height / rowPx);
  const last = Math.max(0, count - seen);
  const from = Math.max(0, Math.min(top, last) - OVERSCAN);
  const onScroll = () => setTop(Math.floor(frame.current.scrollTop / rowPx / STEP) * STEP);
  return { from, to: Math.min(count, from + seen + 2 * OVERSCAN), onScroll };
}

/** A row that changes its place is taken out and put in again, and the browser forgets that it had the focus. */
export function useKeptFocus() {
  const had = useRef(null);
  useLayoutEffect(() => {
    if (had.current?.isConnected && document.activeElement === document.body) had.current.focus({ preventScroll: true });
  });
  return {
    onfocusin: ({ target }) => { had.current = target; },
    // What a person leaves is left before anything is drawn; what was moved is not left.
    onfocusout: ({ target }) => queueMicrotask(() => { if (had.current === target && document.activeElement !== target) had.current = null; }),
  };
}
