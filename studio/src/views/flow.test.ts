import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Frame, Tensor } from "../protocol/frame";
import type { NetworkInfo } from "../protocol/types";
import { FlowControl, hasSample, moments, shownAt } from "./flow";

// A network 2-2-1 whose numbers are computed by hand: A0 = (1, 2), W1 = ((1, −1), (0, 3)), Z1 = (1, 5), identity throughout,
// W2 = (2, 1)ᵀ, Z2 = 7; target 6, so δ2 = 1, δ1 = (2, 1), gradient of W1 = A0ᵀ δ1, of W2 = A1ᵀ δ2.
const NETWORK: NetworkInfo = {
  widths: [2, 2, 1],
  parameters: 6,
  tensors: [
    { name: "layers.0.W", layer: 0, shape: [2, 2], offset: 0 },
    { name: "layers.1.W", layer: 1, shape: [2, 1], offset: 4 },
  ],
};

function frame(arrays: Record<string, number[]>): Frame {
  const made = Object.entries(arrays).map(([name, data]): [string, Tensor] => [
    name,
    { shape: [data.length], data: Float32Array.from(data) },
  ]);
  return { type: "frame", header: {} as Frame["header"], arrays: new Map(made) };
}

const FRAME = frame({
  parameters: [1, -1, 0, 3, 2, 1],
  gradient: [2, 1, 4, 2, 1, 5],
  target: [6],
  "forward.A.0": [1, 2],
  "forward.Z.1": [1, 5],
  "forward.A.1": [1, 5],
  "forward.Z.2": [7],
  "forward.A.2": [7],
  "backward.delta.2": [1],
  "backward.delta.1": [2, 1],
});

test("numbers flow forward layer by layer, then the error back", () => {
  expect(moments(2).map(({ quantity, layer }) => quantity + layer)).toEqual([
    "input0",
    "Z1",
    "A1",
    "Z2",
    "A2",
    "error2",
    "delta2",
    "gradient2",
    "delta1",
    "gradient1",
  ]);
});

test("at the beginning only the inputs are known", () => {
  const { nodes, links } = shownAt(NETWORK, FRAME, moments(2)[0]!);
  expect(nodes.map((one) => one && Array.from(one.values))).toEqual([[1, 2], null, null]);
  expect(links).toEqual([null, null, null]);
});

test("the products on the links into a neuron add up to its sum", () => {
  const { nodes, links } = shownAt(NETWORK, FRAME, { quantity: "Z", layer: 1, forward: true });
  expect(links[1]!.quantity).toBe("product");
  expect([...links[1]!.values]).toEqual([1, -1, 0, 6]);
  expect(Array.from(nodes[1]!.values)).toEqual([1, 5]);
  expect(nodes[1]!.now).toBe(true);
  expect(nodes[0]!.now).toBe(false);
});

test("the error is output less target, and what is sent back on the links adds up to the delta below", () => {
  const error = shownAt(NETWORK, FRAME, { quantity: "error", layer: 2, forward: false });
  expect(Array.from(error.nodes[2]!.values)).toEqual([1]);
  const { nodes, links } = shownAt(NETWORK, FRAME, { quantity: "delta", layer: 1, forward: false });
  expect([...links[2]!.values]).toEqual([2, 1]);
  expect(nodes.map((one) => one?.quantity)).toEqual(["A", "delta", "delta"]);
});

test("the gradient of a weight is the output below times the delta above", () => {
  const { links } = shownAt(NETWORK, FRAME, { quantity: "gradient", layer: 1, forward: false });
  expect([...links[1]!.values]).toEqual([2, 1, 4, 2]);
});

test("a layer without a matrix of weights has no numbers on its links", () => {
  const norm: NetworkInfo = { ...NETWORK, tensors: [{ name: "layers.0.W", layer: 0, shape: [2], offset: 0 }] };
  expect(shownAt(norm, FRAME, { quantity: "Z", layer: 1, forward: true }).links[1]).toBeNull();
});

test("numbers of another network are not taken for this one's", () => {
  expect(hasSample(NETWORK, FRAME)).toBe(true);
  expect(hasSample({ ...NETWORK, widths: [2, 3, 1] }, FRAME)).toBe(false);
  expect(hasSample(NETWORK, frame({}))).toBe(false);
});

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("by hand it goes from before the first to the last and stays there", () => {
  const control = new FlowControl(3, () => {});
  expect(control.at).toBe(-1);
  control.back();
  expect(control.at).toBe(-1);
  for (let i = 0; i < 5; i++) control.next();
  expect(control.at).toBe(2);
});

test("played it goes on by itself, stops at the end, and begins anew from there", () => {
  const said: string[] = [];
  const control = new FlowControl(3, (at, playing) => said.push(`${at}${playing ? ">" : "|"}`));
  control.play(100);
  vi.advanceTimersByTime(1000);
  expect(said).toEqual(["0>", "1>", "2|"]);
  control.play(100);
  expect(control.at).toBe(0);
  control.pause();
  vi.advanceTimersByTime(1000);
  expect(control.at).toBe(0);
});

test("after the end nothing is said any more", () => {
  const changed = vi.fn();
  const control = new FlowControl(9, changed);
  control.play(100);
  changed.mockClear();
  control.close();
  vi.advanceTimersByTime(1000);
  expect(changed).not.toHaveBeenCalled();
});
