import { expect, test } from "vitest";
import type { Frame, Tensor } from "../protocol/frame";
import { chosen, Recorder, type Shot } from "./recorder";

function shot(epoch: number, numbers = 0): Shot {
  return { epoch, loss: 1, validation: null, score: null, field: null, parameters: new Float32Array(numbers) };
}

function frame(epoch: number, step = 0, parameters = [1, 2]): Frame {
  const arrays = new Map<string, Tensor>([
    ["parameters", { shape: [2], data: Float32Array.from(parameters) }],
    ["boundary", { shape: [2, 2, 1], data: Float32Array.from([0, 0, 1, 1]) }],
  ]);
  const scores = { loss: 0.5, validation_loss: 0.6, score: 0.9, validation_score: null };
  return { type: "frame", header: { epoch, step, scores } as Frame["header"], arrays };
}

test("a long training is recorded evenly, from its beginning to its newest epoch, in bounded room", () => {
  const recorder = new Recorder(50);
  for (let epoch = 0; epoch <= 10_000; epoch++) recorder.add(shot(epoch));
  const epochs = recorder.shots.map((one) => one.epoch);
  expect(epochs.length).toBeLessThanOrEqual(50);
  expect(epochs.length).toBeGreaterThan(20);
  expect([epochs[0], epochs.at(-1)]).toEqual([0, 10_000]);
  const gaps = epochs.slice(1, -1).map((epoch, i) => epoch - epochs[i]!);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * Math.min(...gaps));
});

test("bytes are bounded too", () => {
  const recorder = new Recorder(240, 100_000);
  for (let epoch = 0; epoch < 500; epoch++) recorder.add(shot(epoch, 1000));
  expect(recorder.bytes).toBeLessThanOrEqual(100_000);
  expect(recorder.bytes).toBe(recorder.shots.length * (64 + 4000));
});

test("a step within an epoch is not recorded, and the same epoch only once", () => {
  const recorder = new Recorder();
  expect(recorder.take(frame(0), "a")).toBe(true);
  expect(recorder.take(frame(0, 3), "a")).toBe(false);
  recorder.take(frame(0, 0, [3, 4]), "a");
  expect(recorder.shots.map(({ parameters }) => [...parameters!])).toEqual([[3, 4]]);
});

test("rewound, what came after is forgotten; of other data or another network all is", () => {
  const recorder = new Recorder();
  for (const epoch of [0, 1, 2, 3]) recorder.take(frame(epoch), "a");
  recorder.take(frame(1), "a");
  expect(recorder.shots.map(({ epoch }) => epoch)).toEqual([0, 1]);
  recorder.take(frame(0), "b");
  expect(recorder.shots.map(({ epoch }) => epoch)).toEqual([0]);
});

test("what is recorded does not change with the frame's memory", () => {
  const recorder = new Recorder();
  const one = frame(0);
  recorder.take(one, "a");
  one.arrays.get("parameters")!.data[0] = 99;
  expect(recorder.shots[0]!.parameters![0]).toBe(1);
  expect(recorder.shots[0]!.field).toMatchObject({ rows: 2, columns: 2, outputs: 1 });
});

test("of many shots as many as wanted are chosen, with both ends", () => {
  const shots = Array.from({ length: 101 }, (_, i) => shot(i));
  expect(chosen(shots, 5).map(({ epoch }) => epoch)).toEqual([0, 25, 50, 75, 100]);
  expect(chosen(shots.slice(0, 3), 5)).toHaveLength(3);
});
