// Numbers as people type them: with a comma or a point, with spaces between thousands, with a power of ten.

/** What was typed, as a number; null where it is none. */
export function typed(text: string): number | null {
  const plain = text
    .trim()
    .replace(/[\s\u00a0\u202f]/g, "")
    .replace("−", "-")
    .replace(",", ".")
    .replace(/[×x]10\^?/i, "e")
    .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]/g, (raised) => (raised === "⁻" ? "-" : String("⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(raised))));
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain)) return null;
  const value = Number(plain);
  return Number.isFinite(value) ? value : null;
}

export type Steps = "one" | "decades" | "doubles";

/** The next number up or down: by ones; 1, 2, 5, 10, ...; or by powers of two. From 0 it goes up to `least`. */
export function stepped(value: number, up: boolean, steps: Steps, least: number): number {
  if (steps === "one") return value + (up ? 1 : -1);
  if (value <= 0) return up ? least : 0;
  if (steps === "doubles") {
    const power = up ? Math.floor(Math.log2(value) + 1e-9) + 1 : Math.ceil(Math.log2(value) - 1e-9) - 1;
    return 2 ** power;
  }
  const decade = 10 ** Math.floor(Math.log10(value) + 1e-9);
  const ladder = [0.5, 1, 2, 5, 10].map((one) => Number((one * decade).toPrecision(1)));
  const found = up
    ? ladder.find((one) => one > value * (1 + 1e-9))
    : ladder.findLast((one) => one < value * (1 - 1e-9));
  return found !== undefined && (up || found >= least * (1 - 1e-9)) ? found : up ? value : 0;
}

/** A number without a power of ten, as attributes for screen readers have it. */
export function plain(value: number): string {
  return value.toLocaleString("en", { useGrouping: false, maximumFractionDigits: 20 });
}
