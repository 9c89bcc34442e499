import { Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ErrorBox } from "../components/ErrorBox";
import { Loading } from "../components/Loading";
import { PageTitle } from "../components/PageTitle";
import { upperFirst } from "../lib/format";

/** A page about one thing of the server. Until that has been read, its id with what is awaited, or why it failed. */
export function Detail<T>({
  what,
  id,
  query,
  head,
  children,
}: {
  /** Such as "run". */
  what: string;
  id: string;
  query: UseQueryResult<T>;
  head(data: T): ReactNode;
  children(data: T): ReactNode;
}) {
  const { data, error, refetch } = query;
  if (data === undefined) {
    return (
      <Stack>
        <PageTitle title={`${upperFirst(what)} ${id}`} />
        {error ? (
          <ErrorBox what={`load the ${what}`} error={error} retry={refetch} />
        ) : (
          <Loading what={`the ${what}`} height={400} retry={refetch} />
        )}
      </Stack>
    );
  }
  return (
    <Stack gap="md">
      {head(data)}
      {error && <ErrorBox what="refresh this page" error={error} retry={refetch} />}
      {children(data)}
    </Stack>
  );
}
