import { expect, test } from "vitest";
import { between, jacobian, path, placesOf } from "./activation";

const CURVE = { low: -1, high: 1, values: [0, 1, 4], derivatives: [null, 2, 3] };

test("a curve's numbers lie evenly from its low to its high end", () => {
  expect(placesOf(CURVE)).toEqual([-1, 0, 1]);
});

test("between its numbers a curve is straight, outside and beside gaps it is nothing", () => {
  expect(between(CURVE, CURVE.values, 0.5)).toBe(2.5);
  expect(between(CURVE, CURVE.values, 1)).toBe(4);
  expect(between(CURVE, CURVE.values, 1.1)).toBeNull();
  expect(between(CURVE, CURVE.derivatives, -0.5)).toBeNull();
  expect(between(CURVE, CURVE.values, Number.NaN)).toBeNull();
});

test("a path is interrupted where there is no number", () => {
  const across = { low: -1, high: 1, from: 0, to: 100 };
  const upwards = { low: 0, high: 4, from: 100, to: 0 };
  expect(path(placesOf(CURVE), CURVE.derivatives, across, upwards)).toBe("M50.00 50.00L100.00 25.00");
});

function softmax(z: number[]): number[] {
  const e = z.map(Math.exp);
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((one) => one / sum);
}

test.each([
  ["softmax", softmax],
  ["log_softmax", (z: number[]) => softmax(z).map(Math.log)],
])("the Jacobian of %s is that of numerical differentiation", (name, f) => {
  const z = [0.3, -1.2, 2];
  const found = jacobian(name, f(z))!;
  const h = 1e-5;
  for (let j = 0; j < 3; j++) {
    const [up, down] = [1, -1].map((sign) => f(z.map((one, k) => one + (k === j ? sign * h : 0)))) as [
      number[],
      number[],
    ];
    for (let i = 0; i < 3; i++) expect(found[i]![j]).toBeCloseTo((up[i]! - down[i]!) / (2 * h), 8);
  }
});

test("of an activation that is not known there is no Jacobian", () => {
  expect(jacobian("increasing", [1, 2])).toBeNull();
});
