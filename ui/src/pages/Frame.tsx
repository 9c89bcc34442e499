import { Alert, Button, Menu, useMantineColorScheme } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { session, shutdown, signOut } from "../api/queries";
import { UserIcon } from "../components/icons";
import { PageFrame } from "../components/PageFrame";
import { about, plural } from "../lib/format";
import { useLive } from "../live/hooks";
import { live } from "../live/live";
import { Connection } from "./Connection";
import classes from "./Frame.module.css";

/** What is around the pages of whoever is signed in: where to go, how the connection is, who it is. */
export function Frame() {
  const who = useQuery(session());
  const path = useRouterState({ select: (state) => state.location.pathname });
  const { draining, upgradedTo } = useLive();
  const header = (
    <>
      <Link to="/experiments" className={classes.name}>
        DEC
      </Link>
      <nav aria-label="Main" className={classes.nav}>
        <Link to="/experiments" {...(path.startsWith("/experiments") && { "aria-current": "page" as const })}>
          Experiments
        </Link>
      </nav>
      <Connection />
      <Account subject={who.data?.subject} version={who.data?.version} />
    </>
  );
  return (
    <PageFrame header={header}>
      {draining && <Draining />}
      {upgradedTo && (
        <Alert color="blue" variant="outline" mb="md" title={`DEC was upgraded to ${upgradedTo}`}>
          <Button size="compact-sm" variant="default" onClick={() => location.reload()}>
            Reload
          </Button>{" "}
          to use the new version.
        </Alert>
      )}
      <Outlet />
    </PageFrame>
  );
}

/** Says that no new run starts, and what the server waits for. */
function Draining() {
  const { data } = useQuery(shutdown());
  const runs = data?.waits_for ?? [];
  return (
    <Alert color="blue" variant="outline" mb="md" title="The server is draining: no new runs start">
      {runs.length > 0
        ? `Waiting for ${runs.map((run) => run.name).join(", ")}${data?.remaining_s ? `, ${about(data.remaining_s)} left` : ""}. `
        : "No runs are active. "}
      {data && data.queued > 0 && `The next server will start ${plural(data.queued, "queued run")}.`}
    </Alert>
  );
}

function Account({ subject, version }: { subject: string | undefined; version: string | undefined }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const leaving = useMutation({
    mutationFn: signOut,
    onSuccess: () => {
      live.end();
      queries.clear();
      navigate({ to: "/sign-in", search: {} });
    },
  });
  return (
    <Menu position="bottom-end" width={210} shadow="md">
      <Menu.Target>
        <Button variant="default" size="compact-md" aria-label={`Account: ${subject ?? "unknown"}`}>
          <UserIcon />
          <span className={classes.subject}>{subject ?? "Account"}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Theme</Menu.Label>
        <Menu.RadioGroup value={colorScheme} onChange={(name) => setColorScheme(name as typeof colorScheme)}>
          <Menu.RadioItem value="light">Light</Menu.RadioItem>
          <Menu.RadioItem value="dark">Dark</Menu.RadioItem>
          <Menu.RadioItem value="auto">System</Menu.RadioItem>
        </Menu.RadioGroup>
        <Menu.Divider />
        {version && <Menu.Label>DEC {version}</Menu.Label>}
        <Menu.Item component="a" href="/api/openapi.json">
          OpenAPI document
        </Menu.Item>
        <Menu.Item onClick={() => leaving.mutate()}>
          {leaving.error ? "Sign-out failed, try again" : "Sign out"}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
