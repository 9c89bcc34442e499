import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { options } from "./options";
import type { ChartSpec } from "./spec";

export interface PlotProps {
  spec: ChartSpec;
  height: number;
  /** Labels of the lines that are not drawn. */
  hidden: ReadonlySet<string>;
  /** The part of the x axis that is shown; all of it without one. */
  range: [number, number] | undefined;
  /** The x value that is read, by its index; undefined for none. */
  at: number | undefined;
  onAt(index: number | undefined): void;
  onRange(range: [number, number]): void;
}

/** The drawing of a chart. It is made once, and again only when it has other lines. */
export default function Plot(props: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const scheme = useComputedColorScheme("light");
  const { spec, height, hidden, range, at } = props;
  const shape = JSON.stringify([spec.lines.map((l) => [l.label, l.behind]), spec.logX, spec.logY, spec.group, height]);

  useEffect(() => {
    const element = box.current;
    if (!element || !shape) return;
    // What uPlot asks for while it lives comes from the newest spec.
    const current = new Proxy({} as ChartSpec, { get: (_, key) => Reflect.get(latest.current.spec, key) });
    const opts = options(current, element.clientWidth || 600, latest.current.height);
    opts.hooks = {
      ...opts.hooks,
      setCursor: [(u) => latest.current.onAt(u.cursor.idx ?? undefined)],
      setSelect: [
        (u) => {
          if (u.select.width < 4) return;
          const [from, to] = [u.select.left, u.select.left + u.select.width].map((x) => u.posToVal(x, "x"));
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          latest.current.onRange([from as number, to as number]);
        },
      ],
    };
    const made = new uPlot(opts, data(latest.current.spec), element);
    plot.current = made;
    const sizes = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width > 0 && width !== made.width) made.setSize({ width, height: latest.current.height });
    });
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape]);

  useEffect(() => {
    const u = plot.current;
    if (!u || !shape) return;
    u.batch(() => {
      u.setData(data(spec), false);
      const [low, high] = [spec.x[0] ?? 0, spec.x.at(-1) ?? 1];
      const [from, to] = range ?? [low, high > low ? high : low + 1];
      u.setScale("x", { min: from, max: to });
      spec.lines.forEach((line, i) => {
        const show = !hidden.has(line.label);
        if (u.series[i + 1]?.show !== show) u.setSeries(i + 1, { show }, false);
      });
    });
  }, [spec, range, hidden, shape]);

  useEffect(() => {
    if (scheme) plot.current?.redraw(false);
  }, [scheme]);

  useEffect(() => {
    const u = plot.current;
    if (!u || at === undefined || u.cursor.idx === at) return;
    const x = u.data[0][at];
    if (x !== undefined) u.setCursor({ left: u.valToPos(x, "x"), top: u.bbox.height / devicePixelRatio / 2 }, false);
  }, [at]);

  return <div ref={box} aria-hidden="true" />;
}

function data(spec: ChartSpec): uPlot.AlignedData {
  return [spec.x, ...spec.lines.map((line) => line.values)];
}
