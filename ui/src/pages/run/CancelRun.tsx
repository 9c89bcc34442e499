import { Button } from "@mantine/core";
import { useState } from "react";
import { cancelRun } from "../../api/queries";
import type { RunDetail } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { runState } from "../../domain/states";
import { lowerFirst } from "../../lib/format";
import { useBlocked } from "../useBlocked";

/** Stops one run, after a confirmation; its experiment goes on. */
export function CancelRun({ run: r }: { run: RunDetail }) {
  const [asked, setAsked] = useState(false);
  const queued = r.phase === "queued";
  return (
    <>
      <Button variant="default" onClick={() => setAsked(true)}>
        Cancel run…
      </Button>
      <Confirm
        opened={asked}
        onClose={() => setAsked(false)}
        title={`Cancel ${r.name}?`}
        keep={queued ? "Keep in queue" : "Keep running"}
        act={queued ? "Cancel" : "Cancel and destroy"}
        action={() => cancelRun(r.id)}
        blocked={useBlocked()}
      >
        {queued
          ? "It has not started and will not start. "
          : `Current state: ${lowerFirst(runState(r).text)}. DEC stops the load, destroys the infrastructure and verifies that it is gone. `}
        The other runs of “{r.experiment_name}” continue.
      </Confirm>
    </>
  );
}
