import { expect, test } from "vitest";
import type { Catalog } from "../api/types";
import { examplePlan } from "./plan";

type Stack = Catalog["technologies"][number]["stacks"][number];

const technology = (name: string, ...stacks: Partial<Stack>[]) => ({
  name,
  title: name,
  client_config_schema: {},
  stacks: stacks.map((s): Stack => ({ name: "s", title: "", targets: ["here"], schema: {}, available: true, ...s })),
});
const targets = [
  { name: "here", title: "", available: true, slots: 1 },
  { name: "there", title: "", available: false, slots: 1 },
] as Catalog["targets"];

test("the example compares the first two technologies that are usable here", () => {
  const technologies = [
    technology("a", { emulator: "emu" }, { name: "cloud", targets: ["there"] }),
    technology("b", { available: false }, { name: "two" }),
    technology("c", { name: "three" }),
    technology("d", {}),
  ];
  expect(examplePlan({ technologies, targets })).toBe(`name: b vs c, 2,000 msg/s
workload:
  load: {rate: 2000}
  stages: {warmup: 20s, measure: 15s, drain: 10s}
variants:
  - {label: b, technology: b, stack: two}
  - {label: c, technology: c, stack: three}`);
});

test("there is none where less than two are usable", () => {
  expect(examplePlan({ technologies: [technology("a", {})], targets })).toBeUndefined();
});
