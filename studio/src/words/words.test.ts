// @vitest-environment jsdom
import { beforeEach, describe, expect, it } from "vitest";
import { en } from "./en";
import { fr } from "./fr";
import { brief, language, number, percent, sentence, term } from "./words.svelte";

/** All texts of a language, those that functions make included. */
function texts(words: object): string[] {
  return Object.values(words).flatMap((one: unknown) => {
    if (typeof one === "string") return [one];
    if (typeof one === "function")
      return [one.length === 2 && one.toString().includes("values") ? one({}, "M.") : safely(one as () => string)];
    return texts(one as object);
  });
}
function safely(make: (...values: unknown[]) => string): string {
  for (const values of [
    [2, "2"],
    ["2", "2"],
    [{}, "M."],
    [["2"], "2"],
  ]) {
    try {
      return make(...values);
    } catch {
      // it wants other values
    }
  }
  return "";
}

describe("French", () => {
  it("has its spaces before and within signs, none of which breaks a line", () => {
    const wrong = texts(fr).filter(
      (text) => /[^\u202f\u00a0 ][;!?»](\s|$)|« | [:;!?»]/.test(text) && !/https?:/.test(text),
    );
    expect(wrong).toEqual([]);
  });
  it("has its own apostrophe", () => {
    expect(texts(fr).filter((text) => /\p{L}'\p{L}/u.test(text))).toEqual([]);
  });
  it("says one of nothing, and of one", () => {
    expect([0, 1, 2].map((count) => fr.neurons(count, String(count)))).toEqual([
      "0 neurone",
      "1 neurone",
      "2 neurones",
    ]);
  });
});

it("knows the same codes, names and toys in both languages", () => {
  for (const list of ["errors", "terms", "toyNames"] as const)
    expect(Object.keys(fr[list])).toEqual(Object.keys(en[list]));
});

describe("numbers", () => {
  beforeEach(() => language.choose("en"));
  it("take little room in the diagram", () => {
    expect([brief(0.8331), brief(0), brief(-1.9e-11), brief(2.4e8)]).toEqual(["0.833", "0", "−2e−11", "2e8"]);
  });
  it("are written as the language writes them", () => {
    expect([number(1234.5, 5), number(-0.25), number(6.85e-5), number(Number.NaN), number(-Infinity)]).toEqual([
      "1,234.5",
      "−0.25",
      "6.85\u202f×\u202f10⁻⁵",
      "–",
      "−∞",
    ]);
    language.choose("fr");
    expect([number(0.25), percent(0.5).replace(/\s/, " "), term("relu")]).toEqual(["0,25", "50 %", "ReLU"]);
  });
});

it("has a sentence for a refusal, or the engine's own", () => {
  language.choose("en");
  const refused = { type: "refused", answer: null, message: "The engine's words.", values: {} } as const;
  expect(sentence({ ...refused, code: "layer_empty" })).toBe("A layer needs at least one neuron.");
  expect(sentence({ ...refused, code: "from_the_future" })).toBe("The engine's words.");
});
