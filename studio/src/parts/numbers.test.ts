import { describe, expect, it } from "vitest";
import { plain, stepped, typed } from "./numbers";

describe("typed", () => {
  it("reads points, commas, thousands and powers of ten", () => {
    expect(["0.5", "0,5", "1 000", "1e-3", "−2", ".25", "3 × 10^-2", "5,5 × 10⁻⁸"].map(typed)).toEqual([
      0.5, 0.5, 1000, 1e-3, -2, 0.25, 0.03, 5.5e-8,
    ]);
  });
  it("refuses what is no number", () => {
    expect(["", "a", "1.2.3", "e5", "0x10", "1e999"].map(typed)).toEqual([null, null, null, null, null, null]);
  });
});

describe("stepped", () => {
  it("goes 1, 2, 5, 10 up and down again", () => {
    expect([0.01, 0.02, 0.05].map((one) => stepped(one, true, "decades", 1e-6))).toEqual([0.02, 0.05, 0.1]);
    expect([0.1, 0.02, 0.01, 0.03].map((one) => stepped(one, false, "decades", 1e-6))).toEqual([
      0.05, 0.01, 0.005, 0.02,
    ]);
  });
  it("comes to 0 below the least, and from 0 to the least", () => {
    expect(stepped(1e-6, false, "decades", 1e-6)).toBe(0);
    expect(stepped(0, true, "decades", 1e-6)).toBe(1e-6);
  });
  it("doubles to powers of two", () => {
    expect([
      stepped(10, true, "doubles", 1),
      stepped(10, false, "doubles", 1),
      stepped(16, false, "doubles", 1),
    ]).toEqual([16, 8, 8]);
  });
});

it("writes numbers plainly for screen readers", () => {
  expect([plain(1e-12), plain(1e6), plain(-0.5)]).toEqual(["0.000000000001", "1000000", "-0.5"]);
});
