import { describe, expect, test } from "vitest";
import type { Histogram } from "../api/histogram";
import { curve, lastNine, medianCurve, unsupported, upTo } from "./percentiles";

describe("percentile curves", () => {
  const uniform = (count: number): Histogram => ({
    count,
    min: 1e6,
    max: 2e6,
    at: () => undefined,
    quantile: (q) => (count - Math.ceil(q * count) < 10 ? undefined : 1e6 * (1 + q)),
  });
  test("end at the last nine that every run supports", () => {
    const last = lastNine([uniform(30_000), uniform(200_000)]);
    expect(upTo(0.999).length).toBe(121);
    expect(curve(uniform(30_000), last).length).toBe(121);
    expect(unsupported([uniform(30_000), uniform(200_000)], last)).toBe(
      "p99.99 needs 10 samples above it; the smallest run has 3.",
    );
  });
  test("say where they end because messages had not come", () => {
    const unsure = { ...uniform(30_000), quantile: (q: number) => (q > 0.5 ? undefined : 1e6) };
    expect(unsupported([unsure], lastNine([unsure]))).toContain("p90 is known only as a lower bound");
  });
  test("the median is taken place by place, where all runs have a value", () => {
    expect(
      medianCurve([
        [1, 5, null],
        [3, 7, 9],
        [2, 6, 1],
      ]),
    ).toEqual([2, 6, null]);
  });
});
