import type { Look } from "../../lib/colors";

/** One line of a chart. */
export interface Line {
  label: string;
  look: Look;
  /** As many as the chart has x values; null where there is none, which is a gap. */
  values: (number | null)[];
  /** Label of the bold line that this one lies behind: it is thin, has no place in legend and table, and is hidden with it. */
  behind?: string;
}

/** A part of the x axis that is shaded and named, such as the warm-up. */
export interface Band {
  from: number;
  to: number;
  label: string;
}

/** What a chart shows, apart from how it is drawn. */
export interface ChartSpec {
  title: string;
  /** The chart in a sentence or two, for those who don't see it. */
  summary: string;
  xName: string;
  yName: string;
  /** Strictly ascending. */
  x: number[];
  lines: Line[];
  formatX(x: number): string;
  formatY(y: number): string;
  tickX(x: number): string;
  tickY(y: number): string;
  logX?: boolean;
  logY?: boolean;
  /** Where the x axis has ticks; without it they are found. */
  ticksX?: number[];
  bands?: Band[];
  /** Charts of a group move their cursors together. */
  group?: string;
  /** Rows of the table: one per tick, or the x axis cut into bins. */
  rows: "ticks" | "bins";
}

/** Range of the y axis over all lines, shown or hidden: hiding one must not move the others. */
export function rangeY(spec: ChartSpec): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const line of spec.lines) {
    for (const value of line.values) {
      if (value === null || (spec.logY && value <= 0)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return spec.logY ? [1, 10] : [0, 1];
  if (!spec.logY) return [Math.min(0, low), high <= 0 ? 1 : high * 1.06];
  // At least a factor of two, so that small noise does not look like a storm.
  const middle = Math.sqrt(low * high);
  return [Math.min(low * 0.9, middle / Math.SQRT2), Math.max(high * 1.1, middle * Math.SQRT2)];
}

/** Steps within a power of ten, from dense to sparse. */
const logSteps = [
  [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9],
  [1, 2, 3, 4, 5, 6, 7, 8, 9],
  [1, 2, 3, 5, 7],
  [1, 2, 5],
  [1, 3],
  [1],
];

/** Round values on a log axis, as dense as there is room for. */
export function logTicks(low: number, high: number, most: number): number[] {
  let ticks: number[] = [];
  for (const steps of logSteps) {
    ticks = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++) {
      for (const step of steps) {
        const tick = Number((step * 10 ** e).toPrecision(12));
        if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
      }
    }
    if (ticks.length <= most) break;
  }
  return ticks;
}

/** A row of the table. */
export interface Row {
  x: string;
  cells: string[];
}

const mostBins = 60;

/** The same numbers as a table. */
export function tableOf(spec: ChartSpec): { columns: string[]; rows: Row[]; note: string } {
  const lines = spec.lines.filter((line) => !line.behind);
  const cell = (value: number | null | undefined) =>
    value === null || value === undefined ? "–" : spec.formatY(value);
  if (spec.rows === "ticks") {
    const rows = (spec.ticksX ?? spec.x).map((tick) => {
      const i = nearest(spec.x, tick);
      return { x: spec.tickX(tick), cells: lines.map((line) => cell(line.values[i])) };
    });
    return { columns: lines.map((line) => line.label), rows, note: "" };
  }
  const size = Math.ceil(spec.x.length / mostBins) || 1;
  if (size === 1) {
    const rows = spec.x.map((x, i) => ({ x: spec.formatX(x), cells: lines.map((line) => cell(line.values[i])) }));
    return { columns: lines.map((line) => line.label), rows, note: "" };
  }
  const rows: Row[] = [];
  for (let at = 0; at < spec.x.length; at += size) {
    const cells = lines.map((line) => {
      const values = line.values.slice(at, at + size).filter((value) => value !== null);
      const sorted = values.toSorted((a, b) => a - b);
      return values.length ? [values[0], sorted[(sorted.length - 1) >> 1], sorted.at(-1)].map(cell).join(" · ") : "–";
    });
    rows.push({ x: `from ${spec.formatX(spec.x[at] as number)}`, cells });
  }
  return {
    columns: lines.map((line) => line.label),
    rows,
    note: `Each row covers ${size} values: first · median · largest.`,
  };
}

/** Index of the ascending value that is nearest. */
export function nearest(ascending: number[], x: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  const before = ascending[low - 1];
  return before !== undefined && x - before < (ascending[low] as number) - x ? low - 1 : low;
}
