// The diagram as a picture of its own: what the page draws on a canvas and in SVG, with its colours written out.
import { png } from "../pictures";

const SVG = "http://www.w3.org/2000/svg";
const STYLES = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-opacity",
  "font-size",
  "font-family",
  "font-weight",
  "font-style",
  "text-anchor",
  "paint-order",
];
const ABOVE = 3; // lines of letters above the columns
const SHARPER = 2; // pixels of a PNG for each of the page's

/** What is written above a column. */
export interface Heading {
  x: number;
  lines: readonly string[];
}

function withStyles(from: Element, to: Element): void {
  const style = getComputedStyle(from);
  for (const name of STYLES) to.setAttribute(name, style.getPropertyValue(name));
  for (const name of ["class", "tabindex", "role", "aria-label", "aria-describedby", "data-sign", "data-node"])
    to.removeAttribute(name);
  for (const [at, child] of [...from.children].entries()) withStyles(child, to.children[at]!);
}

function text(heading: Heading, size: number, like: CSSStyleDeclaration): SVGElement[] {
  return heading.lines.map((line, at) => {
    const element = document.createElementNS(SVG, "text");
    element.setAttribute("x", String(heading.x));
    element.setAttribute("y", String((at + 1) * 1.3 * size - ABOVE * 1.3 * size));
    element.setAttribute("text-anchor", "middle");
    element.setAttribute("font-size", String(size));
    element.setAttribute("font-family", like.fontFamily);
    element.setAttribute("fill", like.color);
    element.textContent = line;
    return element;
  });
}

/** A drawing that stands alone, with the maps of the canvas as an image within. */
export function standalone(
  svg: SVGSVGElement,
  canvas: HTMLCanvasElement,
  headings: readonly Heading[],
): { text: string; width: number; height: number } {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  withStyles(svg, copy);
  const style = getComputedStyle(svg);
  const size = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.85;
  const above = ABOVE * 1.3 * size + size;
  const [width, height] = [svg.width.baseVal.value, svg.height.baseVal.value];
  const ground = document.createElementNS(SVG, "rect");
  const set = (element: SVGElement, values: Record<string, string | number>) => {
    for (const [name, value] of Object.entries(values)) element.setAttribute(name, String(value));
  };
  const card = getComputedStyle(document.documentElement).getPropertyValue("--surface-2");
  set(ground, { x: 0, y: -above, width, height: height + above, fill: card });
  const maps = document.createElementNS(SVG, "image");
  set(maps, { x: 0, y: 0, width, height, href: canvas.toDataURL("image/png") });
  copy.prepend(ground, maps);
  for (const heading of headings) copy.append(...text(heading, size, style));
  set(copy, { xmlns: SVG, width, height: height + above, viewBox: `0 ${-above} ${width} ${height + above}` });
  return { text: new XMLSerializer().serializeToString(copy), width, height: height + above };
}

export function svgFile(drawing: { text: string }): Blob {
  return new Blob([drawing.text], { type: "image/svg+xml" });
}

export async function pngFile(drawing: { text: string; width: number; height: number }): Promise<Blob | null> {
  const address = URL.createObjectURL(svgFile(drawing));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [SHARPER * drawing.width, SHARPER * drawing.height];
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await png(canvas);
  } finally {
    URL.revokeObjectURL(address);
  }
}
