// Small pictures of the sets that are made up: some dozen points of each, in a square of 40 by 40, as one sees them drawn. A set that is not
// known here has none, and is known by its name.

export interface Dot {
  x: number;
  y: number;
  /** Which class, for classification. */
  class: number;
  /** From -1 to 1, for regression. */
  value: number;
}

const TURN = 2 * Math.PI;
const SIDE = 40;

/** A little chance, the same every time. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

type Place = [x: number, y: number, of: number]; // x and y from -1 to 1

function polar(radius: number, turns: number, of: number): Place {
  return [radius * Math.cos(TURN * turns), radius * Math.sin(TURN * turns), of];
}

function around(count: number, radius: number, of: number, begin = 0): Place[] {
  return Array.from({ length: count }, (_, k) => polar(radius, begin + k / count, of));
}

function cloud(count: number, x: number, y: number, spread: number, of: number): Place[] {
  const random = chance(7 + 13 * of);
  return Array.from(
    { length: count },
    () => [x + spread * (random() + random() - 1), y + spread * (random() + random() - 1), of] as Place,
  );
}

function lattice(side: number, of: (x: number, y: number) => number): Place[] {
  return Array.from({ length: side * side }, (_, k) => {
    const x = ((k % side) + 0.5) / (side / 2) - 1;
    const y = (Math.floor(k / side) + 0.5) / (side / 2) - 1;
    return [x, y, of(x, y)] as Place;
  });
}

const CLASSES: Record<string, () => Place[]> = {
  circles: () => [...cloud(14, 0, 0, 0.4, 0), ...around(16, 0.8, 1), ...around(10, 0.95, 1, 0.03)],
  spiral: () =>
    [0, 1].flatMap((arm) =>
      Array.from({ length: 18 }, (_, k) => polar(0.08 + (0.87 * k) / 17, (1.4 * k) / 17 + arm / 2, arm)),
    ),
  moons: () => [
    ...Array.from(
      { length: 15 },
      (_, k) => [Math.cos((Math.PI * k) / 14) * 0.62 - 0.3, Math.sin((Math.PI * k) / 14) * 0.75 - 0.2, 0] as Place,
    ),
    ...Array.from(
      { length: 15 },
      (_, k) => [0.32 - Math.cos((Math.PI * k) / 14) * 0.62, 0.2 - Math.sin((Math.PI * k) / 14) * 0.75, 1] as Place,
    ),
  ],
  xor: () => lattice(6, (x, y) => (x * y > 0 ? 0 : 1)),
  blobs: () =>
    [0, 1, 2].flatMap((one) =>
      cloud(12, 0.6 * Math.cos(TURN * (one / 3 + 0.25)), 0.6 * Math.sin(TURN * (one / 3 + 0.25)), 0.35, one),
    ),
  gaussians: () => [...cloud(18, -0.45, -0.45, 0.5, 0), ...cloud(18, 0.45, 0.45, 0.5, 1)],
  rings: () => [...around(6, 0.22, 0), ...around(13, 0.56, 1), ...around(20, 0.9, 2)],
  checkerboard: () => lattice(8, (x, y) => (Math.floor(2 * x) + Math.floor(2 * y)) & 1),
};

const NUMBERS: Record<string, () => Place[]> = {
  sine: () =>
    Array.from(
      { length: 26 },
      (_, k) =>
        [
          -0.95 + (1.9 * k) / 25,
          0.75 * Math.sin(4 * (-0.95 + (1.9 * k) / 25)),
          Math.sin(4 * (-0.95 + (1.9 * k) / 25)),
        ] as Place,
    ),
  plane: () => lattice(7, (x, y) => (x + y) / 1.7),
  saddle: () => lattice(7, (x, y) => 1.3 * (x * x - y * y)),
  waves: () => lattice(8, (x, y) => 1.2 * Math.sin(3.4 * x) * Math.cos(3.4 * y)),
};

export function picture(name: string): Dot[] {
  const classes = CLASSES[name];
  const places = (classes ?? NUMBERS[name])?.() ?? [];
  return places.map(([x, y, of]) => ({
    x: (SIDE / 2) * (1 + 0.92 * x),
    y: (SIDE / 2) * (1 - 0.92 * y),
    class: classes ? of : 0,
    value: classes ? 0 : Math.max(-1, Math.min(1, of)),
  }));
}

/** How many classes its picture has; two at least. */
export function classesOf(name: string): number {
  return Math.max(2, ...picture(name).map((dot) => dot.class + 1));
}
