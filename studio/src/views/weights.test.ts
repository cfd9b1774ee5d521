import { expect, test } from "vitest";
import type { NetworkInfo } from "../protocol/types";
import { matrices, strongest, tiles } from "./weights";

const NETWORK: NetworkInfo = {
  widths: [2, 3, 1],
  parameters: 13,
  tensors: [
    { name: "layers.0.W", layer: 0, shape: [2, 3], offset: 0 },
    { name: "layers.0.b", layer: 0, shape: [3], offset: 6 },
    { name: "layers.1.W", layer: 1, shape: [3, 1], offset: 9 },
    { name: "layers.1.b", layer: 1, shape: [1], offset: 12 },
  ],
};

test("weights are matrices, biases are not", () => {
  expect(matrices(NETWORK)).toEqual([
    { layer: 0, rows: 2, columns: 3, offset: 0 },
    { layer: 1, rows: 3, columns: 1, offset: 9 },
  ]);
});

test("the strongest is the largest absolute value of all epochs, and never 0", () => {
  expect(strongest([[1, -3], null, [2, Infinity, NaN]])).toBe(3);
  expect(strongest([[0, 0]])).toBe(1);
  expect(strongest([])).toBe(1);
});

test("matrices lie one under the other with square cells, within their room", () => {
  const placed = tiles(matrices(NETWORK), 90, 200, 10);
  const cell = placed[0]!.width / 3;
  for (const { matrix, width, height } of placed) {
    expect(width / matrix.columns).toBeCloseTo(cell, 12);
    expect(height / matrix.rows).toBeCloseTo(cell, 12);
  }
  expect(placed[1]!.y).toBeGreaterThanOrEqual(placed[0]!.y + placed[0]!.height + 10 - 1e-9);
  expect(placed[1]!.y + placed[1]!.height).toBeLessThanOrEqual(200);
  expect(Math.max(...placed.map(({ width }) => width))).toBeLessThanOrEqual(90);
});

test("matrices for which there is no room are not drawn", () => {
  expect(tiles(matrices(NETWORK), 90, 15, 10)).toEqual([]);
  expect(tiles([], 90, 200, 10)).toEqual([]);
});
