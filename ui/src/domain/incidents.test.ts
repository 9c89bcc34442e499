import { describe, expect, test } from "vitest";
import type { Catalog, Second } from "../api/types";
import { heldBack, incidentLabel, limited, occurred, times, told, waitOf } from "./incidents";

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
    { name: "delayed_writes", title: "Writes delayed by a quota", unit: "messages", limited: true },
    { name: "throttled_writes", title: "Throttled writes", unit: "messages", limited: true },
    { name: "throttled_reads", title: "Throttled reads", unit: "messages", limited: true },
    { name: "retried_sends", title: "Retried sends", unit: "messages", limited: false },
    { name: "reconnects", title: "Reconnects", unit: "connections", limited: false },
  ],
} satisfies Pick<Catalog, "incidents">;

describe("incidents", () => {
  const quiet = second(undefined);
  const refused = second({ throttled_writes: 520, retried_sends: 510 });
  test("only those are listed that occurred, in the order of the catalog", () => {
    const found = occurred(catalog, [quiet, second({ reconnects: 1 }), refused]);
    expect(found.map(incidentLabel)).toEqual(["throttled writes", "retried sends", "reconnects"]);
    expect(found.filter((incident) => incident.limited).map(({ title }) => title)).toEqual(["Throttled writes"]);
    expect(found.map((incident) => told(incident, refused))).toEqual(["520 messages", "510 messages", "0 connections"]);
    expect(occurred(catalog, [quiet, second({ throttled_reads: 0 })])).toEqual([]);
  });
  test("absent ones count as none", () => {
    expect([times(quiet, "throttled_writes"), times(refused, "retried_sends"), heldBack(catalog, refused)]).toEqual([
      0, 510, 520,
    ]);
  });
  test("a limit was reached where something was refused or never sent", () => {
    expect(
      [
        quiet,
        second({ reconnects: 3 }),
        refused,
        second({ throttled_reads: 1 }),
        second({ delayed_writes: 1 }),
        second(undefined, 1),
      ].map((s) => limited(catalog, [s])),
    ).toEqual([false, false, true, true, true, true]);
  });
  test("a limit was reached where more than a second's load was due and unsent when the measure stage ended", () => {
    const sent = (n: number, stage = "measure") => ({ ...quiet, stage, counts: { unsent: 0, offered: 1000, sent: n } });
    const seconds = (...all: unknown[]) => all as Second[];
    expect(limited(catalog, seconds(sent(1000), sent(0), sent(2000), sent(1000)))).toBe(false);
    expect(limited(catalog, seconds(sent(1000), sent(500), sent(500), sent(1000, "drain")))).toBe(false);
    expect(limited(catalog, seconds(sent(400), sent(500), sent(1000), sent(2100, "drain")))).toBe(true);
  });
  test("the wait is told by the highest quantile that the seconds support", () => {
    expect(waitOf([second({}, 0, { p90_ns: 5, p50_ns: 1 })]).name).toBe("p90");
  });
});
