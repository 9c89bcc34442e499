// Every number on a page passes through here and leaves with its unit. The
// rules are those of internal/report, so that page, table and HTML agree.

/** Stands where a number is not known; never a zero. */
export const missing = "–";

/** Formats with three significant digits, or all those before the point. */
export function significant(x: number): string {
  if (x === 0) return "0";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (Math.abs(x) >= 999.5) return minus(x.toFixed(0));
  const rounded = Number(x.toExponential(2));
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  return minus(rounded.toFixed(Math.min(decimals, 9)));
}

const minus = (text: string) => text.replace("-", "−");

const latencyUnits: [string, number][] = [
  ["s", 1e9],
  ["ms", 1e6],
  ["µs", 1e3],
];

/** A latency given in nanoseconds: "6.21 ms". */
export function nanoseconds(ns: number | null | undefined): string {
  if (ns === null || ns === undefined) return missing;
  for (const [unit, size] of latencyUnits) {
    // 999.6 µs rounds to 1.00 ms, not to 1000 µs.
    if (Math.abs(ns) >= 0.9995 * size) return `${significant(ns / size)} ${unit}`;
  }
  return `${significant(ns)} ns`;
}

/** A number that is only known to be at least so large: "≥ 5.80 s". */
export const atLeast = (text: string) => `≥ ${text}`;

/** A tick of a latency axis: "10 ms", without digits that say nothing. */
export function nanosecondsTick(ns: number): string {
  for (const [unit, size] of latencyUnits) {
    if (Math.abs(ns) >= 0.9995 * size) return `${Number((ns / size).toPrecision(3))} ${unit}`;
  }
  return `${Number(ns.toPrecision(3))} ns`;
}

/** A tick of an axis of waits, which begins at 0. */
export const waitTick = (ns: number) => (ns === 0 ? "0" : nanosecondsTick(ns));

/** A whole number with separators: "600,000". */
export function count(n: number | null | undefined): string {
  if (n === null || n === undefined) return missing;
  return minus(Math.round(n).toString()).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Messages per second: "19,998/s", "1.25/s". */
export function rate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined) return missing;
  return `${Math.abs(perSecond) < 100 ? significant(perSecond) : count(perSecond)}/s`;
}

/** A short number for an axis: "20k", "1.5M". */
export function compact(n: number): string {
  for (const [unit, size] of [
    ["G", 1e9],
    ["M", 1e6],
    ["k", 1e3],
  ] as const) {
    if (Math.abs(n) >= size) return minus(`${Number((n / size).toPrecision(3))}${unit}`);
  }
  return minus(`${Number(n.toPrecision(3))}`);
}

/** A tick of an axis that counts things; there are no halves of them. */
export const wholeTick = (n: number) => (Number.isInteger(n) ? compact(n) : "");

/** Memory in binary units: "1.25 GiB". */
export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return missing;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  let x = n;
  for (; Math.abs(x) >= 1023.5 && i < units.length - 1; i++) x /= 1024;
  return `${significant(x)} ${units[i]}`;
}

/** A share of one: "38 %". */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return missing;
  return `${significant(share * 100)} %`;
}

/** A share of what was asked for: "99.2 %". Only the whole is 100 %, only nothing is 0 %. */
export function share(x: number | null | undefined): string {
  if (x === null || x === undefined) return missing;
  let text = `${Number((100 * x).toFixed(3))}`;
  if (x < 1 && text === "100") text = "99.999";
  if (x > 0 && text === "0") text = "0.001";
  return `${text} %`;
}

/** How long something took, in seconds: "0.8 s", "1 min 12 s", "2 h 5 min". */
export function duration(s: number | null | undefined): string {
  if (s === null || s === undefined || !Number.isFinite(s)) return missing;
  if (s < 9.95) return `${Math.max(0, s).toFixed(1)} s`;
  return wholeDuration(s);
}

/** Like {@link duration}, in whole seconds, for what is counted up or down. */
export function wholeDuration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
  const minutes = Math.floor(s / 60) % 60;
  if (s < 48 * 3600) return minutes ? `${Math.floor(s / 3600)} h ${minutes} min` : `${Math.floor(s / 3600)} h`;
  return `${Math.round(s / 86400)} days`;
}

/** A guess of what is left: "about 6 min". */
export function about(seconds: number): string {
  if (seconds < 60) return `about ${Math.max(5, Math.ceil(seconds / 5) * 5)} s`;
  return `about ${wholeDuration(Math.ceil(seconds / 60) * 60)}`;
}

/** Ends of a range with a common unit named once: "5.90–6.61 ms". */
export function span(low: string, high: string): string {
  const [value, unit] = low.split(" ");
  if (unit && high.endsWith(` ${unit}`)) return `${value}–${high}`;
  if (low.endsWith("/s")) return `${low.slice(0, -2)}–${high}`;
  return `${low}–${high}`;
}

/** Reads a length of time as the server writes it, "1m30s", in seconds. */
export function parseDuration(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const units: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 };
  let sum = 0;
  let rest = text;
  while (rest) {
    const part = /^(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/.exec(rest);
    if (!part) return text === "0" ? 0 : undefined;
    sum += Number(part[1]) * (units[part[2] ?? ""] ?? 0);
    rest = rest.slice(part[0].length);
  }
  return sum;
}

/** Milliseconds of a time that the server wrote; undefined for none. */
export function time(stamp: string | undefined): number | undefined {
  if (!stamp) return undefined;
  const ms = Date.parse(stamp);
  return Number.isNaN(ms) ? undefined : ms;
}

/** The time of day where the reader is: "14:02:11". */
export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString("en-GB");
}

/** A moment, as short as it stays clear: "14:02", "Mon 14:02", "12 Nov", "12 Nov 2024". */
export function moment(ms: number, now: number): string {
  const then = new Date(ms);
  const age = now - ms;
  const hm = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (age < 86_400_000 && then.getDate() === new Date(now).getDate()) return hm;
  if (age < 6 * 86_400_000) return `${then.toLocaleDateString("en-GB", { weekday: "short" })} ${hm}`;
  if (then.getFullYear() === new Date(now).getFullYear()) {
    return then.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  }
  return then.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

/** "1 run", "2,000 runs". */
export function plural(n: number, what: string): string {
  return n === 1 ? `1 ${what}` : `${count(n)} ${what}s`;
}

/** Makes an identifier readable: "fsync_before_ack" → "fsync before ack". */
export const words = (identifier: string) => identifier.replaceAll("_", " ");

export const upperFirst = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);
export const lowerFirst = (text: string) => text.slice(0, 1).toLowerCase() + text.slice(1);
