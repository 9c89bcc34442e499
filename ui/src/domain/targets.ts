import type { Catalog } from "../api/types";

/** What matters of a target to whoever reads its numbers; undefined where the catalog does not tell. */
export interface Facts {
  /** Brokers and agents compete for the same machine. */
  shared_machine: boolean;
}

/** The facts of a target by its name. */
export function factsOf({ targets }: Pick<Catalog, "targets">, name: string): Facts | undefined {
  return (targets.find((target) => target.name === name) as { facts?: Facts } | undefined)?.facts;
}
