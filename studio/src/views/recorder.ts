// A training recorded as it runs: outputs on the grid and parameters, in bounded memory.

import type { Frame } from "../protocol/frame";
import type { Field } from "./boundary";

/** What the picture showed after an epoch. */
export interface Shot {
  readonly epoch: number;
  readonly loss: number | null;
  readonly validation: number | null;
  readonly score: number | null;
  readonly field: Field | null;
  readonly parameters: Float32Array | null;
}

function bytesOf(shot: Shot): number {
  return 64 + 4 * ((shot.field?.data.length ?? 0) + (shot.parameters?.length ?? 0));
}

/**
 * Keeps shots in the order of their epochs. When there are too many, or they take too many bytes, every second one goes, and from then on
 * only epochs at least as far apart are taken: a long training stays recorded from its beginning, evenly.
 * The newest is always there: it is replaced by the next where that comes too early.
 */
export class Recorder {
  #shots: Shot[] = [];
  #bytes = 0;
  #stride = 1;
  #key = "";

  constructor(
    readonly most = 240,
    readonly mostBytes = 32 * 1024 * 1024,
  ) {
    if (most < 4) throw new RangeError(`a recording needs room for 4 shots or more, not ${most}`);
  }

  get shots(): readonly Shot[] {
    return this.#shots;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Epochs that lie between two shots, at least. */
  get stride(): number {
    return this.#stride;
  }

  clear(): void {
    this.#shots = [];
    this.#bytes = 0;
    this.#stride = 1;
  }

  /**
   * Takes what a frame shows; of a step within an epoch nothing. Answers whether something was taken. `key` says of which
   * data, network and axes it is: with another one, what there was is forgotten.
   */
  take(frame: Frame, key: string): boolean {
    const { epoch, step, scores } = frame.header;
    if (step > 0) return false;
    if (key !== this.#key) {
      this.clear();
      this.#key = key;
    }
    // Rewound: what came after it has not been.
    while (this.#shots.length > 0 && this.#shots.at(-1)!.epoch > epoch) this.#drop();
    const boundary = frame.arrays.get("boundary") ?? frame.arrays.get("curve_of_inputs");
    const parameters = frame.arrays.get("parameters");
    const [rows, columns, outputs] = boundary?.shape.length === 3 ? boundary.shape : [1, ...(boundary?.shape ?? [])];
    this.add({
      epoch,
      loss: scores.loss,
      validation: scores.validation_loss,
      score: scores.validation_score ?? scores.score,
      // Copies: a frame's arrays are views of its message.
      field: boundary
        ? { rows: rows!, columns: columns!, outputs: outputs!, data: Float32Array.from(boundary.data) }
        : null,
      parameters: parameters ? Float32Array.from(parameters.data) : null,
    });
    return true;
  }

  /** Adds a shot whose epoch is not before the newest. */
  add(shot: Shot): void {
    const last = this.#shots.at(-1);
    const before = this.#shots.at(-2);
    const early = last !== undefined && before !== undefined && last.epoch - before.epoch < this.#stride;
    if (last !== undefined && (last.epoch === shot.epoch || early)) this.#drop();
    this.#shots.push(shot);
    this.#bytes += bytesOf(shot);
    while (this.#shots.length > this.most || (this.#bytes > this.mostBytes && this.#shots.length > 4)) this.#thin();
  }

  #drop(): void {
    const gone = this.#shots.pop();
    if (gone) this.#bytes -= bytesOf(gone);
  }

  #thin(): void {
    const last = this.#shots.length - 1;
    this.#shots = this.#shots.filter((_, i) => i % 2 === 0 || i === last);
    this.#bytes = this.#shots.reduce((sum, shot) => sum + bytesOf(shot), 0);
    // As far apart as they now are, but for the newest, which may have come early.
    const gaps = this.#shots.slice(1, -1).map((shot, i) => shot.epoch - this.#shots[i]!.epoch);
    this.#stride = Math.max(this.#stride * 2, ...(gaps.length > 0 ? [Math.min(...gaps)] : []));
  }
}

/** At most so many shots, evenly chosen, the first and the last among them. */
export function chosen(shots: readonly Shot[], most: number): Shot[] {
  if (shots.length <= most) return [...shots];
  return Array.from({ length: most }, (_, i) => shots[Math.round((i * (shots.length - 1)) / (most - 1))]!);
}
