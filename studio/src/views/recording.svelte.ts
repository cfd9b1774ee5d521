// A recorder that components read: they are drawn again when something was recorded.
import type { Frame } from "../protocol/frame";
import type { State } from "../protocol/types";
import { Recorder, type Shot } from "./recorder";

export class Recording {
  shots = $state.raw<readonly Shot[]>([]);
  readonly #recorder = new Recorder();

  /** Takes what a frame shows of a session, seen over some axes. */
  take(frame: Frame, state: State, axes: readonly [number, number] | null): void {
    const { data, network } = state.document;
    if (this.#recorder.take(frame, JSON.stringify([data, network, axes]))) this.shots = [...this.#recorder.shots];
  }
}
