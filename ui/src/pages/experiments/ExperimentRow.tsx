import type { Experiment } from "../../api/types";
import { PageLink } from "../../components/PageLink";
import { Progress } from "../../components/Progress";
import { Status } from "../../components/Status";
import { experimentState } from "../../domain/states";
import { factsOf } from "../../domain/targets";
import { moment, time } from "../../lib/format";
import { useNow } from "../../live/hooks";
import { EmulatorBadge } from "../EmulatorBadge";
import { CancelExperiment } from "../experiment/CancelExperiment";
import { useCatalog } from "../useCatalog";
import classes from "./ExperimentRow.module.css";

/** One experiment of the list: its name, where it stands, what came out. */
export function ExperimentRow({ experiment: e }: { experiment: Experiment }) {
  const now = useNow();
  const catalog = useCatalog();
  const state = experimentState(e);
  const technologies = [...new Set(e.variants.map((v) => v.technology))].join(", ");
  const created = time(e.created_at) ?? now;
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <PageLink to="/experiments/$id" params={{ id: e.id }} className={classes.name}>
          {e.name}
        </PageLink>
        <p className={classes.answer}>{answer(e)}</p>
        <p className={classes.words}>
          {technologies} on {e.target}
          {e.verdict?.fairness ? ` · ${e.verdict.fairness}` : ""}
          {factsOf(catalog, e.target)?.shared_machine ? " · one machine" : ""}{" "}
          <EmulatorBadge when={e.variants.some(({ emulator }) => Boolean(emulator))} />
        </p>
      </div>
      <div className={classes.state}>
        <Status tone={state.tone}>{state.text}</Status>
        {e.state === "running" && (
          <Progress done={e.runs.ended} of={e.runs.planned} label={`Ended runs of ${e.name}`} />
        )}
        <p className={classes.words}>
          {e.by ? `${e.by} · ` : ""}
          <time dateTime={e.created_at} title={new Date(created).toLocaleString("en-GB")}>
            {moment(created, now)}
          </time>
        </p>
      </div>
      <div className={classes.action}>
        {e.allowed.includes("cancel") && <CancelExperiment experiment={e} compact />}
      </div>
    </li>
  );
}

function answer(e: Experiment): string {
  const sentence = e.verdict?.sentences[0];
  if (sentence) return sentence;
  if (e.state === "ended") return "Computing the verdict.";
  return e.reason ? `No verdict: ${e.reason}` : "No verdict yet.";
}
