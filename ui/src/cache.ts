import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { comparison, experiment, experimentLists, resources, run, session, shutdown } from "./api/queries";
import type { StoredEvent } from "./api/types";
import { Problem } from "./lib/problem";
import { live } from "./live/live";
import { router } from "./router";

/** Where somebody goes whose session has ended, to come back afterwards. */
function toSignIn(): void {
  if (location.pathname === "/sign-in") return;
  live.end();
  router.navigate({ to: "/sign-in", search: { next: location.pathname + location.search }, replace: true });
}

function onError(error: unknown): void {
  if (error instanceof Problem && error.status === 401) toSignIn();
}

/** An answer that holds everything up to an event. */
interface UpToDate {
  last_event_id: number;
  as_of: string;
}

const isUpToDate = (data: unknown): data is UpToDate =>
  typeof data === "object" && data !== null && "last_event_id" in data && "as_of" in data;

/** The event stream goes on where the first answer ends. */
function onSuccess(data: unknown): void {
  if (isUpToDate(data)) live.begin(data.last_event_id, data.as_of);
}

/** What was read from the server. */
export const cache = new QueryClient({
  queryCache: new QueryCache({ onError, onSuccess }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      // The event stream says what has changed; this is for what it does not tell.
      staleTime: 30_000,
      networkMode: "always",
      retry: (tries, error) => tries < 2 && (!(error instanceof Problem) || error.status === 0 || error.status >= 500),
    },
    mutations: { networkMode: "always" },
  },
});

/** How long changes are gathered before they are read again. */
const gatherMs = 500;

/** Reads again what the server's events say has changed. */
export function followEvents(): void {
  const changed = new Map<string, readonly unknown[]>();
  let waiting = false;
  const flush = () => {
    waiting = false;
    for (const queryKey of changed.values()) cache.invalidateQueries({ queryKey });
    changed.clear();
  };
  live.listen((frame) => {
    if (frame.type !== "event") return;
    for (const key of keysOf(frame.data)) changed.set(key.join(" "), key);
    if (!waiting) setTimeout(flush, gatherMs);
    waiting = true;
  });
  // The stream does not tell why it was refused; the session does.
  live.onCut(() => {
    cache.fetchQuery({ ...session(), staleTime: 0 }).catch(() => {});
  });
}

/** The queries whose answers an event may have changed. */
function keysOf(event: StoredEvent): (readonly unknown[])[] {
  const { kind, experiment: of = "", run: id = "" } = event;
  if (kind === "resource") return [resources(id).queryKey];
  const keys: (readonly unknown[])[] = [
    experimentLists,
    experiment(of).queryKey,
    run(id).queryKey,
    shutdown().queryKey,
  ];
  if (kind === "outcome") keys.push(comparison(of).queryKey);
  return keys;
}
