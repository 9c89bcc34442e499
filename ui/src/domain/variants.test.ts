import { expect, test } from "vitest";
import type { VariantSummary } from "../api/types";
import { isEmulated, lookOf, nameOf } from "./variants";

const summary = (label: string, emulator?: string): VariantSummary => ({
  label,
  name: emulator ? `${label} (emulator)` : label,
  technology: "t",
  stack: "s",
  ...(emulator && { emulator }),
  runs: 5,
  counted: 5,
});
const variants = [summary("a"), summary("b", "emu 1.2"), summary("c-emulator")];

test("an emulator is known by its field, never by a label", () => {
  expect(variants.map(({ label }) => isEmulated(label, variants))).toEqual([false, true, false]);
  expect(isEmulated("b", undefined, variants)).toBe(true);
});

test("a variant has the name that the server gave it, and the look of its place", () => {
  expect([nameOf(variants, "b"), nameOf(variants, "gone")]).toEqual(["b (emulator)", "gone"]);
  expect(lookOf(variants, "b").marker).toBe("square");
});
