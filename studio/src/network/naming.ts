// What places in a network are called.
import type { Place } from "../state.svelte";
import { whole, type Words } from "../words/words.svelte";

export interface Names {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** "Layer 2", "Output layer"; layers are counted from 1 for people. */
export function layerName(layer: number, words: Words, layers: number): string {
  if (layer < 0) return words.inputs;
  return layer === layers - 1 ? words.outputLayer : words.layer(whole(layer + 1));
}

function neuronName(layer: number, index: number, words: Words, names: Names, layers: number): string {
  if (layer < 0) return words.input(names.inputs[index] ?? whole(index + 1));
  const name = layer === layers - 1 ? names.outputs[index] : undefined;
  return name ? `${words.output} ${name}` : words.neuron(layerName(layer, words, layers), whole(index + 1));
}

export function nameOf(place: Place, words: Words, names: Names, layers: number): string {
  if (place.kind === "layer") return layerName(place.layer, words, layers);
  if (place.kind === "neuron") return neuronName(place.layer, place.index, words, names, layers);
  if (place.kind === "bias") return words.biasOf(neuronName(place.layer, place.index, words, names, layers));
  const from = neuronName(place.layer - 1, place.from, words, names, layers);
  return words.weight(from, neuronName(place.layer, place.to, words, names, layers));
}
