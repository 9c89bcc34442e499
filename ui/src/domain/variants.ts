import type { ComparedRun, Comparison, VariantName, VariantSummary } from "../api/types";
import { type Look, look } from "../lib/colors";

/** The look of a variant: its place in the plan decides, on every page. */
export function lookOf(variants: readonly Pick<VariantName, "label">[], label: string): Look {
  return look(variants.findIndex((variant) => variant.label === label));
}

/** The name of a variant, which says when it is an emulator. Its label alone does not. */
export function nameOf(variants: readonly VariantSummary[], label: string): string {
  return variants.find((variant) => variant.label === label)?.name ?? label;
}

/** Whether an emulator stands for the technology of a variant, as any of the lists says. */
export function isEmulated(
  label: string,
  ...lists: (readonly Pick<VariantName, "label" | "emulator">[] | undefined)[]
): boolean {
  return lists.some((variants) => variants?.some((variant) => variant.label === label && variant.emulator));
}

/** Whether a run takes part in the statistics. */
export const counts = (run: ComparedRun) => !run.excluded && run.metrics !== undefined;

/** The runs of a variant that were measured, those that do not count included. */
export function measured(comparison: Comparison, label: string): ComparedRun[] {
  return comparison.runs.filter((r) => r.run.variant === label && r.metrics !== undefined);
}
