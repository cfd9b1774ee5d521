// What is counted and computed of predictions: confusion matrices, and how far a regression is off.

export const PARTS = ["training", "validation"] as const;
export type Part = (typeof PARTS)[number];

/** Counts of a part: rows are the classes of samples, columns the classes predicted. */
export interface Confusion {
  readonly counts: number[][];
  readonly total: number;
  /** The share of samples predicted as what they are; null without any. */
  readonly accuracy: number | null;
  /** Of each class: of its samples, those predicted as it; and of those predicted as it, its samples. */
  readonly recall: (number | null)[];
  readonly precision: (number | null)[];
}

const share = (part: number, whole: number) => (whole > 0 ? part / whole : null);

/** The matrix of a part from the array (2, classes, classes) of frames. */
export function confusionOf(data: ArrayLike<number>, classes: number, part: Part): Confusion {
  const at = part === "training" ? 0 : classes * classes;
  const counts = Array.from({ length: classes }, (_, row) =>
    Array.from({ length: classes }, (_, column) => (data[at + row * classes + column] as number | undefined) ?? 0),
  );
  const ofRow = counts.map((row) => row.reduce((sum, n) => sum + n, 0));
  const ofColumn = counts.map((_, k) => counts.reduce((sum, row) => sum + (row[k] as number), 0));
  const right = counts.map((row, k) => row[k] as number);
  const total = ofRow.reduce((sum, n) => sum + n, 0);
  return {
    counts,
    total,
    accuracy: share(
      right.reduce((sum, n) => sum + n, 0),
      total,
    ),
    recall: right.map((n, k) => share(n, ofRow[k] as number)),
    precision: right.map((n, k) => share(n, ofColumn[k] as number)),
  };
}

/** The share of its class that a cell has: what its shade tells. */
export function rate(confusion: Confusion, row: number, column: number): number | null {
  const counts = confusion.counts[row] as number[];
  return share(
    counts[column] as number,
    counts.reduce((sum, n) => sum + n, 0),
  );
}

/** How far predictions are off: root of the mean square, mean absolute value, mean, and R². */
export interface Deviation {
  readonly count: number;
  readonly rmse: number;
  readonly mae: number;
  /** Of prediction − target: above 0 where too much is predicted. */
  readonly bias: number;
  /** Null where all targets are the same. */
  readonly r2: number | null;
}

/** From pairs of target and prediction, one after the other; null without any finite pair. */
export function deviation(pairs: ArrayLike<number>): Deviation | null {
  let [count, squares, absolute, sum, targets] = [0, 0, 0, 0, 0];
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const off = (pairs[i + 1] as number) - (pairs[i] as number);
    if (!Number.isFinite(off)) continue;
    count++;
    squares += off * off;
    absolute += Math.abs(off);
    sum += off;
    targets += pairs[i] as number;
  }
  if (count === 0) return null;
  const mean = targets / count;
  let spread = 0;
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    if (Number.isFinite((pairs[i + 1] as number) - (pairs[i] as number))) spread += ((pairs[i] as number) - mean) ** 2;
  }
  return {
    count,
    rmse: Math.sqrt(squares / count),
    mae: absolute / count,
    bias: sum / count,
    r2: spread > 0 ? 1 - squares / spread : null,
  };
}

/** Pairs of target and prediction − target. */
export function residuals(pairs: ArrayLike<number>): Float64Array {
  const out = new Float64Array(pairs.length);
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    out[i] = pairs[i] as number;
    out[i + 1] = (pairs[i + 1] as number) - (pairs[i] as number);
  }
  return out;
}
