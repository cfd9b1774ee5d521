// The numbers of one sample as they flow over the diagram: forward from layer to layer, then the error's back.

import type { Frame } from "../protocol/frame";
import type { NetworkInfo } from "../protocol/types";

/** What flows: inputs; sums and outputs of a layer; the error; the errors sent back to a layer; the gradient of its weights. */
export type Quantity = "input" | "Z" | "A" | "error" | "delta" | "gradient";

/** A moment of the flow. */
export interface Moment {
  readonly quantity: Quantity;
  /** The layer; 0 are the inputs. */
  readonly layer: number;
  readonly forward: boolean;
}

/** All moments for so many layers, in their order. */
export function moments(layers: number): Moment[] {
  const out: Moment[] = [{ quantity: "input", layer: 0, forward: true }];
  for (let layer = 1; layer <= layers; layer++) {
    out.push({ quantity: "Z", layer, forward: true }, { quantity: "A", layer, forward: true });
  }
  out.push({ quantity: "error", layer: layers, forward: false });
  for (let layer = layers; layer >= 1; layer--) {
    out.push({ quantity: "delta", layer, forward: false }, { quantity: "gradient", layer, forward: false });
  }
  return out;
}

/** Numbers beside the neurons of a layer. */
export interface OfNodes {
  readonly quantity: "A" | "Z" | "delta" | "error";
  readonly values: ArrayLike<number>;
  /** Whether they have just come. */
  readonly now: boolean;
}

/** Numbers on the links into a layer: `values[i * to + j]` from neuron i below to neuron j. */
export interface OfLinks {
  readonly quantity: "product" | "sent" | "gradient";
  readonly from: number;
  readonly to: number;
  readonly values: Float64Array;
  readonly now: true;
}

/** What the diagram shows at a moment: of layers 0, 1, ..., and of the links into layers 0 (none), 1, ... */
export interface Shown {
  readonly nodes: readonly (OfNodes | null)[];
  readonly links: readonly (OfLinks | null)[];
}

function matrix(
  network: NetworkInfo,
  frame: Frame,
  layer: number,
  of: "parameters" | "gradient",
): ArrayLike<number> | null {
  const tensor = network.tensors.find(
    (one) => one.layer === layer - 1 && one.name.endsWith(".W") && one.shape.length === 2,
  );
  const flat = frame.arrays.get(of)?.data;
  const [from, to] = tensor?.shape ?? [];
  if (!tensor || !flat || from !== network.widths[layer - 1] || to !== network.widths[layer]) return null;
  return flat.subarray(tensor.offset, tensor.offset + from! * to!);
}

function links(network: NetworkInfo, frame: Frame, layer: number, quantity: OfLinks["quantity"]): OfLinks | null {
  const numbers = matrix(network, frame, layer, quantity === "gradient" ? "gradient" : "parameters");
  if (!numbers) return null;
  const [from, to] = [network.widths[layer - 1] as number, network.widths[layer] as number];
  const below = frame.arrays.get(`forward.A.${layer - 1}`)?.data;
  const delta = frame.arrays.get(`backward.delta.${layer}`)?.data;
  const values = new Float64Array(from * to);
  for (let i = 0; i < from; i++) {
    for (let j = 0; j < to; j++) {
      const w = numbers[i * to + j] as number;
      const factor = quantity === "product" ? below?.[i] : quantity === "sent" ? delta?.[j] : 1;
      values[i * to + j] = factor === undefined ? NaN : w * factor;
    }
  }
  return { quantity, from, to, values, now: true };
}

/** The difference of output and target, which the error is made of. */
function errors(network: NetworkInfo, frame: Frame): Float64Array | null {
  const output = frame.arrays.get(`forward.A.${network.widths.length - 1}`)?.data;
  const target = frame.arrays.get("target")?.data;
  if (!output || !target) return null;
  return Float64Array.from({ length: Math.min(output.length, target.length) }, (_, i) => output[i]! - target[i]!);
}

/** Whether the arrays have a sample's numbers for this network. */
export function hasSample(network: NetworkInfo, frame: Frame): boolean {
  return network.widths.every((width, layer) => frame.arrays.get(`forward.A.${layer}`)?.data.length === width);
}

/**
 * What is shown at a moment. What came before stays beside the neurons: outputs of the layers behind on the way forward;
 * on the way back the errors sent back replace them from the end.
 */
export function shownAt(network: NetworkInfo, frame: Frame, moment: Moment): Shown {
  const layers = network.widths.length - 1;
  const order = moments(layers);
  const now = order.findIndex((one) => one.quantity === moment.quantity && one.layer === moment.layer);
  const nodes: (OfNodes | null)[] = network.widths.map(() => null);
  for (const [i, one] of order.entries()) {
    if (i > now) break;
    const name =
      one.quantity === "delta"
        ? `backward.delta.${one.layer}`
        : `forward.${one.quantity === "Z" ? "Z" : "A"}.${one.layer}`;
    const quantity = one.quantity === "input" ? "A" : one.quantity;
    if (quantity === "gradient") continue;
    const values = quantity === "error" ? errors(network, frame) : frame.arrays.get(name)?.data;
    if (values) nodes[one.layer] = { quantity, values, now: i === now };
  }
  const made: (OfLinks | null)[] = network.widths.map(() => null);
  if (moment.quantity === "Z") made[moment.layer] = links(network, frame, moment.layer, "product");
  if (moment.quantity === "gradient") made[moment.layer] = links(network, frame, moment.layer, "gradient");
  if (moment.quantity === "delta" && moment.layer < layers) {
    made[moment.layer + 1] = links(network, frame, moment.layer + 1, "sent");
  }
  return { nodes, links: made };
}

/** Goes through the moments, by hand or by itself; says so to whoever listens. */
export class FlowControl {
  #at = -1;
  #timer: ReturnType<typeof setInterval> | null = null;
  readonly #changed: (at: number, playing: boolean) => void;
  #count: number;

  constructor(count: number, changed: (at: number, playing: boolean) => void) {
    this.#count = count;
    this.#changed = changed;
  }

  /** The moment's place; −1 before the first. */
  get at(): number {
    return this.#at;
  }

  get playing(): boolean {
    return this.#timer !== null;
  }

  /** Another network: as many moments, from before the first. */
  restart(count: number): void {
    this.#count = count;
    this.#halt();
    this.#go(-1);
  }

  next(): void {
    this.pause();
    this.#go(Math.min(this.#count - 1, this.#at + 1));
  }

  back(): void {
    this.pause();
    this.#go(Math.max(-1, this.#at - 1));
  }

  goTo(at: number): void {
    this.pause();
    this.#go(Math.min(this.#count - 1, Math.max(-1, at)));
  }

  /** Goes on by itself, from the beginning where it was at the end. */
  play(milliseconds: number): void {
    this.#halt();
    if (this.#at >= this.#count - 1) this.#at = -1;
    this.#timer = setInterval(() => {
      if (this.#at + 1 >= this.#count - 1) this.#halt();
      this.#go(Math.min(this.#count - 1, this.#at + 1));
    }, milliseconds);
    this.#go(Math.min(this.#count - 1, this.#at + 1));
  }

  pause(): void {
    if (this.#timer === null) return;
    this.#halt();
    this.#changed(this.#at, false);
  }

  /** Ends its timer; nothing is said any more. */
  close(): void {
    this.#halt();
  }

  #halt(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #go(at: number): void {
    this.#at = at;
    this.#changed(at, this.playing);
  }
}
