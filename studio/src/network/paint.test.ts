import { expect, it } from "vitest";
import { hiddenAnswers, inputAnswers, outputAnswers, scale } from "./paint";

it("goes from orange over what is neither to blue", () => {
  const colours = scale([200, 100, 0], [240, 240, 240], [0, 100, 200]);
  expect([...colours.slice(0, 3)]).toEqual([200, 100, 0]);
  expect([...colours.slice(-3)]).toEqual([0, 100, 200]);
  expect(Math.abs(colours[3 * 127]! - 240)).toBeLessThan(2);
});

it("reads a hidden neuron's bytes in its own range, around 0", () => {
  const maps = { shape: [2, 1, 3], data: new Uint8Array([0, 0, 0, 0, 128, 255]) };
  const answers = hiddenAnswers(maps, new Float32Array([0, 0, -0.5, 1]), 1)!;
  expect(answers.at(0)).toBeCloseTo(-0.5);
  expect(answers.at(2)).toBeCloseTo(1);
  expect(hiddenAnswers(maps, new Float32Array(4), 2)).toBeNull();
});

it("shows a probability of one half as neither", () => {
  const boundary = { shape: [1, 2, 2], data: new Float32Array([0.5, 0.5, 0.25, 0.75]) };
  const second = outputAnswers(boundary, 1, "probabilities")!;
  expect([second.at(0), second.at(1)]).toEqual([0, 0.5]);
});

it("shows numbers around 0 if some are above and some below, and around their middle if not", () => {
  const around = outputAnswers({ shape: [1, 3, 1], data: new Float32Array([-1, 0, 4]) }, 0, "numbers")!;
  expect([around.at(0), around.at(1), around.at(2)]).toEqual([-0.25, 0, 1]);
  const above = outputAnswers({ shape: [1, 3, 1], data: new Float32Array([3000, 4000, 5000]) }, 0, "numbers")!;
  expect([above.at(0), above.at(1), above.at(2)]).toEqual([-1, 0, 1]);
});

it("lets an input grow along its own axis", () => {
  const { columns, at } = inputAnswers("upwards");
  expect([at(0), at(columns - 1), at(columns * (columns - 1))]).toEqual([-1, -1, 1]);
});
