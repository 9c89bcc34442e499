import { expect, test } from "vitest";
import { look } from "../../lib/colors";
import { type ChartSpec, logTicks, nearest, rangeY, tableOf } from "./spec";

const spec = (change: Partial<ChartSpec>): ChartSpec => ({
  title: "",
  summary: "",
  xName: "",
  yName: "",
  x: [],
  lines: [],
  rows: "bins",
  formatX: String,
  formatY: String,
  tickX: String,
  tickY: String,
  ...change,
});
const line = (values: (number | null)[], behind?: string) => ({
  label: "a",
  look: look(0),
  values,
  ...(behind && { behind }),
});

test("a linear axis begins at zero, a log axis covers a factor of two at least", () => {
  expect(rangeY(spec({ lines: [line([5, null, 10])] }))).toEqual([0, 10.600000000000001]);
  const [low, high] = rangeY(spec({ lines: [line([100, 101])], logY: true }));
  expect(high / low).toBeGreaterThanOrEqual(1.99);
  expect(rangeY(spec({ lines: [line([0, null])], logY: true }))).toEqual([1, 10]);
});

test("ticks of a log axis are round and few", () => {
  expect(logTicks(1e6, 1e9, 8)).toEqual([1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9]);
  expect(logTicks(3, 8, 7)).toEqual([3, 4, 5, 6, 7, 8]);
  expect(logTicks(1.1, 2.2, 7)).toEqual([1.2, 1.5, 2]);
});

test("the nearest of ascending values", () => {
  expect([0.4, 0.6, 9, -1].map((x) => nearest([0, 1, 4], x))).toEqual([0, 1, 2, 0]);
});

test("the table has the bold lines alone, binned when it would be long", () => {
  const short = tableOf(spec({ x: [0, 1], lines: [line([1, null]), line([7, 7], "a")] }));
  expect(short.rows).toEqual([
    { x: "0", cells: ["1"] },
    { x: "1", cells: ["–"] },
  ]);
  const long = tableOf(
    spec({ x: Array.from({ length: 120 }, (_, i) => i), lines: [line(Array.from({ length: 120 }, (_, i) => i))] }),
  );
  expect(long.rows.length).toBe(60);
  expect(long.rows[1]).toEqual({ x: "from 2", cells: ["2 · 2 · 3"] });
  expect(long.note).toContain("2 values");
});
