import classes from "./Legend.module.css";
import { Swatch } from "./Swatch";
import type { Line } from "./spec";

/** The legend: which look belongs to which label. A press hides or shows a line. */
export function Legend({
  lines,
  hide,
  onHide,
}: {
  lines: Pick<Line, "label" | "look">[];
  hide: string[];
  onHide?: ((hide: string[]) => void) | undefined;
}) {
  const toggle = (label: string) => onHide?.(hide.includes(label) ? hide.filter((l) => l !== label) : [...hide, label]);
  return (
    <ul className={classes.key} aria-label="Legend">
      {lines.map(({ label, look }) => (
        <li key={label}>
          {onHide ? (
            <button
              type="button"
              className={classes.button}
              aria-pressed={!hide.includes(label)}
              title={hide.includes(label) ? `Show ${label}` : `Hide ${label}`}
              onClick={() => toggle(label)}
            >
              <Swatch look={look} /> {label}
            </button>
          ) : (
            <span className={classes.entry}>
              <Swatch look={look} /> {label}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
