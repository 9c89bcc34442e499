import { Text } from "@mantine/core";
import type { RunDetail, Second } from "../../api/types";
import { Figures } from "../../components/Figures";
import { heldBack } from "../../domain/incidents";
import { count, nanoseconds, percent, rate, time, wholeDuration } from "../../lib/format";
import { useNow, useStale } from "../../live/hooks";
import { useCatalog } from "../useCatalog";

/** The latest second of a run in numbers. Screen readers do not announce changes. */
export function LiveNumbers({ run: r, newest }: { run: RunDetail; newest: Second | undefined }) {
  const stale = useStale();
  const now = useNow();
  const catalog = useCatalog();
  if (!newest) return null;
  const e2e = newest.latencies.e2e_latency;
  const held = heldBack(catalog, newest);
  const start = time(r.load_started_at);
  const age = start === undefined ? undefined : (now - start) / 1000 - newest.second - 1;
  const silent = r.phase === "load" && age !== undefined && age > 10;
  return (
    <div>
      <Text size="sm" c="dimmed" mb="xs">
        Second {newest.second + 1} of the load ({newest.stage === "warmup" ? "warm-up, not measured" : newest.stage});
        provisional until the results are collected.
        {silent && ` The agents have been silent for ${wholeDuration(age)}.`}
      </Text>
      <Figures
        label="Latest second"
        stale={stale || silent}
        figures={[
          { name: "Offered", value: rate(newest.counts.offered) },
          {
            name: "Acknowledged",
            value: rate(newest.counts.acked),
            ...(held > 0 && { note: `${rate(held)} held back by a limit` }),
          },
          { name: "Received", value: rate(newest.counts.received) },
          { name: "End-to-end p50", value: nanoseconds(e2e?.p50_ns), note: "in this second" },
          {
            name: "End-to-end p99",
            value: nanoseconds(e2e?.p99_ns),
            note: typeof e2e?.p99_ns === "number" ? "in this second" : "needs 1,000 messages per second",
          },
          { name: "Backlog", value: count(newest.backlog), note: "messages not yet received" },
          { name: "Agent CPU", value: percent(newest.cpu_s), note: "of one core" },
        ]}
      />
    </div>
  );
}
