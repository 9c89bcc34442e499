import type { Experiment, Phase, Run } from "../api/types";
import type { Tone } from "../lib/colors";
import { about, plural, upperFirst } from "../lib/format";

/** A state in words, with what it means to the reader. */
export interface StateText {
  tone: Tone;
  text: string;
}

/** The state of an experiment: "Running, 4 of 10 runs, about 6 min left". */
export function experimentState(e: Experiment): StateText {
  const left = e.remaining_s ? `, ${about(e.remaining_s)} left` : "";
  if (e.state === "queued") {
    const behind = e.queued_before ? ` behind ${plural(e.queued_before, "run")}` : "";
    return { tone: "waiting", text: `Queued${behind}` };
  }
  if (e.state === "running") {
    const doing = e.reason ? "Stopping" : "Running";
    return {
      tone: "busy",
      text: `${doing}, ${e.runs.ended} of ${plural(e.runs.planned, "run")}${e.reason ? "" : left}`,
    };
  }
  if (e.runs.leaked)
    return { tone: "bad", text: `Ended, ${plural(e.runs.leaked, "run")} may have left resources behind` };
  const counted = `${e.runs.valid} of ${plural(e.runs.planned, "run")} counted`;
  if (e.runs.valid === e.runs.planned) return { tone: "good", text: `Done, ${counted}` };
  if (e.runs.cancelled) return { tone: "stopped", text: `Cancelled, ${counted}` };
  return e.runs.valid === 0 ? { tone: "bad", text: `Failed, ${counted}` } : { tone: "warn", text: `Done, ${counted}` };
}

const phaseWords: Record<Phase, string> = {
  queued: "Queued",
  provision: "Provisioning",
  prepare: "Preparing",
  load: "Under load",
  collect: "Collecting results",
  destroy: "Destroying",
  verify: "Verifying that nothing is left",
  ended: "Ended",
};

const stageWords = { warmup: "Warming up", measure: "Measuring", drain: "Waiting for outstanding messages" };

/** The state of a run in a few words: "Measuring", "Failed", "Invalid". */
export function runState(r: Run): StateText {
  if (r.phase === "queued") return { tone: "waiting", text: "Queued" };
  if (r.phase !== "ended") {
    const words = r.phase === "load" && r.stage ? stageWords[r.stage] : phaseWords[r.phase];
    return { tone: "busy", text: r.outcome && r.outcome !== "succeeded" ? `${words}, ${r.outcome}` : words };
  }
  if (r.teardown === "leaked")
    return { tone: "bad", text: `${upperFirst(r.outcome ?? "ended")}, resources may be left` };
  if (r.outcome === "cancelled") return { tone: "stopped", text: "Cancelled" };
  if (r.outcome !== "succeeded") return { tone: "bad", text: "Failed" };
  return r.validity.ok ? { tone: "good", text: "Valid" } : { tone: "warn", text: "Invalid" };
}

/** Why a run failed, was cancelled or is invalid; empty when there is nothing to say. */
export function runReason(r: Run): string {
  return [r.reason, ...(r.outcome === "succeeded" ? (r.validity.reasons ?? []) : [])].filter(Boolean).join(" ");
}

const teardownWords = {
  none: "Nothing was created",
  pending: "Infrastructure not yet verified as gone",
  clean: "Infrastructure verified as gone",
  leaked: "Resources may still exist; DEC keeps trying to destroy them",
};

/** The same for a table column that is named "Infrastructure". */
export const teardownShort = {
  none: "never created",
  pending: "not yet verified as gone",
  clean: "verified as gone",
  leaked: "may still exist",
};

export const teardownState = (r: Run): StateText => ({
  tone: r.teardown === "leaked" ? "bad" : r.teardown === "clean" ? "good" : "quiet",
  text: teardownWords[r.teardown],
});
