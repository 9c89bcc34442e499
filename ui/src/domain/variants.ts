import type { ComparedRun, Comparison, ExperimentDetail } from "../api/types";
import { type Look, look } from "../lib/colors";

/** The look of a variant: its place in the plan decides, on every page. */
export function lookOf(e: ExperimentDetail, label: string): Look {
  return look(e.variants.findIndex((variant) => variant.label === label));
}

/** Whether a run takes part in the statistics. */
export const counts = (run: ComparedRun) => !run.excluded && run.metrics !== undefined;

/** The runs of a variant that were measured, those that do not count included. */
export function measured(comparison: Comparison, label: string): ComparedRun[] {
  return comparison.runs.filter((r) => r.run.variant === label && r.metrics !== undefined);
}
