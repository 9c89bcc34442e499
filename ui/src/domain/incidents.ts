// What clients recover from by themselves: throttles, retries. The catalog has
// their titles and their order.
import type { Catalog, Incident, Second } from "../api/types";
import { plural, words } from "../lib/format";
import { tailOf } from "./timeline";

/** Anything that counts incidents: a second, a result, a run that is compared. */
interface Counted {
  incidents?: Record<string, number>;
}

/** How often an incident occurred. */
export const times = ({ incidents }: Counted, name: string) => incidents?.[name] ?? 0;

/** How many messages had to wait because of a limit of the system under test. */
export const heldBack = ({ incidents }: Pick<Catalog, "incidents">, counted: Counted) =>
  incidents.reduce((sum, { name, limited }) => sum + (limited ? times(counted, name) : 0), 0);

/** The number of an incident, with what it is of. */
export const told = ({ unit, name }: Pick<Incident, "unit" | "name">, counted: Counted) =>
  plural(times(counted, name), unit.replace(/s$/, ""));

/** The incidents that occurred at all, in the order of tables and legends. */
export function occurred({ incidents }: Pick<Catalog, "incidents">, all: readonly Counted[]): Incident[] {
  return incidents.filter(({ name }) => all.some((counted) => times(counted, name) > 0));
}

/** An incident in a legend: "throttled writes". */
export const incidentLabel = ({ name }: Pick<Incident, "name">) => words(name);

/** Whether a limit kept messages from being sent in any second of a run, or many were due and unsent in the end. */
export function limited(catalog: Pick<Catalog, "incidents">, seconds: readonly Second[]): boolean {
  return owed(seconds) || seconds.some((s) => heldBack(catalog, s) > 0 || s.counts.unsent > 0);
}

/** Whether more than a second's load was due and unsent when the measure stage was over. */
function owed(seconds: readonly Second[]): boolean {
  const last = seconds.findLastIndex((s) => s.stage === "measure");
  const load = seconds.slice(0, last + 1);
  const unsent = load.reduce((sum, { counts }) => sum + (counts.offered ?? 0) - (counts.sent ?? 0), 0);
  return unsent > Math.max(1, load.at(-1)?.counts.offered ?? 0);
}

/** How long messages waited for room in max_in_flight in each second: the highest quantile that the seconds support. */
export const waitOf = (seconds: readonly Second[]) => tailOf(seconds, "backpressure");
