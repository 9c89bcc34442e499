import { Table, Text, Title } from "@mantine/core";
import type { Comparison, ExperimentDetail, Pair } from "../../api/types";
import { ScrollTable } from "../../components/ScrollTable";
import { metricOf } from "../../domain/metrics";
import { nameOf } from "../../domain/variants";
import { lowerFirst, significant } from "../../lib/format";
import { useCatalog } from "../useCatalog";
import classes from "./Differences.module.css";

type Known = Pair & { ratio: number; low: number; high: number };

const known = (pair: Pair): pair is Known => pair.ratio !== null && pair.low !== null && pair.high !== null;

/** The difference of each pair of variants with its confidence interval: what the verdict rests on. */
export function Differences({ experiment: e, comparison }: { experiment: ExperimentDetail; comparison: Comparison }) {
  const catalog = useCatalog();
  const { pairs, metric } = comparison.comparison;
  const name = (label: string) => nameOf(comparison.variants, label);
  if (!pairs.length) return null;
  const reach = Math.max(1.1, ...pairs.filter(known).flatMap((p) => [p.high, 1 / p.low])) ** 1.08;
  return (
    <section>
      <Title order={2} size="h4">
        Difference in {lowerFirst(metricOf(catalog, metric).title)}
      </Title>
      <Text size="sm" c="dimmed">
        Ratio of the first variant to the second, with its 95 % confidence interval
        {pairs.length > 1 && ", corrected for the number of pairs"}. × 1 means no difference; an interval that contains
        it cannot tell which is better. {e.state === "ended" ? "" : "Not final: more runs will follow."}
      </Text>
      <ScrollTable label="Differences between the variants">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Pair</Table.Th>
            <Table.Th scope="col">Ratio (95 % confidence interval)</Table.Th>
            <Table.Th scope="col" w="45%">
              <Scale reach={reach} />
            </Table.Th>
            <Table.Th scope="col">Result</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {pairs.map((pair) => (
            <Table.Tr key={`${pair.a} ${pair.b}`}>
              <Table.Th scope="row">
                {name(pair.a)} / {name(pair.b)}
              </Table.Th>
              <Table.Td title={exactLevel(pair)}>{ratioOf(pair)}</Table.Td>
              <Table.Td>{known(pair) && <Interval pair={pair} reach={reach} />}</Table.Td>
              <Table.Td className={classes.answer}>
                {e.state === "ended" ? answer(pair, name) : "no verdict yet"}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
    </section>
  );
}

function ratioOf(pair: Pair): string {
  if (pair.ratio === null) return "–";
  if (!known(pair)) return `× ${significant(pair.ratio)}, no interval`;
  return `× ${significant(pair.ratio)} (${significant(pair.low)}–${significant(pair.high)})`;
}

/** Intervals are exact, so their levels go in steps: each has the lowest one that is at least what was asked for. */
function exactLevel(pair: Pair): string | undefined {
  return known(pair) ? `exact level of the interval: ${Number((100 * pair.level).toPrecision(4))} %` : undefined;
}

function answer(pair: Pair, name: (label: string) => string): string {
  if (pair.verdict === "different") return `${name(pair.better ?? "")} is better`;
  if (pair.verdict === "alike") return "no difference that matters";
  if (pair.verdict === "cant_tell") return "can't tell";
  return pair.reason || "no verdict";
}

/** Place of a ratio on the axis, in percent of its width. */
const place = (ratio: number, reach: number) => 50 + (50 * Math.log(ratio)) / Math.log(reach);

const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 1.05, 1.1, 1.25, 1.5, 2, 5, 10, 20, 50, 100];

function Scale({ reach }: { reach: number }) {
  const ticks = [1];
  for (const step of steps) {
    const at = place(step, reach);
    if (at > 4 && at < 96 && ticks.every((tick) => Math.abs(place(tick, reach) - at) > 13)) ticks.push(step);
  }
  return (
    <span className={classes.scale} aria-hidden="true">
      {ticks.map((tick) => (
        <span key={tick} style={{ insetInlineStart: `${place(tick, reach)}%` }}>
          × {tick}
        </span>
      ))}
    </span>
  );
}

function Interval({ pair, reach }: { pair: Known; reach: number }) {
  const [low, high, at] = [place(pair.low, reach), place(pair.high, reach), place(pair.ratio, reach)];
  return (
    <span className={classes.interval} data-clear={pair.low > 1 || pair.high < 1} aria-hidden="true">
      <span className={classes.one} />
      <span className={classes.bar} style={{ insetInlineStart: `${low}%`, width: `${high - low}%` }} />
      <span className={classes.point} style={{ insetInlineStart: `${at}%` }} />
    </span>
  );
}
