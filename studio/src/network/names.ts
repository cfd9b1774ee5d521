// The names of a session's inputs and outputs.
import type { State } from "../protocol/types";
import type { Names } from "./naming";

/** Outputs are called as the classes, if there is one for each; the only one otherwise as the target. */
export function namesOf(state: State): Names {
  const outputs = state.network.widths.at(-1)!;
  const { classes, target, inputs } = state.data;
  if (classes.length === outputs) return { inputs, outputs: classes };
  return { inputs, outputs: outputs === 1 ? [target] : [] };
}
