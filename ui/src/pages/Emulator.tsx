import classes from "./Emulator.module.css";

/** Says beside a name that an emulator stands for it. */
export function Emulator({ when }: { when: boolean }) {
  return when ? <span className={classes.mark}>emulator</span> : null;
}
