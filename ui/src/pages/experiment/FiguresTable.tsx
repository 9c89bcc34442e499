import { Table, Title } from "@mantine/core";
import type { ComparedRun, Comparison, Counts, ExperimentDetail } from "../../api/types";
import { Swatch } from "../../components/chart/Swatch";
import { ScrollTable } from "../../components/ScrollTable";
import { emulated, occurred, times } from "../../domain/incidents";
import { formatMetric, type ShownMetric } from "../../domain/metrics";
import { counts, lookOf, measured } from "../../domain/variants";
import { count, missing, span } from "../../lib/format";
import { median } from "../../lib/stats";
import { Emulator } from "../Emulator";
import { useCatalog } from "../useCatalog";

const totals: [string, keyof Counts][] = [
  ["Acknowledged", "acked"],
  ["Received", "received"],
  ["Lost", "lost"],
  ["Duplicates", "duplicates"],
  ["Reordered", "reordered"],
  ["Corrupt", "corrupt"],
  ["Offered but not sent", "unsent"],
];

/** Every figure of every candidate: medians with their range, and counts of messages. */
export function FiguresTable({ experiment: e, comparison }: { experiment: ExperimentDetail; comparison: Comparison }) {
  const catalog = useCatalog();
  const variants = e.variants.map(({ label }) => {
    const all = measured(comparison, label);
    return { label, all, counted: all.filter(counts) };
  });
  const incidents = occurred(
    catalog,
    variants.flatMap(({ counted }) => counted),
  );
  return (
    <section>
      <Title order={2} size="h4" mb="xs">
        Figures
      </Title>
      <ScrollTable label="Figures">
        <Table.Caption>
          Median over the runs that count, with their range in brackets; counts of messages are sums over these runs.
          Latencies count from the intended send time.
        </Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Figure</Table.Th>
            {variants.map(({ label }) => (
              <Table.Th key={label} scope="col">
                <Swatch look={lookOf(e, label)} /> {label}{" "}
                <Emulator when={emulated(label, comparison.fairness.emulators)} />
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          <Table.Tr>
            <Table.Th scope="row">Runs that count</Table.Th>
            {variants.map(({ label, all, counted }) => (
              <Table.Td key={label}>{`${counted.length} of ${all.length} measured`}</Table.Td>
            ))}
          </Table.Tr>
          {catalog.metrics.map((metric) => (
            <Table.Tr key={metric.name}>
              <Table.Th scope="row">{metric.title}</Table.Th>
              {variants.map(({ label, counted }) => (
                <Table.Td key={label}>{figure(counted, metric)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
          {totals.map(([title, name]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row">{title}</Table.Th>
              {variants.map(({ label, counted }) => (
                <Table.Td key={label}>{counted.length ? `${count(total(counted, name))} messages` : missing}</Table.Td>
              ))}
            </Table.Tr>
          ))}
          {incidents.map(({ title, name }) => (
            <Table.Tr key={name}>
              <Table.Th scope="row">{title}</Table.Th>
              {variants.map(({ label, counted }) => (
                <Table.Td key={label}>
                  {counted.length ? `${count(counted.reduce((sum, run) => sum + times(run, name), 0))} times` : missing}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
    </section>
  );
}

const total = (runs: ComparedRun[], name: keyof Counts) =>
  runs.reduce((sum, run) => sum + (run.counts?.[name] ?? 0), 0);

function figure(runs: ComparedRun[], metric: ShownMetric): string {
  const values = runs.map((run) => run.metrics?.[metric.name]).filter((value) => typeof value === "number");
  const middle = median(values);
  if (middle === undefined) return missing;
  const [low, high] = [formatMetric(metric, Math.min(...values)), formatMetric(metric, Math.max(...values))];
  return `${formatMetric(metric, middle)}${low === high ? "" : ` (${span(low, high)})`}`;
}
