// Rows by id, where the higher version wins, and a signal that says that something changed.
import { signal } from '../core/html.js';

export class Table {
  constructor() {
    this.rows = new Map();
    this.changes = signal(0);
    this.isAnnounced = false;
  }

  /** Takes a row unless a newer one is known. */
  put(row) {
    const known = this.rows.get(row.id);
    if (known && (row.version ?? 0) < (known.version ?? 0)) return;
    this.rows.set(row.id, known ? { ...known, ...row } : row);
    this.announce();
  }

  drop(id) {
    if (this.rows.delete(id)) this.announce();
  }

  /** Replaces all rows by a snapshot, but keeps what is newer than the snapshot and what must stay. */
  replaceAll(rows, { keep = () => false } = {}) {
    const next = new Map(rows.map((row) => [row.id, row]));
    for (const [id, known] of this.rows) {
      const read = next.get(id);
      const isNewer = read && (known.version ?? 0) > (read.version ?? 0);
      if (isNewer || (!read && keep(known))) next.set(id, known);
    }
    this.rows = next;
    this.announce();
  }

  /** Reading through these two subscribes whoever is being drawn. */
  get(id) {
    return this.changes.value, this.rows.get(id);
  }

  all() {
    return this.changes.value, Array.from(this.rows.values());
  }

  // A burst of events is one change on the screen.
  announce() {
    if (this.isAnnounced) return;
    this.isAnnounced = true;
    queueMicrotask(() => {
      this.isAnnounced = false;
      this.changes.value += 1;
    });
  }
}
