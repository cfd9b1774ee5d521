import { describe, expect, it } from "vitest";
import { bytes, decoded, encoded, floats, integers, merged, type Frame, type Tensor } from "./frame";

const HEADER = {
  type: "frame" as const,
  answer: null,
  epoch: 3,
  step: 0,
  steps: 10,
  seconds: 0.5,
  steps_per_second: 0,
  scores: { loss: 0.25, validation_loss: null, score: 1, validation_score: null },
};

function frame(arrays: Record<string, Tensor>): Frame {
  return { type: "frame", header: { ...HEADER, arrays: [] }, arrays: new Map(Object.entries(arrays)) };
}
const one = { shape: [1], data: new Float32Array([1]) };
const two = { shape: [1], data: new Float32Array([2]) };

describe("a binary message", () => {
  it("gives back what it was made of, whatever the types of its arrays", () => {
    const arrays = new Map<string, Tensor>([
      ["maps", { shape: [1, 1, 3], data: new Uint8Array([0, 128, 255]) }],
      ["boundary", { shape: [2, 1, 1], data: new Float32Array([0.5, -0.25]) }],
      ["confusion", { shape: [1], data: new Int32Array([7]) }],
    ]);
    const back = decoded(encoded(HEADER, arrays));
    expect(back.header.epoch).toBe(3);
    expect(bytes(back, "maps")).toEqual({ shape: [1, 1, 3], data: new Uint8Array([0, 128, 255]) });
    expect([...floats(back, "boundary")!.data]).toEqual([0.5, -0.25]);
    expect([...integers(back, "confusion")!.data]).toEqual([7]);
  });
  it("has its header's length first, little-endian, and its arrays at a multiple of 8 bytes", () => {
    const message = encoded(HEADER, new Map([["a", one]]));
    const length = new DataView(message).getUint32(0, true);
    const text = new TextDecoder().decode(new Uint8Array(message, 4, length));
    expect(JSON.parse(text).arrays).toEqual([{ name: "a", dtype: "float32", shape: [1], offset: 0 }]);
    expect(new Float32Array(message, 8 * Math.ceil((4 + length) / 8), 1)[0]).toBe(1);
  });
  it("is asked for arrays by their type", () => {
    expect(floats(frame({ maps: { shape: [1], data: new Uint8Array(1) } }), "maps")).toBeNull();
    expect(floats(null, "maps")).toBeNull();
  });
});

describe("frames one after the other", () => {
  it("keep what the newer does not have", () => {
    const both = merged(frame({ parameters: one, boundary: one }), frame({ boundary: two }), false);
    expect(floats(both, "parameters")?.data[0]).toBe(1);
    expect(floats(both, "boundary")?.data[0]).toBe(2);
  });
  it("forget the numbers of a sample that is looked at no more", () => {
    const known = frame({ parameters: one, "forward.A.1": one, "backward.delta.1": one, gradient: one, points: one });
    expect([...merged(known, frame({ points: two }), true).arrays.keys()]).toEqual(["parameters", "points"]);
  });
});
