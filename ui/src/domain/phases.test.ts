import { expect, test } from "vitest";
import type { Run } from "../api/types";
import { stepsOf } from "./phases";

const at = (s: number) => new Date(1000 * s).toISOString();
/** A run that entered these phases ten seconds apart. */
const run = (...phases: Run["phase"][]): Run =>
  ({
    phase: phases.at(-1),
    phases: phases.map((phase, i) => ({ phase, at: at(10 * i) })),
    ...(phases.at(-1) === "ended" && { ended_at: at(10 * (phases.length - 1)) }),
  }) as Run;
const states = (r: Run) => stepsOf(r, 1000 * 35).map((step) => step.state);

test("a run under load is now there, and the rest is ahead", () => {
  expect(states(run("queued", "provision", "prepare", "load"))).toEqual([
    "done",
    "done",
    "done",
    "now",
    "ahead",
    "ahead",
    "ahead",
  ]);
  expect(stepsOf(run("queued", "provision", "prepare", "load"), 35_000)[3]?.seconds).toBe(5);
});

test("a run that fails at provision goes on to destroy and skips what is between", () => {
  const r = run("queued", "provision", "destroy", "verify", "ended");
  expect(states(r)).toEqual(["done", "failed", "skipped", "skipped", "skipped", "done", "done"]);
});

test("a run that was measured to its end took every phase", () => {
  const r = run("queued", "provision", "prepare", "load", "collect", "destroy", "verify", "ended");
  expect(states(r)).toEqual(Array(7).fill("done"));
});

test("a run that is cancelled in the queue has nothing else", () => {
  expect(states(run("queued", "ended"))).toEqual(["failed", ...Array(6).fill("skipped")]);
});
