/**
 * The part of a URL after "?", read as text and nothing else. The router's own
 * parser would turn `12e4` into a number and lists into JSON.
 */
export type Raw = Record<string, string>;

/** Reads a query; of a name that occurs twice the last one counts. */
export function parseSearch(query: string): Raw {
  return Object.fromEntries(new URLSearchParams(query));
}

/** Writes a query. Lists are joined by commas; what is empty is not written. */
export function stringifySearch(search: Record<string, unknown>): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(search)) {
    const text = Array.isArray(value) ? value.join(",") : String(value ?? "");
    // Commas, colons and slashes may stand in a query as they are, and read better.
    if (text)
      parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(text).replace(/%(2C|3A|2F)/g, decodeURIComponent)}`);
  }
  return parts.length ? `?${parts.join("&")}` : "";
}

/** Text of a parameter; undefined if absent or empty. */
export function text(raw: Record<string, unknown>, name: string): string | undefined {
  const value = raw[name];
  return value === undefined || value === null || value === "" ? undefined : String(value);
}

/** A parameter that must be one of the values; anything else counts as absent. */
export function oneOf<const T extends string>(
  raw: Record<string, unknown>,
  name: string,
  values: readonly T[],
): T | undefined {
  const value = text(raw, name);
  return values.find((v) => v === value);
}

/** A comma-separated list; undefined if empty. */
export function list(raw: Record<string, unknown>, name: string): string[] | undefined {
  const value = raw[name];
  const items = (Array.isArray(value) ? value.map(String) : String(value ?? "").split(",")).filter(
    (item) => item !== "",
  );
  return items.length ? items : undefined;
}

/** Drops what is undefined, so that the URL holds no defaults. */
export function given<T extends Record<string, unknown>>(search: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as never;
}
