// @vitest-environment jsdom
import { expect, test } from "vitest";
import { safe, setSafely } from "./safe";

const MATHML = "http://www.w3.org/1998/Math/MathML";

/** What of a text is put into the page. */
function shown(html: string): string {
  const element = document.createElement("div");
  element.append(safe(html));
  return element.innerHTML;
}

test("formulas, headings, tables and lines of equations are shown as they are", () => {
  const html =
    '<section class="stage"><h2>Forward</h2><p>Of neuron <math><mn>1</mn></math>:</p><div class="chain"><math displaystyle="true">' +
    '<mrow><mo stretchy="false">(</mo><msub><mi>w</mi><mn>1</mn></msub><mspace width="0.25em"></mspace></mrow></math></div>' +
    '<table><thead><tr><th scope="col">E</th></tr></thead><tbody><tr><td>0</td></tr></tbody></table></section>';
  expect(shown(html)).toBe(html);
});

test("formulas are made as formulas, not as unknown elements", () => {
  const math = safe("<p><math><mfrac><mn>1</mn><mn>2</mn></mfrac></math></p>").querySelector("mfrac")!;
  expect(math.namespaceURI).toBe(MATHML);
});

const HOSTILE: [string, string][] = [
  ["a script", "<script>alert(1)</script>"],
  ["a script within a formula", "<math><mi>x</mi><script>alert(1)</script></math>"],
  ["a script within a drawing", "<svg><script>alert(1)</script></svg>"],
  ["a picture's error", '<img src="x" onerror="alert(1)">'],
  ["an event of an allowed element", '<p onclick="alert(1)">x</p>'],
  ["an event of a formula", '<math><mi onmouseover="alert(1)">x</mi></math>'],
  ["an event of a drawing", '<svg onload="alert(1)"><path d="M0 0"/></svg>'],
  ["an address of a script", '<a href="javascript:alert(1)">x</a>'],
  ["an address in a formula", '<math href="javascript:alert(1)"><mi xlink:href="javascript:alert(1)">x</mi></math>'],
  [
    "an action of a formula",
    '<math><maction actiontype="statusline" xlink:href="javascript:alert(1)">x</maction></math>',
  ],
  ["a frame", '<iframe srcdoc="<script>alert(1)</script>"></iframe>'],
  ["an object", '<object data="javascript:alert(1)"></object><embed src="javascript:alert(1)">'],
  ["a form", '<form action="javascript:alert(1)"><button formaction="javascript:alert(1)">x</button></form>'],
  ["a style", "<style>@import 'https://example.org/x'; p { background: url(javascript:alert(1)) }</style>"],
  ["a style attribute", '<p style="background: url(javascript:alert(1))">x</p>'],
  ["a colour that is an address", '<svg><path fill="url(javascript:alert(1))" d="M0 0"/></svg>'],
  ["a use of something else", '<svg><use href="data:image/svg+xml,<svg onload=alert(1)>"></use></svg>'],
  ["HTML within a drawing", '<svg><foreignObject><img src="x" onerror="alert(1)"></foreignObject></svg>'],
  [
    "HTML within a formula",
    '<math><annotation-xml encoding="text/html"><img src="x" onerror="alert(1)"></annotation-xml></math>',
  ],
  ["a template", "<template><script>alert(1)</script></template>"],
  ["a text that is read twice", '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>'],
  [
    "a table that leaves its formula, as it escaped DOMPurify 2.0.17",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
  ],
  ["a comment that ends twice", "<!--><img src=x onerror=alert(1)>-->"],
  ["CDATA in a drawing", "<svg><![CDATA[><img src=x onerror=alert(1)>]]></svg>"],
  [
    "a base and a refresh",
    '<base href="https://example.org/"><meta http-equiv="refresh" content="0;url=javascript:alert(1)">',
  ],
  ["a link", '<link rel="stylesheet" href="https://example.org/x.css">'],
  ["a name that hides the document's", '<p id="location" name="location">x</p>'],
  ["a transform that calls", '<svg><g transform="javascript:alert(1)"></g></svg>'],
];

const ELEMENTS_ALLOWED = new Set("p math mi mtext mrow svg g path div b".split(" "));

test.each(HOSTILE)("%s does not get into the page", (_, html) => {
  const made = safe(html);
  for (const element of made.querySelectorAll("*")) {
    expect(ELEMENTS_ALLOWED).toContain(element.localName);
    for (const { name, value } of element.attributes) {
      expect(["d"]).toContain(name);
      expect(value).not.toContain("alert");
    }
  }
});

test("a text stays a text", () => {
  expect(shown("<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; x &lt; y</p>")).toBe(
    "<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; x &lt; y</p>",
  );
});

test("what is for those who listen may be any text", () => {
  const label = "E: 1,5 → 0,2 (10 × « pas »)";
  const svg = safe(
    `<svg viewBox="0 0 10 10" role="img" aria-label="${label}"><path d="M1 2L3 4"/></svg>`,
  ).firstElementChild!;
  expect(svg.getAttribute("aria-label")).toBe(label);
  expect(svg.getAttribute("viewBox")).toBe("0 0 10 10");
});

test("a text that is set takes the place of the one before", () => {
  const element = document.createElement("span");
  setSafely("<b>1</b>")(element);
  setSafely("<b>2</b><script>3</script>")(element);
  expect(element.innerHTML).toBe("<b>2</b>");
});
