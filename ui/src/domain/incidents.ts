// What clients meet and do not fail from: throttles, retries. The words are
// those of internal/report.
import type { Second } from "../api/types";
import { tailOf } from "./timeline";

/** Something that clients meet, by its name in the API. */
export interface Incident {
  name: string;
  /** In a table. */
  title: string;
  /** In a legend. */
  label: string;
}

const incidents: Incident[] = [
  { name: "throttled_writes", title: "Writes refused for now (throttled)", label: "throttled writes" },
  { name: "throttled_reads", title: "Reads refused for now (throttled)", label: "throttled reads" },
  { name: "retried_sends", title: "Sent again (retried)", label: "sent again" },
  { name: "reconnects", title: "Connections made anew", label: "reconnected" },
];

/** Anything that may tell of incidents: a second, a result, a run that is compared. */
interface Told {
  incidents?: Record<string, number>;
}

/** How often an incident was met. */
export const times = (told: Told, name: string) => told.incidents?.[name] ?? 0;

/** How many writes and reads were refused for now. */
export const throttled = (told: Told) => times(told, "throttled_writes") + times(told, "throttled_reads");

/** The incidents that were met at all, in the order of tables and legends. */
export function met(all: readonly Told[]): Incident[] {
  return incidents.filter(({ name }) => all.some((told) => times(told, name) > 0));
}

/** Whether a limit kept messages from being sent in any of the seconds. */
export function limited(seconds: readonly Second[]): boolean {
  return seconds.some((s) => throttled(s) > 0 || s.counts.unsent > 0);
}

/** How long messages waited for a free slot in each second: the highest quantile that the seconds support. */
export const waitOf = (seconds: readonly Second[]) => tailOf(seconds, "backpressure");

const mark = "emulator";

/** Whether an emulator stands for a variant's technology: its label tells, and so does what its runs read. */
export function emulated(label: string, known?: Record<string, string>): boolean {
  return label.includes(mark) || known?.[label] !== undefined;
}
