import { expect, test } from "vitest";
import type { Document } from "../protocol/types";
import { best, differences, layersText } from "./compare";

const DOCUMENT: Document = {
  version: 1,
  data: { kind: "toy", name: "moons", samples: 200, noise: 0.1, classes: 2, seed: 0, held_out: 0.3 },
  network: {
    layers: [
      { kind: "dense", neurons: 8, activation: "tanh", bias: true },
      { kind: "dense", neurons: 1, activation: "sigmoid" },
    ],
    loss: "binary_cross_entropy",
    seed: 0,
  },
  training: {
    optimizer: "adam",
    learning_rate: 0.01,
    schedule: "constant",
    batch_size: 16,
    l2: 0,
    epochs: null,
    patience: null,
    stop_loss: null,
  },
  fits: [],
};

test("the same settings do not differ", () => {
  expect(differences([DOCUMENT, structuredClone(DOCUMENT)])).toEqual([]);
});

test("what differs is told with its value in each run", () => {
  const other = structuredClone(DOCUMENT);
  other.training.learning_rate = 0.1;
  other.network.layers[0]!.neurons = 4;
  expect(differences([DOCUMENT, other])).toEqual([
    { key: "network.layers", values: ["dense 8 tanh → dense 1 sigmoid", "dense 4 tanh → dense 1 sigmoid"] },
    { key: "training.learning_rate", values: [0.01, 0.1] },
  ]);
});

test("names of the library are said as the page says them", () => {
  const other = structuredClone(DOCUMENT);
  other.training.optimizer = "sgd";
  other.network.layers[0]!.activation = "relu";
  const said = differences([DOCUMENT, other], (name) => name.toUpperCase());
  expect(said.map((one) => one.values[1])).toEqual(["DENSE 8 RELU → DENSE 1 SIGMOID", "SGD"]);
});

test("of other data a setting that one has not is none", () => {
  const table: Document = {
    ...DOCUMENT,
    data: { kind: "table", table: "penguins", target: "species", columns: { year: "ignore" }, seed: 0, held_out: 0.3 },
  };
  const found = new Map(differences([DOCUMENT, table]).map(({ key, values }) => [key, values]));
  expect(found.get("data.name")).toEqual(["moons", undefined]);
  expect(found.get("data.columns.year")).toEqual([undefined, "ignore"]);
  expect(found.has("data.seed")).toBe(false);
});

test("a change on the way and numbers set by hand are differences", () => {
  const fit = { training: DOCUMENT.training, epochs: 3, edits: [] };
  const one = { ...DOCUMENT, fits: [fit] };
  const edit = { epoch: 1, tensor: "layers.0.W", index: [0, 0], value: 2 };
  const two = { ...DOCUMENT, fits: [fit, { ...fit, edits: [edit] }] } as Document;
  expect(differences([one, two])).toEqual([
    { key: "fits.count", values: [1, 2] },
    { key: "fits.edits", values: [0, 1] },
  ]);
});

test("dropout, residual links and missing biases are written with their layer", () => {
  expect(
    layersText([{ kind: "dense", neurons: 3, activation: "relu", bias: false, dropout: 0.2, residual: true }]),
  ).toBe("dense 3 relu bias=0 dropout=0.2 residual");
});

test("the best score is the highest, where scores differ", () => {
  expect(best([0.9, null, 0.95])).toBe(2);
  expect(best([0.9, 0.9])).toBe(-1);
  expect(best([null, 0.9])).toBe(-1);
});
