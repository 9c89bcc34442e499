import type { ReactNode } from "react";
import type { Tone } from "../lib/colors";
import { CheckIcon, CrossIcon, EmptyIcon, RunningIcon, StoppedIcon, WaitingIcon, WarningIcon } from "./icons";
import classes from "./Status.module.css";

const icons: Record<Tone, () => ReactNode> = {
  good: CheckIcon,
  bad: CrossIcon,
  warn: WarningIcon,
  busy: RunningIcon,
  waiting: WaitingIcon,
  stopped: StoppedIcon,
  quiet: EmptyIcon,
};

/** A state in words, with an icon in front. */
export function Status({ tone, children }: { tone: Tone; children: ReactNode }) {
  const Icon = icons[tone];
  return (
    <span className={classes.status} data-tone={tone}>
      <Icon /> <span>{children}</span>
    </span>
  );
}
