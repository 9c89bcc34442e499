import { Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { result } from "../../api/queries";
import type { Result, RunDetail } from "../../api/types";
import { CopyText } from "../../components/CopyText";
import { Facts } from "../../components/Facts";
import { bytes, nanoseconds, plural, upperFirst, words } from "../../lib/format";
import { useCatalog } from "../useCatalog";

/** How the variant was configured, what the brokers guaranteed, and which machines it ran on. */
export function RunConfiguration({ run: r }: { run: RunDetail }) {
  const catalog = useCatalog();
  const { data } = useQuery({ ...result(r.id), enabled: r.has_result });
  const titleOf = (name: string) => catalog.guarantees.find((g) => g.name === name)?.title ?? upperFirst(words(name));
  // How to get more of a guarantee is shown where variants are compared; what fsync rests on is said in words.
  const { raise: _raise, fsync: _fsync, ...promised } = (data?.guarantees ?? {}) as Record<string, unknown>;
  const guarantees = Object.entries(promised);
  return (
    <Stack>
      <Title order={2} size="h4">
        Variant
      </Title>
      <CopyText text={JSON.stringify(r.variant_plan, null, 2)} label="Variant as JSON" filename={`${r.variant}.json`} />
      <Title order={2} size="h4">
        Guarantees, as read back from the brokers
      </Title>
      {guarantees.length ? (
        <Facts
          label="Guarantees"
          facts={[
            ...guarantees.flatMap(([name, value]) => factsOf(titleOf(name), value)),
            ...(data?.no_fsync
              ? [["Fsync of messages", "none until the measure stage was over"] as [string, string]]
              : []),
          ]}
        />
      ) : (
        <Text>{r.has_result ? "They were not read back." : "Known once the results are collected."}</Text>
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
              ["Instrument", instrument(data)],
              ...data.agents.map((a): [string, string] => [
                `Agent ${a.id}`,
                [
                  `${a.role} on ${a.host}`,
                  plural(a.cpus, "CPU"),
                  bytes(a.memory_bytes),
                  `self-check lateness p99 ${nanoseconds(a.self_check.p99_ns)}`,
                ].join(", "),
              ]),
            ]}
          />
        </>
      )}
    </Stack>
  );
}

/** How wrong the figures may be, by the agents' certificate. */
function instrument({ certificate }: Result): string {
  if (!certificate) return "not certified";
  const misses = certificate.misses ?? [];
  return misses.length ? `${certificate.line}. Out of bounds: ${misses.join("; ")}` : certificate.line;
}

function factsOf(name: string, value: unknown): [string, string][] {
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).map(([key, inner]) => [key, String(inner)]);
  }
  return [[name, words(String(value))]];
}
