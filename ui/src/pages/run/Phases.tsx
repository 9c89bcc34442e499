import type { RunDetail } from "../../api/types";
import { CheckIcon, CrossIcon, EmptyIcon, RunningIcon, StoppedIcon } from "../../components/icons";
import { stepsOf } from "../../domain/phases";
import { duration, parseDuration, time, wholeDuration } from "../../lib/format";
import { useNow } from "../../live/hooks";
import classes from "./Phases.module.css";

const icons = { done: CheckIcon, now: RunningIcon, failed: CrossIcon, skipped: StoppedIcon, ahead: EmptyIcon };
const spoken = { done: "done", now: "now", failed: "stopped here", skipped: "skipped", ahead: "pending" };

/** The phases of a run with the time that each took, or has taken so far, by the server's clock. */
export function Phases({ run: r }: { run: RunDetail }) {
  const now = useNow();
  return (
    <ol className={classes.phases} aria-label="Phases">
      {stepsOf(r, now).map(({ phase, state, seconds }) => {
        const Icon = icons[state];
        return (
          <li
            key={phase}
            className={classes.phase}
            data-state={state}
            {...(state === "now" && { "aria-current": "step" as const })}
          >
            <span className={classes.name}>
              <Icon /> {phase}
              <span className={classes.hidden}>, {spoken[state]}</span>
            </span>
            <span className={classes.time}>
              {seconds === undefined ? "" : state === "now" ? wholeDuration(seconds) : duration(seconds)}
              {phase === "load" && state === "now" && stageOf(r, now)}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

/** Where the load is within its stages: "measure 1 min 12 s of 2 min". */
function stageOf(r: RunDetail, now: number): string {
  const start = time(r.load_started_at);
  if (start === undefined) return "";
  let into = (now - start) / 1000;
  for (const [name, text] of [
    ["warm-up", r.stages.warmup],
    ["measure", r.stages.measure],
    ["drain", r.stages.drain],
  ] as const) {
    const length = parseDuration(text) ?? 0;
    if (into < length)
      return ` · ${name} ${wholeDuration(into)} of ${name === "drain" ? "at most " : ""}${wholeDuration(length)}`;
    into -= length;
  }
  return "";
}
