import type { ReactNode } from "react";
import classes from "./Figures.module.css";

export interface Figure {
  name: string;
  value: ReactNode;
  /** What the number means, in a few words. */
  note?: string;
}

/** The few numbers that matter most, large. Stale ones are not bold. */
export function Figures({ figures, label, stale = false }: { figures: Figure[]; label: string; stale?: boolean }) {
  return (
    <dl className={classes.figures} aria-label={label} data-stale={stale}>
      {figures.map(({ name, value, note }) => (
        <div key={name} className={classes.figure}>
          <dt>{name}</dt>
          <dd className={classes.value}>{value}</dd>
          {note && <dd className={classes.note}>{note}</dd>}
        </div>
      ))}
    </dl>
  );
}
