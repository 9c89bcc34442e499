import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { Problem } from "./lib/problem";
import { session } from "./api/queries";
import type { StoredEvent } from "./api/types";
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

export const client = new QueryClient({
  queryCache: new QueryCache({ onError }),
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
  const changed = new Map<string, unknown[]>();
  let waiting = false;
  const flush = () => {
    waiting = false;
    for (const queryKey of changed.values()) client.invalidateQueries({ queryKey });
    changed.clear();
  };
  live.listen((frame) => {
    if (frame.type !== "event") return;
    for (const key of keysOf(frame.data as StoredEvent)) changed.set(key.join(" "), key);
    if (!waiting) setTimeout(flush, gatherMs);
    waiting = true;
  });
  // The stream does not tell why it was refused; the session does.
  live.onCut(() => {
    client.fetchQuery({ ...session(), staleTime: 0 }).catch(() => {});
  });
}

/** The queries whose answers an event may have changed. */
function keysOf(event: StoredEvent): unknown[][] {
  const { kind, experiment = "", run = "" } = event;
  if (kind === "resource") return [["resources", run]];
  const keys: unknown[][] = [["experiments"], ["experiment", experiment], ["run", run], ["shutdown"]];
  if (kind === "outcome") keys.push(["comparison", experiment]);
  return keys;
}
