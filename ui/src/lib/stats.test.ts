import { expect, test } from "vitest";
import { median } from "./stats";

test("the median of an even number is between the middle ones", () => {
  expect([median([4, 1, 3, 2]), median([5, 1, 3]), median([])]).toEqual([2.5, 3, undefined]);
});
