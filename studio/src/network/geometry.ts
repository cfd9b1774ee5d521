// Where the neurons of the diagram stand and its links run. A layer with more neurons than can be drawn shows the first ones.

export interface Column {
  /** As in `layers.0.W`; -1 of the inputs. */
  readonly layer: number;
  readonly x: number;
  /** Half the side of a neuron's square. */
  readonly half: number;
  /** The neurons that are drawn, from above: their heights. Neuron k is the k-th. */
  readonly ys: readonly number[];
  /** How many are not. */
  readonly hidden: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly columns: readonly Column[];
}

export interface Room {
  /** Of the place there is; the diagram is wider where its columns would else be too near to one another. */
  width: number;
  /** Beside the first and the last neurons, for names. */
  left: number;
  right: number;
  /** How large everything is: 1 at letters of 15 pixels. */
  unit: number;
}

const MOST_NEURONS = 12;
const SHOWN_OF_MORE = 10;
const HEIGHT = 440;
const LEAST_PITCH = 42;
const MOST_PITCH = 70;
const USUAL_WIDTH = 680; // on a wider place everything is larger, up to
const MOST_ROOMY = 1.5; // times
const BETWEEN = 22; // neurons of a column, where the numbers of a sample are written
const LEAST_MARGIN = 54; // half of what stands above a column
const LEAST_APART = 104; // columns

export function layout(widths: readonly number[], { width, left, right, unit }: Room): Layout {
  const roomy = Math.min(MOST_ROOMY, Math.max(1, width / (unit * USUAL_WIDTH)));
  const rows = widths.map((count) => (count > MOST_NEURONS ? SHOWN_OF_MORE + 1 : count)); // one for what is not drawn
  const pitches = rows.map(
    (count) => unit * Math.min(roomy * MOST_PITCH, Math.max(LEAST_PITCH, (roomy * HEIGHT) / count)),
  );
  const halves = pitches.map((pitch) => (pitch - unit * BETWEEN) / 2);
  const first = Math.max(unit * LEAST_MARGIN, halves[0]! + left);
  const end = Math.max(unit * LEAST_MARGIN, halves.at(-1)! + right);
  const apart = Math.max(unit * LEAST_APART, (width - first - end) / (widths.length - 1));
  const highest = Math.max(...rows.map((count, at) => count * pitches[at]!));
  const height = Math.max(highest, 3 * unit * MOST_PITCH) + (unit * BETWEEN) / 2;
  return {
    width: first + end + apart * (widths.length - 1),
    height,
    columns: widths.map((count, at) => {
      const shown = count > MOST_NEURONS ? SHOWN_OF_MORE : count;
      const pitch = pitches[at]!;
      const top = (height - rows[at]! * pitch) / 2;
      return {
        layer: at - 1,
        x: first + apart * at,
        half: halves[at]!,
        ys: Array.from({ length: shown }, (_, k) => top + (k + 0.5) * pitch),
        hidden: count - shown,
      };
    }),
  };
}

/** The path of a link, level where it begins and ends. */
export function curve(fromX: number, fromY: number, toX: number, toY: number): string {
  const middle = ((fromX + toX) / 2).toFixed(1);
  return `M${fromX.toFixed(1)} ${fromY.toFixed(1)}C${middle} ${fromY.toFixed(1)} ${middle} ${toY.toFixed(1)} ${toX.toFixed(1)} ${toY.toFixed(1)}`;
}

/** How high a link is at x: the same curve. */
export function heightAt(fromX: number, fromY: number, toX: number, toY: number, x: number): number {
  // x along the curve is 3/2 s (1 - s) + s³ of the way, by the control points in the middle; s by bisection
  const wanted = (x - fromX) / (toX - fromX);
  let [low, high] = [0, 1];
  for (let step = 0; step < 20; step++) {
    const s = (low + high) / 2;
    if (1.5 * s * (1 - s) + s ** 3 < wanted) low = s;
    else high = s;
  }
  return fromY + (toY - fromY) * low * low * (3 - 2 * low);
}

export interface Look {
  /** In pixels. */
  width: number;
  opacity: number;
}

/** How a weight is drawn: the larger, the thicker, up to a limit. */
export function strength(weight: number, unit: number): Look {
  const share = 1 - Math.exp(-Math.abs(weight) / 1.2);
  return { width: unit * (0.6 + 5.4 * share), opacity: 0.3 + 0.7 * share };
}
