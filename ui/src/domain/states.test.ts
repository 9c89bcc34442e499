import { expect, test } from "vitest";
import type { Experiment } from "../api/types";
import { experimentState } from "./states";

const runs = {
  planned: 10,
  queued: 0,
  active: 0,
  ended: 10,
  succeeded: 10,
  valid: 10,
  failed: 0,
  cancelled: 0,
  leaked: 0,
};
const ended = (change: Partial<typeof runs>) =>
  experimentState({ state: "ended", runs: { ...runs, ...change } } as unknown as Experiment);

test("an ended experiment says how many of its runs are counted, as the report does", () => {
  expect(ended({})).toEqual({ tone: "good", text: "Done, 10 of 10 runs counted" });
  expect(ended({ planned: 1, valid: 1 }).text).toBe("Done, 1 of 1 run counted");
  expect(ended({ valid: 9 })).toEqual({ tone: "warn", text: "Done, 9 of 10 runs counted" });
  expect(ended({ valid: 0 })).toEqual({ tone: "bad", text: "Failed, 0 of 10 runs counted" });
  expect(ended({ valid: 4, cancelled: 6 })).toEqual({ tone: "stopped", text: "Cancelled, 4 of 10 runs counted" });
});
