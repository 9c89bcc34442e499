import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Histogram } from "../../api/histogram";
import { histograms } from "../../api/queries";
import type { RunDetail } from "../../api/types";
import { Figure } from "../../components/chart/Figure";
import type { ChartSpec } from "../../components/chart/spec";
import { ErrorBox } from "../../components/ErrorBox";
import { Loading } from "../../components/Loading";
import { beyond, curve, lastNine, nines, unsupported, upTo } from "../../domain/percentiles";
import { look } from "../../lib/colors";
import { nanoseconds, nanosecondsTick } from "../../lib/format";

const shown = [
  ["e2e_latency", "end-to-end"],
  ["publish_latency", "publish"],
  ["pacer_lateness", "pacer lateness"],
] as const;

/** The distributions of a run's measure stage, the instrument's own error among them. */
export function RunPercentiles({ run: r }: { run: RunDetail }) {
  const { data, error, refetch } = useQuery(histograms(r.id));
  const chart = useMemo(() => data && chartOf(data), [data]);
  if (error) return <ErrorBox what="load the distributions" error={error} retry={refetch} />;
  if (!chart) return <Loading what="the distributions" height={400} />;
  return (
    <div>
      <Figure spec={chart.spec} height={300} />
      <Text size="sm" c="dimmed" mt="xs">
        {chart.note}
      </Text>
    </div>
  );
}

function chartOf(data: Record<string, Histogram>): { spec: ChartSpec; note: string } {
  const drawn = shown.flatMap(([name, label], place) => {
    const histogram = data[name];
    return histogram?.count ? [{ label, histogram, place }] : [];
  });
  const all = drawn.map(({ histogram }) => histogram);
  const last = Math.max(1, lastNine(all));
  const ticks = nines.slice(0, last + 1);
  return {
    note: unsupported(all, last),
    spec: {
      title: "Latency by percentile",
      summary: `Distributions of the measure stage up to ${ticks.at(-1)?.label}.`,
      xName: "Percentile",
      yName: "Latency from the intended send time, log scale",
      x: upTo(ticks.at(-1)?.q ?? 0).map(beyond),
      lines: drawn.map(({ label, histogram, place }) => ({ label, look: look(place), values: curve(histogram, last) })),
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
