import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import type { Frame } from "../api/events";
import { readTimeline, timeline } from "../api/queries";
import type { Second } from "../api/types";
import { Feed } from "./feed";
import { useFrames, useLive } from "./hooks";

export interface LiveTimeline {
  seconds: readonly Second[];
  /** Nothing will be added. */
  complete: boolean;
  error: Error | null;
}

/**
 * A run second by second: what the server has, then what the stream brings. A
 * missing second makes it ask for those after the last one it has.
 */
export function useTimeline(run: string, collected: boolean): LiveTimeline {
  const [feed] = useState(() => new Feed());
  const final = useQuery({ ...timeline(run), enabled: collected });
  const [error, setError] = useState<Error | null>(null);
  const { link } = useLive();

  const fill = useCallback(async () => {
    try {
      const { seconds } = await readTimeline(run, feed.last());
      feed.put(seconds);
      feed.flush();
      setError(null);
    } catch (failure) {
      setError(failure as Error);
    }
  }, [run, feed]);

  const onFrame = useCallback(
    (frame: Frame) => {
      if (frame.type !== "snapshot") return;
      const { run: of, second } = frame.data;
      if (of !== run) return;
      if (second.second > feed.last() + 1) fill();
      feed.put([second]);
    },
    [run, feed, fill],
  );
  useFrames(onFrame);

  // At the start, and again whenever the stream begins: what came before it is not repeated.
  const connected = link.state === "live";
  useEffect(() => {
    if (!collected && (connected || feed.last() < 0)) fill();
  }, [collected, connected, feed, fill]);

  const shown = useSyncExternalStore(feed.watch, feed.seconds);
  const done = final.data;
  return done
    ? { seconds: done.seconds, complete: done.complete, error: null }
    : { seconds: shown, complete: false, error: collected ? final.error : error };
}
