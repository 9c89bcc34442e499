// An experiment of the stand-in whose second variant is an emulator that
// refuses a third of what is offered, ended and active.
import { second } from "./sample.mjs";

const label = "kinesis";
const name = `${label} (emulator)`;
const program = "kinesalite 3.3.3";
const ns = (s) => Math.round(s * 1e9);

/** A second in which 1,000 of 1,500 messages are taken and the wait grows. */
export function throttledSecond(n) {
  const s = second(n, 400);
  const refused = n < 60 ? 520 + 15 * (n % 7) : 0;
  const wait = ns(0.28 * Math.max(0, n - 20));
  Object.assign(s.counts, { offered: n < 60 ? 1500 : 0, acked: 1000, received: 1000 });
  s.in_flight = 1000 + 10 * n;
  s.incidents = { throttled_writes: refused, retried_sends: refused };
  s.latencies.backpressure = { ...s.latencies.e2e_latency, p50_ns: wait / 2, p90_ns: wait, p99_ns: wait };
  return s;
}
export const throttledSeconds = (n) => Array.from({ length: n }, (_, i) => throttledSecond(i));

const caveats = [
  `${name} ran on ${program}, which stands for Amazon Kinesis on this machine: its numbers tell how to use it, not how fast it is.`,
  `${name} refused writes because a limit was reached: 22,600 refusals in the measure stage of a typical run (565 each second at the median, 610 at most); it took 1,000 of the 1,500 messages offered each second, and the wait for room in max_in_flight grew from 280 ms to 11.2 s (p99).`,
];
const differs = (guarantee, kafka, other, raise) => ({
  guarantee,
  values: [
    { variant: "kafka", value: kafka },
    { variant: label, value: other },
  ],
  raise,
});
const unequal = [
  differs("Copies of a message", "1", "3", [
    { variant: "kafka", value: "brokers: 3 and workload.topology.replicas: 3" },
  ]),
  differs(
    "Durable before the acknowledgement",
    "page cache; no fsync of messages fell into the measure stage",
    "memory",
    [{ variant: label, value: "" }],
  ),
];
const fairness = {
  known: true,
  label: "guarantees differ",
  differences: [`copies of a message: kafka 1, ${name} 3. To make them equal: kafka with brokers: 3.`],
  unequal,
  rows: [
    { name: "Acknowledged by", values: unequal[0].values.map(({ variant }) => ({ variant, value: "all" })) },
    ...unequal.map(({ guarantee, values }) => ({ name: guarantee, values })),
  ],
  nature: ["Amazon Kinesis keeps every record in three zones before it acknowledges it."],
  emulators: { [label]: program },
};

/** Makes the stand-in call its variant "nats" the emulator, and that one throttled. */
export function limit(data) {
  const { answer } = data;
  const rename = (value) =>
    JSON.parse(JSON.stringify(value).replaceAll('"nats"', JSON.stringify(label)), (_, part) => {
      if (typeof part === "string") return part.replaceAll("nats", name); // in sentences and names of runs
      if (part?.label !== label || !part.technology) return part;
      return { ...part, emulator: program, ...(part.name && { name }) };
    });
  data.live = throttledSeconds(30);
  data.answer = (path, method, query) => {
    const found = answer(path, method, query);
    if (found === undefined) return found;
    const told = rename(found);
    if (path.endsWith("/comparison")) return compare(told);
    const run = Object.values(data.runs)
      .flat()
      .find((r) => path.includes(r.id));
    if (run?.variant !== "nats") return told;
    if (path.endsWith("/timeline") && told.complete) told.seconds = throttledSeconds(64);
    if (path.endsWith("/result")) {
      told.guarantees = {
        producer_ack: "all",
        replicas: 3,
        emulator: program,
        raise: { replicas: "{want}" },
      };
      told.incidents = { throttled_writes: 22600, retried_sends: 22600 };
      told.counts.unsent = 20000;
    }
    return told;
  };
}

function compare(comparison) {
  for (const run of comparison.runs) {
    if (run.run.variant === label) run.incidents = { throttled_writes: 22600, retried_sends: 22600 };
  }
  const throttled = {
    name: "throttled_writes",
    title: "Writes refused for now (throttled)",
    unit: "count",
    sum: true,
    values: [
      { value: null, runs: 0 }, // its clients cannot tell
      { value: 113_000, runs: 5 },
    ],
  };
  return {
    ...comparison,
    fairness,
    figures: [...comparison.figures, throttled],
    caveats: [...caveats, ...comparison.caveats],
  };
}
