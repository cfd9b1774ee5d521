// The picture of a network's outputs over two inputs: its pixels, its boundary lines, and the samples on it.

import { banded, mix, pixel, stepOf, type Rgb } from "./colour";

/**
 * What the network says on a grid of rows × columns, from the lower left; the outermost lie on the ends of the axes. Of
 * classes it is the probability of each, of a regression one number.
 */
export interface Field {
  readonly rows: number;
  readonly columns: number;
  readonly outputs: number;
  readonly data: ArrayLike<number>;
}

/** How strongly a surely predicted class colours the ground: less than its samples, which lie upon it. */
export const STRENGTH = 0.62;

/** Bands of a regression's scale, where it is cut into such. */
export const BANDS = 10;

/** Which of the `count` numbers from a place on is the highest; of equal ones the first. */
function likeliest(p: ArrayLike<number>, at: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (p[at + k]! > p[at + best]!) best = k;
  return best;
}

/** The classes with their probabilities, the likeliest first. */
export function ranked(outputs: ArrayLike<number>): { k: number; share: number }[] {
  return Array.from(outputs, (share, k) => ({ k, share })).sort((a, b) => b.share - a.share);
}

/**
 * Fills a picture, rows from above, with the classes' colours: mixed as probable, and the paler the less sure.
 * `discretise` gives each place the colour of its likeliest class alone.
 */
export function paintClasses(
  field: Field,
  colours: readonly Rgb[],
  ground: Rgb,
  discretise: boolean,
  into: Uint32Array,
): void {
  const { rows, columns, outputs, data } = field;
  const sure = colours.map((colour) => pixel(mix(ground, colour, STRENGTH)));
  for (let row = 0; row < rows; row++) {
    let at = (rows - 1 - row) * columns * outputs;
    for (let column = 0; column < columns; column++, at += outputs) {
      const best = likeliest(data, at, outputs);
      const place = row * columns + column;
      if (discretise) {
        into[place] = sure[best] as number;
        continue;
      }
      let r = 0;
      let g = 0;
      let b = 0;
      for (let k = 0; k < outputs; k++) {
        const share = data[at + k]!;
        const colour = colours[k] as Rgb;
        r += share * colour[0];
        g += share * colour[1];
        b += share * colour[2];
      }
      // 0 where all classes are as likely, 1 where one is sure.
      const certainty = (data[at + best]! - 1 / outputs) / (1 - 1 / outputs);
      const t = STRENGTH * certainty;
      // As `pixel`, but without making a colour: this is where the time goes.
      const [red, green, blue] = ground;
      into[place] =
        0xff000000 |
        ((blue + (b - blue) * t + 0.5) << 16) |
        ((green + (g - green) * t + 0.5) << 8) |
        (red + (r - red) * t + 0.5);
    }
  }
}

/** Fills a picture, rows from above, with a regression's numbers on a scale from low to high. */
export function paintNumbers(
  field: Field,
  low: number,
  high: number,
  scale: Uint32Array,
  discretise: boolean,
  into: Uint32Array,
): void {
  const { rows, columns, outputs, data } = field;
  for (let row = 0; row < rows; row++) {
    let at = (rows - 1 - row) * columns * outputs;
    for (let column = 0; column < columns; column++, at += outputs) {
      const value = data[at] as number;
      const shown = discretise ? banded(value, low, high, BANDS) : value;
      into[row * columns + column] = scale[stepOf(shown, low, high, scale.length)] as number;
    }
  }
}

/** Where, of a picture of `size` pixels, the grid's picture is drawn so that its outermost values lie on the ends. */
export function overhang(cells: number, size: number): { start: number; length: number } {
  if (cells < 2) return { start: 0, length: size };
  const cell = size / (cells - 1);
  return { start: -cell / 2, length: cell * cells };
}

/** The outputs at a place of the grid, x and y from 0 to 1, between its values as on straight lines. */
export function outputsAt(field: Field, x: number, y: number): number[] {
  const across = Math.min(1, Math.max(0, x)) * (field.columns - 1);
  const up = Math.min(1, Math.max(0, y)) * (field.rows - 1);
  const column = Math.min(Math.max(0, field.columns - 2), Math.floor(across));
  const row = Math.min(Math.max(0, field.rows - 2), Math.floor(up));
  const right = field.columns > 1 ? 1 : 0;
  const above = field.rows > 1 ? 1 : 0;
  const [s, t] = [across - column, up - row];
  const at = (r: number, c: number, k: number) => field.data[(r * field.columns + c) * field.outputs + k] as number;
  return Array.from({ length: field.outputs }, (_, k) => {
    const below = at(row, column, k) * (1 - s) + at(row, column + right, k) * s;
    const over = at(row + above, column, k) * (1 - s) + at(row + above, column + right, k) * s;
    return below * (1 - t) + over * t;
  });
}

/**
 * The logarithm of a probability: between places of the grid logarithms are nearly straight, where probabilities leap from
 * 0 to 1. What is 0 in 32 bits is as small as these can be.
 */
function logarithm(p: number): number {
  return Math.log(Math.max(p, 1e-38));
}

const ALIKE = 0.03; // so little may probabilities differ at the corners of a cell for the straight way between them to do

/** Whether four places of the grid, given by where their outputs begin, say nearly the same. */
function alike(data: ArrayLike<number>, corners: readonly number[], outputs: number): boolean {
  for (let k = 0; k < outputs; k++) {
    const [a, b, c, d] = [
      data[corners[0]! + k]!,
      data[corners[1]! + k]!,
      data[corners[2]! + k]!,
      data[corners[3]! + k]!,
    ];
    if (Math.max(a, b, c, d) - Math.min(a, b, c, d) > ALIKE) return false;
  }
  return true;
}

/**
 * Probabilities on a finer grid, with `times` as many places between two. Where they change much from one place to the
 * next, what lies between has logarithms as on straight lines, and sums to 1.
 */
export function refined(field: Field, times: number): Field {
  const { rows, columns, outputs, data } = field;
  if (times === 1 || rows < 2 || columns < 2) return field;
  const [fineRows, fineColumns] = [(rows - 1) * times + 1, (columns - 1) * times + 1];
  const out = new Float32Array(fineRows * fineColumns * outputs);
  const corner = new Float64Array(4 * outputs);
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = (row * columns + column) * outputs;
      const corners = [at, at + outputs, at + columns * outputs, at + (columns + 1) * outputs];
      const straight = alike(data, corners, outputs);
      for (let c = 0; c < 4; c++) {
        for (let k = 0; k < outputs; k++) {
          const p = data[corners[c]! + k]!;
          corner[c * outputs + k] = straight ? p : logarithm(p);
        }
      }
      // The last cells have the grid's upper and right edges too.
      const [up, right] = [row + 2 === rows ? times : times - 1, column + 2 === columns ? times : times - 1];
      for (let i = 0; i <= up; i++) {
        for (let j = 0; j <= right; j++) {
          const [t, s] = [i / times, j / times];
          const to = ((row * times + i) * fineColumns + column * times + j) * outputs;
          let sum = 0;
          for (let k = 0; k < outputs; k++) {
            const low = corner[k]! * (1 - s) + corner[outputs + k]! * s;
            const high = corner[2 * outputs + k]! * (1 - s) + corner[3 * outputs + k]! * s;
            const value = low * (1 - t) + high * t;
            const p = straight ? value : Math.exp(value);
            out[to + k] = p;
            sum += p;
          }
          if (!straight) for (let k = 0; k < outputs; k++) out[to + k]! /= sum || 1;
        }
      }
    }
  }
  return { rows: fineRows, columns: fineColumns, outputs, data: out };
}

/** How many times finer a field of classes is painted: as far as a picture of so many numbers is still drawn in about 2 ms. */
export function fineness({ rows, columns, outputs }: Field): number {
  return Math.min(3, Math.max(1, Math.floor(Math.sqrt(100_000 / (rows * columns * outputs)))));
}

/** By how much a class is likelier than the likeliest of the others, in logarithms; below 0 where it is not the likeliest. */
function margin(data: ArrayLike<number>, at: number, outputs: number, k: number): number {
  let next = 0;
  for (let other = 0; other < outputs; other++) if (other !== k) next = Math.max(next, data[at + other]!);
  return logarithm(data[at + k]!) - logarithm(next);
}

/**
 * The lines between the classes, where the likeliest is as likely as the next: segments x0, y0, x1, y1, each from 0 to 1.
 * Two classes have one line between them, more one around each. Marching squares; of a saddle, where a class has two
 * opposite corners of a cell, its corners are cut off.
 */
export function classBoundaries(field: Field): number[] {
  const { rows, columns, outputs, data } = field;
  const best = new Uint16Array(rows * columns);
  for (let i = 0; i < rows * columns; i++) best[i] = likeliest(data, i * outputs, outputs);
  const out: number[] = [];
  const crossing = (from: number, to: number) => from / (from - to);
  const add = (x: number, y: number) => out.push(x / (columns - 1), y / (rows - 1));
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = row * columns + column;
      const corners = [at, at + 1, at + columns + 1, at + columns]; // lower left, then counter-clockwise
      const classes = new Set(corners.map((one) => best[one]!));
      if (classes.size === 1) continue;
      for (const k of classes) {
        if (outputs === 2 && k === 0) continue;
        const [a, b, c, d] = corners.map((one) => margin(data, one * outputs, outputs, k)) as [
          number,
          number,
          number,
          number,
        ];
        if (a > 0 !== b > 0) add(column + crossing(a, b), row);
        if (b > 0 !== c > 0) add(column + 1, row + crossing(b, c));
        if (c > 0 !== d > 0) add(column + 1 - crossing(c, d), row + 1);
        if (d > 0 !== a > 0) add(column, row + 1 - crossing(d, a));
      }
    }
  }
  return out;
}

/** Samples as frames have them: four numbers each: across, upwards, target, 1 where it is held out. */
export type Points = ArrayLike<number>;

export function pointCount(points: Points): number {
  return Math.floor(points.length / 4);
}

/** The sample nearest to a place, by a distance that counts `perX` and `perY` pixels for one unit; −1 where there is none. */
export function nearest(points: Points, x: number, y: number, perX: number, perY: number, within = Infinity): number {
  let best = -1;
  let least = within * within;
  for (let i = 0; i < pointCount(points); i++) {
    const dx = ((points[4 * i] as number) - x) * perX;
    const dy = ((points[4 * i + 1] as number) - y) * perY;
    const square = dx * dx + dy * dy;
    if (square <= least && (best < 0 || square < least)) {
      best = i;
      least = square;
    }
  }
  return best;
}

export type Direction = "left" | "right" | "up" | "down";

/** The sample to which an arrow key leads from another: a near one in that direction; the same where none lies there. */
export function neighbour(points: Points, from: number, direction: Direction, perX: number, perY: number): number {
  const sign = direction === "left" || direction === "down" ? -1 : 1;
  const across = direction === "left" || direction === "right";
  let best = from;
  let least = Infinity;
  for (let i = 0; i < pointCount(points); i++) {
    if (i === from) continue;
    const dx = ((points[4 * i] as number) - (points[4 * from] as number)) * perX;
    const dy = ((points[4 * i + 1] as number) - (points[4 * from + 1] as number)) * perY;
    const along = sign * (across ? dx : dy);
    const aside = Math.abs(across ? dy : dx);
    if (along <= 0) continue;
    // What lies aside counts twice, so that the way follows the key.
    const cost = Math.hypot(along, 2 * aside);
    if (cost < least) {
      best = i;
      least = cost;
    }
  }
  return best;
}

/** The outlines of classes' samples, so that colour is never all that tells them apart. */
export const SHAPES = ["circle", "square", "triangle", "diamond", "cross"] as const;
export type Shape = (typeof SHAPES)[number];

export function shapeOf(index: number): Shape {
  return SHAPES[((index % SHAPES.length) + SHAPES.length) % SHAPES.length] as Shape;
}

/** Corners of a shape around 0, of about the area of a circle of radius 1; none of a circle. */
export function corners(shape: Shape): readonly (readonly [number, number])[] {
  switch (shape) {
    case "circle":
      return [];
    case "square":
      return [
        [-0.89, -0.89],
        [0.89, -0.89],
        [0.89, 0.89],
        [-0.89, 0.89],
      ];
    case "triangle":
      return [
        [0, -1.25],
        [1.16, 0.75],
        [-1.16, 0.75],
      ];
    case "diamond":
      return [
        [0, -1.25],
        [1.25, 0],
        [0, 1.25],
        [-1.25, 0],
      ];
    case "cross": {
      const [w, l] = [0.42, 1.2];
      return [
        [-w, -l],
        [w, -l],
        [w, -w],
        [l, -w],
        [l, w],
        [w, w],
        [w, l],
        [-w, l],
        [-w, w],
        [-l, w],
        [-l, -w],
        [-w, -w],
      ];
    }
  }
}

/** What `traceShape` draws on: a canvas's context or a `Path2D`. */
export type Pen = Pick<CanvasPath, "moveTo" | "lineTo" | "closePath" | "arc">;

/** Traces a shape of radius r around (x, y). */
export function traceShape(pen: Pen, shape: Shape, x: number, y: number, r: number): void {
  const points = corners(shape);
  if (points.length === 0) {
    pen.moveTo(x + r, y);
    pen.arc(x, y, r, 0, 2 * Math.PI);
    return;
  }
  points.forEach(([dx, dy], i) => (i === 0 ? pen.moveTo(x + dx * r, y + dy * r) : pen.lineTo(x + dx * r, y + dy * r)));
  pen.closePath();
}

/** The radius at which so many samples can be told apart on a picture so wide. */
export function pointRadius(count: number, width: number): number {
  const room = width / Math.sqrt(Math.max(1, count));
  return Math.min(4.5, Math.max(1.6, room / 7));
}
