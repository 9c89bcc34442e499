import type { Experiment, Phase, Run } from "../api/types";
import type { Tone } from "../lib/colors";
import { about, plural, upperFirst } from "../lib/format";

/** Something's state in words, and what they mean. */
export interface Told {
  tone: Tone;
  text: string;
}

/** The state of an experiment: "Running, 4 of 10 runs, about 6 min left". */
export function tellExperiment(e: Experiment): Told {
  const left = e.remaining_s ? `, ${about(e.remaining_s)} left` : "";
  if (e.state === "queued") {
    const before = e.queued_before ? `, waits for ${plural(e.queued_before, "run")} before it` : "";
    return { tone: "waiting", text: `Queued${before}` };
  }
  if (e.state === "running") {
    const ending = e.reason ? "Ending" : "Running";
    return {
      tone: "busy",
      text: `${ending}, ${e.runs.ended} of ${plural(e.runs.planned, "run")}${e.reason ? "" : left}`,
    };
  }
  if (e.runs.leaked) return { tone: "bad", text: `Ended, ${plural(e.runs.leaked, "run")} left something behind` };
  const valid = `${e.runs.valid} of ${plural(e.runs.planned, "run")} valid`;
  if (e.runs.valid === e.runs.planned) return { tone: "good", text: `Done, ${valid}` };
  if (e.runs.cancelled) return { tone: "stopped", text: `Cancelled, ${valid}` };
  return e.runs.valid === 0 ? { tone: "bad", text: `Failed, ${valid}` } : { tone: "warn", text: `Done, ${valid}` };
}

const phaseWords: Record<Phase, string> = {
  queued: "Queued",
  provision: "Provisioning",
  prepare: "Preparing",
  load: "Under load",
  collect: "Collecting",
  destroy: "Destroying",
  verify: "Verifying that nothing is left",
  ended: "Ended",
};

const stageWords = { warmup: "Warming up", measure: "Measuring", drain: "Draining" };

/** The state of a run in a few words: "Measuring", "Failed", "Not valid". */
export function tellRun(r: Run): Told {
  if (r.phase === "queued") return { tone: "waiting", text: "Queued" };
  if (r.phase !== "ended") {
    const words = r.phase === "load" && r.stage ? stageWords[r.stage] : phaseWords[r.phase];
    return { tone: "busy", text: r.outcome && r.outcome !== "succeeded" ? `${words}, ${r.outcome}` : words };
  }
  if (r.teardown === "leaked")
    return { tone: "bad", text: `${upperFirst(r.outcome ?? "ended")}, something of it may be left` };
  if (r.outcome === "cancelled") return { tone: "stopped", text: "Cancelled" };
  if (r.outcome !== "succeeded") return { tone: "bad", text: "Failed" };
  return r.validity.ok ? { tone: "good", text: "Valid" } : { tone: "warn", text: "Not valid" };
}

/** Why a run is as it is, if there is more to say. */
export function whyRun(r: Run): string {
  return [r.reason, ...(r.outcome === "succeeded" ? (r.validity.reasons ?? []) : [])].filter(Boolean).join("; ");
}

const teardownWords = {
  none: "Nothing was ever created",
  pending: "Its infrastructure is not proven gone yet",
  clean: "Proven: nothing of it is left",
  leaked: "Something of it may still exist; DEC tries again",
};

/** The same in a table, whose column says that it is about infrastructure. */
export const teardownShort = {
  none: "never created",
  pending: "not proven gone",
  clean: "proven gone",
  leaked: "may still exist",
};

export const tellTeardown = (r: Run): Told => ({
  tone: r.teardown === "leaked" ? "bad" : r.teardown === "clean" ? "good" : "quiet",
  text: teardownWords[r.teardown],
});
