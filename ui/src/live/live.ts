import { eventsUrl, type Frame } from "../api/events";
import { time } from "../lib/format";
import { SharedStream } from "./shared";
import type { Link } from "./source";

/** What the page knows of its connection and of the server. */
export interface LiveState {
  link: Link;
  /** Clock of the server minus the clock of this machine, in ms. */
  skewMs: number;
  /** When the server was last heard, in ms of the server. */
  heardAt?: number;
  draining: boolean;
  /** Version of the server when this page was loaded, and now. */
  version?: string;
  upgradedTo?: string;
  /** Seconds that were missed and have been read again; shown for a moment. */
  caughtUpS?: number;
}

const hiddenMs = 30_000;
const caughtUpShownMs = 5000;

/** One connection of this page: its state, and who wants to hear frames. */
class Live {
  #state: LiveState = { link: { state: "idle" }, skewMs: 0, draining: false };
  #readers = new Set<() => void>();
  #listeners = new Set<(frame: Frame) => void>();
  #stream: SharedStream | undefined;
  #begun = 0;
  #lostAt: number | undefined;
  #onCut: () => void = () => {};

  state = () => this.#state;

  /** Calls back when the state changes, until the returned function is called. */
  watch = (reader: () => void) => {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  };

  /** Calls back with every frame, until the returned function is called. */
  listen(listener: (frame: Frame) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Says that something was read which holds everything up to this event. The
   * first call opens the stream there.
   */
  begin(lastEvent: number, asOf?: string): void {
    this.#heard(asOf);
    if (this.#stream) return;
    this.#begun = lastEvent;
    this.#stream = new SharedStream({
      url: eventsUrl,
      onFrame: (frame) => this.#receive(frame),
      onLink: (link) => this.#setLink(link),
      onCut: () => this.#onCut(),
    });
    this.#stream.start(lastEvent);
    this.#followVisibility();
  }

  /** Called whenever the connection is cut. */
  onCut(call: () => void): void {
    this.#onCut = call;
  }

  retryNow = () => this.#stream?.retryNow();

  /** Forgets the connection, at sign-out. */
  end(): void {
    this.#stream?.stop();
    this.#stream = undefined;
  }

  #receive(frame: Frame): void {
    if (frame.type === "beat") {
      const { at, draining, version: newest } = frame.data;
      this.#heard(at);
      const version = this.#state.version ?? newest;
      this.#set({ draining, version, ...(newest !== version && { upgradedTo: newest }) });
    }
    for (const listener of this.#listeners) listener(frame);
  }

  #heard(stamp: string | undefined): void {
    const at = time(stamp);
    if (at !== undefined) this.#set({ heardAt: at, skewMs: at - Date.now() });
  }

  #setLink(link: Link): void {
    if (link.state === "reconnecting") this.#lostAt ??= link.since;
    this.#set({ link });
    if (link.state !== "live" || this.#lostAt === undefined) return;
    this.#set({ caughtUpS: (Date.now() - this.#lostAt) / 1000 });
    this.#lostAt = undefined;
    setTimeout(() => {
      const { caughtUpS: _, ...rest } = this.#state;
      this.#state = rest;
      this.#tell();
    }, caughtUpShownMs);
  }

  #set(change: Partial<LiveState>): void {
    this.#state = { ...this.#state, ...change };
    this.#tell();
  }

  #tell(): void {
    for (const reader of this.#readers) reader();
  }

  /** A hidden window gives its connection back: phones cut it anyway. */
  #followVisibility(): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const resume = () => {
      clearTimeout(timer);
      this.#stream?.start(this.#begun);
    };
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") return resume();
      timer = setTimeout(() => this.#stream?.stop(), hiddenMs);
    });
    addEventListener("pageshow", resume);
    addEventListener("online", () => this.retryNow());
  }
}

export const live = new Live();
