import { Button, VisuallyHidden } from "@mantine/core";
import { DrainIcon, EmptyIcon, LiveIcon, WaitingIcon } from "../components/icons";
import { clock, wholeDuration } from "../lib/format";
import { useLive, useLocalNow } from "../live/hooks";
import { live } from "../live/live";
import classes from "./Connection.module.css";

/** The state of the connection to the server; always there, so that nothing moves when it changes. */
export function Connection() {
  const { link, draining, caughtUpS } = useLive();
  if (link.state === "reconnecting") return <Stale since={link.since} nextTry={link.nextTry} />;
  const [kind, icon, text] =
    caughtUpS !== undefined
      ? (["good", <LiveIcon key="i" />, `Reconnected, caught up on ${wholeDuration(caughtUpS)}`] as const)
      : link.state === "live"
        ? draining
          ? (["busy", <DrainIcon key="i" />, "Draining"] as const)
          : (["good", <LiveIcon key="i" />, "Live"] as const)
        : link.state === "connecting"
          ? (["quiet", <WaitingIcon key="i" />, "Connecting"] as const)
          : (["quiet", <EmptyIcon key="i" />, "Paused"] as const);
  return (
    <span className={classes.strip} data-kind={kind} role="status">
      {icon} {text}
    </span>
  );
}

function Stale({ since, nextTry }: { since: number; nextTry: number }) {
  const now = useLocalNow();
  const wait = Math.max(0, Math.ceil((nextTry - now) / 1000));
  return (
    <span className={classes.strip} data-kind="stale">
      <VisuallyHidden role="status">The server is not responding. Showing data as of {clock(since)}.</VisuallyHidden>
      <span aria-hidden="true">
        <WaitingIcon /> As of {clock(since)}
        <span className={classes.more}>
          . The server is not responding; {wait ? `retrying in ${wait} s` : "retrying now"}.
        </span>
      </span>
      <Button size="compact-xs" variant="default" onClick={live.retryNow}>
        Retry now
      </Button>
    </span>
  );
}
