import { Button } from "@mantine/core";
import { useState } from "react";
import { cancelRun } from "../../api/queries";
import type { RunDetail } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { tellRun } from "../../domain/states";
import { useStale } from "../../live/hooks";

/** Stops one run; its experiment goes on. */
export function CancelRun({ run: r }: { run: RunDetail }) {
  const [asked, setAsked] = useState(false);
  const stale = useStale();
  const queued = r.phase === "queued";
  return (
    <>
      <Button variant="default" onClick={() => setAsked(true)}>
        Cancel run …
      </Button>
      <Confirm
        opened={asked}
        onClose={() => setAsked(false)}
        title={`Cancel ${r.name}?`}
        keep={queued ? "Keep it" : "Keep running"}
        act={queued ? "Cancel" : "Cancel and destroy"}
        action={() => cancelRun(r.id)}
        blocked={stale ? "The server does not answer, so nothing can be changed now." : undefined}
      >
        {queued
          ? "It has not started and will not. "
          : `It is in this state: ${tellRun(r).text.toLowerCase()}. DEC stops the load, destroys what the run created and proves that it is gone. `}
        The other runs of “{r.experiment_name}” go on.
      </Confirm>
    </>
  );
}
