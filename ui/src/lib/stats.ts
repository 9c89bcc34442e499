/** The median of values in any order; undefined of none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  const low = sorted[Math.floor((n - 1) / 2)];
  const high = sorted[Math.floor(n / 2)];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
