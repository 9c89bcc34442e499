import { Code, Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { catalog } from "../../api/queries";
import { Loading } from "../../components/Loading";
import { PageLink } from "../../components/PageLink";
import { examplePlan } from "../../domain/plan";

/** What stands where no experiment is: why, and the one next step. */
export function EmptyList({ filtered, paged }: { filtered: boolean; paged: boolean }) {
  const { data, isPending } = useQuery(catalog());
  if (filtered || paged) {
    return (
      <Text>
        {filtered ? "No experiments match this search. " : "There are no older experiments. "}
        <PageLink to="/experiments" search={{}}>
          {filtered ? "Clear search" : "Go to the newest"}
        </PageLink>
      </Text>
    );
  }
  if (isPending) return <Loading what="the catalog" height={320} />;
  const plan = data && examplePlan(data);
  return (
    <Paper withBorder p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          Compare two technologies under the same load
        </Title>
        <Text>
          {plan ? (
            <>
              Save this as <Code>mine.yaml</Code> and submit it with <Code>dec run mine.yaml</Code>.
            </>
          ) : (
            <>
              Submit a plan with <Code>dec run FILE</Code>.
            </>
          )}{" "}
          It appears here at once. You can watch each run live; the verdict follows when all runs have ended.
        </Text>
        {plan && (
          <Code block tabIndex={0} aria-label="Example plan">
            {plan}
          </Code>
        )}
        <Text size="sm" c="dimmed">
          <Code>dec catalog</Code> lists the technologies and their options; <Code>dec doctor</Code> shows what is
          usable on the server.
        </Text>
      </Stack>
    </Paper>
  );
}
