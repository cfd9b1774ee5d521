import { expect, test } from "vitest";
import { decimals, extent, niceStep, place, share, ticks, tickTexts, valueAt } from "./scale";

test("a place leads back to its number", () => {
  const scale = { low: -3, high: 5, from: 200, to: 0 };
  expect(place(scale, -3)).toBe(200);
  expect(place(scale, 5)).toBe(0);
  expect(valueAt(scale, place(scale, 1.25))).toBeCloseTo(1.25, 12);
});

test("a share is told of the whole", () => {
  expect([-3, 1, 5].map((value) => share({ low: -3, high: 5 }, value))).toEqual([0, 0.5, 1]);
});

test("a line without width has its number in the middle", () => {
  expect(place({ low: 2, high: 2, from: 0, to: 100 }, 2)).toBe(50);
});

test("steps are 1, 2 or 5 times a power of ten", () => {
  expect(niceStep(10, 5)).toBe(2);
  expect(niceStep(1, 3)).toBe(0.5);
  expect(niceStep(37, 5)).toBe(10);
  expect(niceStep(0, 5)).toBe(1);
});

test("ticks are round and within the ends, which may be ticks themselves", () => {
  expect(ticks(-1, 1, 4)).toEqual([-1, -0.5, 0, 0.5, 1]);
  expect(ticks(0.1, 0.3, 4)).toEqual([0.1, 0.15, 0.2, 0.25, 0.3]);
  expect(ticks(172.3, 231, 5)).toEqual([180, 200, 220]);
  expect(ticks(Number.NaN, 1, 4)).toEqual([]);
});

test("ticks have as many decimals as tell them apart", () => {
  expect(decimals(0.25)).toBe(1);
  expect(decimals(0.05)).toBe(2);
  expect(decimals(20)).toBe(0);
  expect(tickTexts([-0.5, 0, 0.5], "en")).toEqual(["-0.5", "0.0", "0.5"]);
  expect(tickTexts([0, 0.05], "fr")).toEqual(["0,00", "0,05"]);
  expect(tickTexts([0, 2_000_000], "en")).toEqual(["0E0", "2E6"]);
});

test("a range leaves out what is not finite, and is never without width", () => {
  expect(extent([3, Number.NaN, -1, Infinity])).toEqual([-1, 3]);
  expect(extent([0, 10], 0.1)).toEqual([-1, 11]);
  expect(extent([4, 4])).toEqual([2, 6]);
  expect(extent([Number.NaN])).toBeNull();
});
