// A small picture of a set of samples, for the tiles it is chosen from.

import { pointCount, shapeOf, traceShape, type Pen, type Points } from "./boundary";
import { css, diverging, rgbOf, stepOf, type Rgb } from "./colour";
import { extent, place } from "./scale";

/** What a picture is drawn on: a canvas's context. */
export type Paper = Pen & Pick<CanvasRenderingContext2D, "beginPath" | "fill" | "clearRect" | "fillStyle">;

/** Colours of a tile: of the classes; of a regression's low, middle and high numbers. */
export interface TileColours {
  readonly classes: readonly Rgb[];
  readonly scale: readonly [Rgb, Rgb, Rgb];
}

/** Samples that a tile can show. */
const MOST = 200;

/** Draws the samples of a toy set (four numbers each, as frames have them) into a square. */
export function drawTile(
  paper: Paper,
  points: Points,
  task: "classification" | "regression",
  colours: TileColours,
  size: number,
): void {
  paper.clearRect(0, 0, size, size);
  const count = pointCount(points);
  const column = (at: number) => Array.from({ length: count }, (_, i) => points[4 * i + at]!);
  const [across, upwards] = [extent(column(0), 0.06), extent(column(1), 0.06)];
  if (!across || !upwards) return;
  const targets = extent(column(2)) ?? [0, 1];
  const [low, middle, high] = colours.scale;
  const scale = diverging(low, middle, high);
  const x = { low: across[0], high: across[1], from: 0, to: size };
  const y = { low: upwards[0], high: upwards[1], from: size, to: 0 };
  const step = Math.max(1, Math.ceil(count / MOST));
  for (let i = 0; i < count; i += step) {
    const target = points[4 * i + 2]!;
    const colour =
      task === "classification"
        ? (colours.classes[target % colours.classes.length] ?? middle)
        : rgbOf(scale[stepOf(target, targets[0], targets[1], scale.length)]!);
    paper.beginPath();
    paper.fillStyle = css(colour);
    traceShape(
      paper,
      task === "classification" ? shapeOf(target) : "circle",
      place(x, points[4 * i]!),
      place(y, points[4 * i + 1]!),
      size / 36,
    );
    paper.fill();
  }
}
