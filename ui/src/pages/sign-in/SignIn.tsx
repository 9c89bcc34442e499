import { Button, Code, Paper, PasswordInput, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { signIn } from "../../api/queries";
import { ErrorBox } from "../../components/ErrorBox";
import { Loading } from "../../components/Loading";
import { PageFrame } from "../../components/PageFrame";
import { PageTitle } from "../../components/PageTitle";
import { usedOnce } from "./code";

const route = getRouteApi("/sign-in");

/** Signs in with the one-time code of a sign-in link, or with a token. */
export function SignIn() {
  const { next } = route.useSearch();
  const navigate = route.useNavigate();
  const queries = useQueryClient();
  const [token, setToken] = useState("");
  const entering = useMutation({
    mutationFn: signIn,
    onSuccess: () => {
      queries.clear();
      navigate({ href: safe(next), replace: true });
    },
  });
  const { mutate } = entering;
  useEffect(() => {
    const code = usedOnce();
    if (code) mutate({ code });
  }, [mutate]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (token.trim()) mutate({ token: token.trim() });
  };
  const byCode = entering.variables && "code" in entering.variables;
  return (
    <PageFrame size="xs">
      <Paper withBorder p="lg" radius="md">
        <Stack>
          <PageTitle title="Sign in to DEC" />
          {byCode && entering.isPending ? (
            <Loading what="your session" height={60} />
          ) : (
            <>
              {entering.error && (
                <ErrorBox what={byCode ? "sign in with this link" : "sign in"} error={entering.error} />
              )}
              <form onSubmit={submit}>
                <Stack>
                  <PasswordInput
                    label="Token"
                    description={
                      <>
                        Find it in the file <Code>token</Code> in the server's data folder, or open the sign-in link
                        that <Code>dec serve</Code> printed. Each link works once.
                      </>
                    }
                    autoComplete="current-password"
                    required
                    withAsterisk={false}
                    value={token}
                    onChange={(event) => setToken(event.currentTarget.value)}
                    visibilityToggleButtonProps={{ "aria-label": "Show token" }}
                  />
                  <Button type="submit" loading={entering.isPending}>
                    Sign in
                  </Button>
                </Stack>
              </form>
              <Text size="sm" c="dimmed">
                You stay signed in on this browser until you sign out.
              </Text>
            </>
          )}
        </Stack>
      </Paper>
    </PageFrame>
  );
}

/** Where to go on: a path of this page, and never another site. */
function safe(next: string | undefined): string {
  return next && /^\/(?![/\\])/.test(next) && !next.startsWith("/sign-in") ? next : "/experiments";
}
