import { expect, test } from "vitest";
import type { Frame, Tensor } from "../protocol/frame";
import type { DataInfo } from "../protocol/types";
import { NONE, overOneAxis, placeOf, sampleAt, samplesOf, targetRange } from "./samples";

const POINTS = Float32Array.from([0, 5, 2, 0, 1, 6, 4, 1, 2, 7, 0, 1]);
const SAMPLES = { points: POINTS, places: Int32Array.from([7, 7, 3]) };
const REGRESSION = { task: "regression", classes: [] as string[] } as DataInfo;
const THREE = { task: "classification", classes: ["a", "b", "c"] } as DataInfo;

test("a sample is found by its part and its row in it, and back", () => {
  expect(sampleAt(SAMPLES, 0)).toEqual({ part: "training", row: 7 });
  expect(sampleAt(SAMPLES, 1)).toEqual({ part: "validation", row: 7 });
  expect([0, 1, 2].map((i) => placeOf(SAMPLES, sampleAt(SAMPLES, i)))).toEqual([0, 1, 2]);
  expect(placeOf(SAMPLES, { part: "training", row: 3 })).toBe(-1);
  expect(placeOf(SAMPLES, null)).toBe(-1);
  expect(sampleAt(SAMPLES, 9)).toBeNull();
});

test("a frame without samples has none", () => {
  expect(samplesOf(null)).toBe(NONE);
  const arrays = new Map<string, Tensor>([["points", { shape: [3, 4], data: POINTS }]]);
  expect(samplesOf({ type: "frame", header: {} as Frame["header"], arrays })).toBe(NONE);
});

test("targets range over their numbers, or over the places of classes", () => {
  expect(targetRange(POINTS, REGRESSION)).toEqual([0, 4]);
  expect(targetRange(POINTS, THREE)).toEqual([0, 2]);
  expect(targetRange([], REGRESSION)).toEqual([-1, 1]);
});

test("over one axis a regression's samples lie at their targets, those of many classes at 1", () => {
  expect([...overOneAxis(POINTS, REGRESSION)].filter((_, i) => i % 4 === 1)).toEqual([2, 4, 0]);
  expect([...overOneAxis(POINTS, THREE)].filter((_, i) => i % 4 === 1)).toEqual([1, 1, 1]);
  expect(POINTS[1]).toBe(5);
});
