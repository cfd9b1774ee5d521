// @vitest-environment jsdom
import { expect, test } from "vitest";
import type { DataInfo, NetworkInfo } from "../protocol/types";
import { base64, escaped, filmPage, quantised, type Setting } from "./film";
import type { Shot } from "./recorder";

const NETWORK: NetworkInfo = {
  widths: [2, 1],
  parameters: 2,
  tensors: [{ name: "layers.0.W", layer: 0, shape: [2, 1], offset: 0 }],
};
const SETTING: Setting = {
  data: { task: "classification" } as DataInfo,
  network: NETWORK,
  look: {
    ground: [255, 255, 255],
    text: [0, 0, 0],
    muted: [90, 90, 90],
    line: [220, 220, 220],
    low: [200, 100, 0],
    high: [0, 100, 200],
    classes: [
      [200, 100, 0],
      [0, 100, 200],
    ],
  },
  points: [],
  range: [0, 1],
  across: [0, 1],
  upwards: [0, 1],
  most: 2,
};

function shot(epoch: number, parameters: number[]): Shot {
  return { epoch, loss: 1, validation: null, score: null, field: null, parameters: Float32Array.from(parameters) };
}

function page(title: string, caption = "Epoch 0"): Document {
  const ground = Uint8ClampedArray.from([200, 100, 0, 255, 0, 100, 200, 255]);
  const html = filmPage(
    [shot(0, [2, -2]), shot(1, [0, 5])],
    [ground, ground],
    { rows: 1, columns: 2 },
    "data:image/png;base64,",
    SETTING,
    {
      title,
      lang: "en",
      play: "Play",
      pause: "Pause",
      label: "The boundary",
      captions: [caption, "Epoch 1"],
    },
  );
  return new DOMParser().parseFromString(html, "text/html");
}

const bytes = (text: string) => [...atob(text)].map((letter) => letter.charCodeAt(0));

test("a saved page holds each epoch's ground and weights, and their colours", () => {
  const film = JSON.parse(page("x").getElementById("film")!.textContent!);
  const colours = bytes(film.palette);
  const shown = bytes(film.grounds).map((place) => colours.slice(3 * place, 3 * place + 3));
  expect(shown.slice(0, 2)).toEqual([
    [200, 100, 0],
    [0, 100, 200],
  ]);
  expect(shown).toHaveLength(4);
  // From −2 to 2; what is beyond is at the end.
  expect(bytes(film.weights)).toEqual([255, 0, 128, 255]);
  expect(bytes(film.scale).slice(0, 3)).toEqual([200, 100, 0]);
  expect(film.tiles).toMatchObject([{ offset: 0, across: 1, down: 2 }]);
});

test("a saved page loads nothing from elsewhere", () => {
  const made = page("x");
  expect(made.querySelectorAll("[src], [href], link").length).toBe(0);
  expect(made.querySelector("meta[http-equiv]")!.getAttribute("content")).toContain("default-src 'none'");
});

test("names from a table stay texts in a saved page", () => {
  const hostile = '</script><script>alert(1)</script><img src=x onerror="alert(1)">';
  const made = page(hostile, hostile);
  expect(made.querySelectorAll("script").length).toBe(2);
  expect(made.querySelector("img")).toBeNull();
  expect(made.querySelector("h1")!.textContent).toBe(hostile);
  expect(JSON.parse(made.getElementById("film")!.textContent!).captions[0]).toBe(hostile);
});

test("texts are escaped, bytes become base64 whatever their number", () => {
  expect(escaped(`<a href="x">'&'`)).toBe("&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;");
  const many = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
  expect(Uint8Array.from(atob(base64(many)), (letter) => letter.charCodeAt(0))).toEqual(many);
});

test("weights that are not known are 0, in the middle of the scale", () => {
  expect([...quantised(null, 2, 1)]).toEqual([128, 128]);
  expect([...quantised([-1, 1, 9], 3, 1)]).toEqual([0, 255, 255]);
});
