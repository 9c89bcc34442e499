import type { Catalog, TargetFacts } from "../api/types";

/** What can be said of a target without its name; undefined for one that the catalog does not list. */
export function factsOf({ targets }: Pick<Catalog, "targets">, name: string): TargetFacts | undefined {
  return targets.find((target) => target.name === name)?.facts;
}
