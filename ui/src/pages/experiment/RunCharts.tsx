import { Stack, Text, Title } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { histograms, timeline } from "../../api/queries";
import type { Comparison } from "../../api/types";
import { Figure } from "../../components/chart/Figure";
import { ErrorBox } from "../../components/ErrorBox";
import { Loading } from "../../components/Loading";
import { familyOf, type ShownMetric } from "../../domain/metrics";
import { useCatalog } from "../useCatalog";
import { useChartView } from "../useChartView";
import { type Loaded, percentiles, perSecond, picked } from "./charts";

/** Distributions and timelines of the runs that count: a thin line for each run, a bold one for each variant. */
export function RunCharts({ comparison, metric }: { comparison: Comparison; metric: ShownMetric }) {
  const catalog = useCatalog();
  const { hide, range, onHide, onRange } = useChartView();
  const { variants } = comparison;
  const { runs, note } = useMemo(() => picked(comparison), [comparison]);
  const tails = useQueries({ queries: runs.map((r) => histograms(r.run.id)), combine: together });
  const courses = useQueries({ queries: runs.map((r) => timeline(r.run.id)), combine: together });
  const family = familyOf(metric.name);
  const tail = useMemo(() => {
    const loaded = runs.flatMap((r, i): Loaded["tails"] => {
      const found = tails.data[i]?.[family];
      return found ? [{ run: r.run, histogram: found }] : [];
    });
    return loaded.length ? percentiles(variants, loaded, family) : undefined;
  }, [variants, runs, tails.data, family]);
  const panels = useMemo(() => {
    const loaded = runs.flatMap((r, i): Loaded["courses"] => {
      const found = courses.data[i]?.seconds;
      return found?.length ? [{ run: r.run, seconds: found }] : [];
    });
    return loaded.length ? perSecond(variants, loaded, family, catalog) : [];
  }, [variants, runs, courses.data, family, catalog]);
  if (!runs.length) return <Text>There are no counted runs yet, so there is nothing to show.</Text>;
  const error = tails.error ?? courses.error;
  return (
    <Stack gap="md">
      <Title order={2} size="h4">
        Distributions and timelines
      </Title>
      <Text size="sm" c="dimmed">
        Thin lines are runs; bold lines are the median of a variant's runs at each point. Only counted runs are shown.{" "}
        {note}
      </Text>
      {error && <ErrorBox what="load the charts" error={error} />}
      {tail ? (
        <Figure spec={tail.spec} height={320} hide={hide} onHide={onHide} />
      ) : (
        <Loading what="the distributions" height={400} />
      )}
      {tail?.note && (
        <Text size="sm" c="dimmed">
          {tail.note}
        </Text>
      )}
      {panels.length ? (
        panels.map((spec) => (
          <Figure key={spec.title} spec={spec} hide={hide} onHide={onHide} range={range} onRange={onRange} />
        ))
      ) : (
        <Loading what="the timelines" height={360} />
      )}
    </Stack>
  );
}

function together<T>(results: { data: T | undefined; error: Error | null }[]) {
  return { data: results.map((r) => r.data), error: results.find((r) => r.error)?.error ?? null };
}
