import type { ReactNode } from "react";
import classes from "./Facts.module.css";

/** Names with their values, side by side where there is room. */
export function Facts({ facts, label }: { facts: [name: string, value: ReactNode][]; label: string }) {
  return (
    <dl className={classes.facts} aria-label={label}>
      {facts.map(([name, value]) => (
        <div key={name} className={classes.fact}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
