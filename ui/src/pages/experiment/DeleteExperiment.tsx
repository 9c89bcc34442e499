import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { deleteExperiment, experiment, experimentLists } from "../../api/queries";
import type { Experiment } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { plural } from "../../lib/format";
import { useStale } from "../../live/hooks";

/** Removes an experiment with all that it measured. */
export function DeleteExperiment({ experiment: e }: { experiment: Experiment }) {
  const [asked, setAsked] = useState(false);
  const stale = useStale();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const gone = async () => {
    await navigate({ to: "/experiments", search: {} });
    queries.removeQueries({ queryKey: experiment(e.id).queryKey });
    queries.invalidateQueries({ queryKey: experimentLists });
  };
  return (
    <>
      <Button variant="default" size="sm" onClick={() => setAsked(true)}>
        Delete …
      </Button>
      <Confirm
        opened={asked}
        onClose={() => setAsked(false)}
        title={`Delete the results of ${plural(e.runs.planned, "run")}?`}
        keep="Keep"
        act="Delete results"
        action={() => deleteExperiment(e.id)}
        onDone={gone}
        blocked={stale ? "The server does not answer, so nothing can be changed now." : undefined}
      >
        Measurements and logs of “{e.name}” are removed for good. Links to them will fail.
      </Confirm>
    </>
  );
}
