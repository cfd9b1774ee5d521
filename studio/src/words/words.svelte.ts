// The language of the page: the browser's, or the one chosen; and numbers as it writes them.
//
//   import { language, number } from "../words/words.svelte";
//   language.words.title      // in the language of the moment, also in templates: it changes with it
import type { Refused } from "../protocol/types";
import { stored } from "../stored";
import { en } from "./en";
import { fr } from "./fr";
import type { Same } from "./kind";

export type Lang = "en" | "fr";
export type Words = Same<typeof en>;

const ALL: Record<Lang, Words> = { en, fr };

function preferred(): Lang {
  const wanted = typeof navigator === "undefined" ? [] : (navigator.languages ?? []);
  for (const one of wanted) {
    const lang = one.slice(0, 2).toLowerCase();
    if (lang === "en" || lang === "fr") return lang;
  }
  return "en";
}

class Language {
  lang = $state<Lang>(stored.read<Lang>("language", ["en", "fr"]) ?? preferred());
  words = $derived(ALL[this.lang]);

  choose(lang: Lang): void {
    this.lang = lang;
    stored.write("language", lang);
    document.documentElement.lang = lang;
  }
}

export const language = new Language();

const formats = new Map<string, Intl.NumberFormat>();

function format(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = language.lang + JSON.stringify(options);
  let one = formats.get(key);
  if (!one) formats.set(key, (one = new Intl.NumberFormat(language.lang, options)));
  return one;
}

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** A number with so many significant digits; very large and very small ones with a power of ten. */
export function number(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const far = size !== 0 && (size >= 1e6 || size < 1e-4);
  const [front, power] = far ? value.toExponential(digits - 1).split("e") : [String(value), ""];
  const text = format({ maximumSignificantDigits: digits }).format(Number(front)).replace("-", "−");
  if (!power) return text;
  return `${text}\u202f×\u202f10${power
    .replace("+", "")
    .replace("-", "⁻")
    .replace(/\d/g, (digit) => RAISED[Number(digit)]!)}`;
}

/** A number in little room: of very large and very small ones no more than one digit and the power. */
export function brief(value: number, digits = 3): string {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(value) || (size < 1e6 && size >= 1e-4)) return number(value, digits);
  return value.toExponential(0).replace("e+", "e").replaceAll("-", "−");
}

/** A whole number, with its thousands set apart. */
export function whole(value: number): string {
  return format({ maximumFractionDigits: 0 }).format(value).replace("-", "−");
}

/** A share, as a percentage. */
export function percent(value: number | null | undefined, digits = 1): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return format({ style: "percent", maximumFractionDigits: digits }).format(value);
}

/** The word for a name of the library's tables; one that has no word yet is shown as it is. */
export function term(name: string): string {
  return language.words.terms[name] ?? name.replaceAll("_", " ");
}

/** What was refused, in the language of the page; the engine's own words where there are none here. */
export function sentence(refused: Refused): string {
  return language.words.errors[refused.code]?.(refused.values, refused.message) ?? refused.message;
}
