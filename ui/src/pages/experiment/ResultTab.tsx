import { NativeSelect, Stack, Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import type { Comparison, ExperimentDetail } from "../../api/types";
import { metricOf } from "../../domain/metrics";
import { measured } from "../../domain/variants";
import { given } from "../../lib/search";
import { useCatalog } from "../useCatalog";
import { Differences } from "./Differences";
import { FiguresTable } from "./FiguresTable";
import { RunCharts } from "./RunCharts";
import { RunDots } from "./RunDots";

const route = getRouteApi("/frame/experiments/$id");

/** The numbers behind the verdict: differences, each run, tails, time. */
export function ResultTab({ experiment: e, comparison }: { experiment: ExperimentDetail; comparison: Comparison }) {
  const catalog = useCatalog();
  const asked = route.useSearch().metric;
  const metric = metricOf(catalog, catalog.metrics.some(({ name }) => name === asked) ? (asked as string) : e.compare);
  const navigate = route.useNavigate();
  if (!comparison.variants.some((variant) => measured(comparison, variant.label).length)) {
    return (
      <Text>
        {e.state === "ended"
          ? "No run was measured. See the runs for the reasons."
          : "No run has been measured yet. Each appears here once its results are collected; open a run to watch it live."}
      </Text>
    );
  }
  return (
    <Stack gap="lg">
      <Differences experiment={e} comparison={comparison} />
      <NativeSelect
        label="Metric shown below"
        description={metric.name === e.compare ? "The primary metric" : "No verdict: only the primary metric gets one"}
        value={metric.name}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          navigate({
            resetScroll: false,
            search: (old) => given({ ...old, metric: chosen === e.compare ? undefined : chosen }),
          });
        }}
        data={catalog.metrics.map(({ name, title }) => ({ value: name, label: title }))}
        maw={360}
      />
      <RunDots comparison={comparison} metric={metric} />
      <RunCharts comparison={comparison} metric={metric} />
      <FiguresTable comparison={comparison} />
    </Stack>
  );
}
