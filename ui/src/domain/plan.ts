import type { Catalog } from "../api/types";

/** A plan to begin with: the first two technologies that are usable here, under the same load. Undefined where there are not two. */
export function examplePlan({ technologies, targets }: Pick<Catalog, "technologies" | "targets">): string | undefined {
  const usable = new Set(targets.filter((target) => target.available).map(({ name }) => name));
  const variants = technologies.flatMap(({ name, stacks }) => {
    const stack = stacks.find((s) => s.available && !s.emulator && s.targets.some((target) => usable.has(target)));
    return stack ? [{ technology: name, stack: stack.name }] : [];
  });
  const [a, b] = variants;
  if (!a || !b) return undefined;
  return `name: ${a.technology} vs ${b.technology}, 2,000 msg/s
workload:
  load: {rate: 2000}
  stages: {warmup: 20s, measure: 15s, drain: 10s}
variants:
${[a, b].map((v) => `  - {label: ${v.technology}, technology: ${v.technology}, stack: ${v.stack}}`).join("\n")}`;
}
