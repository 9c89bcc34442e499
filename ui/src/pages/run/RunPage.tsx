import { Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { resources, run } from "../../api/queries";
import type { RunDetail } from "../../api/types";
import { PageLink } from "../../components/PageLink";
import { PageTabs } from "../../components/PageTabs";
import { PageTitle } from "../../components/PageTitle";
import { Status } from "../../components/Status";
import { runReason, runState, teardownState } from "../../domain/states";
import { clock, time } from "../../lib/format";
import { given } from "../../lib/search";
import { Detail } from "../Detail";
import { EmulatorBadge } from "../EmulatorBadge";
import { CancelRun } from "./CancelRun";
import { Overview } from "./Overview";
import { Phases } from "./Phases";
import { Resources } from "./Resources";
import { RunConfiguration } from "./RunConfiguration";
import { RunLog } from "./RunLog";

const route = getRouteApi("/frame/runs/$id");
const tabs = ["resources", "log", "config"] as const;

/** One run: what it is doing, what it measured, and whether its infrastructure is gone. */
export function RunPage() {
  const { id } = route.useParams();
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(run(id));
  const objects = useQuery(resources(id));
  const alive = objects.data?.items.filter(
    (item) => item.state !== "destroyed" && item.state !== "create failed",
  ).length;
  return (
    <Detail what="run" id={id} query={query} head={(data) => <Head run={data} />}>
      {(data) => (
        <>
          <Phases run={data} />
          <PageTabs
            value={tab ?? "overview"}
            onChange={(value) => {
              const chosen = tabs.find((name) => name === value);
              navigate({ resetScroll: false, search: (old) => given({ ...old, tab: chosen }) });
            }}
            tabs={[
              { value: "overview", label: "Overview", content: () => <Overview key={id} run={data} /> },
              {
                value: "resources",
                label: alive === undefined ? "Resources" : `Resources: ${alive} live`,
                content: () => <Resources run={data} />,
              },
              { value: "log", label: "Log", content: () => <RunLog key={id} run={data} /> },
              { value: "config", label: "Configuration", content: () => <RunConfiguration run={data} /> },
            ]}
          />
        </>
      )}
    </Detail>
  );
}

function Head({ run: r }: { run: RunDetail }) {
  const state = runState(r);
  const teardown = teardownState(r);
  const reason = runReason(r);
  const expires = time(r.expires_at);
  return (
    <Stack gap={4}>
      <Text size="sm">
        <PageLink to="/experiments/$id" params={{ id: r.experiment }}>
          {r.experiment_name}
        </PageLink>
      </Text>
      <Group justify="space-between" align="start">
        <PageTitle title={r.name} />
        {r.allowed.includes("cancel") && <CancelRun run={r} />}
      </Group>
      <Group gap="xs" role="status">
        <Status tone={state.tone}>{state.text}</Status>
        {r.phase !== "queued" && <Status tone={teardown.tone}>{teardown.text}</Status>}
        <EmulatorBadge when={Boolean(r.variant_plan.emulator)} />
      </Group>
      <Text size="sm" c="dimmed">
        {[
          `${r.variant_plan.technology} ${r.variant_plan.stack}`,
          `round ${r.round + 1}`,
          r.extra && "extra run, repeats a run that failed or was invalid",
          r.system_died && "did not deliver: the system under test ended under the load",
          r.phase !== "ended" && expires && `hard deadline ${clock(expires)}`,
          r.id,
        ]
          .filter(Boolean)
          .join(" · ")}
      </Text>
      {reason && (
        <Text size="sm" style={{ whiteSpace: "pre-wrap" }}>
          {reason}
        </Text>
      )}
    </Stack>
  );
}
