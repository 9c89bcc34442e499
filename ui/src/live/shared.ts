import type { Frame } from "../api/events";
import { type Link, Source, silenceMs } from "./source";

/** What the window that holds the stream tells the other ones. */
type Message = { kind: "frame"; frame: Frame } | { kind: "link"; link: Link } | { kind: "hello" } | { kind: "retry" };

export interface SharedOptions {
  url(after: number): string;
  onFrame(frame: Frame): void;
  onLink(link: Link): void;
  onCut(): void;
}

const name = "dec-events";

/**
 * The event stream of all windows of this browser. One of them, the holder of a
 * lock, reads it and passes it on: browsers open six connections to a server and
 * no more, so that seven windows with a stream each would block every request.
 * Where there are no locks (plain http from another host) each window reads.
 */
export class SharedStream {
  #source: Source;
  #options: SharedOptions;
  #channel = new BroadcastChannel(name);
  #after = 0;
  #link: Link = { state: "idle" };
  #leading = false;
  #waiting: AbortController | undefined;
  #release: (() => void) | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SharedOptions) {
    this.#options = options;
    this.#source = new Source({
      url: options.url,
      onCut: options.onCut,
      onFrame: (frame) => {
        this.#channel.postMessage({ kind: "frame", frame } satisfies Message);
        this.#deliver(frame);
      },
      onLink: (link) => this.#lead(link),
    });
    this.#channel.onmessage = (message: MessageEvent<Message>) => this.#hear(message.data);
  }

  /** Begins to hear of what comes after an event. */
  start(after: number): void {
    this.#after = Math.max(this.#after, after);
    if (this.#waiting || this.#leading) return;
    if (!("locks" in navigator)) {
      this.#leading = true;
      this.#source.start(this.#after);
      return;
    }
    this.#queue(false);
    this.#channel.postMessage({ kind: "hello" } satisfies Message);
    this.#watch();
  }

  /** Lets another window read, or nobody. */
  stop(): void {
    clearTimeout(this.#silence);
    this.#waiting?.abort();
    this.#waiting = undefined;
    this.#leading = false;
    this.#source.stop();
    this.#release?.();
    this.#release = undefined;
  }

  retryNow(): void {
    this.#source.retryNow();
    this.#channel.postMessage({ kind: "retry" } satisfies Message);
  }

  #queue(steal: boolean): void {
    const waiting = new AbortController();
    this.#waiting = waiting;
    const hold = () => {
      if (waiting.signal.aborted) return Promise.resolve();
      clearTimeout(this.#silence);
      this.#leading = true;
      this.#source.start(this.#after);
      return new Promise<void>((release) => {
        this.#release = release;
      });
    };
    const request = steal
      ? navigator.locks.request(name, { steal: true }, hold)
      : navigator.locks.request(name, { signal: waiting.signal }, hold);
    request.catch(() => {
      // Aborted by stop, or another window took the lock: then wait for it again.
      if (waiting.signal.aborted || this.#waiting !== waiting) return;
      this.#leading = false;
      this.#release = undefined;
      this.#source.stop();
      this.#queue(false);
      this.#channel.postMessage({ kind: "hello" } satisfies Message);
      this.#watch();
    });
  }

  /** Takes the lock from a window that is frozen or hangs. */
  #watch(): void {
    clearTimeout(this.#silence);
    if (this.#leading) return;
    this.#silence = setTimeout(() => {
      this.#waiting?.abort();
      this.#queue(true);
    }, silenceMs);
  }

  #lead(link: Link): void {
    if (!this.#leading && link.state !== "idle") return;
    this.#link = link;
    this.#options.onLink(link);
    if (this.#leading) this.#channel.postMessage({ kind: "link", link } satisfies Message);
  }

  #hear(message: Message): void {
    if (this.#leading) {
      if (message.kind === "hello") this.#channel.postMessage({ kind: "link", link: this.#link } satisfies Message);
      if (message.kind === "retry") this.#source.retryNow();
      return;
    }
    if (!this.#waiting) return; // hidden
    if (message.kind === "link") this.#options.onLink(message.link);
    if (message.kind === "frame") this.#deliver(message.frame);
    if (message.kind !== "hello") this.#watch();
  }

  #deliver(frame: Frame): void {
    if (frame.type === "event") {
      if (frame.id <= this.#after) return;
      this.#after = frame.id;
    }
    this.#options.onFrame(frame);
  }
}
