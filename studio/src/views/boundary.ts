// The picture of a network's outputs over two inputs: its pixels, its boundary lines, and the samples on it.

import { banded, mix, pixel, stepOf, type Rgb } from "./colour";

/** Outputs on a grid of rows × columns, from the lower left; the outermost lie on the ends of the axes. */
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

/**
 * Probabilities of the classes from outputs `data[at..at+outputs]`, written to `into`.
 * One output is that of the second class. Outputs none of which is positive are logarithms. Others are clipped at 0 and divided by their sum,
 * so that scores of a network that is no distribution are shown too.
 */
export function probabilities(data: ArrayLike<number>, at: number, outputs: number, into: Float64Array): void {
  if (outputs === 1) {
    const p = Math.min(1, Math.max(0, data[at] as number));
    into[0] = 1 - p;
    into[1] = p;
    return;
  }
  let highest = -Infinity;
  for (let k = 0; k < outputs; k++) highest = Math.max(highest, data[at + k] as number);
  const logarithms = highest <= 0;
  let sum = 0;
  for (let k = 0; k < outputs; k++) {
    const value = data[at + k] as number;
    const p = logarithms ? Math.exp(value - highest) : Math.max(0, value);
    into[k] = p;
    sum += p;
  }
  for (let k = 0; k < outputs; k++) into[k] = sum > 0 ? (into[k] as number) / sum : 1 / outputs;
}

/** How many classes so many outputs tell apart. */
export function classesOf(outputs: number): number {
  return outputs === 1 ? 2 : outputs;
}

/** The likeliest of the first `count` numbers; of equal ones the first. */
export function likeliest(p: ArrayLike<number>, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if ((p[k] as number) > (p[best] as number)) best = k;
  return best;
}

/** The classes with their probabilities, the likeliest first. */
export function ranked(outputs: ArrayLike<number>): { k: number; share: number }[] {
  const p = new Float64Array(classesOf(outputs.length));
  probabilities(outputs, 0, outputs.length, p);
  return Array.from(p, (share, k) => ({ k, share })).sort((a, b) => b.share - a.share);
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
  const count = classesOf(outputs);
  const sure = colours.map((colour) => pixel(mix(ground, colour, STRENGTH)));
  const p = new Float64Array(count);
  for (let row = 0; row < rows; row++) {
    let at = (rows - 1 - row) * columns * outputs;
    for (let column = 0; column < columns; column++, at += outputs) {
      probabilities(data, at, outputs, p);
      const best = likeliest(p, count);
      const place = row * columns + column;
      if (discretise) {
        into[place] = sure[best] as number;
        continue;
      }
      let r = 0;
      let g = 0;
      let b = 0;
      for (let k = 0; k < count; k++) {
        const share = p[k] as number;
        const colour = colours[k] as Rgb;
        r += share * colour[0];
        g += share * colour[1];
        b += share * colour[2];
      }
      // 0 where all classes are as likely, 1 where one is sure.
      const certainty = ((p[best] as number) - 1 / count) / (1 - 1 / count);
      const t = STRENGTH * certainty;
      into[place] = pixel([
        ground[0] + (r - ground[0]) * t,
        ground[1] + (g - ground[1]) * t,
        ground[2] + (b - ground[2]) * t,
      ]);
    }
  }
}

/** Fills a picture, rows from above, with output `which` on a scale from low to high. */
export function paintNumbers(
  field: Field,
  which: number,
  low: number,
  high: number,
  scale: Uint32Array,
  discretise: boolean,
  into: Uint32Array,
): void {
  const { rows, columns, outputs, data } = field;
  for (let row = 0; row < rows; row++) {
    let at = (rows - 1 - row) * columns * outputs + which;
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
  const count = classesOf(outputs);
  const p = new Float64Array(count);
  const margins = Array.from({ length: count }, () => new Float64Array(rows * columns));
  for (let i = 0; i < rows * columns; i++) {
    probabilities(data, i * outputs, outputs, p);
    const best = likeliest(p, count);
    let next = -Infinity;
    for (let k = 0; k < count; k++) if (k !== best) next = Math.max(next, p[k] as number);
    for (let k = 0; k < count; k++) {
      (margins[k] as Float64Array)[i] = (p[k] as number) - (k === best ? next : (p[best] as number));
    }
  }
  // Two classes have one line between them, more one around each.
  return (count === 2 ? margins.slice(1) : margins).flatMap((margin) => contour(margin, rows, columns));
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

/** The output of a regression that is drawn: of quantiles the middle one, of mean and scale the mean. */
export function centralOutput(outputs: number): number {
  return outputs === 2 ? 0 : outputs >> 1;
}
