import { describe, expect, it } from "vitest";
import { curve, heightAt, layout, strength } from "./geometry";

const ROOM = { width: 680, left: 60, right: 60, unit: 1 };

describe("layout", () => {
  it("spreads the columns over the width, with place for names beside them", () => {
    const { columns, width } = layout([2, 4, 2], ROOM);
    expect(columns.map((column) => column.x)).toEqual([84, 340, 596]); // 24 is half of a neuron
    expect(width).toBe(680);
  });
  it("puts every column in the middle of the height", () => {
    const { columns, height } = layout([2, 5, 1], ROOM);
    for (const { ys } of columns) expect((ys[0]! + ys.at(-1)!) / 2).toBeCloseTo(height / 2);
  });
  it("draws the first neurons of a layer that has too many, and counts the others", () => {
    const [, wide] = layout([2, 64, 1], ROOM).columns;
    expect(wide?.ys.length).toBe(10);
    expect(wide?.hidden).toBe(54);
  });
  it("is wider than the place there is rather than crowded", () => {
    expect(layout(Array(12).fill(2), ROOM).width).toBeGreaterThan(1200);
  });
  it("draws larger on a wide place", () => {
    const wide = layout([2, 4, 1], { ...ROOM, width: 1000 });
    expect(wide.columns[1]!.half).toBeGreaterThan(layout([2, 4, 1], ROOM).columns[1]!.half);
  });
  it("keeps neurons apart, so that numbers fit between them", () => {
    const column = layout([2, 12, 1], ROOM).columns[1]!;
    expect(column.ys[1]! - column.ys[0]! - 2 * column.half).toBeCloseTo(22);
  });
  it("draws the neurons of a small layer larger", () => {
    const [few, many] = layout([2, 12], ROOM).columns;
    expect(few!.half).toBeGreaterThan(many!.half);
  });
});

describe("links", () => {
  it("are where the pointer finds them: at both ends and in the middle", () => {
    expect(heightAt(0, 10, 100, 50, 0)).toBeCloseTo(10, 2);
    expect(heightAt(0, 10, 100, 50, 50)).toBeCloseTo(30, 2);
    expect(heightAt(0, 10, 100, 50, 100)).toBeCloseTo(50, 2);
    expect(curve(0, 10, 100, 50)).toBe("M0.0 10.0C50.0 10.0 50.0 50.0 100.0 50.0");
  });
  it("are thicker the larger the weight, whatever its sign, and never too thick", () => {
    expect(strength(2, 1).width).toBeGreaterThan(strength(-1, 1).width);
    expect(strength(-1, 1)).toEqual(strength(1, 1));
    expect(strength(1e30, 1).width).toBeCloseTo(6);
  });
});
