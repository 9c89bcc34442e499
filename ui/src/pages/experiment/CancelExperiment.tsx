import { Button } from "@mantine/core";
import { useState } from "react";
import { cancelExperiment } from "../../api/queries";
import type { Experiment } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { plural } from "../../lib/format";
import { useStale } from "../../live/hooks";

/** Stops an experiment, once its reader has said so twice. */
export function CancelExperiment({ experiment: e, compact = false }: { experiment: Experiment; compact?: boolean }) {
  const [asked, setAsked] = useState(false);
  const stale = useStale();
  const { active, queued, ended } = e.runs;
  return (
    <>
      <Button
        variant="default"
        size={compact ? "compact-sm" : "sm"}
        onClick={() => setAsked(true)}
        aria-label={compact ? `Cancel ${e.name} …` : undefined}
      >
        Cancel …
      </Button>
      <Confirm
        opened={asked}
        onClose={() => setAsked(false)}
        title={`Cancel “${e.name}”?`}
        keep="Keep running"
        act={active ? "Cancel and destroy" : "Cancel"}
        action={() => cancelExperiment(e.id)}
        blocked={stale ? "The server does not answer, so nothing can be changed now." : undefined}
      >
        {active > 0 &&
          `${plural(active, "run")} under way: DEC stops the load, destroys what it created and proves that it is gone. `}
        {queued > 0 && `${plural(queued, "queued run")} will not start. `}
        {ended > 0
          ? `${plural(ended, "run")} that ended ${ended === 1 ? "is" : "are"} kept, without a verdict.`
          : "There will be no verdict."}
      </Confirm>
    </>
  );
}
