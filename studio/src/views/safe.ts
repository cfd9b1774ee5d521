// HTML from elsewhere, put into the page: what is not on the lists below does not get there. The text is parsed in a document
// of its own, where nothing runs and nothing is loaded, and what is allowed is made anew, element by element: it is never
// written as text and parsed again, so that no second reading can find something else in it.

const HTML = "http://www.w3.org/1999/xhtml";
const MATHML = "http://www.w3.org/1998/Math/MathML";
const SVG = "http://www.w3.org/2000/svg";

const words = (text: string) => new Set(text.split(" "));

const ELEMENTS: Record<string, Set<string>> = {
  [HTML]: words(
    "article main section header div span p h1 h2 h3 h4 h5 h6 ul ol li dl dt dd em strong b i sub sup code br hr" +
      " table caption thead tbody tfoot tr th td",
  ),
  [MATHML]: words(
    "math mrow mi mn mo mtext mspace msup msub msubsup mover munder munderover mfrac msqrt mroot mtable mtr mtd" +
      " mphantom mpadded mstyle menclose",
  ),
  [SVG]: words("svg g path polyline line circle rect text title"),
};

const ATTRIBUTES: Record<string, Set<string>> = {
  [HTML]: words("class lang dir scope colspan rowspan role aria-label aria-hidden"),
  [MATHML]: words(
    "class display displaystyle scriptlevel stretchy symmetric form fence separator movablelimits accent accentunder" +
      " largeop lspace rspace width height depth mathvariant linethickness columnalign rowalign columnspan rowspan" +
      " notation alttext dir",
  ),
  [SVG]: words(
    "class viewBox width height role aria-label aria-hidden d points x y x1 y1 x2 y2 cx cy r rx ry fill stroke" +
      " stroke-width stroke-dasharray text-anchor transform",
  ),
};

// Numbers, lengths, words, lists of numbers: none of what is written here can be an address or a call. Texts for those who
// listen may be anything: they are never read as more than text. Of transform the parentheses are needed.
const PLAIN = /^[\w\s.,+%#-]*$/;
const TRANSFORM = /^[\s\w.,()-]*$/;
const TEXTS = words("aria-label alttext");

function allowed(name: string, value: string): boolean {
  if (TEXTS.has(name)) return true;
  return (name === "transform" ? TRANSFORM : PLAIN).test(value) && value.length < 100_000;
}

function copy(node: Node, into: Node, document: Document): void {
  for (const child of node.childNodes) {
    if (child.nodeType === 3) {
      into.appendChild(document.createTextNode(child.nodeValue ?? ""));
      continue;
    }
    if (child.nodeType !== 1) continue;
    const element = child as Element;
    const space = element.namespaceURI ?? "";
    if (!ELEMENTS[space]?.has(element.localName)) continue;
    const made = document.createElementNS(space, element.localName);
    for (const { name, value } of element.attributes) {
      if (ATTRIBUTES[space]?.has(name) && allowed(name, value)) made.setAttribute(name, value);
    }
    copy(element, made, document);
    into.appendChild(made);
  }
}

/** What of the text may be shown; an element that is not allowed is left out with all that is in it. */
export function safe(html: string, document: Document = globalThis.document): DocumentFragment {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const out = document.createDocumentFragment();
  copy(parsed.body, out, document);
  return out;
}

/** Puts such a text into an element, in the place of what is there: `<span {@attach setSafely(mathml)}></span>`. */
export function setSafely(html: string): (element: Element) => void {
  return (element) => element.replaceChildren(safe(html, element.ownerDocument));
}
