// An activation drawn: its curve and that of its derivative; of one that is of a whole layer, its Jacobian.

import type { ActivationInfo } from "../protocol/types";
import { place, type Scale } from "./scale";

export type ActivationCurve = NonNullable<ActivationInfo["curve"]>;

/** The places of a curve's numbers. */
export function placesOf(curve: ActivationCurve): number[] {
  const n = curve.values.length;
  const step = n > 1 ? (curve.high - curve.low) / (n - 1) : 0;
  return Array.from({ length: n }, (_, i) => curve.low + i * step);
}

/** A number between those of a curve, as on straight lines; null outside its ends, or where there is none. */
export function between(curve: ActivationCurve, numbers: readonly (number | null)[], z: number): number | null {
  const n = numbers.length;
  if (n < 2 || !(z >= curve.low && z <= curve.high)) return null;
  const at = ((z - curve.low) / (curve.high - curve.low)) * (n - 1);
  const i = Math.min(n - 2, Math.floor(at));
  const [a, b] = [numbers[i] ?? null, numbers[i + 1] ?? null];
  return a === null || b === null ? null : a + (b - a) * (at - i);
}

/** The path of an SVG drawing through places and numbers; it is interrupted where there is none. */
export function path(
  places: readonly number[],
  numbers: readonly (number | null)[],
  across: Scale,
  upwards: Scale,
): string {
  let out = "";
  let pen = false;
  for (const [i, x] of places.entries()) {
    const y = numbers[i] ?? null;
    if (y === null) {
      pen = false;
      continue;
    }
    out += `${pen ? "L" : "M"}${place(across, x).toFixed(2)} ${place(upwards, y).toFixed(2)}`;
    pen = true;
  }
  return out;
}

/** ∂aᵢ/∂zⱼ of activations of a whole layer, from their outputs a. */
const JACOBIANS: Readonly<Record<string, (a: readonly number[], i: number, j: number) => number>> = {
  softmax: (a, i, j) => a[i]! * ((i === j ? 1 : 0) - a[j]!),
  log_softmax: (a, i, j) => (i === j ? 1 : 0) - Math.exp(a[j]!),
};

/** The Jacobian, rows i and columns j; null of an activation whose Jacobian is not known here. */
export function jacobian(name: string, outputs: ArrayLike<number>): number[][] | null {
  const entry = JACOBIANS[name];
  if (!entry) return null;
  const a = Array.from(outputs);
  return a.map((_, i) => a.map((_, j) => entry(a, i, j)));
}
