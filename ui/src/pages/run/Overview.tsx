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
      {error && <ErrorBox what="Read the timeline" error={error} />}
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
      return "It waits for its turn: the runs of a target share its slots. Charts appear with the first second of load.";
    case "provision":
      return "OpenTofu is creating brokers and agents. Charts appear with the first second of load.";
    case "prepare":
      return "The agents take their places. Charts appear with the first second of load.";
    case "load":
      return "The load begins; the first second appears in a moment.";
    default:
      return "It was never under load, so there is nothing to draw. The log tells what happened.";
  }
}
