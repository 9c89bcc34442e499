import { List, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { result } from "../../api/queries";
import type { Incident, Latency, Result } from "../../api/types";
import { ErrorBox } from "../../components/ErrorBox";
import { Facts } from "../../components/Facts";
import { Figures } from "../../components/Figures";
import { Loading } from "../../components/Loading";
import { ScrollTable } from "../../components/ScrollTable";
import { Status } from "../../components/Status";
import { occurred, told } from "../../domain/incidents";
import { formatBound } from "../../domain/metrics";
import { bytes, count, duration, missing, nanoseconds, percent, rate, share, significant } from "../../lib/format";
import { useCatalog } from "../useCatalog";
import { GroupTable } from "./GroupTable";

/** What a run measured. */
export function RunFigures({ id }: { id: string }) {
  const catalog = useCatalog();
  const { data: r, error, refetch } = useQuery(result(id));
  if (error) return <ErrorBox what="load the result" error={error} retry={refetch} />;
  if (!r) return <Loading what="the result" height={240} />;
  const { emulator } = (r.guarantees ?? {}) as { emulator?: string };
  return (
    <Stack gap="md">
      {emulator && (
        <Status tone="warn">
          Measured on {emulator}, an emulator: these numbers do not show how fast the technology itself is.
        </Status>
      )}
      <Figures
        label="Result"
        figures={[
          { name: "End-to-end p50", value: quantile("p50")(r.e2e_latency) },
          { name: "End-to-end p99", value: quantile("p99")(r.e2e_latency) },
          { name: "Publish p99", value: quantile("p99")(r.publish_latency) },
          { name: "Throughput", value: rate(r.throughput_per_s) },
          { name: "Delivered", value: share(r.delivered_share), note: "of what was offered" },
          { name: "Lost", value: count(r.counts.lost), note: "messages" },
          { name: "Broker CPU", value: cpu(r), note: "per million messages" },
        ]}
      />
      <Latencies result={r} />
      <GroupTable groups={r.groups} />
      <Facts label="Message accounting" facts={account(r, occurred(catalog, [r]))} />
      {r.errors && Object.keys(r.errors).length > 0 && (
        <div>
          <Title order={3} size="h5">
            Send errors
          </Title>
          <List size="sm">
            {Object.entries(r.errors).map(([text, times]) => (
              <List.Item key={text}>
                {count(times)} times: {text}
              </List.Item>
            ))}
          </List>
        </div>
      )}
    </Stack>
  );
}

const cpu = (r: Result) =>
  r.cpu.broker_s_per_million === undefined ? missing : `${significant(r.cpu.broker_s_per_million)} s`;

function account(r: Result, incidents: Incident[]): [string, string][] {
  const messages = (n: number) => `${count(n)} messages`;
  const { counts: c } = r;
  return [
    ["Offered", messages(c.offered)],
    ["Sent", messages(c.sent)],
    ["Offered but not sent", messages(c.unsent)],
    ["Acknowledged", messages(c.acked)],
    ["Failed", messages(c.failed)],
    ["Unanswered", messages(c.unanswered)],
    ["Received", messages(c.received)],
    ["Lost", messages(c.lost)],
    ...exceptions([
      ["Undelivered", c.undelivered],
      ["Aged out", c.aged_out],
      ["Lost or undelivered", c.missing],
    ]),
    ["Duplicates", messages(c.duplicates)],
    ["Reordered", messages(c.reordered)],
    ["Corrupt", messages(c.corrupt)],
    ...exceptions([
      ["Not of this run", c.foreign],
      ["Order not checked", c.unwatched],
    ]),
    ...incidents.map((incident): [string, string] => [incident.title, told(incident, r)]),
    ["Payload sent", bytes(c.bytes)],
    ["Agent CPU time", duration(r.cpu.agent_s)],
    ["Broker CPU time", duration(r.cpu.broker_s)],
    ["Broker memory, peak", bytes(r.cpu.broker_rss_bytes)],
    ["Clock error", clockError(r.clock_bound_ns)],
    [
      "Samples below zero",
      r.e2e_latency.count ? percent((r.e2e_latency.negative ?? 0) / r.e2e_latency.count) : missing,
    ],
  ];
}

/** By how much the agents' clocks may differ. */
function clockError(bound: number | null): string {
  if (bound === null) return "unknown";
  return bound > 0 ? `at most ${nanoseconds(bound)}` : "none (one clock)";
}

/** Numbers of messages, where there are some. */
function exceptions(kinds: [string, number | undefined][]): [string, string][] {
  return kinds.flatMap(([name, n]): [string, string][] => (n ? [[name, `${count(n)} messages`]] : []));
}

/** A quantile of a latency, or what it is at least. */
const quantile = (name: "p50" | "p90" | "p95" | "p99" | "p999" | "p9999" | "max") => (l: Latency) =>
  formatBound("ns", l[`${name}_ns`], l[`${name}_at_least_ns`]);

const columns: [string, (l: Latency) => string][] = [
  ["p50", quantile("p50")],
  ["p90", quantile("p90")],
  ["p95", quantile("p95")],
  ["p99", quantile("p99")],
  ["p99.9", quantile("p999")],
  ["p99.99", quantile("p9999")],
  ["max", quantile("max")],
  ["Samples", (l) => count(l.count)],
];

function Latencies({ result: r }: { result: Result }) {
  const rows: [string, string, Latency][] = [
    ["End-to-end", "from the intended send time", r.e2e_latency],
    ["End-to-end, service", "from the actual send", r.e2e_service],
    ["Publish", "from the intended send time", r.publish_latency],
    ["Publish, service", "from the actual send", r.publish_service],
    ["Pacer lateness", "the load generator's own error", r.pacer_lateness],
    ["Back-pressure", "wait for room in max_in_flight", r.backpressure],
  ];
  return (
    <div>
      <ScrollTable label="Latencies">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Latency</Table.Th>
            {columns.map(([name]) => (
              <Table.Th key={name} scope="col">
                {name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(([name, meaning, latency]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row">
                {name}
                <Text size="xs" c="dimmed" fw={400}>
                  {meaning}
                </Text>
              </Table.Th>
              {columns.map(([column, value]) => (
                <Table.Td key={column}>{value(latency)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
      <Text size="xs" c="dimmed">
        Percentiles count over all offered messages; those with fewer than 10 samples above them are not shown (–). ≥ is
        a lower bound: more messages had not come when the drain stage ended than lie above the percentile.
      </Text>
    </div>
  );
}
