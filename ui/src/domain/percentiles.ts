import type { Histogram } from "../api/histogram";
import { median } from "../lib/stats";

/** Points per nine: from 0 to 0.9, 0.9 to 0.99, and so on. */
const perNine = 40;

/** The labelled quantiles of the axis. */
export const nines = [
  { q: 0, label: "min" },
  { q: 0.5, label: "p50" },
  { q: 0.9, label: "p90" },
  { q: 0.99, label: "p99" },
  { q: 0.999, label: "p99.9" },
  { q: 0.9999, label: "p99.99" },
  { q: 0.99999, label: "p99.999" },
];

/** Place of a quantile on the axis, which is logarithmic. */
export const beyond = (q: number) => 1 / (1 - q);

/** The quantiles at which every curve is drawn. */
export const sharedQuantiles = Array.from({ length: 5 * perNine + 1 }, (_, i) => 1 - 10 ** (-i / perNine));

/** A log axis has no zero: 1 µs is the floor. */
export const floored = (ns: number) => Math.max(ns, 1000);

/** The last labelled quantile that all histograms support, by its place among the nines. */
export function lastNine(histograms: Histogram[]): number {
  let last = 0;
  nines.forEach(({ q }, i) => {
    if (histograms.every((h) => h.quantile(q) !== undefined)) last = i;
  });
  return last;
}

/** A distribution at the quantiles up to a last one. */
export function curve(h: Histogram, last: number): (number | null)[] {
  const end = nines[last]?.q ?? 0;
  return upTo(end).map((q) => {
    const ns = h.quantile(q);
    return ns === undefined ? null : floored(ns);
  });
}

/** The shared quantiles up to one of the nines, which is the last of them. */
export const upTo = (end: number) => sharedQuantiles.filter((q) => q <= end + 1e-9);

/** The median over curves, place by place. That is what the statistics compare; percentiles are not averaged. */
export function medianCurve(curves: (number | null)[][]): (number | null)[] {
  return (curves[0] ?? []).map((_, i) => {
    const values = curves.map((c) => c[i]).filter((v) => typeof v === "number");
    return values.length === curves.length ? (median(values) ?? null) : null;
  });
}

/** What is said of the first quantile that is not shown. */
export function unsupported(histograms: Histogram[], last: number): string {
  const next = nines[last + 1];
  if (!next || !histograms.length) return "";
  const fewest = Math.min(...histograms.map((h) => h.count));
  const above = Math.floor(fewest * (1 - next.q) + 1e-9);
  if (above >= 10)
    return `${next.label} is known only as a lower bound: too many messages had not come when observation ended.`;
  return `${next.label} needs 10 samples above it; the smallest run has ${above}.`;
}
