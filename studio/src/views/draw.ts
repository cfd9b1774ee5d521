// What is drawn on canvases: the ground, its lines and the samples; on the page, in recordings, and in what is taken away.

import type { DataInfo } from "../protocol/types";
import {
  classBoundaries,
  type Field,
  fineness,
  overhang,
  paintClasses,
  paintNumbers,
  pointCount,
  pointRadius,
  type Points,
  refined,
  shapeOf,
  STRENGTH,
  traceShape,
} from "./boundary";
import { css, diverging, mix, type Rgb, rgbOf, stepOf } from "./colour";
import { place, type Scale } from "./scale";

/** Colours of a theme, as pictures take them. */
export interface Look {
  readonly ground: Rgb;
  readonly text: Rgb;
  readonly muted: Rgb;
  readonly line: Rgb;
  readonly low: Rgb;
  readonly high: Rgb;
  readonly classes: readonly Rgb[];
}

/** The colours of theme.css; `colour` reads one of them. */
export function lookOf(colour: (name: `--${string}`) => Rgb): Look {
  return {
    ground: colour("--surface-2"),
    text: colour("--text"),
    muted: colour("--muted"),
    line: colour("--line"),
    low: colour("--negative"),
    high: colour("--positive"),
    classes: ([0, 1, 2, 3, 4] as const).map((k) => colour(`--class-${k}`)),
  };
}

/** The colour of class k; with more than five they come again, in other shapes. */
export function classColour(look: Look, k: number): Rgb {
  return look.classes[((k % look.classes.length) + look.classes.length) % look.classes.length] ?? look.text;
}

/** The shape of class k's samples. */
export function classShape(look: Look, k: number) {
  return shapeOf(k + Math.floor(k / look.classes.length));
}

/** Where the axes lie on a canvas, in its own pixels. */
export interface Box {
  readonly x: Scale;
  readonly y: Scale;
}

/** The range of a regression's targets, which its colours span. */
export type Range = readonly [number, number];

/** How strongly a regression's numbers colour the ground. */
const GROUND_STRENGTH = STRENGTH + 0.15;

/** The colours of a regression's numbers: full ones for samples, paler ones for the ground. */
export function numberScale(look: Look, strength = 1): Uint32Array {
  return diverging(mix(look.ground, look.low, strength), look.ground, mix(look.ground, look.high, strength));
}

/** Paints what the network says over two axes. It keeps the memory of its picture from one time to the next. */
export class GroundPainter {
  #picture: HTMLCanvasElement | null = null;
  #memory: ImageData | null = null;

  #fill(field: Field, data: DataInfo, range: Range, look: Look, discretise: boolean): ImageData {
    const { rows, columns, outputs } = field;
    if (this.#memory?.width !== columns || this.#memory.height !== rows) this.#memory = new ImageData(columns, rows);
    const pixels = new Uint32Array(this.#memory.data.buffer);
    if (data.task === "classification") {
      const colours = Array.from({ length: outputs }, (_, k) => classColour(look, k));
      paintClasses(field, colours, look.ground, discretise, pixels);
    } else {
      paintNumbers(field, range[0], range[1], numberScale(look, GROUND_STRENGTH), discretise, pixels);
    }
    return this.#memory;
  }

  /** The grid's own picture: a pixel for each of its places (red, green, blue, alpha), rows from above. */
  pixels(field: Field, data: DataInfo, range: Range, look: Look): Uint8ClampedArray {
    return this.#fill(field, data, range, look, false).data.slice();
  }

  paint(
    context: CanvasRenderingContext2D,
    field: Field,
    data: DataInfo,
    range: Range,
    look: Look,
    box: Box,
    discretise: boolean,
  ): void {
    // Where classes meet, the grid is too coarse for clean edges.
    const drawn = data.task === "classification" ? refined(field, fineness(field)) : field;
    const { rows, columns } = drawn;
    const memory = this.#fill(drawn, data, range, look, discretise);
    this.#picture ??= document.createElement("canvas");
    if (this.#picture.width !== columns) this.#picture.width = columns;
    if (this.#picture.height !== rows) this.#picture.height = rows;
    this.#picture.getContext("2d")?.putImageData(memory, 0, 0);
    const [left, right] = [Math.min(box.x.from, box.x.to), Math.max(box.x.from, box.x.to)];
    const [top, bottom] = [Math.min(box.y.from, box.y.to), Math.max(box.y.from, box.y.to)];
    const across = overhang(columns, right - left);
    const down = overhang(rows, bottom - top);
    context.save();
    context.beginPath();
    context.rect(left, top, right - left, bottom - top);
    context.clip();
    context.imageSmoothingEnabled = !discretise;
    context.drawImage(this.#picture, left + across.start, top + down.start, across.length, down.length);
    if (data.task === "classification") drawSegments(context, classBoundaries(field), look, box);
    context.restore();
  }
}

/** Draws the lines between the classes. */
function drawSegments(context: CanvasRenderingContext2D, segments: readonly number[], look: Look, { x, y }: Box): void {
  const unit = Math.abs(x.to - x.from) / 360;
  context.beginPath();
  for (let i = 0; i + 3 < segments.length; i += 4) {
    context.moveTo(x.from + segments[i]! * (x.to - x.from), y.from + segments[i + 1]! * (y.to - y.from));
    context.lineTo(x.from + segments[i + 2]! * (x.to - x.from), y.from + segments[i + 3]! * (y.to - y.from));
  }
  context.lineWidth = Math.max(1, 1.4 * unit);
  context.strokeStyle = css(look.text, 0.75);
  context.stroke();
}

/** Draws what the network says over one axis: of classes a line for the probability of each, or the number. */
export function drawCurve(
  context: CanvasRenderingContext2D,
  field: Field,
  data: DataInfo,
  look: Look,
  { x, y }: Box,
): void {
  const { columns, outputs, data: numbers } = field;
  const across = (i: number) => x.from + (columns < 2 ? 0.5 : i / (columns - 1)) * (x.to - x.from);
  const unit = Math.abs(x.to - x.from) / 360;
  context.save();
  context.beginPath();
  context.rect(Math.min(x.from, x.to), Math.min(y.from, y.to), Math.abs(x.to - x.from), Math.abs(y.to - y.from));
  context.clip();
  context.lineJoin = "round";
  context.lineWidth = Math.max(1.5, 2.4 * unit);
  for (let k = 0; k < outputs; k++) {
    context.beginPath();
    // The first of a path only moves there.
    for (let i = 0; i < columns; i++) context.lineTo(across(i), place(y, numbers[i * outputs + k]!));
    context.strokeStyle = css(data.task === "regression" ? look.high : classColour(look, k));
    context.stroke();
  }
  context.restore();
}

/**
 * Draws the samples in their classes' colours and shapes, or the colours of their targets; those held out are ringed. A
 * screen may have several pixels, `ratio`, where the page has one.
 */
export function drawPoints(
  context: CanvasRenderingContext2D,
  points: Points,
  data: DataInfo,
  range: Range,
  look: Look,
  { x, y }: Box,
  heldOut: boolean,
  ratio = 1,
): void {
  const count = pointCount(points);
  const radius = ratio * pointRadius(count, Math.abs(x.to - x.from) / ratio);
  const scale = numberScale(look);
  context.lineJoin = "round";
  for (let i = 0; i < count; i++) {
    const held = points[4 * i + 3] === 1;
    if (held && !heldOut) continue;
    const target = points[4 * i + 2]!;
    const classes = data.task === "classification";
    const colour = classes
      ? classColour(look, target)
      : rgbOf(scale[stepOf(target, range[0], range[1], scale.length)]!);
    const [px, py] = [place(x, points[4 * i]!), place(y, points[4 * i + 1]!)];
    context.beginPath();
    traceShape(context, classes ? classShape(look, target) : "circle", px, py, radius);
    context.fillStyle = css(colour);
    context.fill();
    // The edge sets samples apart from the ground of their own colour, and pale ones from a pale ground.
    context.lineWidth = Math.max(0.75, radius / 5);
    context.strokeStyle = classes ? css(look.ground, 0.9) : css(look.text, 0.55);
    context.stroke();
    if (held) {
      context.beginPath();
      context.arc(px, py, radius * 1.75, 0, 2 * Math.PI);
      context.lineWidth = Math.max(1, radius / 4);
      context.strokeStyle = css(look.text, 0.8);
      context.stroke();
    }
  }
}

/** Makes a canvas as large as its place on the screen, in the screen's own pixels; answers what it is drawn with. */
export function fitted(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = canvas.getContext("2d");
  context?.clearRect(0, 0, w, h);
  return context;
}
