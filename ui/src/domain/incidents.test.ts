import { describe, expect, test } from "vitest";
import type { Second } from "../api/types";
import { incidentLabel, isThrottle, limited, occurred, throttled, times, waitOf } from "./incidents";

const second = (
  incidents: Record<string, number> | undefined,
  unsent = 0,
  wait: Partial<Record<string, number>> = {},
) =>
  ({
    stage: "measure",
    counts: { unsent },
    ...(incidents && { incidents }),
    latencies: { backpressure: { count: 1000, p50_ns: null, p90_ns: null, p99_ns: null, ...wait } },
  }) as unknown as Second;

const catalog = {
  incidents: [
    { name: "throttled_writes", title: "Throttled writes" },
    { name: "throttled_reads", title: "Throttled reads" },
    { name: "retried_sends", title: "Retried sends" },
    { name: "reconnects", title: "Reconnects" },
  ],
};

describe("incidents", () => {
  const quiet = second(undefined);
  const refused = second({ throttled_writes: 520, retried_sends: 510 });
  test("only those are listed that occurred, in the order of the catalog", () => {
    const found = occurred(catalog, [quiet, second({ reconnects: 1 }), refused]);
    expect(found.map(incidentLabel)).toEqual(["throttled writes", "retried sends", "reconnects"]);
    expect(found.filter(isThrottle).map(({ title }) => title)).toEqual(["Throttled writes"]);
    expect(occurred(catalog, [quiet, second({ throttled_reads: 0 })])).toEqual([]);
  });
  test("absent ones count as none", () => {
    expect([times(quiet, "throttled_writes"), times(refused, "retried_sends"), throttled(refused)]).toEqual([
      0, 510, 520,
    ]);
  });
  test("a limit was reached where something was refused or never sent", () => {
    expect(
      [quiet, second({ reconnects: 3 }), refused, second({ throttled_reads: 1 }), second(undefined, 1)].map((s) =>
        limited([s]),
      ),
    ).toEqual([false, false, true, true, true]);
  });
  test("the wait is told by the highest quantile that the seconds support", () => {
    expect(waitOf([second({}, 0, { p90_ns: 5, p50_ns: 1 })]).name).toBe("p90");
  });
});
