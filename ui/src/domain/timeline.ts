import type { Latency, Second } from "../api/types";

/** A named stretch of the axis, in seconds from the start of the measure stage. */
export interface Stretch {
  from: number;
  to: number;
  label: string;
}

/** The second in which the measure stage begins; undefined before it. */
export function measureStart(seconds: readonly Second[]): number | undefined {
  return seconds.find((s) => s.stage === "measure")?.second;
}

/** The parts of the axis that are not measured, in seconds from the start of the measure stage. */
export function bands(seconds: readonly Second[], start: number): Stretch[] {
  const found: Stretch[] = [];
  for (const [stage, label] of [
    ["warmup", "warm-up"],
    ["drain", "drain"],
  ] as const) {
    const part = seconds.filter((s) => s.stage === stage);
    const [first, last] = [part[0], part.at(-1)];
    if (!first || !last) continue;
    const [from, to] = [first.second - start, last.second - start];
    found.push(stage === "warmup" ? { from, to: to + 1, label } : { from: from - 1, to, label });
  }
  return found;
}

/** Every second from the first to the last of all, so that a missing one is a gap and not a line across it. */
export function axis(spans: { first: number; last: number }[]): number[] {
  if (!spans.length) return [];
  const first = Math.min(...spans.map((s) => s.first));
  const last = Math.max(...spans.map((s) => s.last));
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** The values of a run on an axis; null where it has no second, or no value. */
export function along(
  x: number[],
  seconds: readonly Second[],
  start: number,
  value: (s: Second) => number | null | undefined,
): (number | null)[] {
  const values: (number | null)[] = x.map(() => null);
  const origin = x[0] ?? 0;
  for (const s of seconds) values[s.second - start - origin] = value(s) ?? null;
  return values;
}

/** Stretches of at least two seconds of which nothing is known, such as those of a killed agent. */
export function gaps(seconds: readonly Second[], start: number): Stretch[] {
  const found: Stretch[] = [];
  for (let i = 1; i < seconds.length; i++) {
    const [before, after] = [(seconds[i - 1] as Second).second, (seconds[i] as Second).second];
    if (after - before > 1) {
      found.push({ from: before - start, to: after - start, label: `no data for ${after - before - 1} s` });
    }
  }
  return found;
}

/** Seconds on the axis, from the start of the measure stage: "−20 s", "2 min". */
export function tickSeconds(s: number): string {
  if (Math.abs(s) >= 600 && s % 60 === 0) return `${s < 0 ? "−" : ""}${Math.abs(s) / 60} min`;
  return `${s < 0 ? "−" : ""}${Math.abs(s)} s`;
}

/** The quantiles that are drawn second by second, with the number of messages that they need. */
const perSecond = [
  { key: "p99_ns", name: "p99", needs: 1000 },
  { key: "p90_ns", name: "p90", needs: 100 },
  { key: "p50_ns", name: "p50", needs: 20 },
] as const satisfies { key: keyof Latency; name: string; needs: number }[];

/** A quantile of a latency in each second. */
export interface Tail {
  name: string;
  /** Why it is not a higher one, and what a gap means. */
  note: string;
  of(s: Second): number | null;
}

/** The highest quantile that most of the seconds under full load have messages enough for. */
export function tailOf(seconds: readonly Second[], family: string): Tail {
  const loaded = seconds.filter((s) => s.stage !== "drain" && s.latencies[family]?.count);
  const supported = ({ key }: (typeof perSecond)[number]) =>
    2 * loaded.filter((s) => typeof s.latencies[family]?.[key] === "number").length >= loaded.length;
  const chosen = perSecond.find(supported) ?? perSecond[2];
  const higher = chosen.name === "p99" ? "" : "p99 needs 1,000 messages per second. ";
  return {
    name: chosen.name,
    note: `${higher}Gaps are seconds with fewer than ${chosen.needs.toLocaleString("en-GB")} messages.`,
    of: (s) => s.latencies[family]?.[chosen.key] ?? null,
  };
}
