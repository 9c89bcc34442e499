import classes from "./Progress.module.css";

/** How many of a whole are done; its words stand beside it. */
export function Progress({ done, of, label }: { done: number; of: number; label: string }) {
  return <progress className={classes.progress} value={done} max={of || 1} aria-label={label} />;
}
