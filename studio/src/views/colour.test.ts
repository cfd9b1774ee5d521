import { expect, test } from "vitest";
import { banded, contrast, diverging, mix, pixel, rgbOf, stepOf } from "./colour";

test("a pixel is read back as its colour", () => {
  expect(rgbOf(pixel([12, 200, 255]))).toEqual([12, 200, 255]);
  // Red is the first byte, as in a canvas's memory.
  expect([...new Uint8Array(new Uint32Array([pixel([1, 2, 3])]).buffer)]).toEqual([1, 2, 3, 255]);
});

test("half of the way lies between two colours", () => {
  expect(mix([0, 100, 200], [100, 0, 200], 0.5)).toEqual([50, 50, 200]);
});

test("a diverging scale goes from one end through the middle to the other", () => {
  const scale = diverging([255, 0, 0], [255, 255, 255], [0, 0, 255], 3);
  expect([...scale].map(rgbOf)).toEqual([
    [255, 0, 0],
    [255, 255, 255],
    [0, 0, 255],
  ]);
});

test("numbers outside a scale's range are at its ends, and what is no number in the middle", () => {
  expect([-9, 0, 0.5, 1, 9, Number.NaN].map((value) => stepOf(value, 0, 1, 101))).toEqual([0, 0, 50, 100, 100, 50]);
});

test("bands have the number of their middle", () => {
  expect(banded(0.0, 0, 1, 10)).toBeCloseTo(0.05, 12);
  expect(banded(0.999, 0, 1, 10)).toBeCloseTo(0.95, 12);
  expect(banded(7, 0, 1, 10)).toBeCloseTo(0.95, 12);
});

test("black on white has WCAG's contrast of 21", () => {
  expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 10);
  // #767676 on white: the known grey that just has 4.5.
  expect(contrast([0x76, 0x76, 0x76], [255, 255, 255])).toBeCloseTo(4.54, 2);
});
