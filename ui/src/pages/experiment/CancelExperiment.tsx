import { Button } from "@mantine/core";
import { useState } from "react";
import { cancelExperiment } from "../../api/queries";
import type { Experiment } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { plural } from "../../lib/format";
import { useBlocked } from "../useBlocked";

/** Stops an experiment, after a confirmation. */
export function CancelExperiment({ experiment: e, compact = false }: { experiment: Experiment; compact?: boolean }) {
  const [asked, setAsked] = useState(false);
  const { active, queued, ended } = e.runs;
  return (
    <>
      <Button
        variant="default"
        size={compact ? "compact-sm" : "sm"}
        onClick={() => setAsked(true)}
        aria-label={compact ? `Cancel ${e.name}…` : undefined}
      >
        Cancel…
      </Button>
      <Confirm
        opened={asked}
        onClose={() => setAsked(false)}
        title={`Cancel “${e.name}”?`}
        keep={e.state === "queued" ? "Keep in queue" : "Keep running"}
        act={active ? "Cancel and destroy" : "Cancel"}
        action={() => cancelExperiment(e.id)}
        blocked={useBlocked()}
      >
        {active > 0 &&
          `${plural(active, "active run")}: DEC stops the load, destroys the infrastructure and verifies that it is gone. `}
        {queued > 0 && `${plural(queued, "queued run")} will not start. `}
        {ended > 0
          ? `The results of ${plural(ended, "ended run")} are kept, without a verdict.`
          : "There will be no verdict."}
      </Confirm>
    </>
  );
}
