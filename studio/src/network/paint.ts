// Pictures of neurons: what each answers over the plane that is drawn, from orange (negative) to blue (positive).
import type { Tensor } from "../protocol/frame";
import { colour } from "../theme.svelte";

type Rgb = [number, number, number];

/** Colours of numbers from -1 to 1, in 256 steps. */
export function scale(negative: Rgb, zero: Rgb, positive: Rgb): Uint8ClampedArray {
  const colours = new Uint8ClampedArray(3 * 256);
  for (let at = 0; at < 256; at++) {
    const value = (at - 127.5) / 127.5;
    const end = value < 0 ? negative : positive;
    for (let c = 0; c < 3; c++) colours[3 * at + c] = zero[c]! + Math.abs(value) * (end[c]! - zero[c]!);
  }
  return colours;
}

export function themeScale(): Uint8ClampedArray {
  return scale(colour("--negative"), colour("--zero"), colour("--positive"));
}

/** A plane of numbers as a picture, from the lower left; `number` gives them from -1 to 1. */
export function plane(rows: number, columns: number, colours: Uint8ClampedArray, number: (at: number) => number): ImageData {
  const picture = new ImageData(columns, rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = number((rows - 1 - row) * columns + column);
      const from = 3 * Math.max(0, Math.min(255, Math.round(127.5 + 127.5 * value)));
      const to = 4 * (row * columns + column);
      picture.data[to] = colours[from]!;
      picture.data[to + 1] = colours[from + 1]!;
      picture.data[to + 2] = colours[from + 2]!;
      picture.data[to + 3] = 255;
    }
  }
  return picture;
}

/** The map of a hidden neuron, whose bytes stand for numbers from `low` to `high`. */
export function neuronMap(maps: Tensor<Uint8Array>, ranges: Float32Array, at: number, colours: Uint8ClampedArray): ImageData | null {
  const [count = 0, rows = 0, columns = 0] = maps.shape;
  if (at >= count) return null;
  const [low, high] = [ranges[2 * at]!, ranges[2 * at + 1]!];
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  const first = at * rows * columns;
  return plane(rows, columns, colours, (k) => (low + ((high - low) * maps.data[first + k]!) / 255) / most);
}

/** What the network says over the plane: the probability of a class, or a number, from the lowest to the highest that there is. */
export function outputMap(boundary: Tensor<Float32Array>, at: number, outputs: "probabilities" | "numbers", colours: Uint8ClampedArray): ImageData | null {
  const [rows = 0, columns = 0, count = 0] = boundary.shape;
  if (at >= count) return null;
  const { data } = boundary;
  if (outputs === "probabilities") return plane(rows, columns, colours, (k) => 2 * data[k * count + at]! - 1);
  let [low, high] = [Infinity, -Infinity];
  for (let k = at; k < data.length; k += count) {
    low = Math.min(low, data[k]!);
    high = Math.max(high, data[k]!);
  }
  // Around 0 where there is one, so that its colour means 0.
  const [middle, most] = low < 0 && high > 0 ? [0, Math.max(-low, high)] : [(low + high) / 2, (high - low) / 2 || 1];
  return plane(rows, columns, colours, (k) => (data[k * count + at]! - middle) / most);
}
