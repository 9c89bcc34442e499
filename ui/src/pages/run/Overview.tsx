import { Stack, Text } from "@mantine/core";
import type { RunDetail } from "../../api/types";
import { ErrorBox } from "../../components/ErrorBox";
import { Loading } from "../../components/Loading";
import { useTimeline } from "../../live/useTimeline";
import { LiveNumbers } from "./LiveNumbers";
import { RunFigures } from "./RunFigures";
import { RunPercentiles } from "./RunPercentiles";
import { SecondCharts } from "./SecondCharts";

/** What a run measures as it happens, and what it measured afterwards. */
export function Overview({ run: r }: { run: RunDetail }) {
  const { seconds, error } = useTimeline(r.id, r.has_result);
  return (
    <Stack gap="md">
      {r.has_result ? <RunFigures id={r.id} /> : <LiveNumbers run={r} newest={seconds.at(-1)} />}
      {error && <ErrorBox what="load the timeline" error={error} />}
      {seconds.length > 0 ? (
        <SecondCharts seconds={seconds} live={!r.has_result} />
      ) : r.has_result ? (
        !error && <Loading what="the timeline" height={600} />
      ) : (
        <Text>{whyEmpty(r)}</Text>
      )}
      {r.has_result && <RunPercentiles run={r} />}
    </Stack>
  );
}

function whyEmpty(r: RunDetail): string {
  switch (r.phase) {
    case "queued":
      return "Waiting for a free slot of the target. Charts appear with the first second of load.";
    case "provision":
      return "OpenTofu is creating brokers and agents. Charts appear with the first second of load.";
    case "prepare":
      return "The agents are getting ready. Charts appear with the first second of load.";
    case "load":
      return "The load is starting; the first second appears shortly.";
    default:
      return "This run was never under load, so there is nothing to show. See the log for what happened.";
  }
}
