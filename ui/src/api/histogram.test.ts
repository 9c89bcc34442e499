import { describe, expect, test } from "vitest";
import { decodeHistogram, type Histogram, observed } from "./histogram";
// Written by internal/measure: what its Encode and Quantile gave for the same samples.
import cases from "./histogram.testdata.json";

describe("decodeHistogram reads what the server encoded", () => {
  for (const c of cases) {
    test(c.name, async () => {
      const h = await decodeHistogram(c.encoded);
      expect(h.count).toBe(c.count);
      expect(h.max).toBe(c.max);
      const quantiles = Object.fromEntries(Object.keys(c.quantiles).map((q) => [q, h.quantile(Number(q)) ?? null]));
      expect(quantiles).toEqual(c.quantiles);
    });
  }

  test("an empty text is an empty histogram", async () => {
    const h = await decodeHistogram("");
    expect([h.count, h.quantile(0.5)]).toEqual([0, undefined]);
  });

  test("anything else is refused", async () => {
    await expect(decodeHistogram(btoa("not a histogram at all"))).rejects.toThrow("not a histogram");
  });
});

describe("what came, over all that was offered", () => {
  // Ranks 1 to count, in milliseconds.
  const ranks = (count: number, from = 1): Histogram => ({
    count,
    min: from * 1e6,
    max: (from + count - 1) * 1e6,
    at: (rank) => (rank <= count ? (from + rank - 1) * 1e6 : undefined),
    quantile: () => undefined,
  });

  test("with nothing open, it is the same", () => {
    const values = ranks(100);
    expect(observed(values, undefined)).toBe(values);
    expect(observed(values, ranks(0))).toBe(values);
  });

  test("a quantile below all bounds is exact, and counts over everything", () => {
    const both = observed(ranks(80), ranks(20, 1000));
    expect(both.count).toBe(100);
    expect(both.quantile(0.5)).toBe(50e6);
  });

  test("one that depends on what is open is not known", () => {
    expect(observed(ranks(80), ranks(20, 1000)).quantile(0.85)).toBeUndefined();
    expect(observed(ranks(80), ranks(20, 40)).quantile(0.5)).toBeUndefined();
  });
});
