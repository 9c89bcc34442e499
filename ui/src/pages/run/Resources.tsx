import { Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { resources } from "../../api/queries";
import type { Resource, RunDetail } from "../../api/types";
import { ErrorBox } from "../../components/ErrorBox";
import { Loading } from "../../components/Loading";
import { ScrollTable } from "../../components/ScrollTable";
import { Status } from "../../components/Status";
import type { Tone } from "../../lib/colors";
import { clock, duration, missing, time, wholeDuration } from "../../lib/format";
import { useNow } from "../../live/hooks";

const tones: Record<Resource["state"], Tone> = {
  creating: "busy",
  created: "good",
  "create failed": "bad",
  destroying: "busy",
  destroyed: "quiet",
  "destroy failed": "bad",
};

/** The real objects of a run as OpenTofu reports them. */
export function Resources({ run: r }: { run: RunDetail }) {
  const { data, error, refetch } = useQuery(resources(r.id));
  const now = useNow();
  if (error) return <ErrorBox what="load the resources" error={error} retry={refetch} />;
  if (!data) return <Loading what="the resources" height={240} retry={refetch} />;
  if (!data.items.length) return <Text>{whyNone(r)}</Text>;
  return (
    <ScrollTable label="Resources">
      <Table.Thead>
        <Table.Tr>
          {["Resource", "State", "Since", "Create time", "Lifetime", "Destroy time", "ID"].map((name) => (
            <Table.Th key={name} scope="col">
              {name}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {data.items.map((item) => {
          const [created, gone, since] = [time(item.created_at), time(item.gone_at), time(item.since)];
          return (
            <Table.Tr key={item.address}>
              <Table.Th scope="row">{item.address}</Table.Th>
              <Table.Td>
                <Status tone={tones[item.state]}>{item.state}</Status>
              </Table.Td>
              <Table.Td>{since ? clock(since) : missing}</Table.Td>
              <Table.Td>{item.create_s === undefined ? missing : duration(item.create_s)}</Table.Td>
              <Table.Td>{created ? wholeDuration(((gone ?? now) - created) / 1000) : missing}</Table.Td>
              <Table.Td>{item.destroy_s === undefined ? missing : duration(item.destroy_s)}</Table.Td>
              <Table.Td>{item.id ?? missing}</Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </ScrollTable>
  );
}

function whyNone(r: RunDetail): string {
  if (r.phase === "queued") return "None yet: the run is queued.";
  if (r.phase === "provision") return "OpenTofu is planning; resources will appear here.";
  return "OpenTofu created nothing for this run.";
}
