import { Button, Group, Stack, Text } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { experiments } from "../../api/queries";
import { ErrorBox } from "../../components/ErrorBox";
import { Loading } from "../../components/Loading";
import { PageTitle } from "../../components/PageTitle";
import { plural } from "../../lib/format";
import { given } from "../../lib/search";
import { EmptyList } from "./EmptyList";
import { ExperimentRow } from "./ExperimentRow";
import classes from "./ExperimentsPage.module.css";
import { Filters } from "./Filters";

const route = getRouteApi("/frame/experiments");

/** A page's cursors are kept in the address, as many as this. */
const keptPages = 6;

/** What ran, what runs, what came out. */
export function ExperimentsPage() {
  const { q, state, technology, pages = [] } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, isPending, refetch, isPlaceholderData } = useQuery({
    ...experiments({ q, state, technology, cursor: pages.at(-1) }),
    placeholderData: keepPreviousData,
  });
  const filtered = Boolean(q || state || technology);
  const turn = (to: string[]) =>
    navigate({ search: (old) => given({ ...old, pages: to.length ? to.slice(-keptPages) : undefined }) });
  return (
    <Stack gap="md">
      <PageTitle title="Experiments" />
      <Filters />
      {error && <ErrorBox what="load the experiments" error={error} retry={refetch} />}
      {isPending && <Loading what="the experiments" height={320} retry={refetch} />}
      {data?.items.length === 0 && <EmptyList filtered={filtered} paged={pages.length > 0} />}
      {data && data.items.length > 0 && (
        <ul className={classes.list} aria-label="Experiments" aria-busy={isPlaceholderData}>
          {data.items.map((experiment) => (
            <ExperimentRow key={experiment.id} experiment={experiment} />
          ))}
        </ul>
      )}
      {(pages.length > 0 || data?.next) && (
        <Group justify="space-between">
          <Group gap="xs">
            {pages.length > 0 && (
              <>
                <Button variant="default" onClick={() => turn([])}>
                  Newest
                </Button>
                <Button variant="default" onClick={() => turn(pages.slice(0, -1))}>
                  Newer
                </Button>
              </>
            )}
          </Group>
          {data && <Text size="sm">{`${plural(data.items.length, "experiment")} on this page`}</Text>}
          {data?.next && (
            <Button variant="default" onClick={() => turn([...pages, data.next as string])}>
              Older
            </Button>
          )}
        </Group>
      )}
    </Stack>
  );
}
