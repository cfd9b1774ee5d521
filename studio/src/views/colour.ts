// Colours of what is drawn: mixtures and scales, as numbers, so that pictures can be filled quickly.

/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** Of the way from one colour to another, the share t. */
export function mix(from: Rgb, to: Rgb, t: number): Rgb {
  return [from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t, from[2] + (to[2] - from[2]) * t];
}

/** As CSS writes it. */
export function css(colour: Rgb, alpha = 1): string {
  const [r, g, b] = colour.map(Math.round) as [number, number, number];
  return alpha === 1 ? `rgb(${r} ${g} ${b})` : `rgb(${r} ${g} ${b} / ${alpha})`;
}

/** A pixel of a picture's memory. Canvases are little-endian wherever browsers run. */
export function pixel(colour: Rgb): number {
  return ((255 << 24) | (Math.round(colour[2]) << 16) | (Math.round(colour[1]) << 8) | Math.round(colour[0])) >>> 0;
}

/** A scale of `steps` pixels from one colour through a middle to another. */
export function diverging(low: Rgb, middle: Rgb, high: Rgb, steps = 256): Uint32Array {
  const out = new Uint32Array(steps);
  for (let i = 0; i < steps; i++) {
    const t = (2 * i) / (steps - 1) - 1;
    out[i] = pixel(t < 0 ? mix(middle, low, -t) : mix(middle, high, t));
  }
  return out;
}

/** The colour of a pixel. */
export function rgbOf(value: number): Rgb {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255];
}

/** Where a number lies on a scale of so many steps; outside its range at the ends, NaN in the middle. */
export function stepOf(value: number, low: number, high: number, steps: number): number {
  if (Number.isNaN(value) || !(high > low)) return steps >> 1;
  const t = (value - low) / (high - low);
  return t <= 0 ? 0 : t >= 1 ? steps - 1 : Math.round(t * (steps - 1));
}

/** The same number, moved to the middle of one of so many bands of its range. */
export function banded(value: number, low: number, high: number, bands: number): number {
  if (!(high > low) || !Number.isFinite(value)) return value;
  const band = Math.min(bands - 1, Math.max(0, Math.floor(((value - low) / (high - low)) * bands)));
  return low + ((band + 0.5) / bands) * (high - low);
}

/** How light a colour is, as WCAG defines it: 0 black, 1 white. */
export function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((channel) => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** How far two colours stand apart, as WCAG defines it: 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}
