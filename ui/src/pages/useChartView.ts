import { useNavigate, useSearch } from "@tanstack/react-router";
import { given } from "../lib/search";

/** The part of the time axis that charts show, in seconds of the measure stage. */
export type Range = [from: number, to: number];

/** What the address says of the charts of a page: which lines are hidden, and which part of the time axis is shown. */
export function useChartView() {
  const { hide, from, to } = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (view: { hide?: string[] | undefined; from?: number | undefined; to?: number | undefined }) =>
    navigate({ to: ".", replace: true, resetScroll: false, search: (old) => given({ ...old, ...view }) });
  const range: Range | undefined = from !== undefined && to !== undefined && from < to ? [from, to] : undefined;
  return {
    hide,
    range,
    onHide: (hidden: string[]) => change({ hide: hidden.length ? hidden : undefined }),
    onRange: (wanted: Range | undefined) => change({ from: wanted?.[0], to: wanted?.[1] }),
  };
}
