import type { Catalog, Metric, Unit } from "../api/types";
import { atLeast, bytes, count, missing, nanoseconds, rate, share, significant, words } from "../lib/format";

/** A metric as the page shows it; without a unit its values mean nothing. */
export type ShownMetric = Pick<Metric, "name" | "title"> & Partial<Metric>;

/** The metric of a name. One that the catalog does not list has its name for a title. */
export function metricOf({ metrics }: Pick<Catalog, "metrics">, name: string): ShownMetric {
  return metrics.find((metric) => metric.name === name) ?? { name, title: words(name) };
}

export const isLatency = (metric: ShownMetric) => metric.unit === "ns";

/** A number with its unit. */
export function formatValue(unit: Unit, value: number | null | undefined): string {
  if (value === null || value === undefined) return missing;
  switch (unit) {
    case "ns":
      return nanoseconds(value);
    case "per_s":
      return rate(value);
    case "s_per_million":
      return `${significant(value)} s`;
    case "bytes":
      return bytes(value);
    case "count":
      return count(value);
    case "share":
      return share(value);
  }
}

/** A number with its unit, or what it is at least where it is not known exactly. */
export function formatBound(unit: Unit, exact: number | null | undefined, bound: number | undefined): string {
  if (typeof exact !== "number" && bound !== undefined) return atLeast(formatValue(unit, bound));
  return formatValue(unit, exact);
}

/** A value of the metric with its unit. */
export const formatMetric = ({ unit }: ShownMetric, value: number | null | undefined) =>
  unit ? formatValue(unit, value) : missing;

/** A latency that is measured of each message, by its name in results, seconds and histograms. */
export type Family = "publish_latency" | "e2e_latency";

/** The latency that charts show beside a metric. */
export const familyOf = (metric: string): Family => (metric.startsWith("publish_") ? "publish_latency" : "e2e_latency");

export const familyTitle = (family: Family) => (family === "publish_latency" ? "Publish" : "End-to-end");
