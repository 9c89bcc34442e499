import { Code, Paper, Stack, Text, Title } from "@mantine/core";
import { PageLink } from "../../components/PageLink";

const plan = `name: Kafka vs NATS, 2,000 msg/s
workload:
  load: {rate: 2000}
  stages: {warmup: 20s, measure: 15s, drain: 10s}
variants:
  - {label: kafka, technology: kafka, stack: kraft}
  - {label: nats, technology: nats, stack: jetstream}`;

/** What stands where no experiment is: why, and the one next step. */
export function EmptyList({ filtered, paged }: { filtered: boolean; paged: boolean }) {
  if (filtered || paged) {
    return (
      <Text>
        {filtered ? "No experiment matches this search. " : "There is nothing older. "}
        <PageLink to="/experiments" search={{}}>
          {filtered ? "Clear the search" : "To the newest"}
        </PageLink>
      </Text>
    );
  }
  return (
    <Paper withBorder p="lg">
      <Stack gap="sm">
        <Title order={2} size="h4">
          Compare two technologies under the same load
        </Title>
        <Text>
          Save this as <Code>mine.yaml</Code> and post it with <Code>dec run mine.yaml</Code>. It appears here at once,
          each run can be watched live, and the verdict stands here afterwards.
        </Text>
        <Code block tabIndex={0} aria-label="A plan that compares Kafka with NATS">
          {plan}
        </Code>
        <Text size="sm" c="dimmed">
          <Code>dec catalog</Code> lists the technologies and their options, <Code>dec doctor</Code> what is usable on
          the server.
        </Text>
      </Stack>
    </Paper>
  );
}
