// What the stand-in for the server can compare, with the words for it.
const quantiles = { p50: "p50", p90: "p90", p95: "p95", p99: "p99", p999: "p99.9", p9999: "p99.99" };
const latencies = (family, title) =>
  Object.entries(quantiles).map(([q, name]) => ({
    name: `${family}_${q}`,
    title: `${title} ${name}`,
    unit: "ns",
    better: "lower",
  }));
export const catalog = {
  technologies: [
    ["kafka", "kraft"],
    ["nats", "jetstream"],
  ].map(([name, stack]) => ({
    name,
    title: name,
    client_config_schema: {},
    stacks: [{ name: stack, title: stack, targets: ["local"], schema: {}, available: true }],
  })),
  targets: [
    {
      name: "local",
      title: "This machine",
      available: true,
      slots: 1,
      facts: { shared_machine: true, one_host: true },
    },
  ],
  metrics: [
    ...latencies("e2e", "End-to-end"),
    ...latencies("publish", "Publish"),
    { name: "throughput", title: "Throughput", unit: "per_s", better: "higher" },
    { name: "cpu_per_million", title: "Broker CPU per million messages", unit: "s_per_million", better: "lower" },
  ],
  guarantees: [
    { name: "producer_ack", title: "Acknowledged by", scale: ["none", "leader", "all"] },
    { name: "durability", title: "Durable before the acknowledgement", scale: ["memory", "page_cache"] },
    { name: "replicas", title: "Copies of a message" },
  ],
  incidents: [
    { name: "throttled_writes", title: "Writes refused for now (throttled)", unit: "messages", limited: true },
    { name: "throttled_reads", title: "Reads refused for now (throttled)", unit: "messages", limited: true },
    { name: "retried_sends", title: "Sent again (retried)", unit: "messages", limited: false },
    { name: "reconnects", title: "Connections made anew", unit: "connections", limited: false },
  ],
  plan_schema: {},
};
