import { Code, Stack, Table, Text, Title } from "@mantine/core";
import type { Comparison, ExperimentDetail } from "../../api/types";
import { CopyText } from "../../components/CopyText";
import { ScrollTable } from "../../components/ScrollTable";
import { isEmulated } from "../../domain/variants";
import { missing } from "../../lib/format";
import { EmulatorBadge } from "../EmulatorBadge";
import { Guarantees } from "./Guarantees";

/** Where the variants differ, and the whole plan. */
export function Configuration({
  experiment: e,
  comparison,
}: {
  experiment: ExperimentDetail;
  comparison: Comparison | undefined;
}) {
  const plan = JSON.stringify(e.plan, null, 2);
  return (
    <Stack>
      <Title order={2} size="h4">
        Differences between the variants
      </Title>
      {comparison?.differences.length ? (
        <ScrollTable label="Differences between the variants">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Setting</Table.Th>
              {e.variants.map((variant) => (
                <Table.Th key={variant.label} scope="col">
                  {variant.label} <EmulatorBadge when={isEmulated(variant.label, comparison.variants)} />
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {comparison.differences.map(({ path, values }) => (
              <Table.Tr key={path}>
                <Table.Th scope="row">{path}</Table.Th>
                {e.variants.map((variant) => (
                  <Table.Td key={variant.label}>{textOf(values[variant.label])}</Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </ScrollTable>
      ) : (
        <Text>{comparison ? "The variants have the same configuration." : "Not compared yet."}</Text>
      )}
      {comparison && <Guarantees comparison={comparison} />}
      <Title order={2} size="h4">
        Plan
      </Title>
      <Text size="sm" c="dimmed">
        All defaults are filled in. Save it as a file and run <Code>dec run FILE</Code> to repeat the experiment.
      </Text>
      <CopyText text={plan} label="Plan as JSON" filename={`${e.id}.json`} />
    </Stack>
  );
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return missing;
  return typeof value === "string" ? value : JSON.stringify(value);
}
