import classes from "./EmulatorBadge.module.css";

/** Says beside a name that an emulator stands for it. */
export function EmulatorBadge({ when }: { when: boolean }) {
  return when ? <span className={classes.mark}>emulator</span> : null;
}
