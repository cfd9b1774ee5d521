// Made-up frames, as an engine would send them.
import type { Frame, Tensor } from "../../protocol/frame";
import type { ActivationInfo, DataInfo, Document, Kept, NetworkInfo } from "../../protocol/types";

/** Numbers that look random and are the same every time, from −1 to 1. */
export function random(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
}

export function frame(
  arrays: Record<string, Tensor>,
  epoch = 40,
  scores: Partial<Frame["header"]["scores"]> = {},
): Frame {
  return {
    type: "frame",
    header: {
      type: "frame",
      answer: null,
      epoch,
      step: 0,
      steps: 20,
      seconds: 1,
      steps_per_second: 0,
      scores: { loss: 0.2, validation_loss: 0.3, score: 0.9, validation_score: 0.85, ...scores },
      arrays: [],
    },
    arrays: new Map(Object.entries(arrays)),
  };
}

const f32 = (shape: number[], data: ArrayLike<number>): Tensor => ({ shape, data: Float32Array.from(data) });
const i32 = (shape: number[], data: ArrayLike<number>): Tensor => ({ shape, data: Int32Array.from(data) });

const AXES = [
  { name: "x1", low: -6, high: 6 },
  { name: "x2", low: -6, high: 6 },
];

export const CLASSES: Record<string, DataInfo> = Object.fromEntries(
  [2, 3, 5].map((count) => [
    count,
    {
      task: "classification",
      target: "class",
      classes: ["orange", "blue", "green", "violet", "grey"].slice(0, count),
      inputs: ["x1", "x2"],
      axes: AXES,
      training: 140,
      validation: 60,
      notes: [],
    },
  ]),
);
export const REGRESSION: DataInfo = { ...CLASSES["2"]!, task: "regression", target: "body_mass_g", classes: [] };

const GRID = 60;

/** Spirals of so many arms; `sharp` is how far the training has come. */
export function spirals(count: number, sharp = 1.5, epoch = 40): Frame {
  const next = random(count);
  const points: number[] = [];
  const places: number[] = [];
  const rows = [0, 0];
  for (let i = 0; i < 200; i++) {
    const k = i % count;
    const r = 0.6 + (5 * i) / 200;
    const t = 1.1 * r + (2 * Math.PI * k) / count;
    const held = i % 10 < 3 ? 1 : 0;
    points.push(r * Math.sin(t) + 0.25 * next(), r * Math.cos(t) + 0.25 * next(), k, held);
    places.push(rows[held]!++);
  }
  const outputs = count;
  const boundary = new Float32Array(GRID * GRID * outputs);
  for (let row = 0; row < GRID; row++) {
    for (let column = 0; column < GRID; column++) {
      const [x, y] = [-6 + (12 * column) / (GRID - 1), -6 + (12 * row) / (GRID - 1)];
      const [r, angle] = [Math.hypot(x, y), Math.atan2(x, y)];
      const scores = Array.from({ length: count }, (_, k) => {
        return sharp * 2 * Math.cos(angle - 1.1 * r - (2 * Math.PI * k) / count) * Math.min(1, r / 2);
      });
      const e = scores.map(Math.exp);
      const sum = e.reduce((a, b) => a + b, 0);
      const at = (row * GRID + column) * outputs;
      e.forEach((one, k) => (boundary[at + k] = one / sum));
    }
  }
  const confusion = Array.from({ length: 2 * count * count }, (_, i) => {
    const [row, column] = [Math.floor(i / count) % count, i % count];
    return row === column ? 20 + 3 * row : (i * 7) % 4;
  });
  return frame(
    {
      points: f32([200, 4], points),
      places: i32([200], places),
      boundary: f32([GRID, GRID, outputs], boundary),
      confusion: i32([2, count, count], confusion),
      parameters: f32(
        [NETWORK.parameters],
        Array.from({ length: NETWORK.parameters }, (_, i) => Math.sin(i * 1.7 + epoch / 9) * sharp),
      ),
    },
    epoch,
  );
}

export function plane(): Frame {
  const next = random(3);
  const points: number[] = [];
  const f = (x: number, y: number) => 4200 + 300 * x - 160 * y + 40 * x * y;
  for (let i = 0; i < 200; i++) {
    const [x, y] = [5.5 * next(), 5.5 * next()];
    points.push(x, y, f(x, y) + 200 * next(), i % 4 === 0 ? 1 : 0);
  }
  const boundary = Array.from({ length: GRID * GRID }, (_, i) =>
    f(-6 + (12 * (i % GRID)) / 59, -6 + (12 * Math.floor(i / GRID)) / 59),
  );
  const predicted = Array.from({ length: 200 }, (_, i) => [
    points[4 * i + 2]!,
    f(points[4 * i]!, points[4 * i + 1]!),
  ]).flat();
  return frame({
    points: f32([200, 4], points),
    places: i32(
      [200],
      Array.from({ length: 200 }, (_, i) => i),
    ),
    boundary: f32([GRID, GRID, 1], boundary),
    predicted: f32([200, 2], predicted),
  });
}

export function sine(): Frame {
  const next = random(5);
  const points: number[] = [];
  for (let i = 0; i < 120; i++) {
    const x = 6 * next();
    points.push(x, x, Math.sin(x) * 2 + 0.4 * next(), i % 4 === 0 ? 1 : 0);
  }
  const curve = Array.from({ length: 200 }, (_, i) => Math.sin(-6 + (12 * i) / 199) * 1.8);
  return frame({
    points: f32([120, 4], points),
    places: i32(
      [120],
      Array.from({ length: 120 }, (_, i) => i),
    ),
    curve_of_inputs: f32([200, 1], curve),
  });
}

export function losses(epochs: number, seed: number): { loss: Float32Array; validation: Float32Array } {
  const next = random(seed);
  const loss = new Float32Array(epochs).map(
    (_, i) => 0.7 * Math.exp((-4 * i) / epochs) + 0.02 + 0.01 * Math.abs(next()),
  );
  const validation = loss.map((one, i) => one * 1.15 + 0.02 + (0.1 * i * i) / (epochs * epochs) + 0.006 * next());
  return { loss, validation };
}

export const NETWORK: NetworkInfo = {
  widths: [2, 3, 2],
  parameters: 17,
  tensors: [
    { name: "layers.0.W", layer: 0, shape: [2, 3], offset: 0 },
    { name: "layers.0.b", layer: 0, shape: [3], offset: 6 },
    { name: "layers.1.W", layer: 1, shape: [3, 2], offset: 9 },
    { name: "layers.1.b", layer: 1, shape: [2], offset: 15 },
  ],
};

/** A sample's numbers, consistent with one another: tanh, then softmax with cross-entropy. */
export function sample(): Frame {
  const P = [0.5, -1.2, 0.3, 0.8, 0.4, -0.6, 0.1, 0, -0.2, 1.1, -0.7, 0.5, 0.9, -1.3, 0.2, 0.05, -0.05];
  const X = [1.5, -0.8];
  const Z1 = [0, 1, 2].map((j) => X[0]! * P[j]! + X[1]! * P[3 + j]! + P[6 + j]!);
  const A1 = Z1.map(Math.tanh);
  const Z2 = [0, 1].map((j) => A1.reduce((sum, a, i) => sum + a * P[9 + 2 * i + j]!, P[15 + j]!));
  const e = Z2.map(Math.exp);
  const A2 = e.map((one) => one / (e[0]! + e[1]!));
  const target = [0, 1];
  const d2 = A2.map((a, j) => a - target[j]!);
  const d1 = A1.map((a, i) => (1 - a * a) * (d2[0]! * P[9 + 2 * i]! + d2[1]! * P[10 + 2 * i]!));
  const gradient = [
    ...X.flatMap((x) => d1.map((d) => x * d)),
    ...d1,
    ...A1.flatMap((a) => d2.map((d) => a * d)),
    ...d2,
  ];
  return frame({
    parameters: f32([17], P),
    gradient: f32([17], gradient),
    target: f32([2], target),
    "forward.A.0": f32([2], X),
    "forward.Z.1": f32([3], Z1),
    "forward.A.1": f32([3], A1),
    "forward.Z.2": f32([2], Z2),
    "forward.A.2": f32([2], A2),
    "backward.delta.2": f32([2], d2),
    "backward.delta.1": f32([3], d1),
  });
}

const PLACES = Array.from({ length: 121 }, (_, i) => -6 + i / 10);
export const TANH: ActivationInfo = {
  name: "tanh",
  formula:
    "<math><mi>tanh</mi><mo>(</mo><mi>z</mi><mo>)</mo><mo>=</mo><mfrac><mrow><mn>1</mn><mo>−</mo><msup><mi>e</mi><mrow><mo>−</mo><mn>2</mn><mi>z</mi></mrow></msup></mrow><mrow><mn>1</mn><mo>+</mo><msup><mi>e</mi><mrow><mo>−</mo><mn>2</mn><mi>z</mi></mrow></msup></mrow></mfrac></math>",
  derivative:
    "<math><msup><mi>tanh</mi><mo>′</mo></msup><mo>(</mo><mi>z</mi><mo>)</mo><mo>=</mo><mn>1</mn><mo>−</mo><msup><mi>tanh</mi><mn>2</mn></msup><mo>(</mo><mi>z</mi><mo>)</mo></math>",
  elementwise: true,
  curve: { low: -6, high: 6, values: PLACES.map(Math.tanh), derivatives: PLACES.map((z) => 1 - Math.tanh(z) ** 2) },
};
export const SOFTMAX: ActivationInfo = {
  name: "softmax",
  formula:
    "<math><msub><mi>S</mi><mi>j</mi></msub><mo>=</mo><mfrac><msup><mi>e</mi><msub><mi>z</mi><mi>j</mi></msub></msup><mrow><munder><mo>∑</mo><mi>i</mi></munder><msup><mi>e</mi><msub><mi>z</mi><mi>i</mi></msub></msup></mrow></mfrac></math>",
  derivative:
    "<math><msub><mi>S</mi><mi>i</mi></msub><mo>(</mo><msub><mi>δ</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub><mo>−</mo><msub><mi>S</mi><mi>j</mi></msub><mo>)</mo></math>",
  elementwise: false,
};

const DOCUMENT: Document = {
  version: 1,
  data: { kind: "toy", name: "spirals", samples: 200, noise: 0.1, classes: 3, seed: 0, held_out: 0.3 },
  network: {
    layers: [
      { kind: "dense", neurons: 8, activation: "tanh", bias: true },
      { kind: "dense", neurons: 3, activation: "softmax", bias: true },
    ],
    loss: "cross_entropy",
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

export function kept(pictures: string[]): Kept[] {
  return pictures.map((boundary, i) => {
    const document = structuredClone(DOCUMENT);
    document.training.learning_rate = [0.01, 0.1, 0.03][i]!;
    if (i === 1) document.network.layers[0]!.activation = "relu";
    if (i === 2) document.network.layers.splice(1, 0, { kind: "dense", neurons: 8, activation: "tanh", bias: true });
    const { loss, validation } = losses(120, i + 1);
    return {
      run: i + 1,
      document,
      epochs: [400, 1200, 250][i]!,
      loss: [...loss].map((one) => one * (1 - 0.2 * i)),
      validation_loss: [...validation].map((one) => one * (1 - 0.15 * i)),
      score: [0.91, 0.955, 0.97][i]!,
      boundary,
    };
  });
}
