// A recording as something to take away: each epoch's picture drawn, and a page that plays them by itself.

import type { DataInfo, NetworkInfo } from "../protocol/types";
import type { Points } from "./boundary";
import { css, diverging, rgbOf, stepOf } from "./colour";
import { type Box, drawCurve, drawPoints, GroundPainter, type Look, type Range } from "./draw";
import { ColourCount } from "./gif";
import player from "./player.js?raw";
import type { Shot } from "./recorder";
import { drawMatrix, matrices, strongest, type Tile, tiles } from "./weights";

/** What all pictures of a recording have in common. */
export interface Setting {
  readonly data: DataInfo;
  readonly network: NetworkInfo;
  readonly look: Look;
  readonly points: Points;
  readonly range: Range;
  /** Low and high ends of what is drawn across and upwards. */
  readonly across: Range;
  readonly upwards: Range;
  /** The end of the scale of weights. */
  readonly most: number;
}

export const SIDE = 480; // of the boundary's picture
export const COLUMN = 168; // beside it, for the weights
export const CAPTION = 34; // below
export const [WIDTH, HEIGHT] = [SIDE + COLUMN, SIDE + CAPTION];
const GAP = 14;

/** The end of the scale of all recorded weights. */
export function strongestOf(shots: readonly Shot[]): number {
  return strongest(shots.map(({ parameters }) => parameters));
}

/** Where the weights of a network are drawn. */
export function weightTiles(network: NetworkInfo): Tile[] {
  return tiles(matrices(network), COLUMN - 2 * GAP, SIDE, GAP).map((tile) => ({ ...tile, x: SIDE + GAP }));
}

function box({ across, upwards }: Setting): Box {
  return {
    x: { low: across[0], high: across[1], from: 0, to: SIDE },
    y: { low: upwards[0], high: upwards[1], from: SIDE, to: 0 },
  };
}

/** Draws the picture of an epoch with its weights and its caption, `WIDTH` × `HEIGHT`. */
export class ScenePainter {
  readonly #painter = new GroundPainter();

  draw(context: CanvasRenderingContext2D, shot: Shot, setting: Setting, caption: string, font: string): void {
    const { data, look, range, network, most, points } = setting;
    context.fillStyle = css(look.ground);
    context.fillRect(0, 0, WIDTH, HEIGHT);
    const { field, parameters } = shot;
    if (field && field.rows > 1) this.#painter.paint(context, field, data, range, look, box(setting), false);
    drawPoints(context, points, data, range, look, box(setting), true);
    if (field && field.rows === 1) drawCurve(context, field, data, look, box(setting));
    context.strokeStyle = css(look.line);
    context.lineWidth = 1;
    context.strokeRect(0.5, 0.5, SIDE - 1, SIDE - 1);
    if (parameters && parameters.length === network.parameters) {
      for (const tile of weightTiles(network)) drawMatrix(context, parameters, tile, most, look);
    }
    context.fillStyle = css(look.text);
    context.font = `600 16px ${font}`;
    context.textAlign = "start";
    context.textBaseline = "middle";
    context.fillText(caption, 8, SIDE + CAPTION / 2 + 1, WIDTH - 16);
  }

  /** What lies upon the ground, by itself: the samples, as a transparent picture twice as fine. */
  over(setting: Setting): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * SIDE, 2 * SIDE];
    const context = canvas.getContext("2d");
    context?.scale(2, 2);
    if (context) drawPoints(context, setting.points, setting.data, setting.range, setting.look, box(setting), true);
    return canvas;
  }
}

/** A text of bytes, as data addresses have it. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

/** A text, written so that HTML shows it as it is. */
export function escaped(text: string): string {
  const marks: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (mark) => marks[mark] ?? mark);
}

/** Words of a saved page. */
export interface PageWords {
  readonly title: string;
  readonly lang: string;
  readonly play: string;
  readonly pause: string;
  readonly label: string;
  readonly captions: readonly string[];
}

/** Numbers from −most to most as places on a scale of 256. */
export function quantised(parameters: ArrayLike<number> | null, count: number, most: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => stepOf(parameters?.[i] ?? 0, -most, most, 256));
}

/**
 * A page that plays a recording over two inputs by itself, wherever it is opened: one script, all data within, nothing from
 * elsewhere. `grounds` are the pictures of the ground (red, green, blue, alpha; rows × columns), `over` is what lies upon them.
 */
export function filmPage(
  shots: readonly Shot[],
  grounds: readonly Uint8ClampedArray[],
  size: { rows: number; columns: number },
  over: string,
  setting: Setting,
  words: PageWords,
): string {
  const { look, most, network } = setting;
  const count = new ColourCount();
  for (const one of grounds) count.add(one);
  const palette = count.palette();
  const pixels = new Uint8Array(size.rows * size.columns * grounds.length);
  grounds.forEach((one, i) => pixels.set(palette.indexed(one), i * size.rows * size.columns));
  const weights = new Uint8Array(network.parameters * shots.length);
  shots.forEach(({ parameters }, i) => {
    weights.set(quantised(parameters, network.parameters, most), i * network.parameters);
  });
  const scale = Uint8Array.from([...diverging(look.low, look.line, look.high)].flatMap((one) => [...rgbOf(one)]));
  const film = {
    ...size,
    side: SIDE,
    parameters: network.parameters,
    palette: base64(palette.colours),
    grounds: base64(pixels),
    weights: base64(weights),
    scale: base64(scale),
    tiles: weightTiles(network).map(({ matrix, x, y, width }) => ({
      offset: matrix.offset,
      across: matrix.columns,
      down: matrix.rows,
      x,
      y,
      cell: width / matrix.columns,
    })),
    ground: css(look.ground),
    over,
    captions: words.captions,
    play: words.play,
    pause: words.pause,
    milliseconds: 90,
  };
  const title = escaped(words.title);
  const policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";
  return `<!doctype html>
<html lang="${escaped(words.lang)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title}</title>
<style>
body { max-width: ${WIDTH}px; margin: 1.5rem auto; padding: 0 1rem; background: ${css(look.ground)}; color: ${css(look.text)}; font: 16px/1.5 system-ui, sans-serif; }
canvas { width: 100%; }
form { display: flex; gap: 1rem; align-items: center; }
input { flex: 1; }
button { min-width: 6rem; padding: .4rem .8rem; font: inherit; }
output { display: block; margin-top: .5rem; font-weight: 600; font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
<h1>${title}</h1>
<canvas width="${WIDTH}" height="${SIDE}" role="img" aria-label="${escaped(words.label)}"></canvas>
<form><button type="button">${escaped(words.play)}</button><input type="range" min="0" max="${shots.length - 1}" value="0" aria-label="${escaped(words.label)}"></form>
<output></output>
<script type="application/json" id="film">${JSON.stringify(film).replace(/</g, "\\u003c")}</script>
<script>
${player}</script>
</body>
</html>
`;
}
