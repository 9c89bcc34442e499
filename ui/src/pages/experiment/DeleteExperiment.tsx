import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { deleteExperiment, experiment, experimentLists } from "../../api/queries";
import type { Experiment } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { plural } from "../../lib/format";
import { useBlocked } from "../useBlocked";

/** Deletes an experiment with everything it measured, after a confirmation. */
export function DeleteExperiment({ experiment: e }: { experiment: Experiment }) {
  const [asked, setAsked] = useState(false);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const onDone = async () => {
    await navigate({ to: "/experiments", search: {} });
    queries.removeQueries({ queryKey: experiment(e.id).queryKey });
    queries.invalidateQueries({ queryKey: experimentLists });
  };
  return (
    <>
      <Button variant="default" size="sm" onClick={() => setAsked(true)}>
        Delete…
      </Button>
      <Confirm
        opened={asked}
        onClose={() => setAsked(false)}
        title={`Delete the results of ${plural(e.runs.planned, "run")}?`}
        keep="Keep"
        act="Delete results"
        action={() => deleteExperiment(e.id)}
        onDone={onDone}
        blocked={useBlocked()}
      >
        Measurements and logs of “{e.name}” are permanently deleted. Links to them will stop working.
      </Confirm>
    </>
  );
}
