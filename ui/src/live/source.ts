import { decodeFrame, type Frame, frameTypes } from "../api/events";

/** How the page hears from the server. */
export type Link =
  /** Nothing was asked for yet, or the window is hidden. */
  | { state: "idle" }
  | { state: "connecting" }
  | { state: "live" }
  /** Not heard since; both are times of this machine, in ms. */
  | { state: "reconnecting"; since: number; nextTry: number };

export interface SourceOptions {
  /** Where to read what comes after an event. */
  url(after: number): string;
  open?(url: string): EventSource;
  onFrame(frame: Frame): void;
  onLink(link: Link): void;
  /** Called when a connection was refused or cut: the session may have ended. */
  onCut?(): void;
}

/** No frame for this long means that the connection is dead: the server sends a beat every 10 s. */
export const silenceMs = 25_000;
const firstRetryMs = 1000;
const lastRetryMs = 15_000;

/**
 * Reads the event stream and never gives up. The browser's own retry does not
 * serve: a single 503 of a proxy ends an EventSource for ever.
 */
export class Source {
  /** The last stored event that was heard of. */
  after = 0;
  #options: SourceOptions;
  #stream: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  #lostSince: number | undefined;
  #heardAt: number | undefined;
  #live = false;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  /** Begins to read after an event; does nothing while it reads already. */
  start(after: number): void {
    this.after = Math.max(this.after, after);
    if (!this.#stream && this.#timer === undefined) this.#connect();
  }

  /** Stops to read; start goes on where this was. */
  stop(): void {
    this.#close();
    this.#lostSince = undefined;
    this.#options.onLink({ state: "idle" });
  }

  /** Tries again at once, when a retry is being waited for. */
  retryNow(): void {
    if (this.#lostSince === undefined) return;
    this.#close();
    this.#connect();
  }

  #connect(): void {
    this.#timer = undefined;
    if (this.#lostSince === undefined) this.#options.onLink({ state: "connecting" });
    const open = this.#options.open ?? ((url: string) => new EventSource(url));
    const stream = open(this.#options.url(this.after));
    this.#stream = stream;
    stream.onopen = () => this.#heard();
    stream.onerror = () => this.#cut();
    for (const type of frameTypes) {
      stream.addEventListener(type, (message: MessageEvent<string>) => this.#receive(message));
    }
    this.#watch();
  }

  #receive(message: MessageEvent<string>): void {
    this.#heard();
    const frame = decodeFrame(message);
    if (!frame) return;
    if (frame.type === "event") {
      if (frame.id <= this.after) return; // heard already
      this.after = frame.id;
    }
    this.#options.onFrame(frame);
  }

  #heard(): void {
    this.#tries = 0;
    this.#lostSince = undefined;
    this.#heardAt = Date.now();
    if (!this.#live) this.#options.onLink({ state: "live" });
    this.#live = true;
    this.#watch();
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#cut(), silenceMs);
  }

  #cut(): void {
    this.#close();
    const wait = Math.min(lastRetryMs, firstRetryMs * 2 ** this.#tries) * (0.8 + 0.4 * Math.random());
    this.#tries++;
    this.#lostSince ??= this.#heardAt ?? Date.now();
    this.#options.onLink({ state: "reconnecting", since: this.#lostSince, nextTry: Date.now() + wait });
    this.#options.onCut?.();
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  #close(): void {
    this.#live = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#stream) return;
    this.#stream.onopen = null;
    this.#stream.onerror = null;
    this.#stream.close();
    this.#stream = undefined;
  }
}
