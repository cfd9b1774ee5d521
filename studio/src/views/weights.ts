// Weights as small pictures: a square for each, blue above 0 and orange below, the stronger the larger.

import type { NetworkInfo } from "../protocol/types";
import { diverging, stepOf } from "./colour";
import type { Look } from "./draw";

/** A matrix of weights within the flat vector of parameters. */
export interface Matrix {
  readonly layer: number;
  readonly rows: number;
  readonly columns: number;
  readonly offset: number;
}

/** The matrices of a network's weights, layer by layer. */
export function matrices(network: NetworkInfo): Matrix[] {
  return network.tensors
    .filter(({ shape }) => shape.length === 2)
    .map(({ layer, shape, offset }) => ({ layer, rows: shape[0]!, columns: shape[1]!, offset }));
}

/** The largest absolute value among recorded parameters: the end of the scale, the same for all epochs. */
export function strongest(recorded: Iterable<ArrayLike<number> | null>): number {
  let most = 0;
  for (const parameters of recorded) {
    for (let i = 0; parameters && i < parameters.length; i++) {
      const size = Math.abs(parameters[i]!);
      if (size > most && Number.isFinite(size)) most = size;
    }
  }
  return most || 1;
}

/** Where a picture of one matrix lies. */
export interface Tile {
  readonly matrix: Matrix;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Places the matrices one under the other, as large as they fit, each with square cells. */
export function tiles(of: readonly Matrix[], width: number, height: number, gap: number): Tile[] {
  if (of.length === 0) return [];
  const rows = of.reduce((sum, one) => sum + one.rows, 0);
  const columns = Math.max(...of.map((one) => one.columns));
  const cell = Math.min(width / columns, (height - gap * of.length) / rows, height / 12);
  if (!(cell > 0)) return [];
  let y = gap;
  return of.map((matrix) => {
    const tile = { matrix, x: 0, y, width: matrix.columns * cell, height: matrix.rows * cell };
    y += tile.height + gap;
    return tile;
  });
}

/** Draws a matrix: inputs downwards, neurons across. */
export function drawMatrix(
  context: CanvasRenderingContext2D,
  parameters: ArrayLike<number>,
  { matrix, x, y, width, height }: Tile,
  most: number,
  look: Look,
): void {
  const scale = diverging(look.low, look.line, look.high);
  const [w, h] = [width / matrix.columns, height / matrix.rows];
  const inset = Math.min(1, w / 8);
  for (let row = 0; row < matrix.rows; row++) {
    for (let column = 0; column < matrix.columns; column++) {
      const value = parameters[matrix.offset + row * matrix.columns + column]!;
      const colour = scale[stepOf(value, -most, most, scale.length)]!;
      context.fillStyle = `rgb(${colour & 255} ${(colour >>> 8) & 255} ${(colour >>> 16) & 255})`;
      context.fillRect(x + column * w + inset, y + row * h + inset, w - 2 * inset, h - 2 * inset);
    }
  }
}
