// From numbers to places on a line and back, and the round numbers that are written beside it.

/** A line of numbers: `low` lies at `from`, `high` at `to` (in pixels). */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly from: number;
  readonly to: number;
}

/** Where a number lies. */
export function place(scale: Scale, value: number): number {
  const width = scale.high - scale.low;
  return scale.from + (width === 0 ? 0.5 : (value - scale.low) / width) * (scale.to - scale.from);
}

/** The number that lies there. */
export function valueAt(scale: Scale, pixel: number): number {
  const length = scale.to - scale.from;
  return scale.low + (length === 0 ? 0.5 : (pixel - scale.from) / length) * (scale.high - scale.low);
}

/** How far along a number lies: 0 at the low end, 1 at the high. */
export function share(scale: Pick<Scale, "low" | "high">, value: number): number {
  return (value - scale.low) / (scale.high - scale.low || 1);
}

/** The step 1, 2 or 5 times a power of ten that divides a range into about so many parts. */
export function niceStep(width: number, parts: number): number {
  if (!(width > 0) || !Number.isFinite(width)) return 1;
  const rough = width / Math.max(1, parts);
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
}

/** Round numbers from low to high, about so many. */
export function ticks(low: number, high: number, parts: number): number[] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [];
  if (low > high) return ticks(high, low, parts);
  if (low === high) return [low];
  const step = niceStep(high - low, parts);
  // Multiples, not sums: sums would drift away from the round numbers. The small slack keeps an end that rounding moved.
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const out: number[] = [];
  for (let i = first; i <= last; i++) out.push(Number((i * step).toPrecision(12)));
  return out;
}

/** How many decimals tell such ticks apart. */
export function decimals(step: number): number {
  if (!(step > 0) || !Number.isFinite(step)) return 0;
  return Math.min(12, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
}

/** The ticks in the language's own figures. */
export function tickTexts(values: readonly number[], lang: string): string[] {
  const most = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const step = values.length > 1 ? Math.abs((values[1] as number) - (values[0] as number)) : most || 1;
  const far = most !== 0 && (most >= 1e6 || step < 1e-5);
  const digits = decimals(step);
  const format = new Intl.NumberFormat(
    lang,
    far
      ? { notation: "scientific", maximumFractionDigits: 2 }
      : { minimumFractionDigits: digits, maximumFractionDigits: digits },
  );
  return values.map((value) => format.format(value === 0 ? 0 : value));
}

/** The range of what is finite, widened by a share on either side; null where nothing is. */
export function extent(values: Iterable<number>, margin = 0): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return null;
  if (low === high) return [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  const add = (high - low) * margin;
  return [low - add, high + add];
}
