import { expect, it } from "vitest";
import { fragment, packed, unpacked } from "./address";
import type { Document } from "./types";

const DOCUMENT = {
  version: 1,
  data: { kind: "toy", name: "circles", samples: 400, noise: 0.1, classes: 2, seed: 0, held_out: 0.25 },
  network: { layers: [{ kind: "dense", neurons: 2, activation: "softmax" }], loss: "cross_entropy", seed: 7 },
  training: {
    optimizer: "adam",
    learning_rate: 0.01,
    schedule: "constant",
    batch_size: 32,
    l2: 0,
    epochs: null,
    patience: null,
    stop_loss: null,
  },
  fits: [],
} satisfies Document;

it("packs a document into letters that need no escaping, and back", async () => {
  const text = await packed(DOCUMENT);
  expect(text).toMatch(/^[\w-]+$/);
  expect(await unpacked(text)).toEqual(DOCUMENT);
});

it("finds token, document and language behind the sign", () => {
  expect(fragment("#token=a-b_c&document=xyz&lang=fr")).toEqual({ token: "a-b_c", document: "xyz", lang: "fr" });
  expect(fragment("")).toEqual({ token: null, document: null, lang: null });
});

it("rejects what is no document", async () => {
  await expect(unpacked("%%%")).rejects.toThrow();
  await expect(unpacked("AAAA")).rejects.toThrow();
});
