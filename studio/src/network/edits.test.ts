import { expect, it } from "vitest";
import type { Network } from "../protocol/types";
import { mayBeResidual, withChanged, withKind, withLayer, withoutLayer, widths } from "./edits";

const NETWORK: Network = {
  layers: [
    { kind: "dense", neurons: 4, activation: "tanh" },
    { kind: "dense", neurons: 4, activation: "relu", residual: true },
    { kind: "dense", neurons: 2, activation: "softmax" },
  ],
  loss: "cross_entropy",
  seed: 0,
};

it("puts a layer like the one before it between two", () => {
  const layers = withLayer(NETWORK, 2, 1).layers;
  expect(layers.map((layer) => layer.activation)).toEqual(["tanh", "tanh", "relu", "softmax"]);
});

it("puts a first layer before the output of a network that has no other", () => {
  const bare = { ...NETWORK, layers: NETWORK.layers.slice(2) };
  expect(withLayer(bare, 2, 0).layers.map((layer) => layer.neurons)).toEqual([4, 2]);
});

it("leaves out a residual link between layers that no longer fit", () => {
  expect(withChanged(NETWORK, 2, 0, { neurons: 5 }).layers[1]).toEqual({
    kind: "dense",
    neurons: 4,
    activation: "relu",
  });
  expect(withoutLayer(NETWORK, 2, 0).layers[0]?.residual).toBeUndefined();
  expect(withoutLayer(NETWORK, 4, 0).layers[0]?.residual).toBe(true);
});

it("never goes below one neuron", () => {
  expect(withChanged(NETWORK, 2, 0, { neurons: 0 }).layers[0]?.neurons).toBe(1);
});

it("takes a property away", () => {
  expect(withChanged(NETWORK, 2, 1, { residual: undefined }).layers[1]).not.toHaveProperty("residual");
});

it("keeps of a layer what the other kind has too", () => {
  const norm = { name: "layer_norm", neurons: false, activation: false, bias: true, dropout: false, residual: false };
  const changed = withKind(NETWORK, 2, 1, norm);
  expect(changed.layers[1]).toEqual({ kind: "layer_norm" });
  expect(widths(changed.layers, 2)).toEqual([2, 4, 4, 2]);
  expect(mayBeResidual(changed, 2, 1)).toBe(true);
  expect(mayBeResidual(changed, 2, 0)).toBe(false);
});

it("changes nothing of what it was given", () => {
  const before = structuredClone(NETWORK);
  withChanged(NETWORK, 2, 0, { neurons: 9 });
  withLayer(NETWORK, 2, 1);
  expect(NETWORK).toEqual(before);
});
