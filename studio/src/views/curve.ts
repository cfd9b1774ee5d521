// Curves of losses over epochs: as many points as a picture can show, whatever their number.

/** A run's losses; NaN where there is none. */
export interface Run {
  readonly name: string;
  readonly loss: ArrayLike<number>;
  readonly validation: ArrayLike<number>;
  /** Epochs over which the points are evenly spread; without, one point is one epoch. */
  readonly epochs?: number | undefined;
}

/** The epoch of point i of n that are spread over so many, the first of them being 1. */
export function epochOf(i: number, n: number, epochs = n): number {
  return n < 2 || epochs === n ? i + 1 : 1 + Math.round((i * (epochs - 1)) / (n - 1));
}

/**
 * Places of the values that draw the same curve on `pixels` columns: of each column the first, the lowest, the highest and
 * the last, in their order; of a column without any number its first, so that gaps stay gaps.
 */
export function thinned(values: ArrayLike<number>, pixels: number, from = 0, to = values.length): number[] {
  const count = Math.max(0, to - from);
  if (count <= 4 * pixels) return Array.from({ length: count }, (_, i) => from + i);
  const out: number[] = [];
  for (let column = 0; column < pixels; column++) {
    const start = from + Math.floor((column * count) / pixels);
    const end = from + Math.floor(((column + 1) * count) / pixels);
    let [first, last, low, high] = [-1, -1, -1, -1];
    for (let i = start; i < end; i++) {
      const value = values[i] as number;
      if (!Number.isFinite(value)) continue;
      if (first < 0) first = i;
      last = i;
      if (low < 0 || value < (values[low] as number)) low = i;
      if (high < 0 || value > (values[high] as number)) high = i;
    }
    const kept = first < 0 ? [start] : [...new Set([first, low, high, last])].sort((a, b) => a - b);
    out.push(...kept);
  }
  return out;
}

/** A line to draw: epochs across, numbers upwards; null where there is none, or none on a logarithmic axis. */
export interface Line {
  readonly epochs: number[];
  readonly values: (number | null)[];
}

/** A run's losses as a line of at most about four points a pixel, within some epochs. */
export function line(
  values: ArrayLike<number>,
  pixels: number,
  log: boolean,
  epochs?: number,
  window?: readonly [number, number],
): Line {
  const n = values.length;
  let [from, to] = [0, n];
  if (window && (epochs === undefined || epochs === n)) {
    // One more on either side, so that the line goes on to the picture's edge.
    from = Math.max(0, Math.floor(window[0]) - 2);
    to = Math.min(n, Math.ceil(window[1]) + 1);
  }
  const places = thinned(values, pixels, from, to);
  return {
    epochs: places.map((i) => epochOf(i, n, epochs)),
    values: places.map((i) => {
      const value = values[i] as number;
      return Number.isFinite(value) && (!log || value > 0) ? value : null;
    }),
  };
}

/** Whether a run has any number of these. */
export function any(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i] as number)) return true;
  return false;
}

/** The place of the lowest number; −1 where there is none. */
export function lowest(values: ArrayLike<number>): number {
  let best = -1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isFinite(value) && (best < 0 || value < (values[best] as number))) best = i;
  }
  return best;
}

/** Places of a table's rows: evenly spread, at most so many, the first and the last among them. */
export function rowsOf(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return [...new Set(Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1))))];
}
