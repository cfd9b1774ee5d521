// Changes of a network's description. Each gives a new description, and what no longer fits after it (a residual link between
// layers of other widths) is left out.
import type { KindInfo, Layer, Network } from "../protocol/types";

const WIDEST = 4096;

/** Inputs, then the neurons of each layer as described. Kinds without neurons of their own are as wide as what comes in. */
export function widths(layers: readonly Layer[], inputs: number): number[] {
  const all = [inputs];
  for (const layer of layers) all.push(layer.neurons ?? all.at(-1)!);
  return all;
}

function fitted(network: Network, layers: Layer[], inputs: number): Network {
  const all = widths(layers, inputs);
  return {
    ...network,
    layers: layers.map((layer, at) => {
      if (!layer.residual || all[at] === all[at + 1]) return layer;
      const { residual: _, ...rest } = layer;
      return rest;
    }),
  };
}

/** With another hidden layer, which comes to stand at that place; like the one before it, or the first. */
export function withLayer(network: Network, inputs: number, at: number): Network {
  const hidden = network.layers.slice(0, -1).filter((layer) => layer.kind === "dense");
  const like =
    network.layers.slice(0, Math.min(at, network.layers.length - 1)).findLast((layer) => layer.kind === "dense") ??
    hidden[0];
  const layer: Layer = { kind: "dense", neurons: like?.neurons ?? 4, activation: like?.activation ?? "tanh" };
  return fitted(network, network.layers.toSpliced(at, 0, layer), inputs);
}

export function withoutLayer(network: Network, inputs: number, at: number): Network {
  return fitted(network, network.layers.toSpliced(at, 1), inputs);
}

/** With other properties of one layer; undefined takes one away. */
export function withChanged(
  network: Network,
  inputs: number,
  at: number,
  change: { [K in keyof Layer]?: Layer[K] | undefined },
): Network {
  const layer = Object.fromEntries(
    Object.entries({ ...network.layers[at], ...change }).filter(([, value]) => value !== undefined),
  );
  if (typeof layer.neurons === "number") layer.neurons = Math.min(WIDEST, Math.max(1, layer.neurons));
  return fitted(network, network.layers.with(at, layer as unknown as Layer), inputs);
}

/** With a layer of another kind, which keeps what that kind has too. */
export function withKind(network: Network, inputs: number, at: number, kind: KindInfo): Network {
  const old = network.layers[at]!;
  const layer: Layer = { kind: kind.name };
  if (kind.neurons) layer.neurons = old.neurons ?? widths(network.layers, inputs)[at]!;
  if (kind.activation) layer.activation = old.activation ?? (kind.neurons ? "relu" : "identity");
  if (kind.bias && old.bias !== undefined) layer.bias = old.bias;
  if (kind.dropout && old.dropout !== undefined) layer.dropout = old.dropout;
  if (kind.residual && old.residual !== undefined) layer.residual = old.residual;
  return fitted(network, network.layers.with(at, layer), inputs);
}

/** Whether a residual link may be had: what comes in is as wide as what goes out. */
export function mayBeResidual(network: Network, inputs: number, at: number): boolean {
  const all = widths(network.layers, inputs);
  return all[at] === all[at + 1];
}
