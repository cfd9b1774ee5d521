import { expect, test } from "vitest";
import { confusionOf, deviation, rate, residuals } from "./scores";

const DATA = Int32Array.from([8, 2, 1, 9, 0, 0, 0, 4]);

test("training comes before validation, rows are the classes of samples", () => {
  const training = confusionOf(DATA, 2, "training");
  expect(training.counts).toEqual([
    [8, 2],
    [1, 9],
  ]);
  expect(training.total).toBe(20);
  expect(training.accuracy).toBe(0.85);
  expect(training.recall).toEqual([0.8, 0.9]);
  expect(training.precision).toEqual([8 / 9, 9 / 11]);
  expect(rate(training, 0, 1)).toBe(0.2);
});

test("a class without samples has no rate, and a part without samples no accuracy", () => {
  const validation = confusionOf(DATA, 2, "validation");
  expect(validation.recall).toEqual([null, 1]);
  expect(rate(validation, 0, 0)).toBeNull();
  expect(confusionOf(new Int32Array(8), 2, "training").accuracy).toBeNull();
});

test("deviations are those that are computed by hand", () => {
  // Targets 1, 2, 3; predictions 1, 3, 5: off by 0, 1, 2; squares 5, around the mean 2.
  const found = deviation([1, 1, 2, 3, 3, 5])!;
  expect(found.count).toBe(3);
  expect(found.rmse).toBeCloseTo(Math.sqrt(5 / 3), 12);
  expect(found.mae).toBe(1);
  expect(found.bias).toBe(1);
  expect(found.r2).toBeCloseTo(1 - 5 / 2, 12);
});

test("pairs that are no numbers are left out, and equal targets have no R²", () => {
  expect(deviation([1, NaN])).toBeNull();
  expect(deviation([2, 1, 2, 3, NaN, 3])!.count).toBe(2);
  expect(deviation([2, 1, 2, 3])!.r2).toBeNull();
});

test("a residual is the prediction less the target", () => {
  expect([...residuals([1, 3, 2, 1])]).toEqual([1, 2, 2, -1]);
});
