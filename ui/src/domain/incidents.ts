// What clients recover from by themselves: throttles, retries. The catalog has
// their titles and their order.
import type { Catalog, Incident, Second } from "../api/types";
import { words } from "../lib/format";
import { tailOf } from "./timeline";

/** Anything that counts incidents: a second, a result, a run that is compared. */
interface Counted {
  incidents?: Record<string, number>;
}

/** How often an incident occurred. */
export const times = ({ incidents }: Counted, name: string) => incidents?.[name] ?? 0;

/** Whether an incident is a refusal because a limit was reached. */
export const isThrottle = ({ name }: Pick<Incident, "name">) => name.startsWith("throttled_");

/** How many writes and reads were throttled. */
export const throttled = (counted: Counted) => times(counted, "throttled_writes") + times(counted, "throttled_reads");

/** The incidents that occurred at all, in the order of tables and legends. */
export function occurred({ incidents }: Pick<Catalog, "incidents">, all: readonly Counted[]): Incident[] {
  return incidents.filter(({ name }) => all.some((counted) => times(counted, name) > 0));
}

/** An incident in a legend: "throttled writes". */
export const incidentLabel = ({ name }: Pick<Incident, "name">) => words(name);

/** Whether a limit kept messages from being sent in any of the seconds. */
export function limited(seconds: readonly Second[]): boolean {
  return seconds.some((s) => throttled(s) > 0 || s.counts.unsent > 0);
}

/** How long messages waited for room in max_in_flight in each second: the highest quantile that the seconds support. */
export const waitOf = (seconds: readonly Second[]) => tailOf(seconds, "backpressure");
