import { useQuery } from "@tanstack/react-query";
import { catalog } from "../api/queries";
import type { Catalog } from "../api/types";

const empty: Catalog = { technologies: [], targets: [], metrics: [], guarantees: [], incidents: [], plan_schema: {} };

/** What can be compared here, and the words for what is measured; empty until it has been read. */
export function useCatalog(): Catalog {
  return useQuery(catalog()).data ?? empty;
}
