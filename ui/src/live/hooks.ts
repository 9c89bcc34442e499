import { useEffect, useSyncExternalStore } from "react";
import type { Frame } from "../api/events";
import { type LiveState, live } from "./live";

/** The state of the connection. */
export function useLive(): LiveState {
  return useSyncExternalStore(live.watch, live.state);
}

/** Whether what the page shows may be out of date, so that nothing should be changed from it. */
export function useStale(): boolean {
  return useLive().link.state === "reconnecting";
}

/** Calls back with every frame while the component is there; the callback must be stable. */
export function useFrames(listener: (frame: Frame) => void): void {
  useEffect(() => live.listen(listener), [listener]);
}

/** One clock for the page: it ticks once a second while somebody looks at it. */
const ticking = (() => {
  const readers = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let now = Date.now();
  return {
    now: () => now,
    watch: (reader: () => void) => {
      readers.add(reader);
      now = Date.now();
      timer ??= setInterval(() => {
        now = Date.now();
        for (const each of readers) each();
      }, 1000);
      return () => {
        readers.delete(reader);
        if (readers.size) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
})();

/** Now, by the server's clock, in ms; a new value each second. */
export function useNow(): number {
  const now = useSyncExternalStore(ticking.watch, ticking.now);
  return now + useLive().skewMs;
}

/** Now by this machine's clock, in ms; a new value each second. */
export function useLocalNow(): number {
  return useSyncExternalStore(ticking.watch, ticking.now);
}
