import type { Ref } from "react";
import type { LogLine } from "../../api/types";
import { clock, time } from "../../lib/format";
import classes from "./LogLines.module.css";

/** Lines of a log. Text stays text: nothing in it is read as markup. */
export function LogLines({
  lines,
  onScrollUp,
  ref,
}: {
  lines: LogLine[];
  onScrollUp(): void;
  ref: Ref<HTMLDivElement>;
}) {
  return (
    <div
      ref={ref}
      className={classes.log}
      role="log"
      aria-live="off"
      aria-label="Log"
      tabIndex={0}
      onWheel={(event) => event.deltaY < 0 && onScrollUp()}
      onTouchMove={onScrollUp}
      onKeyDown={(event) => ["ArrowUp", "PageUp", "Home"].includes(event.key) && onScrollUp()}
    >
      {lines.map((line) => {
        const at = time(line.at);
        return (
          <div key={line.n} className={classes.line} data-level={line.level}>
            <span className={classes.at}>{at ? clock(at) : ""}</span>
            <span className={classes.source}>{line.source}</span>
            <span className={classes.text}>
              {line.level === "error" || line.level === "warn" ? `${line.level}: ` : ""}
              {plain(line.text)}
            </span>
          </div>
        );
      })}
    </div>
  );
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of terminals begin with one
const escapes = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** A line without the colours of a terminal. */
const plain = (text: string) => text.replace(escapes, "");
