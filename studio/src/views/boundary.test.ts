import { expect, test } from "vitest";
import {
  classBoundaries,
  corners,
  type Field,
  fineness,
  nearest,
  neighbour,
  outputsAt,
  overhang,
  paintClasses,
  paintNumbers,
  ranked,
  refined,
  SHAPES,
} from "./boundary";
import { diverging, mix, type Rgb, rgbOf } from "./colour";

const ORANGE: Rgb = [200, 100, 0];
const BLUE: Rgb = [0, 100, 200];
const GREEN: Rgb = [0, 200, 100];
const WHITE: Rgb = [255, 255, 255];

test("classes are ranked by their probabilities", () => {
  expect(ranked([0.2, 0.5, 0.3])).toEqual([
    { k: 1, share: 0.5 },
    { k: 2, share: 0.3 },
    { k: 0, share: 0.2 },
  ]);
});

test("the picture's first row is the grid's last, and sides are not swapped", () => {
  // Lower left and upper right are surely the second class.
  const field: Field = { rows: 2, columns: 2, outputs: 2, data: [0, 1, 1, 0, 1, 0, 0, 1] };
  const into = new Uint32Array(4);
  paintClasses(field, [ORANGE, BLUE], WHITE, true, into);
  const [upperLeft, upperRight, lowerLeft, lowerRight] = [...into];
  expect(upperRight).toBe(lowerLeft);
  expect(upperLeft).toBe(lowerRight);
  expect(rgbOf(lowerLeft!)[2]).toBeGreaterThan(rgbOf(lowerLeft!)[0]);
});

test("the less sure, the paler: where both are as likely the ground itself is seen", () => {
  const field: Field = { rows: 1, columns: 3, outputs: 2, data: [0.5, 0.5, 0.25, 0.75, 0, 1] };
  const into = new Uint32Array(3);
  paintClasses(field, [ORANGE, BLUE], WHITE, false, into);
  const reds = [...into].map((one) => rgbOf(one)[0]);
  expect(rgbOf(into[0]!)).toEqual([255, 255, 255]);
  expect(reds[1]).toBeLessThan(reds[0]!);
  expect(reds[2]).toBeLessThan(reds[1]!);
});

test("several classes are mixed by their probabilities, unless each place gets its likeliest", () => {
  const field: Field = { rows: 1, columns: 1, outputs: 3, data: [0.6, 0.4, 0] };
  const [mixed, cut] = [new Uint32Array(1), new Uint32Array(1)];
  paintClasses(field, [ORANGE, BLUE, GREEN], WHITE, false, mixed);
  paintClasses(field, [ORANGE, BLUE, GREEN], WHITE, true, cut);
  const expected = mix(WHITE, mix(ORANGE, BLUE, 0.4), 0.62 * ((0.6 - 1 / 3) / (2 / 3)));
  rgbOf(mixed[0]!).forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1));
  expect(rgbOf(cut[0]!)).toEqual(mix(WHITE, ORANGE, 0.62).map(Math.round));
});

test("a regression's numbers lie on the scale, in bands if wanted", () => {
  const field: Field = { rows: 1, columns: 3, outputs: 1, data: [-1, 0, 1] };
  const scale = diverging(ORANGE, WHITE, BLUE, 101);
  const into = new Uint32Array(3);
  paintNumbers(field, -1, 1, scale, false, into);
  expect([...into]).toEqual([scale[0], scale[50], scale[100]]);
  paintNumbers(field, -1, 1, scale, true, into);
  expect([...into]).toEqual([scale[5], scale[55], scale[95]]);
});

test("the grid's outermost values are drawn centred on the picture's edges", () => {
  expect(overhang(5, 100)).toEqual({ start: -12.5, length: 125 });
  expect(overhang(1, 100)).toEqual({ start: 0, length: 100 });
});

test("between grid points outputs are interpolated", () => {
  const field: Field = { rows: 2, columns: 2, outputs: 2, data: [0, 10, 1, 10, 2, 10, 3, 10] };
  expect(outputsAt(field, 0, 0)).toEqual([0, 10]);
  expect(outputsAt(field, 1, 1)).toEqual([3, 10]);
  expect(outputsAt(field, 0.5, 0.5)).toEqual([1.5, 10]);
  expect(outputsAt(field, -5, 7)).toEqual([2, 10]);
});

/** Outputs of a network that is surely one class or the other, a slanted line apart: z = steepness · (x + y / 2 − 0.73). */
function slanted(n: number, steepness: number): Field {
  const data = new Float32Array(2 * n * n);
  for (let i = 0; i < n * n; i++) {
    const z = steepness * ((i % n) / (n - 1) + Math.floor(i / n) / (n - 1) / 2 - 0.73);
    [data[2 * i], data[2 * i + 1]] = [1 / (1 + Math.exp(z)), 1 / (1 + Math.exp(-z))];
  }
  return { rows: n, columns: n, outputs: 2, data };
}

test("the line between classes is straight, however steep the network", () => {
  for (const steepness of [1, 100, 1000]) {
    const segments = classBoundaries(slanted(21, steepness));
    expect(segments.length).toBeGreaterThan(40);
    for (let i = 0; i < segments.length; i += 2) expect(segments[i]! + segments[i + 1]! / 2).toBeCloseTo(0.73, 4);
  }
});

test("a finer grid has what the network says between, and the same where it had it", () => {
  const [coarse, exact] = [slanted(11, 60), slanted(31, 60)];
  const fine = refined(coarse, 3);
  expect([fine.rows, fine.columns]).toEqual([31, 31]);
  for (let i = 0; i < fine.data.length; i++) expect(Math.abs(fine.data[i]! - exact.data[i]!)).toBeLessThan(0.03);
  expect(refined(coarse, 1)).toBe(coarse);
});

test("many classes are refined less, so that they are drawn as fast", () => {
  const of = (outputs: number) => fineness({ rows: 60, columns: 60, outputs, data: [] });
  expect([2, 3, 5, 40].map(of)).toEqual([3, 3, 2, 1]);
});

test("the line around a disc has its radius everywhere, and closes", () => {
  const n = 41;
  const data = Array.from({ length: n * n }, (_, i) => {
    const [x, y] = [(i % n) / (n - 1) - 0.5, Math.floor(i / n) / (n - 1) - 0.5];
    const p = 1 / (1 + Math.exp(-50 * (0.3 - Math.hypot(x, y))));
    return [1 - p, p];
  }).flat();
  const segments = classBoundaries({ rows: n, columns: n, outputs: 2, data });
  let length = 0;
  for (let i = 0; i < segments.length; i += 4) {
    const [x0, y0, x1, y1] = segments.slice(i, i + 4) as [number, number, number, number];
    expect(Math.hypot(x0 - 0.5, y0 - 0.5)).toBeCloseTo(0.3, 2);
    length += Math.hypot(x1 - x0, y1 - y0);
  }
  expect(length).toBeCloseTo(2 * Math.PI * 0.3, 1);
});

test("two classes have their line where both are as likely, and three a line around each", () => {
  // Log-odds −2, −1 and 3: they are 0 a quarter of the way from the second place to the third.
  const p = [-2, -1, 3].map((z) => 1 / (1 + Math.exp(-z))).flatMap((one) => [1 - one, one]);
  const two: Field = { rows: 2, columns: 3, outputs: 2, data: [...p, ...p] };
  const [x0, y0, x1, y1, ...more] = classBoundaries(two);
  expect(more).toEqual([]);
  for (const x of [x0, x1]) expect(x).toBeCloseTo(0.625, 12);
  expect([y0, y1].sort()).toEqual([0, 1]);
  const three: Field = {
    rows: 2,
    columns: 3,
    outputs: 3,
    data: [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1],
  };
  expect(new Set(classBoundaries(three).filter((_, i) => i % 2 === 0))).toEqual(new Set([0.25, 0.75]));
});

const POINTS = [0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 5, 5, 1, 0];

test("the nearest sample is found by pixels, not by units", () => {
  expect(nearest(POINTS, 0.6, 0.5, 1, 1)).toBe(1);
  expect(nearest(POINTS, 0.6, 0.55, 1, 100)).toBe(2);
  expect(nearest(POINTS, 3, 3, 1, 1, 0.5)).toBe(-1);
  expect(nearest([], 0, 0, 1, 1)).toBe(-1);
});

test("arrow keys lead to the next sample in their direction, and stay where none is", () => {
  expect(neighbour(POINTS, 0, "right", 1, 1)).toBe(1);
  expect(neighbour(POINTS, 0, "up", 1, 1)).toBe(2);
  expect(neighbour(POINTS, 1, "left", 1, 1)).toBe(0);
  expect(neighbour(POINTS, 3, "up", 1, 1)).toBe(3);
});

test("shapes of classes have about the area of the circle, so that none looks more important", () => {
  for (const shape of SHAPES) {
    const points = corners(shape);
    if (points.length === 0) continue;
    const area = points.reduce((sum, [x, y], i) => {
      const [x1, y1] = points[(i + 1) % points.length]!;
      return sum + (x * y1 - x1 * y) / 2;
    }, 0);
    expect(Math.abs(area) / Math.PI).toBeGreaterThan(0.7);
    expect(Math.abs(area) / Math.PI).toBeLessThan(1.3);
  }
});
