// Frames: the numbers of a network in training, as they come from the engine.
import type { FrameHeader } from "./types";

export type Numbers = Float32Array | Int32Array | Uint8Array;

/** An array of a frame, in C order. */
export interface Tensor<T extends Numbers = Numbers> {
  readonly shape: readonly number[];
  readonly data: T;
}

/** What is known by now: a frame has only what has changed, and the rest is of frames before (see `merged`). */
export interface Frame {
  readonly type: "frame";
  readonly header: FrameHeader;
  /** By the names that the protocol gives: parameters, boundary, maps, forward.A.1, ... */
  readonly arrays: ReadonlyMap<string, Tensor>;
}

/** The array of that name as 32-bit floats; nothing where there is none. */
export function floats(frame: Frame | null, name: string): Tensor<Float32Array> | null {
  const found = frame?.arrays.get(name);
  return found?.data instanceof Float32Array ? (found as Tensor<Float32Array>) : null;
}

/** Likewise of whole numbers. */
export function integers(frame: Frame | null, name: string): Tensor<Int32Array> | null {
  const found = frame?.arrays.get(name);
  return found?.data instanceof Int32Array ? (found as Tensor<Int32Array>) : null;
}

/** Likewise of bytes. */
export function bytes(frame: Frame | null, name: string): Tensor<Uint8Array> | null {
  const found = frame?.arrays.get(name);
  return found?.data instanceof Uint8Array ? (found as Tensor<Uint8Array>) : null;
}

const ROUND = 8; // the arrays begin at a multiple of so many bytes

/** A frame out of its binary message; its arrays are views of the message, not copies. */
export function decoded(message: ArrayBuffer): Frame {
  const length = new DataView(message).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, length))) as FrameHeader;
  const begin = Math.ceil((4 + length) / ROUND) * ROUND;
  const arrays = new Map<string, Tensor>();
  for (const { name, dtype, shape, offset } of header.arrays) {
    const size = shape.reduce((product, one) => product * one, 1);
    const at = begin + offset;
    const data =
      dtype === "uint8"
        ? new Uint8Array(message, at, size)
        : dtype === "int32"
          ? new Int32Array(message, at, size)
          : new Float32Array(message, at, size);
    arrays.set(name, { shape, data });
  }
  return { type: "frame", header, arrays };
}

/** The binary message of a frame, as the engine writes it: for engines in the page, and tests. */
export function encoded(header: Omit<FrameHeader, "arrays">, arrays: ReadonlyMap<string, Tensor>): ArrayBuffer {
  let offset = 0;
  const infos = [...arrays].map(([name, { shape, data }]) => {
    const info = {
      name,
      dtype: data instanceof Uint8Array ? "uint8" : data instanceof Int32Array ? "int32" : "float32",
      shape,
      offset,
    };
    offset += Math.ceil(data.byteLength / ROUND) * ROUND;
    return info;
  });
  const text = new TextEncoder().encode(JSON.stringify({ ...header, arrays: infos }));
  const begin = Math.ceil((4 + text.length) / ROUND) * ROUND;
  const message = new Uint8Array(begin + offset);
  new DataView(message.buffer).setUint32(0, text.length, true);
  message.set(text, 4);
  infos.forEach(({ name, offset }) => {
    const { buffer, byteOffset, byteLength } = arrays.get(name)!.data;
    message.set(new Uint8Array(buffer, byteOffset, byteLength), begin + offset);
  });
  return message.buffer;
}

const OF_LOOK = /^(forward|backward)\.|^(gradient|target|boundary|curve_of_inputs|points|places|maps|ranges)$/;

/** A newer frame upon what was known. One that answers `look` shows something else: what was looked at before goes. */
export function merged(known: Frame | null, newer: Frame, looked: boolean): Frame {
  if (!known) return newer;
  const arrays = new Map(known.arrays);
  if (looked) for (const name of known.arrays.keys()) if (OF_LOOK.test(name)) arrays.delete(name);
  for (const [name, tensor] of newer.arrays) arrays.set(name, tensor);
  return { type: "frame", header: newer.header, arrays };
}
