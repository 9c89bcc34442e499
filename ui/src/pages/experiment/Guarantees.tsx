import { Table, Text, Title } from "@mantine/core";
import type { Comparison } from "../../api/types";
import { ScrollTable } from "../../components/ScrollTable";
import { isEmulated, nameOf } from "../../domain/variants";
import { missing } from "../../lib/format";
import { EmulatorBadge } from "../EmulatorBadge";

/** Where the guarantees that were read back differ, and what would make them equal. */
export function Guarantees({ comparison }: { comparison: Comparison }) {
  const { fairness: f, variants } = comparison;
  const labels = f.unequal[0]?.values.map(({ variant }) => variant) ?? [];
  return (
    <section>
      <Title order={2} size="h4" mb="xs">
        Differences in guarantees and client settings
      </Title>
      {f.unequal.length ? (
        <ScrollTable label="Differences in guarantees and client settings">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Guarantee or setting</Table.Th>
              {labels.map((label) => (
                <Table.Th key={label} scope="col">
                  {label} <EmulatorBadge when={isEmulated(label, variants)} />
                </Table.Th>
              ))}
              <Table.Th scope="col">To make them equal</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {f.unequal.map(({ guarantee, values, raise }) => (
              <Table.Tr key={guarantee}>
                <Table.Th scope="row">{guarantee}</Table.Th>
                {values.map(({ variant, value }) => (
                  <Table.Td key={variant}>{value}</Table.Td>
                ))}
                <Table.Td>
                  {raise.length === 0 && missing}
                  {raise.map(({ variant, value }) => (
                    <div key={variant}>
                      {nameOf(variants, variant)} {value ? `with ${value}` : "cannot be raised"}
                    </div>
                  ))}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </ScrollTable>
      ) : (
        <Text>
          {f.known
            ? "All variants gave the same guarantees, as read back from the brokers."
            : "Not all guarantees are known."}
        </Text>
      )}
      {f.nature.map((sentence) => (
        <Text key={sentence} size="sm" c="dimmed" mt="xs">
          For reference: {sentence}
        </Text>
      ))}
    </section>
  );
}
