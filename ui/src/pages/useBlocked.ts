import { useStale } from "../live/hooks";

/** Why nothing can be changed now; undefined when it can. */
export function useBlocked(): string | undefined {
  return useStale() ? "The server is not responding, so nothing can be changed now." : undefined;
}
