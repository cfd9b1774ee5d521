// Kept runs side by side: in which settings they differ.

import type { Document, Kept, Layer } from "../protocol/types";

export type Value = string | number | boolean | null;

/** A setting by its key, such as `training.learning_rate`, with its value in each run; undefined in one that has no such. */
export interface Setting {
  readonly key: string;
  readonly values: readonly (Value | undefined)[];
}

/** How names of the library are said. */
type Named = (name: string) => string;
const asTheyAre: Named = (name) => name;

function layerText(layer: Layer, named: Named): string {
  const marks = [
    named(layer.kind),
    layer.neurons,
    layer.activation && named(layer.activation),
    layer.bias === false ? "bias=0" : undefined,
    layer.dropout ? `dropout=${layer.dropout}` : undefined,
    layer.residual ? "residual" : undefined,
  ];
  return marks.filter((one) => one !== undefined).join(" ");
}

/** Lists of layers as one line; the widths of plain ones suffice where nothing else differs. */
export function layersText(layers: readonly Layer[], named = asTheyAre): string {
  return layers.map((layer) => layerText(layer, named)).join(" → ");
}

/** All settings of a document, one after the other, in its order. */
export function settings(document: Document, named = asTheyAre): Map<string, Value> {
  const out = new Map<string, Value>();
  const { data, network, training, fits } = document;
  for (const [name, value] of Object.entries(data)) {
    if (name === "columns") {
      for (const [column, kind] of Object.entries(value as Record<string, string>))
        out.set(`data.columns.${column}`, kind);
    } else if (name !== "kind") {
      out.set(`data.${name}`, value as Value);
    }
  }
  out.set("network.layers", layersText(network.layers, named));
  out.set("network.loss", named(network.loss));
  out.set("network.seed", network.seed);
  for (const [name, value] of Object.entries(training)) out.set(`training.${name}`, typeof value === "string" ? named(value) : (value as Value));
  const made = fits.filter((fit) => fit.epochs > 0 || fit.edits.length > 0);
  // Several fits: training was changed on the way, so that its settings are those of the last part only.
  out.set("fits.count", made.length);
  out.set(
    "fits.edits",
    made.reduce((sum, fit) => sum + fit.edits.length, 0),
  );
  return out;
}

/** The settings in which runs differ. */
export function differences(documents: readonly Document[], named = asTheyAre): Setting[] {
  const all = documents.map((one) => settings(one, named));
  const keys = [...new Set(all.flatMap((one) => [...one.keys()]))];
  return keys
    .map((key) => ({ key, values: all.map((one) => one.get(key)) }))
    .filter(({ values }) => values.some((value) => value !== values[0]));
}

/** A kept run's losses, NaN where there is none. */
export function losses(kept: Kept): { loss: Float32Array; validation: Float32Array } {
  const numbers = (values: readonly (number | null)[]) => Float32Array.from(values, (value) => value ?? NaN);
  return { loss: numbers(kept.loss), validation: numbers(kept.validation_loss) };
}

/** The place of the best score; −1 where none is, or all are the same. */
export function best(scores: readonly (number | null)[]): number {
  const known = scores.filter((one) => one !== null);
  if (known.length < 2 || known.every((one) => one === known[0])) return -1;
  return scores.indexOf(Math.max(...known));
}
