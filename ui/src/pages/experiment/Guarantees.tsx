import { Table, Text, Title } from "@mantine/core";
import type { Comparison } from "../../api/types";
import { ScrollTable } from "../../components/ScrollTable";
import { isEmulated, nameOf } from "../../domain/variants";
import { missing } from "../../lib/format";
import { EmulatorBadge } from "../EmulatorBadge";

/** The guarantees that were read back and the settings of clients, and what would make those equal that differ. */
export function Guarantees({ comparison }: { comparison: Comparison }) {
  const { fairness: f, variants } = comparison;
  const unequal = new Map(f.unequal.map((found) => [found.guarantee, found.raise]));
  const known = f.rows.some(({ values }) => values.some(({ value }) => value));
  return (
    <section>
      <Title order={2} size="h4" mb="xs">
        Guarantees and client settings
      </Title>
      <Text mb="xs">As read back from the brokers: {f.label}.</Text>
      {known && (
        <ScrollTable label="Guarantees and client settings">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Guarantee or setting</Table.Th>
              {f.rows[0]?.values.map(({ variant }) => (
                <Table.Th key={variant} scope="col">
                  {variant} <EmulatorBadge when={isEmulated(variant, variants)} />
                </Table.Th>
              ))}
              <Table.Th scope="col">To make them equal</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {f.rows.map(({ name, values }) => (
              <Table.Tr key={name}>
                <Table.Th scope="row">
                  {name}
                  {unequal.has(name) && (
                    <Text span size="xs" c="dimmed" fw={400}>
                      {" "}
                      differs
                    </Text>
                  )}
                </Table.Th>
                {values.map(({ variant, value }) => (
                  <Table.Td key={variant}>{value || missing}</Table.Td>
                ))}
                <Table.Td>
                  {unequal.get(name)?.map(({ variant, value }) => (
                    <div key={variant}>
                      {nameOf(variants, variant)} {value ? `with ${value}` : "cannot be raised"}
                    </div>
                  ))}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </ScrollTable>
      )}
      {f.nature.map((sentence) => (
        <Text key={sentence} size="sm" c="dimmed" mt="xs">
          For reference: {sentence}
        </Text>
      ))}
    </section>
  );
}
