import { nanoseconds, rate, significant } from "../lib/format";

const quantiles = [
  ["p50", "p50"],
  ["p90", "p90"],
  ["p95", "p95"],
  ["p99", "p99"],
  ["p999", "p99.9"],
  ["p9999", "p99.99"],
] as const;

/** A number that variants are compared by. */
export type Metric = string;

/** All metrics with the words for them, in the order in which they are offered. */
export const metrics: { name: Metric; title: string }[] = [
  ...quantiles.map(([name, title]) => ({ name: `e2e_${name}`, title: `End-to-end ${title}` })),
  ...quantiles.map(([name, title]) => ({ name: `publish_${name}`, title: `Publish ${title}` })),
  { name: "throughput", title: "Throughput" },
  { name: "cpu_per_million", title: "Broker CPU per million messages" },
];

/** The words for a metric: "End-to-end p99". */
export const metricTitle = (metric: Metric) => metrics.find((m) => m.name === metric)?.title ?? metric;

export const isLatency = (metric: Metric) => metric.startsWith("e2e_") || metric.startsWith("publish_");

/** A value of the metric with its unit. */
export function formatMetric(metric: Metric, value: number | null | undefined): string {
  if (isLatency(metric)) return nanoseconds(value);
  if (metric === "throughput") return rate(value);
  return value === null || value === undefined ? nanoseconds(null) : `${significant(value)} s`;
}
