import { expect, test } from "vitest";
import type { Metric } from "../api/types";
import { familyOf, formatBound, formatMetric, formatValue, isLatency, metricOf } from "./metrics";

const metrics: Metric[] = [
  { name: "publish_p99", title: "Publish p99", unit: "ns", better: "lower" },
  { name: "throughput", title: "Throughput", unit: "per_s", better: "higher" },
  { name: "cpu_per_million", title: "Broker CPU per million messages", unit: "s_per_million", better: "lower" },
];
const of = (name: string) => metricOf({ metrics }, name);

test.each([
  ["publish_p99", 6_213_000, "6.21 ms"],
  ["throughput", 1999.6, "2,000/s"],
  ["cpu_per_million", 12.34, "12.3 s"],
  ["throughput", null, "–"],
])("a value of %s leaves with its unit", (name, value, want) => expect(formatMetric(of(name), value)).toBe(want));

test("a number that is known as a bound says so", () => {
  expect([
    formatBound("ns", null, 5.8e9),
    formatBound("ns", 5.8e9, undefined),
    formatBound("ns", null, undefined),
  ]).toEqual(["≥ 5.80 s", "5.80 s", "–"]);
});

test("counts and memory are figures too", () => {
  expect([formatValue("count", 300_000), formatValue("bytes", 536_870_912)]).toEqual(["300,000", "512 MiB"]);
});

test("a metric that the catalog does not list keeps its name, and tells no value", () => {
  expect(of("jitter_p50").title).toBe("jitter p50");
  expect(formatMetric(of("jitter_p50"), 1)).toBe("–");
});

test("charts show the latency that a metric is about, or the one that matters most", () => {
  expect([isLatency(of("publish_p99")), isLatency(of("throughput"))]).toEqual([true, false]);
  expect([familyOf("publish_p99"), familyOf("throughput")]).toEqual(["publish_latency", "e2e_latency"]);
});
