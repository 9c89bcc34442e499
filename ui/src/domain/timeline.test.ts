import { describe, expect, test } from "vitest";
import type { Second } from "../api/types";
import { along, axis, bands, gaps, tailOf } from "./timeline";

describe("timelines", () => {
  const second = (n: number, stage: string) => ({ second: n, stage, backlog: n }) as Second;
  const run = [
    second(0, "warmup"),
    second(1, "warmup"),
    second(2, "measure"),
    second(5, "measure"),
    second(6, "drain"),
  ];
  test("count from the start of the measure stage, and miss what is missing", () => {
    const x = axis([{ first: -2, last: 4 }]);
    expect(along(x, run, 2, (s) => s.backlog)).toEqual([0, 1, 2, null, null, 5, 6]);
  });
  test("what is not measured, or not known, is a band", () => {
    expect(bands(run, 2)).toEqual([
      { from: -2, to: 0, label: "warm-up" },
      { from: 3, to: 4, label: "drain" },
    ]);
    expect(gaps(run, 2)).toEqual([{ from: 0, to: 3, label: "no data for 2 s" }]);
  });
  test("a second tells the highest percentile that its messages support", () => {
    const slow = (p99_ns: number | null, p90_ns: number | null) =>
      ({
        stage: "measure",
        latencies: { e2e_latency: { count: 500, p50_ns: 1, p90_ns, p99_ns } },
      }) as unknown as Second;
    expect(tailOf([slow(9, 5), slow(9, 5), slow(null, 5)], "e2e_latency").name).toBe("p99");
    const tail = tailOf([slow(null, 5), slow(null, 6), slow(9, 7)], "e2e_latency");
    expect([tail.name, tail.of(slow(null, 6)), tail.of(slow(null, null))]).toEqual(["p90", 6, null]);
    expect(tail.note).toBe("p99 needs 1,000 messages per second. Gaps are seconds with fewer than 100 messages.");
  });
});
