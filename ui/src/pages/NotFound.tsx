import { Text } from "@mantine/core";
import type { ErrorComponentProps } from "@tanstack/react-router";
import { ErrorBox } from "../components/ErrorBox";
import { PageFrame } from "../components/PageFrame";
import { PageLink } from "../components/PageLink";
import { PageTitle } from "../components/PageTitle";

/** The page of an address that leads nowhere. */
export function NotFound() {
  return (
    <PageFrame size="sm">
      <PageTitle title="Page not found" />
      <Text my="md">The address may be mistyped, or from another version of DEC.</Text>
      <PageLink to="/experiments">Go to experiments</PageLink>
    </PageFrame>
  );
}

/** What is shown when a page itself fails. */
export function PageError({ error, reset }: ErrorComponentProps) {
  return (
    <PageFrame size="sm">
      <PageTitle title="Something went wrong" />
      <ErrorBox what="show this page" error={error} retry={reset} />
    </PageFrame>
  );
}
