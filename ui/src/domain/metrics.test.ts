import { expect, test } from "vitest";
import { formatMetric } from "./metrics";

test.each([
  [formatMetric("e2e_p99", 6_213_000), "6.21 ms"],
  [formatMetric("cpu_per_million", 12.34), "12.3 s"],
  [formatMetric("throughput", null), "–"],
])("a value of a metric has its unit: %s", (got, want) => expect(got).toBe(want));
