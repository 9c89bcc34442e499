import type { Phase, Run } from "../api/types";
import { time } from "../lib/format";

const order = ["queued", "provision", "prepare", "load", "collect", "destroy", "verify"] as const satisfies Phase[];
const placeOf = (phase: string) => (order as readonly string[]).indexOf(phase);

/** One phase in the life of a run. */
export interface Step {
  phase: (typeof order)[number];
  state: "done" | "now" | "failed" | "skipped" | "ahead";
  /** How long it took, or takes by now. */
  seconds?: number;
}

/** All phases of a run at a time, in ms. A run that fails skips to destroy; one that was never begun ends at once. */
export function stepsOf(r: Pick<Run, "phase" | "phases" | "outcome" | "ended_at">, now: number): Step[] {
  const reached = Math.max(...r.phases.map((p) => placeOf(p.phase)));
  return order.map((phase): Step => {
    const i = r.phases.findIndex((p) => p.phase === phase);
    const start = time(r.phases[i]?.at);
    if (start === undefined) {
      return { phase, state: reached > placeOf(phase) || r.phase === "ended" ? "skipped" : "ahead" };
    }
    const next = r.phases[i + 1];
    const seconds = ((time(next?.at) ?? time(r.ended_at) ?? now) - start) / 1000;
    if (phase === r.phase) return { phase, state: "now", seconds };
    return { phase, state: brokeOff(phase, next?.phase) ? "failed" : "done", seconds };
  });
}

/** Whether a run left a phase for another than the one that follows when all is well. */
function brokeOff(phase: Step["phase"], next: string | undefined): boolean {
  return next !== undefined && next !== (order[placeOf(phase) + 1] ?? "ended");
}
