import { Table, Title } from "@mantine/core";
import type { Comparison, Figure } from "../../api/types";
import { Swatch } from "../../components/chart/Swatch";
import { ScrollTable } from "../../components/ScrollTable";
import { formatBound } from "../../domain/metrics";
import { isEmulated, lookOf } from "../../domain/variants";
import { span } from "../../lib/format";
import { EmulatorBadge } from "../EmulatorBadge";

/** The figures of every variant, as the command and the report show them. */
export function FiguresTable({ comparison }: { comparison: Comparison }) {
  const { variants, figures } = comparison;
  return (
    <section>
      <Title order={2} size="h4" mb="xs">
        Figures
      </Title>
      <ScrollTable label="Figures">
        <Table.Caption>
          Median over the counted runs, with the range in brackets; counts are sums. Latencies count from the intended
          send time; ≥ is a lower bound, where too many messages had not come when observation ended.
        </Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Figure</Table.Th>
            {variants.map(({ label }) => (
              <Table.Th key={label} scope="col">
                <Swatch look={lookOf(variants, label)} /> {label} <EmulatorBadge when={isEmulated(label, variants)} />
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          <Table.Tr>
            <Table.Th scope="row">Counted runs</Table.Th>
            {variants.map(({ label, counted, runs }) => (
              <Table.Td key={label}>{`${counted} of ${runs}`}</Table.Td>
            ))}
          </Table.Tr>
          {figures.map((figure) => (
            <Table.Tr key={figure.name}>
              <Table.Th scope="row">{figure.title}</Table.Th>
              {variants.map(({ label }, i) => (
                <Table.Td key={label}>{tell(figure, i)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
    </section>
  );
}

/** A figure of the variant at an index: "6.21 ms (5.90–6.61 ms)". */
function tell({ unit, values }: Figure, index: number): string {
  const v = values[index];
  const text = formatBound(unit, v?.value, v?.value_at_least);
  if (v?.low === undefined && v?.low_at_least === undefined) return text;
  const [from, to] = [formatBound(unit, v.low, v.low_at_least), formatBound(unit, v.high, v.high_at_least)];
  return from === to ? text : `${text} (${span(from, to)})`;
}
