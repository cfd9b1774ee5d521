import { expect, test } from "vitest";
import { drawTile, type Paper } from "./toy";

/** Notes what is drawn. */
function paper(): Paper & { said: string[]; places: number[][] } {
  const said: string[] = [];
  const places: number[][] = [];
  return {
    said,
    places,
    fillStyle: "",
    clearRect: () => said.push("clear"),
    beginPath: () => {},
    fill() {
      said.push(String(this.fillStyle));
    },
    moveTo: () => {},
    lineTo: (x: number, y: number) => places.push([x, y]),
    closePath: () => {},
    arc: (x: number, y: number) => places.push([x, y]),
  };
}

const COLOURS = {
  classes: [
    [200, 100, 0],
    [0, 100, 200],
  ] as [number, number, number][],
  scale: [
    [200, 100, 0],
    [255, 255, 255],
    [0, 100, 200],
  ] as [[number, number, number], [number, number, number], [number, number, number]],
};

test("each sample has its class's colour and lies within the tile, upwards being up", () => {
  const on = paper();
  drawTile(on, [-1, -1, 0, 0, 1, 1, 0, 0], "classification", COLOURS, 100);
  expect(on.said).toEqual(["clear", "rgb(200 100 0)", "rgb(200 100 0)"]);
  const [first, second] = on.places as [number[], number[]];
  expect(first[0]!).toBeLessThan(second[0]!);
  expect(first[1]!).toBeGreaterThan(second[1]!);
  for (const at of on.places.flat()) {
    expect(at).toBeGreaterThan(0);
    expect(at).toBeLessThan(100);
  }
});

test("a regression's samples are coloured by their targets", () => {
  const on = paper();
  drawTile(on, [0, 0, -5, 0, 1, 1, 5, 0], "regression", COLOURS, 100);
  expect(on.said.slice(1)).toEqual(["rgb(200 100 0)", "rgb(0 100 200)"]);
});

test("of many samples not all are drawn, and of none nothing", () => {
  const many = paper();
  drawTile(
    many,
    Array.from({ length: 4 * 5000 }, (_, i) => Math.sin(i)),
    "regression",
    COLOURS,
    100,
  );
  expect(many.said.length).toBeLessThanOrEqual(201);
  const none = paper();
  drawTile(none, [], "classification", COLOURS, 100);
  expect(none.said).toEqual(["clear"]);
});
