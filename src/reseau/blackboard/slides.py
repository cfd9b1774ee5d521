"""The blackboard as slides: a stage a page, revealed step by step; without scripts it is a page to read.

The script stands in the page and is the only one that the page's own policy lets run; there is no network. It cuts what
does not fit a slide into several, and turns them by keys, buttons and taps. A slide is always 1080 units high, and as
wide as the screen's shape makes it, so that what is readable on one screen is so on all.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from reseau.blackboard import words
from reseau.blackboard.html import PAGE_STYLE, STYLE, MathmlSetter, escaped, parts
from reseau.blackboard.sheet import Line, Title

SLIDES_STYLE = """
.turn { display: none; }
.deck body { margin: 0; max-width: none; padding: 0; overflow: hidden; }
.deck .reseau-board { max-width: none; }
.deck .slide { position: absolute; left: 0; top: 0; box-sizing: border-box; height: 1080px; padding: 40px 80px 80px;
  transform-origin: 0 0; overflow: hidden; font-size: 36px; line-height: 1.35; visibility: hidden; }
.deck .slide.shown { visibility: visible; }
.deck .later { visibility: hidden; }
.deck .part { margin: 0 0 20px; font-size: 28px; opacity: .75; }
.deck .reseau-board :is(h1, h2, h3) { margin: 0 0 .5em; border: 0; padding: 0; }
.deck h1 { font-size: 64px; }
.deck h2 { font-size: 52px; }
.deck h3 { font-size: 44px; }
.deck .reseau-board p { margin: .5em 0 .2em; }
.deck .reseau-board .chain { margin: .1em 0 .1em 1em; overflow: visible; }
.deck .reseau-board .network { margin: 0 -60px; }
.deck .reseau-board .network svg { width: 100%; height: var(--room); }
.deck .reseau-board .scrolled { overflow: visible; }
.deck figcaption { margin: 0 60px; font-size: 28px; }
.deck .reseau-board > .slide > svg { width: auto; height: 700px; }
.deck .turn { position: fixed; right: 0; bottom: 0; display: flex; align-items: center; gap: .4em; margin: 0;
  padding: .3em .6em; font: max(2.7vh, 14px) system-ui, sans-serif; }
.turn p { margin: 0; font-variant-numeric: tabular-nums; }
.turn button { min-width: 2em; min-height: 1.6em; font: inherit; color: inherit; cursor: pointer; border-radius: .3em;
  background: transparent; border: 1px solid color-mix(in srgb, currentColor 50%, transparent); }
@media (prefers-reduced-motion: no-preference) { .deck .slide > * { transition: opacity .25s; } }
.deck .later { opacity: 0; }
@page { size: landscape; margin: 15mm; }
@media print {
  .reseau-board { font-size: 10pt; line-height: 1.3; }
  .stage { break-after: page; }
  .stage:last-child { break-after: auto; }
  .reseau-board :is(h1, h2, h3):first-child { margin-top: 0; }
}
""".strip()

SCRIPT = """
"use strict";
(() => {
  const board = document.querySelector(".reseau-board"), turn = document.querySelector(".turn");
  const told = turn.querySelector("p"), HIGH = 1080, LEAST = 1080, MOST = 2600;
  const source = [...board.querySelectorAll(".stage")].map((stage) => [stage.dataset.part, stage.cloneNode(true)]);
  const isHeading = (block) => /^H[1-3]$/.test(block.tagName);
  let slides = [], at = 0, step = 0, width = 0;

  const make = (part, headings, again) => {
    const slide = document.createElement("section");
    slide.className = "slide";
    slide.style.width = `${width}px`;
    if (part && !headings.some((heading) => heading.textContent === part)) {
      const line = document.createElement("p");
      line.className = "part";
      line.textContent = part;
      slide.append(line);
    }
    for (const heading of headings) slide.append(again ? heading.cloneNode(true) : heading);
    board.append(slide);
    return slide;
  };
  const overflows = (slide) => slide.scrollHeight > slide.clientHeight + 1;

  // What is too wide for a slide is set smaller.
  const narrow = (block) => {
    const within = block.matches(".chain") ? block : block.parentElement;
    for (let tries = 0; tries < 6; tries++) {
      const room = width - 160, wide = Math.max(block.scrollWidth, within === block ? block.scrollWidth : 0);
      const left = block.getBoundingClientRect().left - within.closest(".slide").getBoundingClientRect().left - 80;
      if (wide + Math.max(left, 0) <= room + 1) return;
      const size = parseFloat(getComputedStyle(block).fontSize);
      block.style.fontSize = `${(size * room) / (wide + Math.max(left, 0)) - 0.5}px`;
    }
  };

  // Cut off the end of a block that is too high, and return it: rows of a table, sides of an equation.
  const cut = (slide, block) => {
    const rest = block.cloneNode(true);
    const pick = (of) => [...of.querySelectorAll(block.matches("table") ? "tbody > tr" : ".sides > *")];
    const mine = pick(block), others = pick(rest);
    if (mine.length < 2) return null;
    let kept = mine.length;
    while (kept > 1 && overflows(slide)) mine[--kept].remove();
    others.slice(0, kept).forEach((one) => one.remove());
    if (!block.matches("table")) rest.querySelector(":scope > math").style.visibility = "hidden";
    return rest;
  };

  const lay = () => {
    width = Math.min(Math.max(Math.round((HIGH * innerWidth) / Math.max(innerHeight, 1)), LEAST), MOST);
    board.replaceChildren();
    for (const [part, stage] of source) {
      const blocks = [...stage.cloneNode(true).children];
      const headings = [];
      while (blocks.length && isHeading(blocks[0])) headings.push(blocks.shift());
      let slide = make(part, headings, false);
      while (blocks.length) {
        const block = blocks.shift();
        slide.append(block);
        const svg = block.matches("figure") ? block.querySelector("svg") : null;
        if (svg) svg.style.setProperty("--room", "100px");
        if (svg) svg.style.setProperty("--room", `${100 + slide.clientHeight - 100 - bottom(slide)}px`);
        narrow(block);
        if (!overflows(slide)) continue;
        const room = slide.clientHeight - block.offsetTop;
        if (block !== first(slide) && !(block.matches("table") && room > 400)) {
          const taken = [block]; // with the sentence that leads to it, and a heading
          block.remove();
          while (leads(slide.lastElementChild, slide)) {
            taken.unshift(slide.lastElementChild);
            slide.lastElementChild.remove();
          }
          blocks.unshift(...taken);
          slide = make(part, headings, true);
        } else {
          const rest = cut(slide, block);
          if (overflows(slide)) shrink(slide, block);
          if (rest) blocks.unshift(rest);
          if (rest) slide = make(part, headings, true);
        }
      }
    }
    slides = [...board.querySelectorAll(".slide")];
    slides.forEach((slide) => (slide.pieces = pieces(slide)));
  };
  const first = (slide) => [...slide.children].find((block) => !isHeading(block) && block.className !== "part");
  const leads = (block, slide) => block !== first(slide) && block.className !== "part" &&
    (isHeading(block) || (block.tagName === "P" && /:\\s*$/.test(block.textContent)));
  const bottom = (slide) => Math.max(...[...slide.children].map((block) => block.offsetTop + block.offsetHeight));
  const shrink = (slide, block) => {
    for (let tries = 0; tries < 40 && overflows(slide); tries++)
      block.style.fontSize = `${parseFloat(getComputedStyle(block).fontSize) * 0.95}px`;
  };

  // A sentence comes with the equation after it, every other equation by itself.
  const pieces = (slide) => {
    const found = [[]];
    let open = true;
    for (const block of slide.children) {
      const heading = isHeading(block) || block.className === "part", prose = block.tagName === "P";
      if (!heading && !open) found.push([]);
      found.at(-1).push(block);
      open = heading || prose;
    }
    return found;
  };

  const show = () => {
    slides.forEach((slide, place) => slide.classList.toggle("shown", place === at));
    slides[at].pieces.forEach((piece, place) =>
      piece.forEach((block) => block.classList.toggle("later", place > step)));
    told.textContent = turn.dataset.page.replace("{n}", at + 1).replace("{all}", slides.length);
    turn.querySelector(".back").disabled = at === 0 && step === 0;
    turn.querySelector(".on").disabled = at === slides.length - 1 && step >= slides[at].pieces.length - 1;
  };
  const fit = () => {
    const size = Math.min(innerWidth / width, innerHeight / HIGH);
    slides.forEach((slide) => {
      const [x, y] = [(innerWidth - size * width) / 2, (innerHeight - size * HIGH) / 2];
      slide.style.transform = `translate(${x}px, ${y}px) scale(${size})`;
    });
  };
  const go = (to, piece) => {
    at = Math.min(Math.max(to, 0), slides.length - 1);
    step = Math.min(Math.max(piece, 0), slides[at].pieces.length - 1);
    show();
  };
  const on = () => {
    if (step < slides[at].pieces.length - 1) go(at, step + 1);
    else if (at < slides.length - 1) go(at + 1, 0);
  };
  const back = () => (step > 0 ? go(at, step - 1) : at > 0 && go(at - 1, Infinity));
  const again = () => {
    const done = slides.length ? at / slides.length : 0;
    lay();
    fit();
    go(Math.round(done * slides.length), step);
  };

  const keys = {
    ArrowRight: on, ArrowDown: on, " ": on, ArrowLeft: back, ArrowUp: back,
    PageDown: () => go(at + 1, 0), PageUp: () => go(at - 1, 0),
    Home: () => go(0, 0), End: () => go(Infinity, Infinity),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in keys)) return;
    if (event.key === " " && event.target.closest("button")) return;
    event.preventDefault();
    (event.key === " " && event.shiftKey ? back : keys[event.key])();
  });
  board.addEventListener("click", (event) => {
    if (getSelection().isCollapsed) (event.clientX < innerWidth / 3 ? back : on)();
  });
  turn.querySelector(".back").addEventListener("click", back);
  turn.querySelector(".on").addEventListener("click", on);
  const root = document.documentElement.classList;
  const begin = () => {
    root.add("deck");
    again();
  };
  addEventListener("resize", () => root.contains("deck") && again());
  addEventListener("beforeprint", () => { // a stage a page, whole
    root.remove("deck");
    board.replaceChildren(...source.map(([, stage]) => stage.cloneNode(true)));
  });
  addEventListener("afterprint", begin);
  begin();
})();
""".strip()


def _hash(text: str) -> str:
    """How a policy names a script or a style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def page(lines: Sequence[Line], setter: MathmlSetter) -> str:
    """The board as a page of slides."""
    lang = setter.lang
    title = next(line.text for line in lines if isinstance(line, Title))
    style = f"\n{PAGE_STYLE}\n{STYLE}\n{SLIDES_STYLE}\n"
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(SCRIPT)}; base-uri 'none'; form-action 'none'"
    )
    sections = "\n".join(
        f'<section class="stage" data-part="{escaped(part)}">\n{content}\n</section>'
        for part, content in parts(lines, setter)
    )
    back, on, told = (escaped(what.in_(lang)) for what in (words.SLIDE_BACK, words.SLIDE_ON, words.SLIDE_OF))
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<main class="reseau-board" lang="{lang}">\n{sections}\n</main>\n'
        f'<nav class="turn" data-page="{told}" aria-label="{escaped(words.SLIDES.in_(lang))}">'
        f'<button type="button" class="back" aria-label="{back}">‹</button><p role="status"></p>'
        f'<button type="button" class="on" aria-label="{on}">›</button></nav>\n'
        f"<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
