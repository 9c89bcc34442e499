import { describe, expect, test } from "vitest";
import type { Histogram } from "../api/histogram";
import type { Second } from "../api/types";
import * as format from "./format";
import { formatMetric, median } from "./metrics";
import { curve, lastNine, medianCurve, unsupported, upTo } from "./percentiles";
import { given, list, oneOf, parseSearch, stringifySearch } from "./search";
import { along, axis, bands, gaps, tailOf } from "./timeline";

describe("numbers read as those of the command and the HTML report", () => {
  test.each([
    [format.nanoseconds(6_213_000), "6.21 ms"],
    [format.nanoseconds(999_600), "1.00 ms"],
    [format.nanoseconds(-1500), "−1.50 µs"],
    [format.nanoseconds(null), "–"],
    [format.rate(19_998.4), "19,998/s"],
    [format.rate(1.25), "1.25/s"],
    [format.count(1_234_567), "1,234,567"],
    [format.bytes(1_342_177_280), "1.25 GiB"],
    [format.duration(0.81), "0.8 s"],
    [format.duration(72), "1 min 12 s"],
    [format.wholeDuration(7500), "2 h 5 min"],
    [format.about(340), "about 6 min"],
    [format.span("5.90 ms", "6.61 ms"), "5.90–6.61 ms"],
    [format.span("1,000/s", "2,000/s"), "1,000–2,000/s"],
    [format.percent(0.384), "38.4 %"],
    [formatMetric("e2e_p99", 6_213_000), "6.21 ms"],
    [formatMetric("cpu_per_million", 12.34), "12.3 s"],
    [formatMetric("throughput", null), "–"],
  ])("%s", (got, want) => expect(got).toBe(want));

  test("lengths of time as the server writes them", () => {
    expect(["20s", "1m30s", "2h", "1.5s", "300ms", "soon"].map(format.parseDuration)).toEqual([
      20,
      90,
      7200,
      1.5,
      0.3,
      undefined,
    ]);
  });

  test("the median of an even number is between the middle ones", () => {
    expect([median([4, 1, 3, 2]), median([5, 1, 3]), median([])]).toEqual([2.5, 3, undefined]);
  });
});

describe("addresses", () => {
  test("parameters stay text", () => {
    expect(parseSearch("?run=12e4&on=true&q=a%20b")).toEqual({ run: "12e4", on: "true", q: "a b" });
  });
  test("lists are joined by commas, and nothing empty is written", () => {
    expect(stringifySearch({ hide: ["a", "b"], q: "x y&z", tab: undefined, none: [] })).toBe("?hide=a,b&q=x%20y%26z");
    expect(list(parseSearch("hide=a,b"), "hide")).toEqual(["a", "b"]);
  });
  test("what is not understood counts as absent", () => {
    expect(oneOf({ tab: "p9" }, "tab", ["runs"])).toBeUndefined();
    expect(given({ a: 1, b: undefined })).toEqual({ a: 1 });
  });
});

describe("percentile curves", () => {
  const uniform = (count: number): Histogram => ({
    count,
    min: 1e6,
    max: 2e6,
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
    expect(tail.note).toBe("p99 needs 1,000 messages a second. A gap is a second with fewer than 100 messages.");
  });
});
