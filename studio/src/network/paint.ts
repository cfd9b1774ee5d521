// Pictures of neurons: what each answers over the plane that is drawn, or along the line, from orange (negative) to blue (positive).
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

/** What a neuron answers over the plane, or along a line (then there is one row that counts): numbers from -1 to 1, from the lower left. */
export interface Answers {
  readonly rows: number;
  readonly columns: number;
  readonly at: (place: number) => number;
}

/** As a picture, a pixel for each place. */
export function picture({ rows, columns, at }: Answers, colours: Uint8ClampedArray): ImageData {
  const pixels = new ImageData(columns, rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const from = 3 * Math.max(0, Math.min(255, Math.round(127.5 + 127.5 * at((rows - 1 - row) * columns + column))));
      const to = 4 * (row * columns + column);
      for (let c = 0; c < 3; c++) pixels.data[to + c] = colours[from + c]!;
      pixels.data[to + 3] = 255;
    }
  }
  return pixels;
}

/** Of a hidden neuron, whose bytes stand for numbers from `low` to `high`. */
export function hiddenAnswers(maps: Tensor<Uint8Array>, ranges: Float32Array, neuron: number): Answers | null {
  const [count = 0, rows = 0, columns = 0] = maps.shape;
  if (neuron >= count) return null;
  const [low, high] = [ranges[2 * neuron]!, ranges[2 * neuron + 1]!];
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  const first = neuron * rows * columns;
  return { rows, columns, at: (k) => (low + ((high - low) * maps.data[first + k]!) / 255) / most };
}

/** Of an output: the probability of a class, or a number, between the lowest and the highest that there are. */
export function outputAnswers(
  { shape, data }: Tensor<Float32Array>,
  output: number,
  of: "probabilities" | "numbers",
): Answers | null {
  const [rows = 0, columns = 0, count = 0] = shape;
  if (output >= count) return null;
  if (of === "probabilities") return { rows, columns, at: (k) => 2 * data[k * count + output]! - 1 };
  let [low, high] = [Infinity, -Infinity];
  for (let k = output; k < data.length; k += count) {
    low = Math.min(low, data[k]!);
    high = Math.max(high, data[k]!);
  }
  // Around 0 where there is one, so that its colour means 0.
  const [middle, most] = low < 0 && high > 0 ? [0, Math.max(-low, high)] : [(low + high) / 2, (high - low) / 2 || 1];
  return { rows, columns, at: (k) => (data[k * count + output]! - middle) / most };
}

/** Of an input: it grows along its own axis. */
export function inputAnswers(along: "across" | "upwards"): Answers {
  const side = 24;
  const place = along === "across" ? (k: number) => k % side : (k: number) => Math.floor(k / side);
  return { rows: side, columns: side, at: (k) => (2 * place(k)) / (side - 1) - 1 };
}
