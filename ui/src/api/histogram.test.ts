import { describe, expect, test } from "vitest";
import { decodeHistogram } from "./histogram";
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
