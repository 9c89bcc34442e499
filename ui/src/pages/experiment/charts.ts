import type { Histogram } from "../../api/histogram";
import type { Catalog, ComparedRun, Comparison, Run, Second, VariantSummary } from "../../api/types";
import type { ChartSpec, Line } from "../../components/chart/spec";
import { limited, occurred, times, waitOf } from "../../domain/incidents";
import { type Family, familyTitle } from "../../domain/metrics";
import { beyond, curve, floored, lastNine, medianCurve, nines, unsupported, upTo } from "../../domain/percentiles";
import { along, axis, bands, measureStart, tailOf, tickSeconds } from "../../domain/timeline";
import { counts, lookOf, measured, nameOf } from "../../domain/variants";
import { compact, nanoseconds, nanosecondsTick, plural, rate, waitTick, wholeTick } from "../../lib/format";
import { median } from "../../lib/stats";

/** What has been read of the runs that are drawn. */
export interface Loaded {
  tails: { run: Run; histogram: Histogram }[];
  courses: { run: Run; seconds: Second[] }[];
}

/** Most runs of one variant, and of all together, that can be told apart in a chart. */
const mostRuns = 12;
const mostLines = 60;

/** The runs that are drawn: those that count, as many as can be told apart. */
export function picked(comparison: Comparison): { runs: ComparedRun[]; note: string } {
  const each = Math.max(1, Math.min(mostRuns, Math.floor(mostLines / comparison.variants.length)));
  const all = comparison.variants.map(({ label }) => measured(comparison, label).filter(counts));
  const runs = all.flatMap((list) => list.slice(0, each));
  const left = all.flat().length - runs.length;
  return {
    runs,
    note: left
      ? `The first ${each} runs of each variant are shown; the figures count ${plural(left, "more run")}.`
      : "",
  };
}

/** The lines of all variants over one axis: thin for runs, bold for their medians. */
function lines(
  variants: VariantSummary[],
  drawn: { run: Run; values: (number | null)[] }[],
  middle: (all: (number | null)[][]) => (number | null)[],
): Line[] {
  const thin: Line[] = drawn.map(({ run, values }) => ({
    label: run.name,
    look: lookOf(variants, run.variant),
    values,
    behind: nameOf(variants, run.variant),
  }));
  const bold = variants.flatMap(({ label, name }): Line[] => {
    const own = drawn.filter(({ run }) => run.variant === label);
    return own.length
      ? [{ label: name, look: lookOf(variants, label), values: middle(own.map(({ values }) => values)) }]
      : [];
  });
  return [...thin, ...bold];
}

/** Latency by percentile; each nine takes the same room. */
export function percentiles(
  variants: VariantSummary[],
  tails: Loaded["tails"],
  family: Family,
): { spec: ChartSpec; note: string } {
  const all = tails.map(({ histogram }) => histogram);
  const last = Math.max(1, lastNine(all));
  const ticks = nines.slice(0, last + 1);
  const title = `${familyTitle(family)} latency by percentile`;
  return {
    note: unsupported(all, last),
    spec: {
      title,
      summary: `Latency from the intended send time, up to ${ticks.at(-1)?.label}, for ${variants.map((v) => v.name).join(", ")}.`,
      xName: "Percentile",
      yName: "Latency, log scale",
      x: upTo(ticks.at(-1)?.q ?? 0).map(beyond),
      lines: lines(
        variants,
        tails.map(({ run, histogram }) => ({ run, values: curve(histogram, last) })),
        medianCurve,
      ),
      ticksX: ticks.map(({ q }) => beyond(q)),
      tickX: (x) => ticks.find(({ q }) => Math.abs(beyond(q) - x) < 1e-6 * x)?.label ?? "",
      formatX: (x) => `p${Number((100 * (1 - 1 / x)).toPrecision(6))}`,
      formatY: nanoseconds,
      tickY: nanosecondsTick,
      logX: true,
      logY: true,
      rows: "ticks",
    },
  };
}

/** What happened in each second, as panels with one axis. */
export function perSecond(
  variants: VariantSummary[],
  courses: Loaded["courses"],
  family: Family,
  catalog: Catalog,
): ChartSpec[] {
  const aligned = courses.map(({ run, seconds }) => ({ run, seconds, start: measureStart(seconds) ?? 0 }));
  const x = axis(
    aligned.map(({ seconds, start }) => ({
      first: (seconds[0]?.second ?? 0) - start,
      last: (seconds.at(-1)?.second ?? 0) - start,
    })),
  );
  const longest = aligned.toSorted((a, b) => b.seconds.length - a.seconds.length)[0];
  const all = courses.flatMap(({ seconds }) => seconds);
  const tail = tailOf(all, family);
  const panel = (
    title: string,
    value: (s: Second) => number | null | undefined,
    rest: Partial<ChartSpec>,
  ): ChartSpec => ({
    title,
    summary: `${title} of each run, from the start of the measure stage.`,
    xName: "Time since the start of the measure stage",
    yName: title,
    x,
    lines: lines(
      variants,
      aligned.map(({ run, seconds, start }) => ({ run, values: along(x, seconds, start, value) })),
      middles,
    ),
    bands: longest ? bands(longest.seconds, longest.start) : [],
    formatX: tickSeconds,
    tickX: tickSeconds,
    formatY: rate,
    tickY: (y) => `${compact(y)}/s`,
    group: "time",
    rows: "bins",
    ...rest,
  });
  return [
    panel("Messages received per second", (s) => s.counts.received, {}),
    panel(`${familyTitle(family)} latency, ${tail.name} of each second`, (s) => floorOf(tail.of(s)), {
      yName: tail.note,
      formatY: nanoseconds,
      tickY: nanosecondsTick,
      logY: true,
    }),
    panel("Backlog (acknowledged, not yet received)", (s) => s.backlog, {
      formatY: (y) => plural(Math.round(y), "message"),
      tickY: wholeTick,
    }),
    ...limits(
      courses.map(({ seconds }) => seconds),
      catalog,
      panel,
    ),
  ];
}

/** What limits held back, and how long messages waited because of them; nothing where no limit was reached. */
function limits(
  courses: readonly Second[][],
  catalog: Catalog,
  panel: (title: string, value: (s: Second) => number | null, rest: Partial<ChartSpec>) => ChartSpec,
): ChartSpec[] {
  const all = courses.flat();
  const panels = occurred(catalog, all)
    .filter((incident) => incident.limited)
    .map(({ title, name }) => panel(`${title} per second`, (s) => times(s, name), {}));
  if (courses.some((seconds) => limited(catalog, seconds))) {
    const wait = waitOf(all);
    panels.push(
      panel(`Back-pressure wait, ${wait.name} of each second`, wait.of, {
        yName: wait.note,
        formatY: nanoseconds,
        tickY: waitTick,
      }),
    );
  }
  return panels;
}

const floorOf = (ns: number | null) => (ns === null ? null : floored(ns));

/** The median at each second over the runs that have a value there. */
function middles(all: (number | null)[][]): (number | null)[] {
  return (all[0] ?? []).map(
    (_, i) => median(all.map((values) => values[i]).filter((v) => typeof v === "number")) ?? null,
  );
}
