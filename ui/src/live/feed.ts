import type { Second } from "../api/types";

/**
 * The seconds of one run, by second: what comes again replaces, nothing is
 * added up. It lives outside of React and tells its readers at most four times
 * a second.
 */
export class Feed {
  #seconds: Second[] = [];
  #readers = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shown: readonly Second[] = [];

  /** In ascending order; the same array until something changed. */
  seconds = (): readonly Second[] => this.#shown;

  watch = (reader: () => void) => {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  };

  /** The newest second; -1 before the first. */
  last(): number {
    return this.#seconds.at(-1)?.second ?? -1;
  }

  put(rows: readonly Second[]): void {
    if (!rows.length) return;
    for (const row of rows) this.#place(row);
    this.#timer ??= setTimeout(() => this.flush(), 250);
  }

  /** Tells the readers now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shown = this.#seconds.slice();
    for (const reader of this.#readers) reader();
  }

  #place(row: Second): void {
    let at = this.#seconds.length;
    while (at > 0 && (this.#seconds[at - 1] as Second).second >= row.second) at--;
    const replaces = this.#seconds[at]?.second === row.second ? 1 : 0;
    this.#seconds.splice(at, replaces, row);
  }
}
