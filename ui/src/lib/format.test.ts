import { describe, expect, test } from "vitest";
import * as format from "./format";

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
    [format.share(1), "100 %"],
    [format.share(0.9999999), "99.999 %"],
    [format.share(0.8036), "80.36 %"],
    [format.share(1e-9), "0.001 %"],
    [format.atLeast("5.80 s"), "≥ 5.80 s"],
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
});
