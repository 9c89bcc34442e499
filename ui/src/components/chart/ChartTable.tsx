import { Button, Group, Table, Text } from "@mantine/core";
import { useState } from "react";
import { ScrollTable } from "../ScrollTable";
import { type ChartSpec, tableOf } from "./spec";

const pageRows = 25;

/** The numbers of a chart as a table. */
export function ChartTable({ spec, labelledBy }: { spec: ChartSpec; labelledBy: string }) {
  const [page, setPage] = useState(0);
  const { columns, rows, note } = tableOf(spec);
  const pages = Math.max(1, Math.ceil(rows.length / pageRows));
  const shown = rows.slice(page * pageRows, (page + 1) * pageRows);
  return (
    <>
      <ScrollTable label={spec.title} labelledBy={labelledBy}>
        <Table.Caption>{[spec.yName, note].filter(Boolean).join(". ")}</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{spec.xName}</Table.Th>
            {columns.map((column) => (
              <Table.Th key={column} scope="col">
                {column}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {shown.map((row) => (
            <Table.Tr key={row.x}>
              <Table.Th scope="row">{row.x}</Table.Th>
              {row.cells.map((cell, i) => (
                <Table.Td key={columns[i]}>{cell}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
      {pages > 1 && (
        <Group gap="xs" mt="xs">
          <Button size="compact-sm" variant="default" disabled={page === 0} onClick={() => setPage(page - 1)}>
            Previous rows
          </Button>
          <Text size="sm">
            Rows {page * pageRows + 1}–{Math.min(rows.length, (page + 1) * pageRows)} of {rows.length}
          </Text>
          <Button size="compact-sm" variant="default" disabled={page === pages - 1} onClick={() => setPage(page + 1)}>
            Next rows
          </Button>
        </Group>
      )}
    </>
  );
}
