import { expect, test } from "vitest";
import { ColourCount, GifWriter, lzw } from "./gif";

/** Reads LZW as the GIF specification (appendix F) describes it. */
function read(codes: Uint8Array, bits: number): number[] {
  const [clear, end] = [1 << bits, (1 << bits) + 1];
  let table: number[][] = [];
  let width = bits + 1;
  let [held, filled, at] = [0, 0, 0];
  let before: number[] | null = null;
  const out: number[] = [];
  const begin = () => {
    table = Array.from({ length: end + 1 }, (_, i) => (i < clear ? [i] : []));
    width = bits + 1;
    before = null;
  };
  begin();
  for (;;) {
    while (filled < width) {
      if (at >= codes.length) throw new Error("the codes end too early");
      held |= codes[at++]! << filled;
      filled += 8;
    }
    const code = held & ((1 << width) - 1);
    held >>>= width;
    filled -= width;
    if (code === clear) {
      begin();
      continue;
    }
    if (code === end) return out;
    const known: number[] | undefined = table[code];
    if (!known && (code !== table.length || !before)) throw new Error(`code ${code} is not known`);
    const sequence: number[] = known ?? [...before!, before![0]!];
    out.push(...sequence);
    if (before && table.length < 4096) table.push([...before, sequence[0]!]);
    if (table.length === 1 << width && width < 12) width++;
    before = sequence;
  }
}

/** Numbers that look random and are the same every time. */
function random(count: number, below: number): Uint8Array {
  let state = 12345;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 16) % below;
  });
}

test.each([
  ["nothing", new Uint8Array(0), 2],
  ["one pixel", Uint8Array.of(3), 2],
  ["one colour, which makes ever longer sequences", new Uint8Array(100_000).fill(1), 2],
  ["noise of 256 colours, which fills the table again and again", random(60_000, 256), 8],
  ["noise of 4 colours", random(60_000, 4), 2],
  ["a gradient", Uint8Array.from({ length: 30_000 }, (_, i) => (i / 100) & 127), 7],
])("%s is read back as it was", (_, pixels, bits) => {
  expect(read(lzw(pixels, bits), bits)).toEqual([...pixels]);
});

test("every length ends well, also where the last code widens the codes", () => {
  const pixels = random(700, 4);
  for (let length = 1; length <= pixels.length; length++) {
    const part = pixels.subarray(0, length);
    expect(read(lzw(part, 2), 2)).toEqual([...part]);
  }
});

test("a GIF says its size, its colours, that it goes on for ever, and how long pictures last", () => {
  const palette = Uint8Array.of(255, 0, 0, 0, 0, 255);
  const writer = new GifWriter(3, 2, palette);
  writer.add(Uint8Array.of(0, 1, 0, 1, 0, 1), 100);
  writer.add(Uint8Array.of(1, 1, 1, 0, 0, 0), 2500);
  const file = writer.done();
  const text = String.fromCharCode(...file);
  expect(text.slice(0, 6)).toBe("GIF89a");
  expect([...file.slice(6, 13)]).toEqual([3, 0, 2, 0, 0x80, 0, 0]);
  expect([...file.slice(13, 19)]).toEqual([...palette]);
  expect(text).toContain("NETSCAPE2.0");
  expect(text).toContain(String.fromCharCode(0x21, 0xf9, 4, 4, 10, 0, 0, 0));
  expect(text).toContain(String.fromCharCode(0x21, 0xf9, 4, 4, 250, 0, 0, 0));
  expect(file.at(-1)).toBe(0x3b);
});

test("a picture of another size is refused", () => {
  expect(() => new GifWriter(2, 2, new Uint8Array(6)).add(new Uint8Array(3), 50)).toThrow("3 pixels");
});

test("few colours are kept as they are", () => {
  const count = new ColourCount();
  const rgba = [255, 0, 0, 255, 0, 0, 255, 255, 10, 200, 30, 255];
  count.add(rgba);
  const palette = count.palette();
  const colours = [...palette.indexed(rgba)].map((place) => [...palette.colours.slice(3 * place, 3 * place + 3)]);
  expect(colours).toEqual([
    [255, 0, 0],
    [0, 0, 255],
    [10, 200, 30],
  ]);
});

test("many colours become at most 256, each near to what it was", () => {
  const rgba: number[] = [];
  for (let r = 0; r < 256; r += 8) for (let b = 0; b < 256; b += 8) rgba.push(r, 128, b, 255);
  const count = new ColourCount();
  count.add(rgba);
  const palette = count.palette();
  expect(palette.colours.length).toBeLessThanOrEqual(3 * 256);
  const places = palette.indexed(rgba);
  for (const [i, place] of places.entries()) {
    for (const axis of [0, 1, 2]) {
      expect(Math.abs(palette.colours[3 * place + axis]! - rgba[4 * i + axis]!)).toBeLessThanOrEqual(16);
    }
  }
});
