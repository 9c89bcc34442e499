import { Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { result } from "../../api/queries";
import type { RunDetail } from "../../api/types";
import { CopyText } from "../../components/CopyText";
import { Facts } from "../../components/Facts";
import { bytes, nanoseconds, plural, upperFirst, words } from "../../lib/format";
import { useCatalog } from "../useCatalog";

/** How the candidate was configured, what the brokers promised, and on what it ran. */
export function RunConfiguration({ run: r }: { run: RunDetail }) {
  const catalog = useCatalog();
  const { data } = useQuery({ ...result(r.id), enabled: r.has_result });
  const titleOf = (name: string) => catalog.guarantees.find((g) => g.name === name)?.title ?? upperFirst(words(name));
  const { raise: _, ...promised } = (data?.guarantees ?? {}) as Record<string, unknown>; // how to get more is told where variants are compared
  const guarantees = Object.entries(promised);
  return (
    <Stack>
      <Title order={2} size="h4">
        The candidate
      </Title>
      <CopyText
        text={JSON.stringify(r.variant_plan, null, 2)}
        label="The candidate as JSON"
        filename={`${r.variant}.json`}
      />
      <Title order={2} size="h4">
        Guarantees, as the brokers tell them
      </Title>
      {guarantees.length ? (
        <Facts label="Guarantees" facts={guarantees.flatMap(([name, value]) => tell(titleOf(name), value))} />
      ) : (
        <Text>{r.has_result ? "They were not read." : "Known once the run was collected."}</Text>
      )}
      {data && (
        <>
          <Title order={2} size="h4">
            Versions and machines
          </Title>
          <Facts
            label="Versions and machines"
            facts={[
              ...Object.entries(data.versions ?? {}),
              ...data.agents.map((a): [string, string] => [
                `Agent ${a.id}`,
                `${a.role} on ${a.host}, ${plural(a.cpus, "CPU")}, ${bytes(a.memory_bytes)}, lateness p99 ${nanoseconds(a.self_check.p99_ns)} in its self-check`,
              ]),
            ]}
          />
        </>
      )}
    </Stack>
  );
}

function tell(name: string, value: unknown): [string, string][] {
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).map(([key, inner]) => [key, String(inner)]);
  }
  return [[name, words(String(value))]];
}
