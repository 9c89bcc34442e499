import { Table, Text } from "@mantine/core";
import type { Result } from "../../api/types";
import { ScrollTable } from "../../components/ScrollTable";
import { formatBound } from "../../domain/metrics";
import { count, share } from "../../lib/format";

type Group = NonNullable<Result["groups"]>[string];

const columns: [string, (g: Group) => string][] = [
  ["Received", (g) => count(g.received)],
  ["Delivered", (g) => share(g.delivered_share)],
  ["Undelivered", (g) => count(g.undelivered)],
  ["Aged out", (g) => count(g.aged_out)],
  ["Lost", (g) => count(g.lost)],
  ["Lost or undelivered", (g) => count(g.missing)],
  ["Duplicates", (g) => count(g.duplicates)],
  ["Reordered", (g) => count(g.reordered)],
  ["End-to-end p50", (g) => formatBound("ns", g.e2e_latency.p50_ns, g.e2e_latency.p50_at_least_ns)],
  ["End-to-end p99", (g) => formatBound("ns", g.e2e_latency.p99_ns, g.e2e_latency.p99_at_least_ns)],
];

/** What each consumer group received, where there are several; the run's latency is that of the slowest. */
export function GroupTable({ groups }: { groups: Result["groups"] }) {
  if (!groups) return null;
  const names = Object.keys(groups).sort(naturally);
  return (
    <div>
      <ScrollTable label="Consumer groups">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Consumer group</Table.Th>
            {columns.map(([name]) => (
              <Table.Th key={name} scope="col">
                {name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {names.map((name) => {
            const group = groups[name];
            return (
              group && (
                <Table.Tr key={name}>
                  <Table.Th scope="row">{name}</Table.Th>
                  {columns.map(([column, value]) => (
                    <Table.Td key={column}>{value(group)}</Table.Td>
                  ))}
                </Table.Tr>
              )
            );
          })}
        </Table.Tbody>
      </ScrollTable>
      <Text size="xs" c="dimmed">
        Every group receives every message. The latencies above are those of the slowest group, the counts those of all
        groups.
      </Text>
    </div>
  );
}

/** Orders group-2 before group-10. */
const naturally = new Intl.Collator("en", { numeric: true }).compare;
