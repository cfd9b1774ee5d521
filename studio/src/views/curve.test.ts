import { expect, test } from "vitest";
import { any, epochOf, line, lowest, rowsOf, thinned } from "./curve";

test("a short curve keeps all of its points", () => {
  expect(thinned([3, 1, 2], 100)).toEqual([0, 1, 2]);
});

test("a long curve keeps its spikes, its ends and its order, with few points", () => {
  const values = new Float32Array(100_000).map((_, i) => Math.sin(i / 5000));
  values[31_415] = 50;
  values[92_653] = -50;
  const places = thinned(values, 300);
  expect(places.length).toBeLessThanOrEqual(1200);
  expect(places).toContain(31_415);
  expect(places).toContain(92_653);
  expect([places[0], places.at(-1)]).toEqual([0, 99_999]);
  expect(places).toEqual([...places].sort((a, b) => a - b));
});

test("a gap of a long curve stays a gap", () => {
  const values = new Float32Array(10_000).map((_, i) => (i >= 4000 && i < 5000 ? NaN : 1));
  expect(thinned(values, 100).some((i) => Number.isNaN(values[i]!))).toBe(true);
});

test("one value is one epoch, unless they are spread over more", () => {
  expect([0, 1, 2].map((i) => epochOf(i, 3))).toEqual([1, 2, 3]);
  expect([0, 1, 2].map((i) => epochOf(i, 3, 1001))).toEqual([1, 501, 1001]);
});

test("a logarithmic axis shows nothing of what is not above 0", () => {
  expect(line([1, 0, -1, NaN], 100, true)).toEqual({ epochs: [1, 2, 3, 4], values: [1, null, null, null] });
  expect(line([1, 0, -1, NaN], 100, false).values).toEqual([1, 0, -1, null]);
});

test("a window shows its epochs with one more on either side", () => {
  const values = Array.from({ length: 20 }, (_, i) => i);
  expect(line(values, 100, false, undefined, [5, 8]).epochs).toEqual([4, 5, 6, 7, 8, 9]);
});

test("the lowest is found past what is no number", () => {
  expect(lowest([NaN, 3, 2, 5])).toBe(2);
  expect(lowest([NaN])).toBe(-1);
  expect(any([NaN, NaN])).toBe(false);
  expect(any([NaN, 0])).toBe(true);
});

test("a table has rows from the first to the last", () => {
  expect(rowsOf(3, 10)).toEqual([0, 1, 2]);
  expect(rowsOf(101, 5)).toEqual([0, 25, 50, 75, 100]);
});
