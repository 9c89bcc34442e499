import { useMemo } from "react";
import type { Catalog, Second } from "../../api/types";
import { Figure } from "../../components/chart/Figure";
import type { ChartSpec, Line } from "../../components/chart/spec";
import { incidentLabel, limited, occurred, times, waitOf } from "../../domain/incidents";
import { floored } from "../../domain/percentiles";
import { along, axis, bands, gaps, measureStart, tailOf, tickSeconds } from "../../domain/timeline";
import { look } from "../../lib/colors";
import { compact, nanoseconds, nanosecondsTick, percent, plural, rate, waitTick, wholeTick } from "../../lib/format";
import { useCatalog } from "../useCatalog";
import { useChartView } from "../useChartView";

type Value = (s: Second) => number | null | undefined;

/** What happened in each second of a run; the panels share one axis and one cursor. */
export function SecondCharts({ seconds, live }: { seconds: readonly Second[]; live: boolean }) {
  const { hide, range, onHide, onRange } = useChartView();
  const catalog = useCatalog();
  const panels = useMemo(() => panelsOf(seconds, catalog), [seconds, catalog]);
  const newer = range && live ? lastOf(panels) - range[1] : 0;
  return panels.map((spec) => (
    <Figure
      key={spec.title}
      spec={newer > 0 ? { ...spec, xName: `${spec.xName}; the latest ${Math.round(newer)} s are out of view` } : spec}
      hide={hide}
      onHide={onHide}
      range={range}
      onRange={onRange}
    />
  ));
}

const lastOf = (panels: ChartSpec[]) => panels[0]?.x.at(-1) ?? 0;

/** Second 0 of the axis: the start of the measure stage, or of the load while that has not come. */
function panelsOf(seconds: readonly Second[], catalog: Catalog): ChartSpec[] {
  const measured = measureStart(seconds);
  const start = measured ?? 0;
  const [first, last] = [seconds[0], seconds.at(-1)];
  if (!first || !last) return [];
  const x = axis([{ first: first.second - start, last: last.second - start }]);
  const line = (label: string, place: number, value: Value): Line => ({
    label,
    look: look(place),
    values: along(x, seconds, start, value),
  });
  const panel = (title: string, lines: Line[], rest: Partial<ChartSpec>): ChartSpec => ({
    title,
    summary: `${title}, from second ${x[0]} to ${x.at(-1)}.`,
    xName: measured === undefined ? "Time since the start of the load" : "Time since the start of the measure stage",
    yName: title,
    x,
    lines,
    bands: [...bands(seconds, start), ...gaps(seconds, start)],
    formatX: tickSeconds,
    tickX: tickSeconds,
    formatY: rate,
    tickY: (y) => `${compact(y)}/s`,
    group: "time",
    rows: "bins",
    ...rest,
  });
  const tail = tailOf(seconds, "e2e_latency");
  const publish = tailOf(seconds, "publish_latency");
  const latency =
    (value: Value): Value =>
    (s) => {
      const ns = value(s);
      return typeof ns === "number" ? floored(ns) : null;
    };
  const messages = { formatY: (y: number) => plural(Math.round(y), "message"), tickY: wholeTick };
  return [
    panel(
      "Messages per second",
      [
        line("offered", 7, (s) => s.counts.offered),
        line("acknowledged", 0, (s) => s.counts.acked),
        line("received", 1, (s) => s.counts.received),
      ],
      {},
    ),
    panel(
      "Latency in each second",
      [
        line(`end-to-end ${tail.name}`, 0, latency(tail.of)),
        ...(tail.name === "p50"
          ? []
          : [
              line(
                "end-to-end p50",
                1,
                latency((s) => s.latencies.e2e_latency?.p50_ns),
              ),
            ]),
        line(`publish ${publish.name}`, 2, latency(publish.of)),
      ],
      { yName: tail.note, formatY: nanoseconds, tickY: nanosecondsTick, logY: true },
    ),
    panel(
      "Backlog and messages in flight",
      [line("backlog", 0, (s) => s.backlog), line("in flight", 1, (s) => s.in_flight)],
      messages,
    ),
    panel("Agent CPU, as a share of one core", [line("agent CPU", 0, (s) => s.cpu_s)], {
      formatY: percent,
      tickY: (y) => `${compact(y * 100)} %`,
    }),
    ...limits(seconds, catalog, panel, line),
  ];
}

/** What limits held back, what was sent again, and how long messages waited because of it; nothing where no limit was reached. */
function limits(
  seconds: readonly Second[],
  catalog: Catalog,
  panel: (title: string, lines: Line[], rest: Partial<ChartSpec>) => ChartSpec,
  line: (label: string, place: number, value: Value) => Line,
): ChartSpec[] {
  const panels: ChartSpec[] = [];
  const incidents = occurred(catalog, seconds);
  if (incidents.length) {
    const lines = incidents.map((incident, i) => line(incidentLabel(incident), i, (s) => times(s, incident.name)));
    panels.push(panel("Limits, retries and reconnects per second", lines, {}));
  }
  if (limited(catalog, seconds)) {
    const wait = waitOf(seconds);
    panels.push(
      panel(`Back-pressure wait, ${wait.name} of each second`, [line("wait", 3, wait.of)], {
        yName: wait.note,
        formatY: nanoseconds,
        tickY: waitTick,
      }),
    );
  }
  return panels;
}
