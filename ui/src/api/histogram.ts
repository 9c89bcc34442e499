/**
 * Reads the histograms of a run: HdrHistogram's compressed V2 encoding in
 * base64, with ";negative=<count>,<lowest>" and ";overflow=<count>" behind it
 * for samples that the scale can't hold (internal/measure/histogram.go).
 */
export interface Histogram {
  /** All samples, those counted apart included. */
  count: number;
  /** Value at nearest rank ceil(q·n) in nanoseconds; undefined with fewer than 10 samples beyond it. */
  quantile(q: number): number | undefined;
  /** Value of a rank from 1 to count in nanoseconds; undefined above the scale. */
  at(rank: number): number | undefined;
  /** Smallest and largest value in nanoseconds. */
  min: number;
  max: number;
}

/** Samples that must lie beyond a quantile. */
const support = 10;
const cookie = 0x1c849303;
const compressedCookie = 0x1c849304;
/** Sizes of the one scale in use: 1 ns to 1 h with three digits. */
const subBuckets = 2048;
const hour = 3_600_000_000_000;

/** A value's upper end and how many samples are at or below it. */
interface Rank {
  value: number;
  upTo: number;
}

export async function decodeHistogram(encoded: string): Promise<Histogram> {
  const [data = "", ...apart] = encoded.split(";");
  const counted = Object.fromEntries(apart.map((part) => part.split("=") as [string, string]));
  const [negatives = 0, lowest = 0] = (counted.negative ?? "0,0").split(",").map(Number);
  const overflow = Number(counted.overflow ?? 0);
  const ranks = data ? readRanks(await inflate(fromBase64(data))) : [];
  return summary(ranks, negatives, lowest, overflow);
}

function summary(ranks: Rank[], negatives: number, lowest: number, overflow: number): Histogram {
  const inner = ranks.at(-1)?.upTo ?? 0;
  const count = negatives + inner + overflow;
  const at = (rank: number): number | undefined => {
    if (rank <= negatives) return lowest;
    let low = 0;
    let high = ranks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ranks[middle] as Rank).upTo < rank - negatives) low = middle + 1;
      else high = middle;
    }
    const found = ranks[low]?.value;
    return found === undefined ? undefined : Math.min(found, hour);
  };
  const quantile = (q: number) => {
    const rank = nearestRank(q, count);
    return count - rank < support ? undefined : at(rank);
  };
  return { count, quantile, at, min: negatives ? lowest : (at(1) ?? 0), max: overflow ? hour : (at(count) ?? 0) };
}

/**
 * What came, over all that was offered. Of what is open only a lower bound is known; a quantile that depends on how much
 * longer that took is undefined.
 */
export function observed(values: Histogram, open: Histogram | undefined): Histogram {
  if (!open?.count) return values;
  const count = values.count + open.count;
  const quantile = (q: number) => {
    const rank = nearestRank(q, count);
    const value = count - rank < support ? undefined : values.at(rank);
    return value !== undefined && value <= open.min ? value : undefined;
  };
  return { ...values, count, quantile };
}

/** ceil(q·n), where a product that is whole up to the rounding of q counts as whole. */
function nearestRank(q: number, n: number): number {
  const product = q * n;
  const whole = Math.round(product);
  const rank = Math.abs(product - whole) <= whole * 1e-15 ? whole : Math.ceil(product);
  return Math.min(Math.max(1, rank), n);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

/** Unpacks the zlib stream behind the outer header. */
async function inflate(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const header = new DataView(packed.buffer);
  if (header.getUint32(0) !== compressedCookie + 0x10) throw new Error("This is not a histogram in V2 encoding.");
  const stream = new Blob([packed.subarray(8, 8 + header.getUint32(4))]).stream();
  const reader = stream.pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(reader).arrayBuffer());
}

/** Reads counts as zig-zag LEB128; a negative one is a run of empty buckets. */
function readRanks(bytes: Uint8Array): Rank[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== cookie + 0x10) throw new Error("This is not a histogram in V2 encoding.");
  const end = 40 + view.getUint32(4);
  const ranks: Rank[] = [];
  let [at, index, upTo] = [40, 0, 0];
  while (at < end) {
    let [value, scale, byte] = [0, 1, 0x80];
    // Eight groups of seven bits are all that is exact; more are never written for counts below 2^53.
    for (let n = 0; byte & 0x80 && n < 9; n++) {
      byte = view.getUint8(at++);
      value += (n === 8 ? byte : byte & 0x7f) * scale;
      scale *= 128;
    }
    const signed = value % 2 ? -(value + 1) / 2 : value / 2;
    if (signed < 0) {
      index += -signed;
      continue;
    }
    if (signed > 0) {
      upTo += signed;
      ranks.push({ value: highest(index), upTo });
    }
    index++;
  }
  return ranks;
}

/** The largest value that falls into the bucket of this index. */
function highest(index: number): number {
  const half = subBuckets / 2;
  let bucket = Math.floor(index / half) - 1;
  let sub = (index % half) + half;
  if (bucket < 0) {
    sub -= half;
    bucket = 0;
  }
  return (sub + 1) * 2 ** bucket - 1;
}
