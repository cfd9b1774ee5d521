// Where the numbers of a network lie in the arrays of frames.
import type { Frame } from "../protocol/frame";
import { floats } from "../protocol/frame";
import type { NetworkInfo, TensorInfo } from "../protocol/types";
import type { Place } from "../state.svelte";

/** The weights that come into a layer, (from, to); none of layers that keep neurons apart. */
export function weightsOf(network: NetworkInfo, layer: number): TensorInfo | undefined {
  return network.tensors.find((one) => one.layer === layer && one.shape.length === 2);
}

/** What each neuron of a layer has of its own: the bias, or the factors of a normalisation. */
export function vectorsOf(network: NetworkInfo, layer: number): TensorInfo[] {
  return network.tensors.filter((one) => one.layer === layer && one.shape.length === 1);
}

export function biasOf(network: NetworkInfo, layer: number): TensorInfo | undefined {
  return vectorsOf(network, layer).find((one) => one.name.endsWith(".b"));
}

/** Which number a place stands for: its tensor, its place in it and in the flat vector. */
export function numberAt(
  network: NetworkInfo,
  place: Place,
): { tensor: TensorInfo; index: number[]; at: number } | null {
  if (place.kind === "weight") {
    const tensor = weightsOf(network, place.layer);
    if (!tensor) return null;
    return { tensor, index: [place.from, place.to], at: tensor.offset + place.from * tensor.shape[1]! + place.to };
  }
  if (place.kind === "bias") {
    const tensor = biasOf(network, place.layer);
    return tensor ? { tensor, index: [place.index], at: tensor.offset + place.index } : null;
  }
  return null;
}

/** The flat vector of parameters, if the frame is of this network. */
export function parametersOf(network: NetworkInfo, frame: Frame | null): Float32Array | null {
  const found = floats(frame, "parameters")?.data;
  return found && found.length === network.parameters ? found : null;
}

/** What the sample that is looked at makes of a neuron: its output, its sum, and δ on the way back. Layers are counted from 0; -1 are the inputs. */
export function sampleAt(
  frame: Frame | null,
  layer: number,
  index: number,
): { a: number | undefined; z: number | undefined; delta: number | undefined } {
  const of = (name: string) => floats(frame, `${name}.${layer + 1}`)?.data[index];
  return { a: of("forward.A"), z: of("forward.Z"), delta: of("backward.delta") };
}

/** Which of the maps is of this neuron: they are of all hidden layers, one after the other. */
export function mapOf(widths: readonly number[], layer: number, index: number): number {
  return widths.slice(1, layer + 1).reduce((sum, one) => sum + one, 0) + index;
}
