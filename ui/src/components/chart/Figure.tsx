import { Button, Group, Skeleton, Text, Title, VisuallyHidden } from "@mantine/core";
import { type KeyboardEvent, lazy, Suspense, useEffect, useId, useState } from "react";
import { plural } from "../../lib/format";
import { ChartTable } from "./ChartTable";
import classes from "./Figure.module.css";
import { Legend } from "./Legend";
import { type ChartSpec, type Line, nearest } from "./spec";

const Plot = lazy(() => import("./Plot"));

export interface FigureProps {
  spec: ChartSpec;
  height?: number;
  /** The part of the x axis that is shown, in its unit. */
  range?: [number, number] | undefined;
  onRange?: ((range: [number, number] | undefined) => void) | undefined;
  /** Labels of the legend entries whose lines are not shown. */
  hide?: string[] | undefined;
  onHide?: ((hide: string[]) => void) | undefined;
}

/** A chart with its title, legend, reading by keyboard, and the same numbers as a table. */
export function Figure({ spec, height = 260, range, onRange, hide = [], onHide }: FigureProps) {
  const ids = useId();
  const [table, setTable] = useState(false);
  const [at, setAt] = useState<number>();
  const [chosen, setChosen] = useState(0);
  const bold = spec.lines.filter((line) => !line.behind);
  const hidden = new Set(spec.lines.filter((line) => hide.includes(entryOf(line))).map((line) => line.label));
  const zoom = (to: [number, number] | undefined) => onRange?.(to && clamp(to, spec));
  const keys = useKeys({ spec, at, setAt, lines: bold.length, setChosen, range, zoom, toggle: () => setTable(!table) });
  const readout = at === undefined ? "" : reading(spec, bold, at);
  return (
    <figure className={classes.figure}>
      <Group justify="space-between" gap="xs" wrap="wrap">
        <Title order={3} size="h5" id={`${ids}-title`}>
          {spec.title}
        </Title>
        <Group gap="xs">
          {range && onRange && (
            <Button size="compact-xs" variant="default" onClick={() => onRange(undefined)}>
              Reset zoom
            </Button>
          )}
          <Button size="compact-xs" variant="default" aria-pressed={table} onClick={() => setTable(!table)}>
            {table ? "Hide table" : "Show as table"}
          </Button>
        </Group>
      </Group>
      <Text size="sm" c="dimmed" className={classes.readout}>
        {readout || (spec.yName === spec.title ? "" : spec.yName)}
      </Text>
      <div
        className={classes.box}
        role="application"
        tabIndex={0}
        aria-label={`${spec.title}, ${plural(bold.length, "line")}. Use the arrow keys to read values, T to show the table.`}
        aria-describedby={`${ids}-summary`}
        onKeyDown={keys}
      >
        <Suspense fallback={<Skeleton height={height} />}>
          <div className={classes.plot}>
            <Plot
              spec={spec}
              height={height}
              hidden={hidden}
              range={range}
              at={at}
              onAt={setAt}
              onRange={(r) => zoom(r)}
            />
          </div>
        </Suspense>
      </div>
      <VisuallyHidden id={`${ids}-summary`}>{spec.summary}</VisuallyHidden>
      <Spoken text={at === undefined ? "" : spoken(spec, bold[chosen], at)} />
      <Legend lines={legend(bold)} hide={hide} onHide={onHide} />
      {table && <ChartTable spec={spec} labelledBy={`${ids}-title`} />}
    </figure>
  );
}

/** Label of the legend entry that shows and hides a line. */
const entryOf = (line: Line) => line.behind ?? line.label;

const legend = (bold: Line[]) => bold.filter((line, i) => bold.findIndex((l) => l.label === line.label) === i);

function reading(spec: ChartSpec, lines: Line[], at: number): string {
  const x = spec.x[at];
  if (x === undefined) return "";
  const values = lines.map((line) => `${line.label} ${format(spec, line, at)}`);
  return `${spec.formatX(x)}: ${values.join(", ")}`;
}

function spoken(spec: ChartSpec, line: Line | undefined, at: number): string {
  const x = spec.x[at];
  return line && x !== undefined ? `${spec.formatX(x)}, ${line.label}: ${format(spec, line, at)}` : "";
}

function format(spec: ChartSpec, line: Line, at: number): string {
  const value = line.values[at];
  return value === null || value === undefined ? "no value" : spec.formatY(value);
}

function clamp([from, to]: [number, number], spec: ChartSpec): [number, number] | undefined {
  const [low, high] = [spec.x[0] ?? 0, spec.x.at(-1) ?? 0];
  const kept: [number, number] = [Math.max(low, Math.round(from)), Math.min(high, Math.round(to))];
  return kept[1] - kept[0] < 2 || (kept[0] <= low && kept[1] >= high) ? undefined : kept;
}

/** Says a value 300 ms after the last key, so that held keys do not flood. */
function Spoken({ text }: { text: string }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSaid(text), 300);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <VisuallyHidden>
      <span aria-live="polite">{said}</span>
    </VisuallyHidden>
  );
}

interface Keys {
  spec: ChartSpec;
  at: number | undefined;
  setAt(at: number): void;
  lines: number;
  setChosen(change: (line: number) => number): void;
  range: [number, number] | undefined;
  zoom(range: [number, number] | undefined): void;
  toggle(): void;
}

function useKeys({ spec, at, setAt, lines, setChosen, range, zoom, toggle }: Keys) {
  const [low, high] = range ? range.map((x) => nearest(spec.x, x)) : [0, spec.x.length - 1];
  const move = (to: number) => setAt(Math.min(Math.max(to, low ?? 0), high ?? 0));
  const scale = (factor: number) => {
    const [from, to] = range ?? [spec.x[0] ?? 0, spec.x.at(-1) ?? 0];
    const middle = spec.x[at ?? -1] ?? (from + to) / 2;
    zoom([middle - (middle - from) * factor, middle + (to - middle) * factor]);
  };
  const here = at ?? low ?? 0;
  const actions = new Map<string, () => void>([
    ["ArrowLeft", () => move(here - 1)],
    ["ArrowRight", () => move(at === undefined ? here : here + 1)],
    ["PageUp", () => move(here - 10)],
    ["PageDown", () => move(here + 10)],
    ["Home", () => move(low ?? 0)],
    ["End", () => move(high ?? 0)],
    ["ArrowUp", () => setChosen((line) => (line + lines - 1) % lines)],
    ["ArrowDown", () => setChosen((line) => (line + 1) % lines)],
    ["+", () => scale(0.5)],
    ["-", () => scale(2)],
    ["0", () => zoom(undefined)],
    ["t", toggle],
    ["T", toggle],
  ]);
  return (event: KeyboardEvent) => {
    const action = actions.get(event.key);
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  };
}
