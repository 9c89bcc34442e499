import { Skeleton } from "@mantine/core";
import type { Comparison, ExperimentDetail } from "../../api/types";
import { WarningIcon } from "../../components/icons";
import { metricOf } from "../../domain/metrics";
import { lowerFirst } from "../../lib/format";
import { useCatalog } from "../useCatalog";
import classes from "./Verdict.module.css";

/** The answer in the server's words, with every sentence that belongs beside it. */
export function Verdict({
  experiment: e,
  comparison,
}: {
  experiment: ExperimentDetail;
  comparison: Comparison | undefined;
}) {
  const catalog = useCatalog();
  if (!comparison) return <Skeleton height={110} />;
  const { sentence, sentences, verdict } = comparison.comparison;
  const decided = verdict === "different";
  const caveats = [...comparison.caveats, ...(e.state === "ended" ? [] : e.warnings)];
  return (
    <section className={classes.verdict} data-decided={decided} aria-label="Verdict">
      <p className={classes.answer}>{sentence}</p>
      {sentences.length > 0 && (
        <ul className={classes.pairs}>
          {sentences.map((pair) => (
            <li key={pair}>{pair}</li>
          ))}
        </ul>
      )}
      {caveats.map((caveat) => (
        <p key={caveat} className={classes.caveat}>
          <WarningIcon /> <span>{caveat}</span>
        </p>
      ))}
      {comparison.instrument && <p className={classes.metric}>{comparison.instrument}</p>}
      <p className={classes.metric}>Primary metric: {lowerFirst(metricOf(catalog, e.compare).title)}.</p>
    </section>
  );
}
