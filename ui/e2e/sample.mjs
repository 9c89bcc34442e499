// What the stand-in for the server knows: a running experiment, one that is
// done, one that failed. Its numbers mean nothing.
import { readFileSync } from "node:fs";
import { catalog } from "./catalog.mjs";
import { comparison } from "./comparison.mjs";
import { caveats, counts, ms } from "./numbers.mjs";

const histogram = JSON.parse(readFileSync(new URL("../src/api/histogram.testdata.json", import.meta.url), "utf8"))[0]
  .encoded;
const ago = (s) => new Date(Date.now() - 1000 * s).toISOString();

const latency = (p99) => ({
  count: 30000,
  min_ns: ms(p99 / 9),
  p50_ns: ms(p99 / 4),
  p90_ns: ms(p99 / 2),
  p95_ns: ms(p99 / 1.5),
  p99_ns: ms(p99),
  p999_ns: ms(p99 * 2),
  p9999_ns: null,
  max_ns: ms(p99 * 4),
  mean_ns: ms(p99 / 3.5),
});

/** One second of a load: 20 of warm-up, 40 of measure, then drain. */
export const second = (n, p99 = 5) => ({
  second: n,
  stage: n < 20 ? "warmup" : n < 60 ? "measure" : "drain",
  counts: counts(2000 + Math.round(30 * Math.sin(n))),
  in_flight: 5 + (n % 4),
  backlog: 20 + 10 * (n % 7),
  cpu_s: 0.3 + 0.02 * (n % 5),
  latencies: { e2e_latency: latency(p99 * (1 + 0.3 * Math.sin(n / 3))), publish_latency: latency(p99 * 0.6) },
});
export const seconds = (n, p99) => Array.from({ length: n }, (_, i) => second(i, p99));

const phases = ["queued", "provision", "prepare", "load", "collect", "destroy", "verify", "ended"];
/** A run that entered its phases so many seconds ago. */
function run(id, experiment, variant, number, order, change = {}) {
  const phase = change.phase ?? "ended";
  const entered = phases.slice(0, phases.indexOf(phase) + 1);
  return {
    id,
    experiment,
    variant,
    name: `${variant} #${number}`,
    order,
    round: 0,
    extra: false,
    system_died: false,
    phase,
    outcome: phase === "ended" ? "succeeded" : undefined,
    validity: { ok: true },
    teardown: phase === "ended" ? "clean" : "pending",
    since: ago(30),
    started_at: phase === "queued" ? undefined : ago(95),
    ended_at: phase === "ended" ? ago(2) : undefined,
    phases: entered.map((name, i) => ({ phase: name, at: ago(100 - 10 * i) })),
    allowed: phase === "ended" ? [] : ["cancel"],
    ...change,
  };
}

const variants = [
  { label: "kafka", technology: "kafka", stack: "kraft", options: { brokers: 1 } },
  { label: "nats", technology: "nats", stack: "jetstream", options: { storage: "file" } },
];
const base = {
  target: "local",
  compare: "e2e_p99",
  digest: "d".repeat(64),
  by: "admin",
  created_at: ago(900),
  variants: variants.map(({ label, technology, stack }) => ({ label, technology, stack })),
  allowed: [],
};

export function sample() {
  const done = {
    ...base,
    id: "edone00001",
    name: "Kafka vs NATS JetStream, 2,000 msg/s of 1 KiB",
    state: "ended",
    started_at: ago(800),
    ended_at: ago(100),
    runs: {
      planned: 11,
      queued: 0,
      active: 0,
      ended: 11,
      succeeded: 11,
      valid: 10,
      failed: 0,
      cancelled: 0,
      leaked: 0,
    },
    allowed: ["delete"],
    verdict: {
      decided: true,
      sentences: ["nats is faster than kafka at end-to-end p99: 37 % lower (95 % CI 31–46 %; 5 against 5 runs)."],
      caveats,
      fairness: "guarantees differ",
    },
  };
  const running = {
    ...base,
    id: "erun000001",
    name: "Kafka vs NATS, running",
    state: "running",
    started_at: ago(300),
    remaining_s: 340,
    runs: { planned: 10, queued: 5, active: 1, ended: 4, succeeded: 4, valid: 4, failed: 0, cancelled: 0, leaked: 0 },
    allowed: ["cancel"],
  };
  const failed = {
    ...base,
    id: "efail00001",
    name: "Port taken",
    state: "ended",
    created_at: ago(200000),
    ended_at: ago(199000),
    runs: { planned: 10, queued: 0, active: 0, ended: 10, succeeded: 0, valid: 0, failed: 10, cancelled: 0, leaked: 0 },
    allowed: ["delete"],
    verdict: {
      decided: false,
      sentences: [
        "No verdict on kafka and nats: nats could not be measured: none of its 5 runs counts (port 4222 is in use).",
      ],
      caveats,
      fairness: "guarantees not known",
    },
  };
  const runsOf = (e, ended, live) =>
    Array.from({ length: e.runs.planned }, (_, i) => {
      const variant = variants[i % 2].label;
      const number = Math.floor(i / 2) + 1;
      const state =
        i < ended
          ? {}
          : i === ended && live
            ? { phase: "load", stage: "measure" }
            : { phase: "queued", teardown: "none" };
      const invalid =
        e === done && i === 4
          ? { validity: { ok: false, reasons: ["the generator was the limit: p99 lateness 41 ms, allowed 5 ms"] } }
          : {};
      return run(`r${e.id.slice(1, 5)}${String(i).padStart(5, "0")}`, e.id, variant, number, i, {
        ...state,
        ...invalid,
      });
    });
  const runs = { [done.id]: runsOf(done, 11), [running.id]: runsOf(running, 4, true), [failed.id]: [] };
  const data = {
    code: "good",
    token: "secret",
    experiments: [running, done, failed],
    runs,
    live: seconds(30),
    log: [],
    session: { subject: "admin", roles: ["admin"], via: "cookie", version: "1.0.0", install: "test" },
    answer: (path, method, query) => answer(data, path, method, query),
  };
  for (let n = 1; n <= 120; n++) {
    data.log.push({
      n,
      at: ago(200 - n),
      source: n % 3 ? "dec" : "broker-0",
      level: n % 40 ? "info" : "warn",
      text: `line ${n} of the log\u001b[32m in colour\u001b[0m`,
    });
  }
  return data;
}

function answer(data, path, method, query) {
  const [, kind, id, what] = path.split("/");
  if (path === "/session") return data.session;
  if (path === "/catalog") return catalog;
  if (path === "/shutdown")
    return {
      state: "draining",
      waits_for: [{ run: "r", name: "kafka #3", experiment: "e", phase: "load", since: ago(9) }],
      deferred: true,
      exits: true,
      queued: 5,
      remaining_s: 60,
    };
  if (path === "/experiments") return list(data, query);
  if (kind === "experiments") {
    const e = data.experiments.find((x) => x.id === id);
    if (!e) return undefined;
    if (method !== "GET") return { ...e, plan: plan(e), run_list: data.runs[id], warnings: [] };
    return what === "comparison"
      ? comparison(e, data.runs[id])
      : { ...e, plan: plan(e), run_list: data.runs[id], warnings: [] };
  }
  const r = Object.values(data.runs)
    .flat()
    .find((x) => x.id === id);
  return r && ofRun(data, r, what, query);
}

function list(data, query) {
  const q = (query.get("q") ?? "").toLowerCase();
  const items = data.experiments.filter(
    (e) => e.name.toLowerCase().includes(q) && (!query.get("state") || e.state === query.get("state")),
  );
  return { items, ...(data.next && !query.get("cursor") && { next: data.next }) };
}

function ofRun(data, r, what, query) {
  const ended = r.phase === "ended";
  const p99 = r.variant === "nats" ? 4 : 6.3;
  switch (what) {
    case undefined:
    case "cancel":
      return {
        ...r,
        experiment_name: "Kafka vs NATS",
        variant_plan: variants.find((v) => v.label === r.variant),
        stages: { warmup: "20s", measure: "40s", drain: "10s" },
        load_started_at: ended ? undefined : ago(30),
        has_result: ended && r.outcome === "succeeded",
      };
    case "result":
      return {
        counts: counts(80000),
        publish_latency: latency(3),
        publish_service: latency(2.9),
        e2e_latency: latency(p99),
        e2e_service: latency(p99 - 0.2),
        pacer_lateness: latency(0.2),
        backpressure: latency(0.01),
        throughput_per_s: 1999.6,
        clock_bound_ns: 0,
        validity: r.validity,
        agents: [],
        certificate: {
          build: "0123456789ab",
          machine_id: "m1",
          machine: {
            cpu_model: "Example CPU",
            cpus: 8,
            memory_bytes: 17179869184,
            os: "Linux 6.18",
            self_check_p99_ns: 90000,
          },
          made_at: "2026-03-01T13:00:00Z",
          line: "p50 error ±30.0 µs, p99 ±400 µs at 1,000/s",
          misses: ["the error of the p99 is +400 µs; the limit is ±300 µs"],
        },
        cpu: { agent_s: 12.5, broker_s: 20.1, broker_s_per_million: 251, broker_rss_bytes: 734003200 },
        guarantees: {
          producer_ack: "all",
          durability: "page_cache",
          replicas: 1,
          min_in_sync: 1,
          details: { "log.flush.interval.messages": "default" },
        },
        versions: { kafka: "4.2.0" },
        timeline: [],
        histograms: {},
      };
    case "timeline": {
      const all = ended ? seconds(64, p99) : data.live;
      return { run: r.id, complete: ended, seconds: all.filter((s) => s.second > Number(query.get("after") ?? -1)) };
    }
    case "histograms":
      return ended
        ? { run: r.id, histograms: { e2e_latency: histogram, publish_latency: histogram, pacer_lateness: histogram } }
        : undefined;
    case "resources":
      return {
        run: r.id,
        items:
          r.phase === "queued"
            ? []
            : ["dec_port.broker", 'dec_process.broker["0"]', 'dec_process.agent["p0"]'].map((address, i) => ({
                address,
                id: `local/${i}`,
                state: ended ? "destroyed" : "created",
                since: ago(80),
                create_s: 1.5 + i,
                created_at: ago(80),
                ...(ended && { destroy_s: 0.4, gone_at: ago(5) }),
              })),
      };
    case "log": {
      const lines = data.log.filter(
        (l) => l.text.includes(query.get("q") ?? "") && (!query.get("source") || l.source === query.get("source")),
      );
      return { run: r.id, sources: ["dec", "broker-0"], lines, matches: lines.length };
    }
  }
}

const plan = (e) => ({
  name: e.name,
  target: "local",
  compare: "e2e_p99",
  workload: { load: { rate: 2000 } },
  variants,
  repeat: 5,
  limits: {},
});
