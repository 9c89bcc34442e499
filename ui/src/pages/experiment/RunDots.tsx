import { Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ComparedRun, Comparison } from "../../api/types";
import { logTicks } from "../../components/chart/spec";
import { formatMetric, isLatency, type ShownMetric } from "../../domain/metrics";
import { counts, isEmulated, lookOf, measured } from "../../domain/variants";
import { type Look, markerPath } from "../../lib/colors";
import { nanosecondsTick, span } from "../../lib/format";
import { median } from "../../lib/stats";
import { EmulatorBadge } from "../EmulatorBadge";
import classes from "./RunDots.module.css";

type Measured = { run: ComparedRun; value: number };

/** One mark for each run, so that the spread of a variant shows at a glance. */
export function RunDots({ comparison, metric }: { comparison: Comparison; metric: ShownMetric }) {
  const { variants } = comparison;
  const rows = variants.map(({ label }) => ({
    label,
    marks: measured(comparison, label).flatMap((run): Measured[] => {
      const value = run.metrics?.[metric.name];
      return typeof value === "number" ? [{ run, value }] : [];
    }),
  }));
  const scale = scaleOf(rows.flatMap((row) => row.marks.map((mark) => mark.value)));
  return (
    <section>
      <Title order={2} size="h4">
        Individual runs: {metric.title}
      </Title>
      <Text size="sm" c="dimmed">
        One mark per run; the line is the median. ✕ marks runs that are not counted. Select a mark to open its run.
      </Text>
      {!scale && <Text mt="xs">No run has an exact value of this metric.</Text>}
      {scale && (
        <div className={classes.chart}>
          {rows.map((row) => (
            <div key={row.label} className={classes.row}>
              <span className={classes.label}>
                {row.label} <EmulatorBadge when={isEmulated(row.label, variants)} />
              </span>
              <span className={classes.lane}>
                {scale.ticks.map((tick) => (
                  <span key={tick} className={classes.grid} style={{ insetInlineStart: `${scale.at(tick)}%` }} />
                ))}
                <Median marks={row.marks} at={scale.at} />
                {row.marks.map((mark, i) => (
                  <Mark
                    key={mark.run.run.id}
                    mark={mark}
                    at={scale.at(mark.value)}
                    lift={i}
                    metric={metric}
                    look={lookOf(variants, row.label)}
                  />
                ))}
              </span>
              <span className={classes.value}>{summaryOf(row.marks, metric)}</span>
            </div>
          ))}
          <div className={classes.row} aria-hidden="true">
            <span />
            <span className={classes.axis}>
              {scale.ticks.map((tick) => (
                <span key={tick} style={{ insetInlineStart: `${scale.at(tick)}%` }}>
                  {isLatency(metric) ? nanosecondsTick(tick) : formatMetric(metric, tick)}
                </span>
              ))}
            </span>
          </div>
        </div>
      )}
    </section>
  );
}

function Mark({
  mark,
  at,
  lift,
  metric,
  look,
}: {
  mark: Measured;
  at: number;
  lift: number;
  metric: ShownMetric;
  look: Look;
}) {
  const { run } = mark.run;
  const counted = counts(mark.run);
  const text = `${run.name}: ${formatMetric(metric, mark.value)}${counted ? "" : `, not counted: ${mark.run.excluded}`}`;
  return (
    <Link
      to="/runs/$id"
      params={{ id: run.id }}
      className={classes.mark}
      style={{ insetInlineStart: `${at}%`, top: `${[50, 32, 68][lift % 3]}%`, color: `var(${look.color})` }}
      aria-label={text}
      title={text}
    >
      <svg width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true">
        {counted ? (
          <path d={markerPath(look.marker, 5.5)} fill="currentColor" stroke="var(--mantine-color-body)" />
        ) : (
          <path d="M-4 -4L4 4M4 -4L-4 4" stroke="currentColor" strokeWidth="1.5" fill="none" />
        )}
      </svg>
    </Link>
  );
}

const countedValues = (marks: Measured[]) => marks.filter((mark) => counts(mark.run)).map((mark) => mark.value);

function Median({ marks, at }: { marks: Measured[]; at(value: number): number }) {
  const value = median(countedValues(marks));
  return value === undefined ? null : <span className={classes.median} style={{ insetInlineStart: `${at(value)}%` }} />;
}

function summaryOf(marks: Measured[], metric: ShownMetric): string {
  const values = countedValues(marks);
  const middle = median(values);
  if (middle === undefined) return "no counted run";
  const [low, high] = [formatMetric(metric, Math.min(...values)), formatMetric(metric, Math.max(...values))];
  return `${formatMetric(metric, middle)}${low === high ? "" : ` (${span(low, high)})`}`;
}

/** A log axis over all values, in percent of its width. */
function scaleOf(values: number[]) {
  const positive = values.filter((v) => v > 0);
  if (!positive.length) return undefined;
  const [low, high] = [Math.min(...positive) * 0.93, Math.max(...positive) * 1.07];
  const at = (value: number) => (100 * Math.log(Math.max(value, low) / low)) / Math.log(high / low);
  const ticks = logTicks(low, high, 7).filter((tick) => at(tick) >= 0 && at(tick) <= 100);
  const spread = ticks.length > 1 ? ticks : [low, Math.sqrt(low * high), high].map((x) => Number(x.toPrecision(2)));
  return { at, ticks: spread.filter((tick) => at(tick) > -1 && at(tick) < 101) };
}
