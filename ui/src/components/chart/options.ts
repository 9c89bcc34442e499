import type uPlot from "uplot";
import { markerPath } from "../../lib/colors";
import { type ChartSpec, type Line, logTicks, rangeY } from "./spec";

const font = "12px system-ui, sans-serif";
const markerGap = 90; // CSS pixels between the markers of a line

/** The value of a CSS variable of the theme that is in force. */
const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** How uPlot draws a chart. Colours are read when it draws, so that a change of theme needs no more than a redraw. */
export function options(spec: ChartSpec, width: number, height: number): uPlot.Options {
  return {
    width,
    height,
    legend: { show: false },
    cursor: {
      drag: { x: spec.rows === "bins", y: false, setScale: false },
      points: { size: 7 },
      ...(spec.group && { sync: { key: spec.group, setSeries: false } }),
    },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      x: { time: false, distr: spec.logX ? 3 : 1 },
      y: { distr: spec.logY ? 3 : 1, range: () => rangeY(spec) },
    },
    axes: [xAxis(spec), yAxis(spec)],
    series: [{}, ...spec.lines.map(series)],
    hooks: {
      drawClear: [(u) => drawBands(u, spec)],
      drawSeries: [(u, i) => drawMarkers(u, spec.lines[i - 1])],
    },
  };
}

function xAxis(spec: ChartSpec): uPlot.Axis {
  const { ticksX } = spec;
  return {
    ...lookOfAxis(),
    label: () => spec.xName, // it changes when the measure stage begins
    labelFont: font,
    labelSize: 22,
    size: 30,
    space: 70,
    values: (_, splits) => splits.map((x) => (x === null ? "" : spec.tickX(x))),
    ...(ticksX && { splits: (u: uPlot) => roomFor(u, ticksX), filter: (_: uPlot, splits: number[]) => splits }),
    ...(!ticksX && { incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400] }),
  };
}

/** The ticks that keep a distance; the first one always stays. */
function roomFor(u: uPlot, ticks: number[]): number[] {
  let last = Number.NEGATIVE_INFINITY;
  return ticks.filter((tick) => {
    const at = u.valToPos(tick, "x");
    if (at - last < 38) return false;
    last = at;
    return true;
  });
}

function yAxis(spec: ChartSpec): uPlot.Axis {
  return {
    ...lookOfAxis(),
    size: 62,
    space: 34,
    values: (_, splits) => splits.map((y) => (y === null ? "" : spec.tickY(y))),
    ...(spec.logY && {
      splits: (u: uPlot, _: number, low: number, high: number) => logTicks(low, high, Math.max(3, u.height / 38)),
      filter: (_: uPlot, splits: number[]) => splits,
    }),
  };
}

function lookOfAxis(): uPlot.Axis {
  return {
    font,
    stroke: () => css("--mantine-color-dimmed"),
    grid: { stroke: () => css("--dec-line"), width: 1 },
    ticks: { stroke: () => css("--dec-line"), width: 1, size: 4 },
  };
}

function series(line: Line): uPlot.Series {
  return {
    label: line.label,
    stroke: () => css(line.look.color),
    width: line.behind ? 1 : 2.5,
    alpha: line.behind ? 0.4 : 1,
    dash: line.look.dash,
    points: { show: false },
    spanGaps: false,
  };
}

function drawBands(u: uPlot, spec: ChartSpec): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  for (const band of spec.bands ?? []) {
    const from = Math.max(bbox.left, u.valToPos(band.from, "x", true));
    const to = Math.min(bbox.left + bbox.width, u.valToPos(band.to, "x", true));
    if (to <= from) continue;
    ctx.fillStyle = css("--dec-shade");
    ctx.fillRect(from, bbox.top, to - from, bbox.height);
    ctx.fillStyle = css("--mantine-color-dimmed");
    if (ctx.measureText(band.label).width + 8 < to - from) ctx.fillText(band.label, from + 4, bbox.top + 3);
    ctx.fillRect(band.from > (spec.x[0] ?? 0) ? from : to - 1, bbox.top, 1, bbox.height);
  }
  ctx.restore();
}

/** Marks a bold line at even distances, so that it is known without its colour. */
function drawMarkers(u: uPlot, line: Line | undefined): void {
  if (!line || line.behind) return;
  const { ctx } = u;
  const path = new Path2D(markerPath(line.look.marker, 4.5 * devicePixelRatio));
  let last = Number.NEGATIVE_INFINITY;
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left - 8, u.bbox.top - 8, u.bbox.width + 16, u.bbox.height + 16);
  ctx.clip();
  ctx.fillStyle = css(line.look.color);
  ctx.strokeStyle = css("--mantine-color-body");
  ctx.lineWidth = devicePixelRatio;
  line.values.forEach((value, i) => {
    if (value === null) return;
    const x = u.valToPos(u.data[0][i] as number, "x", true);
    if (x - last < markerGap * devicePixelRatio || x < u.bbox.left) return;
    last = x;
    ctx.save();
    ctx.translate(x, u.valToPos(value, "y", true));
    ctx.fill(path);
    ctx.stroke(path);
    ctx.restore();
  });
  ctx.restore();
}
