import { describe, expect, test } from "vitest";
import { given, list, oneOf, parseSearch, stringifySearch } from "./search";

describe("addresses", () => {
  test("parameters stay text", () => {
    expect(parseSearch("?run=12e4&on=true&q=a%20b")).toEqual({ run: "12e4", on: "true", q: "a b" });
  });
  test("lists are joined by commas, and nothing empty is written", () => {
    expect(stringifySearch({ hide: ["a", "b"], q: "x y&z", tab: undefined, none: [] })).toBe("?hide=a,b&q=x%20y%26z");
    expect(list(parseSearch("hide=a,b"), "hide")).toEqual(["a", "b"]);
  });
  test("what is not understood counts as absent", () => {
    expect(oneOf({ tab: "p9" }, "tab", ["runs"])).toBeUndefined();
    expect(given({ a: 1, b: undefined })).toEqual({ a: 1 });
  });
});
