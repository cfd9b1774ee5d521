import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Connection, Engine, Message, Request } from "./protocol/engine";
import { refusal, RefusedError } from "./protocol/engine";
import type { Frame, Tensor } from "./protocol/frame";
import type { Document, State } from "./protocol/types";
import { Studio } from "./state.svelte";

/** An engine of which the test plays the part. */
class FakeEngine implements Engine {
  asked: { request: Request; answer: (message: Message) => void; refuse: (code: string) => void }[] = [];
  tell: (message: Message) => void = () => {};
  connect: (connection: Connection) => void = () => {};
  begin = vi.fn();
  upload = vi.fn();
  take = vi.fn();
  address = (document: string) => `#document=${document}`;
  onMessage = (listener: (message: Message) => void) => void (this.tell = listener);
  onConnection = (listener: (connection: Connection) => void) => void (this.connect = listener);
  send(request: Request): Promise<Message> {
    return new Promise((resolve, reject) => {
      const answer = (message: Message) => {
        this.tell(message);
        resolve(message);
      };
      this.asked.push({ request, answer, refuse: (code) => reject(new RefusedError(refusal(code, "No."))) });
    });
  }
  of(type: Request["type"]): Request[] {
    return this.asked.map((one) => one.request).filter((one) => one.type === type);
  }
}

const TOY = { kind: "toy", name: "circles", samples: 400, noise: 0, classes: 2, seed: 0, held_out: 0.25 } as const;
const TRAINING = {
  optimizer: "adam",
  learning_rate: 0.01,
  schedule: "constant",
  batch_size: 32,
  l2: 0,
  epochs: null,
  patience: null,
  stop_loss: null,
};
const DOCUMENT: Document = {
  version: 1,
  data: TOY,
  network: {
    layers: [
      { kind: "dense", neurons: 4 },
      { kind: "dense", neurons: 2 },
    ],
    loss: "cross_entropy",
    seed: 0,
  },
  training: TRAINING,
  fits: [],
};

function state(change: Partial<Document> = {}, widths = [2, 4, 2]): State {
  return {
    type: "state",
    answer: null,
    document: { ...DOCUMENT, ...change },
    phase: "paused",
    stopped: null,
    data: {
      task: "classification",
      target: "class",
      classes: ["0", "1"],
      inputs: ["x1", "x2"],
      axes: [],
      training: 300,
      validation: 100,
      notes: [],
    },
    network: { widths, parameters: 22, tensors: [] },
    kept: [],
  };
}
function frame(arrays: Record<string, Tensor>, curveFrom?: number): Frame {
  const scores = { loss: null, validation_loss: null, score: null, validation_score: null };
  const header = {
    type: "frame" as const,
    answer: null,
    epoch: 0,
    step: 0,
    steps: 1,
    seconds: 0,
    steps_per_second: 0,
    scores,
    arrays: [],
  };
  return {
    type: "frame",
    header: { ...header, ...(curveFrom !== undefined && { curve_from: curveFrom }) },
    arrays: new Map(Object.entries(arrays)),
  };
}
function curve(...losses: number[]): Record<string, Tensor> {
  return {
    curve: { shape: [2, losses.length], data: new Float32Array([...losses, ...losses.map((one) => 10 * one)]) },
  };
}
const settled = () => new Promise((resolve) => setTimeout(resolve));

let engine: FakeEngine;
let studio: Studio;
beforeEach(() => {
  vi.stubGlobal("requestAnimationFrame", (act: () => void) => setTimeout(act));
  engine = new FakeEngine();
  studio = new Studio(engine);
  engine.tell(state());
});

describe("a change", () => {
  it("shows at once, before the engine has answered", () => {
    studio.change({ data: { ...TOY, noise: 0.5 } });
    expect(studio.document?.data).toMatchObject({ noise: 0.5 });
    expect(studio.state?.document.data).toMatchObject({ noise: 0 });
  });
  it("is sent together with those that were wished while an answer was awaited", async () => {
    for (const noise of [0.1, 0.2, 0.3]) studio.change({ data: { ...TOY, noise } });
    studio.change({ training: { ...TRAINING, l2: 1 } });
    expect(engine.of("change").length).toBe(1);
    engine.asked[0]!.answer(state({ data: { ...TOY, noise: 0.1 } }));
    await settled();
    expect(engine.of("change")[1]).toMatchObject({ data: { noise: 0.3 }, training: { l2: 1 } });
  });
  it("goes back, and says why, where it is refused", async () => {
    studio.change({ network: { ...DOCUMENT.network, loss: "none" } });
    engine.asked[0]!.refuse("network_refused");
    await settled();
    expect(studio.document?.network.loss).toBe("cross_entropy");
    expect(studio.notices.map((one) => one.refused.code)).toEqual(["network_refused"]);
  });
});

describe("the losses", () => {
  it("lengthen, and are replaced from where a frame says", async () => {
    engine.tell(frame(curve(4, 3), 0));
    engine.tell(frame(curve(2.5, 2), 1));
    await settled();
    expect([...studio.curve.loss]).toEqual([4, 2.5, 2]);
    expect([...studio.curve.validation]).toEqual([40, 25, 20]);
  });
  it("are asked for again where pieces are missing", () => {
    engine.tell(frame(curve(1), 5));
    expect(engine.of("look").length).toBe(1);
  });
  it("hold a long training", async () => {
    engine.tell(frame(curve(...Array<number>(1000).fill(1)), 0));
    engine.tell(frame(curve(2), 1000));
    await settled();
    expect([studio.curve.loss.length, studio.curve.loss[1000]]).toEqual([1001, 2]);
  });
});

describe("what is looked at", () => {
  it("is forgotten with the data", () => {
    studio.look({ part: "training", row: 3 });
    studio.place = { kind: "neuron", layer: 0, index: 3 };
    engine.tell(state({ data: { ...TOY, name: "moons" } }));
    expect(studio.sample).toBeNull();
    expect(engine.of("look").at(-1)).toMatchObject({ sample: null, axes: null });
  });
  it("stays while the neuron is still there", () => {
    studio.place = { kind: "neuron", layer: 0, index: 1 };
    engine.tell(state({}, [2, 2, 2]));
    expect(studio.place).toEqual({ kind: "neuron", layer: 0, index: 1 });
    engine.tell(state({}, [2, 1, 2]));
    expect(studio.place).toBeNull();
  });
  it("loses the numbers of a network that is no more, but not the picture", async () => {
    const one = { shape: [1], data: new Float32Array(1) };
    engine.tell(frame({ parameters: one, boundary: one, points: one }));
    await settled();
    engine.tell(state({}, [2, 5, 2]));
    expect([...studio.frame!.arrays.keys()]).toEqual(["boundary", "points"]);
  });
});

describe("training slowly", () => {
  it("makes one epoch after the other until it is paused", async () => {
    engine.connect("open");
    studio.pace = "epochs/30";
    void studio.toggle();
    expect(studio.running).toBe(true);
    engine.asked.at(-1)!.answer(state());
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(engine.of("run").length).toBe(2);
    void studio.toggle();
    engine.asked.at(-1)!.answer(state());
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect([engine.of("run").length, studio.running]).toEqual([2, false]);
  });
});

it("says the same thing only once", () => {
  for (let k = 0; k < 3; k++) engine.tell(refusal("diverged", "It has grown."));
  expect(studio.notices.length).toBe(1);
});

it("makes no link of a table, whose data it could not hold", async () => {
  engine.tell(state({ data: { kind: "table", table: "t", target: "y", columns: {}, seed: 0, held_out: 0.25 } }));
  expect(await studio.link()).toBeNull();
  engine.tell(state());
  expect(await studio.link()).toMatch(/^#document=[\w-]+$/);
});
