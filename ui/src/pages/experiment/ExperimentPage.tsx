import { Button, Group, Menu, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { catalog, comparison, experiment } from "../../api/queries";
import type { ExperimentDetail } from "../../api/types";
import { ErrorBox } from "../../components/ErrorBox";
import { Loading } from "../../components/Loading";
import { PageTabs } from "../../components/PageTabs";
import { PageTitle } from "../../components/PageTitle";
import { Status } from "../../components/Status";
import { experimentState } from "../../domain/states";
import { factsOf } from "../../domain/targets";
import { moment, plural, time } from "../../lib/format";
import { given } from "../../lib/search";
import { useNow } from "../../live/hooks";
import { Detail } from "../Detail";
import { useCatalog } from "../useCatalog";
import { CancelExperiment } from "./CancelExperiment";
import { Configuration } from "./Configuration";
import { DeleteExperiment } from "./DeleteExperiment";
import { ResultTab } from "./ResultTab";
import { RunsTab } from "./RunsTab";
import { Verdict } from "./Verdict";

const route = getRouteApi("/frame/experiments/$id");
const tabs = ["runs", "config"] as const;

/** One experiment: which is better, by how much, and may it be believed. */
export function ExperimentPage() {
  const { id } = route.useParams();
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(experiment(id));
  const answer = useQuery(comparison(id));
  const vocabulary = useQuery(catalog());
  // Without the vocabulary a figure has neither a name nor a unit.
  const compared = vocabulary.data && answer.data;
  const differences = compared?.differences.length;
  const missed = answer.error ? answer : vocabulary;
  return (
    <Detail what="experiment" id={id} query={query} head={(data) => <Head experiment={data} />}>
      {(data) => (
        <>
          <Verdict experiment={data} comparison={compared} />
          {missed.error && <ErrorBox what="compare the runs" error={missed.error} retry={missed.refetch} />}
          <PageTabs
            value={tab ?? "result"}
            onChange={(value) => {
              const chosen = tabs.find((name) => name === value);
              navigate({ resetScroll: false, search: (old) => given({ ...old, tab: chosen }) });
            }}
            tabs={[
              {
                value: "result",
                label: "Result",
                content: () =>
                  compared ? (
                    <ResultTab experiment={data} comparison={compared} />
                  ) : (
                    !missed.error && <Loading what="the result" height={400} retry={answer.refetch} />
                  ),
              },
              {
                value: "runs",
                label: plural(data.run_list.length, "run"),
                content: () => <RunsTab experiment={data} comparison={compared} />,
              },
              {
                value: "config",
                label: differences ? `Configuration: ${plural(differences, "difference")}` : "Configuration",
                content: () => <Configuration experiment={data} comparison={compared} />,
              },
            ]}
          />
        </>
      )}
    </Detail>
  );
}

function Head({ experiment: e }: { experiment: ExperimentDetail }) {
  const now = useNow();
  const state = experimentState(e);
  const facts = factsOf(useCatalog(), e.target);
  const created = time(e.created_at);
  return (
    <Stack gap={4}>
      <Group justify="space-between" align="start" wrap="wrap">
        <div style={{ flex: "1 1 20rem" }}>
          <PageTitle title={e.state === "running" ? `${e.runs.ended}/${e.runs.planned} runs · ${e.name}` : e.name}>
            {e.name}
          </PageTitle>
        </div>
        <Group gap="xs">
          {e.runs.ended > 0 && <Export id={e.id} />}
          {e.allowed.includes("cancel") && <CancelExperiment experiment={e} />}
          {e.allowed.includes("delete") && <DeleteExperiment experiment={e} />}
        </Group>
      </Group>
      <Group gap="xs" role="status">
        <Status tone={state.tone}>{state.text}</Status>
        <Text size="sm" c="dimmed">
          {[
            e.verdict?.fairness,
            facts?.shared_machine ? "one machine" : `target ${e.target}`,
            e.by && `by ${e.by}`,
            created && `created ${moment(created, now)}`,
            e.id,
          ]
            .filter(Boolean)
            .join(" · ")}
        </Text>
      </Group>
      {e.reason && <Text size="sm">{e.reason}</Text>}
    </Stack>
  );
}

function Export({ id }: { id: string }) {
  const href = `/api/v1/experiments/${id}/comparison`;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" size="sm">
          Export ▾
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={`${href}.html`} download={`${id}.html`}>
          Report (one HTML file)
        </Menu.Item>
        <Menu.Item component="a" href={`${href}.csv`} download={`${id}.csv`}>
          Data (CSV)
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
