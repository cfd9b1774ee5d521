"""The blackboard as HTML: formulas in MathML, which browsers set and screen readers read; no script, no network."""

from __future__ import annotations

import html
from collections.abc import Sequence
from fractions import Fraction
from math import isfinite

from reseau.blackboard import svg
from reseau.blackboard.drawing import Drawing
from reseau.blackboard.sheet import Chain, Curve, Hint, Line, Matrix, NewPage, Piece, Prose, Room, Side, Table, Title
from reseau.blackboard.text import block
from reseau.formulas.trees import Call, Expression, Symbol
from reseau.formulas.typesetting import Figures, Setter, TextSetter, missing_decimals
from reseau.formulas.words import ELSE, FOR, NARROW, WHERE
from reseau.visible import visible

# Colours are the notebook's or the page's own, so that light and dark are one style; only the page sets a background.
STYLE = """
.reseau-board { max-width: 62rem; line-height: 1.5; font-family: system-ui, sans-serif; }
.reseau-board h1, .reseau-board h2, .reseau-board h3 { line-height: 1.25; padding: 0; }
.reseau-board h1 { margin: .6em 0; }
.reseau-board h2 { border-bottom: 1px solid color-mix(in srgb, currentColor 30%, transparent); padding-bottom: .2em;
  margin-top: 2em; }
.reseau-board h3 { margin-top: 1.5em; }
.reseau-board p { margin: .9em 0 .3em; }
.reseau-board .chain { display: flex; align-items: baseline; margin: .2em 0 .2em 1.5em; padding-block: .25em;
  overflow-x: auto; }
.reseau-board .sides { display: flex; flex-wrap: wrap; align-items: baseline; row-gap: .4em; }
.reseau-board .side { display: contents; }
.reseau-board math { font-size: 1.15em; }
.reseau-board mtd { padding: .25em .5em; text-align: right; text-align: -moz-right; text-align: -webkit-right; }
.reseau-board mtd:first-child { padding-left: .15em; }
.reseau-board mtd:last-child { padding-right: .15em; }
.reseau-board .cases mtd { text-align: left; text-align: -moz-left; text-align: -webkit-left; }
.reseau-board .result { color: light-dark(#0b5c2e, #7ddba0); }
.reseau-board table { border-collapse: collapse; margin: .6em 0 .6em 1.5em; }
.reseau-board .wide { overflow-x: auto; }
.reseau-board td:nth-child(6) { min-width: 11rem; }
.reseau-board th, .reseau-board td { text-align: left; padding: .2em .9em .2em 0; }
.reseau-board thead th { border-bottom: 1px solid currentColor; }
.reseau-board svg { max-width: 100%; height: auto; margin: .6em 0 .6em 1.5em; color: light-dark(#0b5c2e, #7ddba0); }
.reseau-board .result:has(.blank) { color: inherit; }
.reseau-board .room { margin: .3em 0 1em 1.5em; }
.reseau-board .room i { display: block; height: 2em; border-bottom: 1px dotted currentColor; opacity: .55; }
.reseau-board .hint { margin: .6em 0 .6em 1.5em; }
.reseau-board .hint summary { cursor: pointer; }
.reseau-board .new-page { margin: 4em 0; border: 0; border-top: 1px solid currentColor; }
.reseau-board svg text { fill: currentColor; font: 13px system-ui, sans-serif; }
.reseau-board .network { margin: .6em 0; break-inside: avoid; }
.reseau-board .network svg { color: inherit; max-width: none; margin: 0; }
.reseau-board .network svg text { font-size: 14px; }
.reseau-board .network .result { fill: light-dark(#0b5c2e, #7ddba0); }
.reseau-board .scrolled { overflow-x: auto; }
.reseau-board figcaption { margin-top: .3em; }
@media print {
.reseau-board .chain, .reseau-board svg, .reseau-board tr, .reseau-board .hint, .reseau-board .room {
  break-inside: avoid; }
.reseau-board :is(.chain:has(+ .room), p, h2, h3, thead) { break-after: avoid; }
.reseau-board .network svg { max-width: 100%; }
.reseau-board .room i { height: 9mm; }
.reseau-board .hint::details-content { content-visibility: visible; display: block; }
.reseau-board .new-page { margin: 0; border: 0; break-after: page; }
}
""".strip()
PAGE_STYLE = """
:root { color-scheme: light dark; }
body { margin: 1.5rem auto; max-width: 64rem; padding: 0 1rem; color: light-dark(#1a1a1a, #ececec);
  background: light-dark(#ffffff, #16211c); }
""".strip()


FITS = 26  # characters of the text form that fit the line of a telephone: measured at 400 pixels


def escaped(text: str) -> str:
    """Plain text, so that HTML shows it as it is."""
    return html.escape(visible(text))


def _row(text: str) -> str:
    return f"<mrow>{text}</mrow>"


class MathmlSetter(Setter):
    """Sets formulas in MathML."""

    aside = "<mspace width='1em'/>"

    def figures(self, figures: Figures) -> str:
        sign, whole = ("<mo>−</mo>", figures.whole[1:]) if figures.negative else ("", figures.whole)
        text = f"{sign}<mn>{whole}{self.mark + figures.decimals if figures.decimals else ''}</mn>"
        if figures.exponent is not None:
            power = self.figures(Figures(str(figures.exponent).replace("-", "−"), ""))
            text += f"<mo>·</mo><msup><mn>10</mn>{power}</msup>"
        return _row(text) if sign or figures.exponent is not None else text

    def fraction(self, value: Fraction) -> str:
        sign = "<mo>−</mo>" if value < 0 else ""
        return _row(f"{sign}<mfrac><mn>{abs(value.numerator)}</mn><mn>{value.denominator}</mn></mfrac>")

    def letter(self, letter: str) -> str:
        if letter[0] in "∂Δ" and len(letter) > 1:
            return _row(f"<mi>{letter[0]}</mi>{self.letter(letter[1:])}")
        return f"<mi>{escaped(letter)}</mi>"

    def word(self, word: str) -> str:
        return f"<mtext>\N{NO-BREAK SPACE}{escaped(word)}</mtext>"

    def symbol(self, symbol: Symbol) -> str:
        text = self.letter(symbol.written)
        if symbol.mark == "^":
            text = f"<mover accent='true'>{text}<mo>^</mo></mover>"
        below = _row(self._below(symbol)) if symbol.below else ""
        sign = {"*": "∗", "′": "′", "T": "⊤", "²": "2"}.get(symbol.mark, "")
        above = f"<mn>{sign}</mn>" if sign.isdecimal() else f"<mo>{sign}</mo>" if sign else ""
        if symbol.layer:
            above = _row(f"{above}<mn>({symbol.layer})</mn>")  # as signs, parentheses would stand apart
        if below and above:
            return f"<msubsup>{text}{below}{above}</msubsup>"
        if below:
            return f"<msub>{text}{below}</msub>"
        return f"<msup>{text}{above}</msup>" if above else text

    def _below(self, symbol: Symbol) -> str:
        parts = [i.on_the_line if isinstance(i, Symbol) else str(i) for i in symbol.below]
        between = "" if all(len(part) == 1 for part in parts) else "<mo>,</mo>"
        return between.join(f"<mn>{part}</mn>" if part.isdecimal() else f"<mi>{escaped(part)}</mi>" for part in parts)

    def operator(self, sign: str, prefix: bool = False) -> str:
        return f"<mo form='prefix'>{escaped(sign)}</mo>" if prefix else f"<mo>{escaped(sign)}</mo>"

    def beside(self, left: Expression) -> str:
        return "<mspace width='0.17em'/>"

    def parentheses(self, text: str) -> str:
        stretchy = "true" if any(tall in text for tall in ("<mfrac", "<munder", "<mtable")) else "false"
        return _row(f"<mo stretchy='{stretchy}'>(</mo>{text}<mo stretchy='{stretchy}'>)</mo>")

    def bar(self, above: str, below: str) -> str:
        return f"<mfrac>{_row(above)}{_row(below)}</mfrac>"

    def power(self, base: str, exponent: Expression) -> str:
        return f"<msup>{_row(base)}{_row(self.set(exponent))}</msup>"

    def call(self, call: Call) -> str:
        inside = [self.set(argument) for argument in call.arguments]
        match call.function.name:
            case "exp" if not call.function.only_a_name:
                return f"<msup><mi>e</mi>{_row(inside[0])}</msup>"
            case "abs":
                return _row(f"<mo>|</mo>{inside[0]}<mo>|</mo>")
            case "√":
                return f"<msqrt>{inside[0]}</msqrt>"
        name = self.name(call)
        stem, prime = (name[:-1], True) if name.endswith("′") else (name, False)
        letter = f"<mi>{escaped(stem)}</mi>"
        letter = f"<msup>{letter}<mo>′</mo></msup>" if prime else letter
        arguments = self._between.join(inside)
        return _row(f"{letter}<mo>&#x2061;</mo>{self.parentheses(arguments)}")

    @property
    def _between(self) -> str:
        """The sign between arguments, before which French has a narrow space."""
        space = " lspace='0.17em'" if self.separator.startswith(NARROW) else ""
        return f"<mo separator='true'{space}>{self.separator.strip()}</mo>"

    def sum_over(self, index: str, body: str) -> str:
        below = f"<mi>{index}</mi>" if len(index) == 1 else f"<mtext>{escaped(index)}</mtext>"
        return _row(f"<munder><mo movablelimits='false'>∑</mo>{below}</munder>{body}")

    def cases(self, cases: list[tuple[str, str]], otherwise: str) -> str:
        word = f"<mtext>{FOR.in_(self.lang)}\N{NO-BREAK SPACE}</mtext>"
        rows = [f"<mtr><mtd>{value}</mtd><mtd>{word}{condition}</mtd></mtr>" for value, condition in cases]
        rows.append(f"<mtr><mtd>{otherwise}</mtd><mtd><mtext>{ELSE.in_(self.lang)}</mtext></mtd></mtr>")
        return _row(f"<mo stretchy='true'>{{</mo><mtable class='cases'>{''.join(rows)}</mtable>")

    def where(self, definitions: list[str]) -> str:
        word = f"<mtext>{WHERE.in_(self.lang)}\N{NO-BREAK SPACE}</mtext>"
        return _row(word + self._between.join(definitions))

    def blank(self) -> str:
        line = f"<mtext class='blank'>\N{NO-BREAK SPACE}{'_' * 12}\N{NO-BREAK SPACE}</mtext>"
        return f"<mpadded height='1.5em' depth='.4em'>{line}</mpadded>"  # as high as one writes

    def matrix(self, matrix: Matrix) -> str:
        """A matrix in brackets."""
        gaps = [all(cell is None for cell in row) for row in matrix.rows]
        columns = [all(cell is None for cell in column) for column in zip(*matrix.rows, strict=True)]
        rows = ["" for _ in matrix.rows]
        plain = TextSetter(self.lang, self.digits)
        for cells, gap in zip(zip(*matrix.rows, strict=True), columns, strict=True):
            ends = missing_decimals(["" if cell is None else plain.set(cell) for cell in cells], self.mark)
            for i, (cell, end) in enumerate(zip(cells, ends, strict=True)):
                dots = "⋱" if gaps[i] and gap else "⋮" if gaps[i] else "⋯"
                fill = f"<mphantom><mn>{end}</mn></mphantom>" if end else ""
                rows[i] += f"<mtd>{f'<mo>{dots}</mo>' if cell is None else _row(self.set(cell) + fill)}</mtd>"
        body = "".join(f"<mtr>{row}</mtr>" for row in rows)
        return _row(f"<mo stretchy='true'>[</mo><mtable>{body}</mtable><mo stretchy='true'>]</mo>")

    def piece(self, piece: Piece) -> str:
        """A part of a chain."""
        if isinstance(piece, str):
            return self.operator(piece)
        return self.matrix(piece) if isinstance(piece, Matrix) else self.set(piece)

    def side(self, pieces: Sequence[Piece]) -> str:
        """A side of a chain."""
        out = ""
        for i, piece in enumerate(pieces):
            apart = i and not isinstance(piece, str) and not isinstance(pieces[i - 1], str)
            out += ("<mspace width='0.25em'/>" if apart else "") + self.piece(piece)
        return out


def fragment(lines: Sequence[Line], setter: MathmlSetter) -> str:
    """The board as a part of a page."""
    return f"<style>\n{STYLE}\n</style>\n{_article(lines, setter)}"


def page(lines: Sequence[Line], setter: MathmlSetter) -> str:
    """The board as a page of its own."""
    title = next(line.text for line in lines if isinstance(line, Title))
    return (
        f'<!DOCTYPE html>\n<html lang="{setter.lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>\n{PAGE_STYLE}\n{STYLE}\n</style>\n</head>\n"
        f"<body>\n{_article(lines, setter, 'main')}</body>\n</html>\n"
    )


def stages(lines: Sequence[Line], setter: MathmlSetter) -> list[tuple[str, str]]:
    """The board in its stages, each with its title and as a part of a page: a title begins one, with those after it."""
    return [(" · ".join(titles), _body(several, setter)) for titles, several in _stages(lines)]


def parts(lines: Sequence[Line], setter: MathmlSetter) -> list[tuple[str, str]]:
    """The same stages, each with the title of the second level that it stands below."""
    out: list[tuple[str, str]] = []
    part = ""
    for _, several in _stages(lines):
        part = next((line.text for line in several if isinstance(line, Title) and line.level <= 2), part)
        out.append((part, _body(several, setter)))
    return out


def _stages(lines: Sequence[Line]) -> list[tuple[list[str], list[Line]]]:
    """The titles of each stage, and what stands in it."""
    found: list[tuple[list[str], list[Line]]] = []
    before: Line | None = None
    for line in lines:
        if isinstance(line, Drawing):
            found.append(([line.title], []))
        elif isinstance(line, Title) and not isinstance(before, Title):
            found.append(([line.text], []))
        elif isinstance(line, Title):
            found[-1][0].append(line.text)
        found[-1][1].append(line)
        before = line
    return found


def _body(lines: Sequence[Line], setter: MathmlSetter) -> str:
    return "\n".join(_line(line, setter) for line in lines)


def _article(lines: Sequence[Line], setter: MathmlSetter, element: str = "article") -> str:
    out = [f'<{element} class="reseau-board" lang="{setter.lang}">']
    return "\n".join([*out, *(_line(line, setter) for line in lines), f"</{element}>", ""])


def _line(line: Line, setter: MathmlSetter) -> str:
    match line:
        case Title(text=text, level=level):
            return f"<h{level}>{escaped(text)}</h{level}>"
        case Prose(text=text, numbers=numbers):
            text = escaped(text)
            for name, value in numbers:
                text = text.replace(f"{{{name}}}", f"<math>{setter.set(value)}</math>")
            return f"<p>{text}</p>"
        case Chain():
            return _chain(line, setter)
        case Table(header=header, rows=rows):
            return _table(header, rows, setter)
        case Curve():
            return _curve(line, setter)
        case Drawing():
            title = f"<h3>{escaped(line.title)}</h3>"
            return f"{title}\n{svg.figure(line, TextSetter(setter.lang, setter.digits))}"
        case Room(lines=lines):
            return f'<div class="room" aria-hidden="true">{"<i></i>" * lines}</div>'
        case Hint(title=title, chains=chains):
            inside = "\n".join(_chain(chain, setter) for chain in chains)
            return f'<details class="hint"><summary>{escaped(title)}</summary>\n{inside}\n</details>'
        case NewPage():
            return '<hr class="new-page">'


def _chain(chain: Chain, setter: MathmlSetter) -> str:
    left, *others = chain.sides
    sides = []
    for place, side in enumerate(others):
        result = " class='result'" if place == len(others) - 1 and place else ""
        pieces = _pieces((chain.sign if place == 0 else "=", *side))
        maths = [f"<math{result} displaystyle='true'>{_row(_opened(several, setter))}</math>" for several in pieces]
        sides.append(maths[0] if len(maths) == 1 else f'<span class="side">{"".join(maths)}</span>')
    first = f"<math displaystyle='true'>{_row(setter.side(left))}</math>"
    focus = ' tabindex="0"' if _may_scroll(chain, setter) else ""
    return f'<div class="chain"{focus}>{first}<div class="sides">{"".join(sides)}</div></div>'


def _may_scroll(chain: Chain, setter: MathmlSetter) -> bool:
    """Whether a telephone has to scroll it, which those who have only a keyboard do once it has the focus."""
    plain = TextSetter(setter.lang, setter.digits)
    left, *others = (
        [sum(block(piece, plain).width for piece in pieces) for pieces in _pieces(("=", *side))] for side in chain.sides
    )
    return sum(left) + max(map(max, others)) > FITS


def _pieces(side: Side) -> list[list[Piece]]:
    """What of a side stays in one line: a sign with what follows it, but several only around a matrix."""
    out: list[list[Piece]] = [[side[0]]]
    for piece in side[1:]:
        if isinstance(piece, str) and any(isinstance(other, Matrix) for other in out[-1]):
            out.append([])
        out[-1].append(piece)
    return out


def _opened(pieces: Sequence[Piece], setter: MathmlSetter) -> str:
    """Pieces of which the first is a sign, which stands between the line before and this one."""
    sign, *rest = pieces
    return f"<mo form='infix'>{escaped(str(sign))}</mo>{setter.side(rest)}"


def _table(header: Sequence[str], rows: Sequence[Sequence[Expression | str]], setter: MathmlSetter) -> str:
    head = "".join(f'<th scope="col">{escaped(cell)}</th>' for cell in header)
    body = ""
    for row in rows:
        cells = [escaped(cell) if isinstance(cell, str) else f"<math>{setter.set(cell)}</math>" for cell in row]
        body += "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    return f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


PICTURE, MARGIN = (560, 260), (70, 20, 40, 20)  # width and height; left, top, below and right of the curve


def _curve(curve: Curve, setter: MathmlSetter) -> str:
    """The error over the steps, as a drawing."""
    width, height = PICTURE
    left, top, below, right = MARGIN
    low, high = curve.ends
    last = len(curve.values) - 1

    def x(step: float) -> float:
        return left + (width - left - right) * step / last

    def y(value: float) -> float:
        return height - below - (height - top - below) * curve.height(value)

    points = [(x(i), y(value)) for i, value in enumerate(curve.values) if isfinite(value)]
    dots = (
        "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="currentColor"/>' for a, b in points)
        if last <= 40
        else ""
    )
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    plain = TextSetter(setter.lang, setter.digits).number
    described = f"{curve.error}: {plain(curve.values[0])} → {plain(curve.values[-1])} ({last} × {curve.steps})"
    bottom, corner = height - below, width - right
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{escaped(described)}">'
        f"<title>{escaped(curve.name)}</title>"
        f'<path d="M{left} {top}V{bottom}H{corner}" fill="none" stroke="currentColor"/>'
        f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="2"/>{dots}'
        f'<text x="{left - 6}" y="{top + 5}" text-anchor="end">{plain(high)}</text>'
        f'<text x="{left - 6}" y="{bottom + 4}" text-anchor="end">{plain(low)}</text>'
        f'<text x="{left}" y="{bottom + 18}" text-anchor="middle">0</text>'
        f'<text x="{corner}" y="{bottom + 18}" text-anchor="middle">{last}</text>'
        f'<text x="{(left + corner) / 2}" y="{bottom + 34}" text-anchor="middle">{escaped(curve.steps)}</text>'
        f'<text x="{left}" y="{top - 7}" text-anchor="middle">{escaped(curve.error)}</text></svg>'
    )
