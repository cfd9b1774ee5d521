// Moving pictures as GIF (CompuServe, 1990: version 89a), written here: colours reduced to a palette, pictures compressed by LZW.

class Bytes {
  #buffer = new Uint8Array(1 << 16);
  #length = 0;

  byte(value: number): void {
    if (this.#length === this.#buffer.length) {
      const larger = new Uint8Array(2 * this.#buffer.length);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    this.#buffer[this.#length++] = value;
  }

  short(value: number): void {
    this.byte(value & 255);
    this.byte((value >>> 8) & 255);
  }

  text(value: string): void {
    for (const letter of value) this.byte(letter.charCodeAt(0));
  }

  all(values: ArrayLike<number>, from = 0, to = values.length): void {
    for (let i = from; i < to; i++) this.byte(values[i]!);
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length);
  }
}

const MOST_CODES = 4096; // GIF's codes have 12 bits at most

/** The codes of LZW, packed from the lowest bit; `bits` is how many a colour takes, at least 2. */
export function lzw(pixels: Uint8Array, bits: number): Uint8Array<ArrayBuffer> {
  const out = new Bytes();
  const clear = 1 << bits;
  const end = clear + 1;
  let [held, filled] = [0, 0]; // bits that wait to be written
  let width = bits + 1;
  const write = (code: number) => {
    held |= code << filled;
    filled += width;
    while (filled >= 8) {
      out.byte(held & 255);
      held >>>= 8;
      filled -= 8;
    }
  };
  // The code of a known sequence followed by a colour, at code * 256 + colour: 0 where there is none yet.
  const longer = new Uint16Array(MOST_CODES * 256);
  const used: number[] = [];
  let next = end + 1;
  write(clear);
  let sequence = pixels[0] ?? 0;
  for (let i = 1; i < pixels.length; i++) {
    const colour = pixels[i]!;
    const key = sequence * 256 + colour;
    const known = longer[key]!;
    if (known > 0) {
      sequence = known;
      continue;
    }
    write(sequence);
    if (next < MOST_CODES) {
      longer[key] = next;
      used.push(key);
      // The reader learns each code one later than it is made here, and widens its codes then.
      if (next >= 1 << width) width++;
      next++;
    } else {
      write(clear);
      for (const one of used) longer[one] = 0;
      used.length = 0;
      next = end + 1;
      width = bits + 1;
    }
    sequence = colour;
  }
  if (pixels.length > 0) write(sequence);
  // The reader has made one more code of the last sequence.
  if (next >= 1 << width && width < 12) width++;
  write(end);
  if (filled > 0) out.byte(held & 255);
  return out.done();
}

/** Writes a GIF that begins again for ever. `palette` has red, green and blue of at most 256 colours. */
export class GifWriter {
  readonly #out = new Bytes();
  readonly #bits: number;

  constructor(
    readonly width: number,
    readonly height: number,
    palette: Uint8Array,
  ) {
    const out = this.#out;
    const bits = Math.max(1, Math.ceil(Math.log2(Math.max(2, palette.length / 3))));
    this.#bits = bits;
    out.text("GIF89a");
    out.short(width);
    out.short(height);
    out.byte(0x80 | ((bits - 1) << 4) | (bits - 1)); // a palette for all pictures, of so many bits
    out.byte(0);
    out.byte(0);
    out.all(palette);
    for (let i = palette.length; i < 3 << bits; i++) out.byte(0);
    out.all([0x21, 0xff, 11]); // it begins again ...
    out.text("NETSCAPE2.0");
    out.all([3, 1, 0, 0, 0]); // ... without end
  }

  /** Adds a picture: places in the palette, row by row, and how long it is shown. */
  add(pixels: Uint8Array, milliseconds: number): void {
    if (pixels.length !== this.width * this.height) {
      throw new RangeError(`a picture has ${pixels.length} pixels, but the GIF ${this.width} × ${this.height}`);
    }
    const out = this.#out;
    out.all([0x21, 0xf9, 4, 0x04]);
    out.short(Math.max(2, Math.round(milliseconds / 10))); // browsers slow down what is below 20 ms
    out.all([0, 0]);
    out.byte(0x2c);
    for (const one of [0, 0, this.width, this.height]) out.short(one);
    out.byte(0);
    const size = Math.max(2, this.#bits);
    out.byte(size);
    const codes = lzw(pixels, size);
    for (let at = 0; at < codes.length; at += 255) {
      const to = Math.min(codes.length, at + 255);
      out.byte(to - at);
      out.all(codes, at, to);
    }
    out.byte(0);
  }

  /** The file; nothing is added any more. */
  done(): Uint8Array<ArrayBuffer> {
    this.#out.byte(0x3b);
    return this.#out.done();
  }
}

const LEVELS = 32; // of each of red, green and blue: what is told apart when colours are counted

const cellOf = (r: number, g: number, b: number) => ((r >> 3) * LEVELS + (g >> 3)) * LEVELS + (b >> 3);

/** A palette, and the place in it of every colour. */
export class Palette {
  constructor(
    readonly colours: Uint8Array,
    readonly places: Uint8Array,
  ) {}

  /** The places of a picture's pixels (red, green, blue, alpha). */
  indexed(rgba: ArrayLike<number>): Uint8Array {
    const out = new Uint8Array(rgba.length / 4);
    for (let i = 0; i < out.length; i++) {
      out[i] = this.places[cellOf(rgba[4 * i]!, rgba[4 * i + 1]!, rgba[4 * i + 2]!)]!;
    }
    return out;
  }
}

interface Box {
  cells: number[];
  axis: 0 | 1 | 2;
  spread: number;
}

/**
 * Counts the colours of pictures and chooses at most 256 for all: a box around them is halved along its longest side, at the
 * pixels' middle, again and again (median cut; Heckbert, SIGGRAPH 1982).
 */
export class ColourCount {
  readonly #counts = new Uint32Array(LEVELS ** 3);
  readonly #sums = new Float64Array(3 * LEVELS ** 3);

  add(rgba: ArrayLike<number>): void {
    for (let i = 0; i + 3 < rgba.length; i += 4) {
      const [r, g, b] = [rgba[i]!, rgba[i + 1]!, rgba[i + 2]!];
      const cell = cellOf(r, g, b);
      this.#counts[cell]!++;
      this.#sums[3 * cell]! += r;
      this.#sums[3 * cell + 1]! += g;
      this.#sums[3 * cell + 2]! += b;
    }
  }

  #mean(cell: number, axis: number): number {
    return this.#sums[3 * cell + axis]! / this.#counts[cell]!;
  }

  #box(cells: number[]): Box {
    let [axis, spread]: [0 | 1 | 2, number] = [0, -1];
    for (const one of [0, 1, 2] as const) {
      let [low, high] = [Infinity, -Infinity];
      for (const cell of cells) {
        low = Math.min(low, this.#mean(cell, one));
        high = Math.max(high, this.#mean(cell, one));
      }
      if (high - low > spread) [axis, spread] = [one, high - low];
    }
    return { cells, axis, spread };
  }

  palette(most = 256): Palette {
    const found: number[] = [];
    this.#counts.forEach((count, cell) => {
      if (count > 0) found.push(cell);
    });
    const boxes = [this.#box(found)];
    while (boxes.length < most) {
      const widest = boxes.reduce(
        (best, box, i) => (box.cells.length > 1 && box.spread > (boxes[best]?.spread ?? 0) ? i : best),
        -1,
      );
      if (widest < 0 || boxes[widest]!.spread <= 0) break;
      const { cells, axis } = boxes[widest]!;
      cells.sort((a, b) => this.#mean(a, axis) - this.#mean(b, axis));
      const half = cells.reduce((sum, cell) => sum + this.#counts[cell]!, 0) / 2;
      let [cut, sum] = [0, 0];
      while (cut < cells.length - 1 && sum + this.#counts[cells[cut]!]! <= half) sum += this.#counts[cells[cut++]!]!;
      cut = Math.max(1, cut);
      boxes.splice(widest, 1, this.#box(cells.slice(0, cut)), this.#box(cells.slice(cut)));
    }
    const colours = new Uint8Array(3 * boxes.length);
    const places = new Uint8Array(LEVELS ** 3);
    for (const [i, { cells }] of boxes.entries()) {
      const count = cells.reduce((sum, cell) => sum + this.#counts[cell]!, 0);
      for (const axis of [0, 1, 2]) {
        const sum = cells.reduce((total, cell) => total + this.#sums[3 * cell + axis]!, 0);
        colours[3 * i + axis] = count > 0 ? Math.round(sum / count) : 0;
      }
      for (const cell of cells) places[cell] = i;
    }
    return new Palette(colours, places);
  }
}
