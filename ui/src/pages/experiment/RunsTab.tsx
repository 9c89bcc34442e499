import { Table, Text } from "@mantine/core";
import type { Comparison, ExperimentDetail, Run } from "../../api/types";
import { Swatch } from "../../components/chart/Swatch";
import { PageLink } from "../../components/PageLink";
import { ScrollTable } from "../../components/ScrollTable";
import { Status } from "../../components/Status";
import { formatMetric, metricOf } from "../../domain/metrics";
import { runReason, runState, teardownShort, teardownState } from "../../domain/states";
import { isEmulated, lookOf } from "../../domain/variants";
import { clock, count, missing, time, wholeDuration } from "../../lib/format";
import { useNow } from "../../live/hooks";
import { EmulatorBadge } from "../EmulatorBadge";
import { useCatalog } from "../useCatalog";

/** All runs in execution order. */
export function RunsTab({
  experiment: e,
  comparison,
}: {
  experiment: ExperimentDetail;
  comparison: Comparison | undefined;
}) {
  const now = useNow();
  const metric = metricOf(useCatalog(), e.compare);
  const compared = new Map(comparison?.runs.map((r) => [r.run.id, r]));
  return (
    <>
      <Text size="sm" c="dimmed" mb="xs">
        In execution order, which is shuffled so that a slow period favours no variant.
      </Text>
      <ScrollTable label="Runs">
        <Table.Thead>
          <Table.Tr>
            {["Run", "State", "Started", "Duration", metric.title, "Lost", "Infrastructure"].map((name) => (
              <Table.Th key={name} scope="col">
                {name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {e.run_list.map((run) => {
            const state = runState(run);
            const teardown = teardownState(run);
            const found = compared.get(run.id);
            const [started, ended] = [time(run.started_at), time(run.ended_at)];
            return (
              <Table.Tr key={run.id}>
                <Table.Th scope="row">
                  <Swatch look={lookOf(e.variants, run.variant)} />{" "}
                  <PageLink to="/runs/$id" params={{ id: run.id }}>
                    {run.name}
                  </PageLink>
                  {run.extra && " (extra)"}{" "}
                  <EmulatorBadge when={isEmulated(run.variant, e.variants, comparison?.variants)} />
                </Table.Th>
                <Table.Td>
                  <Status tone={state.tone}>{state.text}</Status>
                  <Reason run={run} />
                </Table.Td>
                <Table.Td>{started ? clock(started) : missing}</Table.Td>
                <Table.Td>{started ? wholeDuration(((ended ?? now) - started) / 1000) : missing}</Table.Td>
                <Table.Td>{formatMetric(metric, found?.metrics?.[e.compare])}</Table.Td>
                <Table.Td>{found?.counts ? `${count(found.counts.lost)} messages` : missing}</Table.Td>
                <Table.Td>
                  {run.phase === "queued" ? (
                    missing
                  ) : (
                    <Status tone={teardown.tone}>{teardownShort[run.teardown]}</Status>
                  )}
                </Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </ScrollTable>
    </>
  );
}

function Reason({ run }: { run: Run }) {
  const reason = runReason(run);
  if (!reason) return null;
  return (
    <Text size="xs" c="dimmed" maw="24rem" style={{ whiteSpace: "pre-wrap" }} lineClamp={3} title={reason}>
      {reason}
    </Text>
  );
}
