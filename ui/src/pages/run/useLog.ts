import { useCallback, useEffect, useState } from "react";
import { type LogFilter, readLog } from "../../api/queries";
import type { LogLine } from "../../api/types";

/** So many lines are kept on the page; earlier ones are asked for again. */
const mostLines = 5000;
const pollMs = 2000;

interface State {
  key: string;
  lines: LogLine[];
  sources: string[];
  matches: number;
  before?: string | undefined;
  error?: unknown;
}

/** The lines of a log that match, the newest 1,000 at first; with follow what is new joins them. */
export function useLog(run: string, filter: LogFilter, follow: boolean) {
  const { q, source, level } = filter;
  const key = JSON.stringify([run, q, source, level]);
  const [state, setState] = useState<State>({ key: "", lines: [], sources: [], matches: 0 });

  const read = useCallback(
    async (before: string | undefined, signal?: AbortSignal) => {
      try {
        const page = await readLog(run, { q, source, level }, before, signal);
        setState((old) => {
          const kept = old.key === key ? old.lines : [];
          const { sources, matches } = page;
          if (before) return { key, sources, matches, lines: join(page.lines, kept), before: page.before };
          const whole = !kept.length || skips(kept, page.lines);
          return {
            key,
            sources,
            matches,
            lines: join(whole ? [] : kept, page.lines),
            before: whole ? page.before : old.before,
          };
        });
      } catch (error) {
        if (!signal?.aborted) setState((old) => ({ ...old, key, error }));
      }
    },
    [key, run, q, source, level],
  );

  useEffect(() => {
    const controller = new AbortController();
    read(undefined, controller.signal);
    return () => controller.abort();
  }, [read]);

  useEffect(() => {
    if (!follow) return;
    const timer = setInterval(() => document.visibilityState === "visible" && read(undefined), pollMs);
    return () => clearInterval(timer);
  }, [follow, read]);

  const { before } = state;
  return {
    ...state,
    pending: state.key !== key,
    retry: () => read(undefined),
    earlier: before && state.lines.length < mostLines ? () => read(before) : undefined,
  };
}

/** Whether lines were written in between that are in neither. */
function skips(kept: LogLine[], newest: LogLine[]): boolean {
  return (newest[0]?.n ?? 0) > (kept.at(-1)?.n ?? 0);
}

/** Two stretches of a log as one, in order and without duplicates. */
function join(early: LogLine[], late: LogLine[]): LogLine[] {
  const firstLate = late[0]?.n ?? Number.POSITIVE_INFINITY;
  return [...early.filter((line) => line.n < firstLate), ...late].slice(-mostLines);
}
