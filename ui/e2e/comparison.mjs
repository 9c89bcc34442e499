// The answer of the stand-in for the server. Its numbers mean nothing.
import { caveats, counts, ms } from "./numbers.mjs";

/** A figure of both variants: medians with a range of 3 % around, or sums. */
const figure = (name, title, unit, kafka, nats, sum = false) => ({
  name,
  title,
  unit,
  sum,
  values: [kafka, nats].map((value) => ({ value, runs: 5, ...(!sum && { low: value * 0.97, high: value * 1.03 }) })),
});
const figures = [
  figure("e2e_p50", "End-to-end p50", "ns", ms(1.6), ms(1)),
  figure("e2e_p99", "End-to-end p99", "ns", ms(6.3), ms(4)),
  figure("throughput", "Throughput", "per_s", 1999.5, 1999.5),
  figure("acked", "Acknowledged", "count", 400_000, 400_000, true),
  figure("lost", "Lost", "count", 0, 0, true),
  figure("broker_rss", "Broker memory, largest", "bytes", 734_003_200, 52_428_800),
];

/** The comparison of an experiment with what its runs measured. */
export function comparison(e, runs) {
  const ended = e.state === "ended";
  const clear = e.verdict?.decided;
  const value = (r) => ms((r.variant === "nats" ? 4 : 6.3) * (1 + 0.03 * (r.order % 5)));
  const compared = runs
    .filter((r) => r.phase === "ended")
    .map((r) => ({
      run: r,
      counts: counts(80000),
      link: `/runs/${r.id}`,
      ...(!r.validity.ok && { excluded: `invalid: ${r.validity.reasons.join(" ")}` }),
      metrics: {
        e2e_p50: value(r) / 4,
        e2e_p99: value(r),
        e2e_p9999: null,
        publish_p99: value(r) / 2,
        throughput: 1999.5,
        cpu_per_million: 250,
      },
    }));
  const numbers = clear
    ? { ratio: 1.58, low: 1.45, high: 1.71, p: 0.0079, p_holm: 0.0079 }
    : { ratio: null, low: null, high: null, p: 1, p_holm: 1 };
  const sentence = ended
    ? e.verdict.sentences[0]
    : `No verdict yet: ${e.runs.ended} of ${e.runs.planned} runs have ended.`;
  return {
    title: e.name,
    experiment: e.id,
    target: e.target,
    shared_machine: true,
    attention: [],
    instrument: "Instrument: p50 error ±30.0 µs, p99 ±400 µs at 1,000/s (out of bounds).",
    variants: e.variants.map(({ label, technology, stack }) => {
      const own = compared.filter(({ run }) => run.variant === label);
      return {
        label,
        name: label,
        technology,
        stack,
        runs: own.length,
        counted: own.filter((r) => !r.excluded).length,
      };
    }),
    figures,
    caveats: [
      "The guarantees differ. durable before the acknowledgement: kafka page cache, nats fsync before ack.",
      ...caveats,
    ],
    fairness: { known: true, label: "same guarantees", differences: [], unequal: [], rows: [], nature: [] },
    runs: compared,
    differences: [
      { path: "technology", values: { kafka: "kafka", nats: "nats" } },
      { path: "options.storage", values: { nats: "file" } },
    ],
    comparison: {
      metric: "e2e_p99",
      verdict: clear ? "different" : "none",
      ...(clear && { best: "nats" }),
      sentence,
      sentences: [],
      variants: [],
      pairs: [
        {
          a: "kafka",
          b: "nats",
          n_a: 5,
          n_b: 5,
          nominal: 0.95,
          level: clear ? 0.968 : 0,
          verdict: clear ? "different" : "none",
          ...(clear && { better: "nats" }),
          ...numbers,
        },
      ],
    },
  };
}
