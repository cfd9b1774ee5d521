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
      into[place] = pixel([
        ground[0] + (r - ground[0]) * t,
        ground[1] + (g - ground[1]) * t,
        ground[2] + (b - ground[2]) * t,
      ]);
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

/** The same field on a finer grid, with `times` as many places between two: what lies between is as on straight lines. */
export function refined(field: Field, times: number): Field {
  const { rows, columns, outputs, data } = field;
  const [fineRows, fineColumns] = [(rows - 1) * times + 1, (columns - 1) * times + 1];
  const out = new Float32Array(fineRows * fineColumns * outputs);
  let at = 0;
  for (let row = 0; row < fineRows; row++) {
    const below = Math.floor(row / times);
    const t = row / times - below;
    const up = t > 0 ? columns * outputs : 0;
    for (let column = 0; column < fineColumns; column++) {
      const left = Math.floor(column / times);
      const s = column / times - left;
      const right = s > 0 ? outputs : 0;
      let from = (below * columns + left) * outputs;
      for (let k = 0; k < outputs; k++, from++, at++) {
        const low = data[from]! * (1 - s) + data[from + right]! * s;
        const high = data[from + up]! * (1 - s) + data[from + up + right]! * s;
        out[at] = low * (1 - t) + high * t;
      }
    }
  }
  return { rows: fineRows, columns: fineColumns, outputs, data: out };
}

/**
 * The lines where `values` (rows × columns, from the lower left) are 0, as segments x0, y0, x1, y1, each from 0 to 1.
 * Marching squares; of a saddle the two lines that cut off the corners below are taken.
 */
export function contour(values: ArrayLike<number>, rows: number, columns: number): number[] {
  const out: number[] = [];
  const crossing = (from: number, to: number) => from / (from - to);
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = row * columns + column;
      const a = values[at] as number; // lower left, then counter-clockwise
      const b = values[at + 1] as number;
      const c = values[at + columns + 1] as number;
      const d = values[at + columns] as number;
      const ends: number[] = [];
      if (a > 0 !== b > 0) ends.push(column + crossing(a, b), row);
      if (b > 0 !== c > 0) ends.push(column + 1, row + crossing(b, c));
      if (c > 0 !== d > 0) ends.push(column + 1 - crossing(c, d), row + 1);
      if (d > 0 !== a > 0) ends.push(column, row + 1 - crossing(d, a));
      for (let i = 0; i + 3 < ends.length; i += 4) {
        out.push(
          (ends[i] as number) / (columns - 1),
          (ends[i + 1] as number) / (rows - 1),
          (ends[i + 2] as number) / (columns - 1),
          (ends[i + 3] as number) / (rows - 1),
        );
      }
    }
  }
  return out;
}

/** The lines between the classes: where the likeliest is as likely as the next. */
export function classBoundaries(field: Field): number[] {
  const { rows, columns, outputs, data } = field;
  const margins = Array.from({ length: outputs }, () => new Float64Array(rows * columns));
  for (let i = 0; i < rows * columns; i++) {
    const at = i * outputs;
    const best = likeliest(data, at, outputs);
    let next = -Infinity;
    for (let k = 0; k < outputs; k++) if (k !== best) next = Math.max(next, data[at + k]!);
    for (let k = 0; k < outputs; k++) margins[k]![i] = data[at + k]! - (k === best ? next : data[at + best]!);
  }
  // Two classes have one line between them, more one around each.
  return (outputs === 2 ? margins.slice(1) : margins).flatMap((margin) => contour(margin, rows, columns));
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
