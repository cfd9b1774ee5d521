// Samples of a frame: which they are, and where they lie on the picture.

import { integers, floats, type Frame } from "../protocol/frame";
import type { DataInfo, Sample } from "../protocol/types";
import { pointCount, type Points } from "./boundary";
import { extent } from "./scale";

/** The frame's samples, and their rows in their parts. */
export interface Samples {
  readonly points: Points;
  readonly places: ArrayLike<number>;
}

export const NONE: Samples = { points: [], places: [] };

export function samplesOf(frame: Frame | null): Samples {
  const points = floats(frame, "points")?.data;
  const places = integers(frame, "places")?.data;
  return points && places ? { points, places } : NONE;
}

/** The range of all targets: the numbers of a regression, the places of classes. */
export function targetRange(points: Points, data: DataInfo): [number, number] {
  if (data.task === "classification") return [0, Math.max(1, data.classes.length - 1)];
  return extent(Array.from({ length: pointCount(points) }, (_, i) => points[4 * i + 2]!)) ?? [-1, 1];
}

/** Upwards, over one axis: a regression's target; the probability that a sample of two classes should have, 1 of one of many. */
export function overOneAxis(points: Points, data: DataInfo): Float64Array {
  const out = Float64Array.from(points);
  for (let i = 0; i < pointCount(points); i++) {
    const target = points[4 * i + 2]!;
    out[4 * i + 1] = data.task === "regression" || data.classes.length <= 2 ? target : 1;
  }
  return out;
}

/** The sample at a place of the points. */
export function sampleAt({ points, places }: Samples, i: number): Sample | null {
  const row = places[i];
  if (row === undefined || i < 0 || i >= pointCount(points)) return null;
  return { part: points[4 * i + 3] === 1 ? "validation" : "training", row };
}

/** The place of a sample among the points; −1 where it is not among them. */
export function placeOf(samples: Samples, sample: Sample | null): number {
  if (!sample) return -1;
  for (let i = 0; i < pointCount(samples.points); i++) {
    if (samples.places[i] !== sample.row) continue;
    if ((samples.points[4 * i + 3] === 1) === (sample.part === "validation")) return i;
  }
  return -1;
}
