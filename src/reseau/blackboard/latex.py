"""The blackboard in LaTeX: an article that compiles as it stands, or a fragment of one that loads amsmath.

The network is drawn where the package tikz is loaded, as in the article.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from fractions import Fraction

from reseau.blackboard import tikz
from reseau.blackboard.drawing import Drawing
from reseau.blackboard.sheet import Chain, Curve, Hint, Line, Matrix, NewPage, Piece, Prose, Room, Table, Title, broken
from reseau.blackboard.text import LONGEST_BAR, block, curve_places
from reseau.formulas.trees import Call, Expression, Symbol
from reseau.formulas.typesetting import Figures, Setter, TextSetter, missing_decimals
from reseau.formulas.words import ELSE, FOR, NARROW, WHERE, Words
from reseau.visible import visible

WIDTH = 80  # characters of the text form that fit a line of A4 at 11 points: measured on boards with wide matrices
BABEL = Words("english", "french")

LETTERS = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ζ": r"\zeta", "η": r"\eta",
    "θ": r"\theta", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho",
    "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi", "Φ": r"\Phi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega",
    "Δ": r"\Delta ", "∂": r"\partial ", "ḡ": r"\bar{g}",
}  # fmt: skip
LAST_OF_FONT = "ſ"  # the Latin letters that the T1 fonts have
SIGNS = {
    "−": "-", "·": r"\cdot", "∘": r"\circ", "≤": r"\le", "≥": r"\ge", "≈": r"\approx", "←": r"\leftarrow",
    "⋯": r"\cdots",
}  # fmt: skip
OPERATORS = {"log", "ln", "tanh", "cos", "max", "min", "exp"}  # LaTeX knows these by name
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "\N{NO-BREAK SPACE}": "~", NARROW: r"\,", "⋮": r"$\vdots$", "⋯": r"$\cdots$",
}  # fmt: skip


def escaped(text: str) -> str:
    """Plain text, so that LaTeX prints it as it is.

    Before ; ? and ! babel makes the space narrow itself, where it can take back what is written, as it can a tie.
    """
    return "".join(map(_escaped, re.sub(f"{NARROW}(?=[;?!])", "\N{NO-BREAK SPACE}", visible(text))))


def _escaped(c: str) -> str:
    """One character; what pdfLaTeX's fonts lack becomes mathematics, its nearest letters, or a question mark."""
    if c in SPECIAL:
        return SPECIAL[c]
    if c in LETTERS or c in SIGNS:
        return f"${LETTERS.get(c) or SIGNS[c]}$"
    if not c.isprintable():
        return ""
    if c <= LAST_OF_FONT or c in "’‘“”–—…€":
        return c
    digit = unicodedata.normalize("NFKD", c)
    if "<sub>" in unicodedata.decomposition(c) and digit.isascii():
        return f"$_{digit}$"
    near = "".join(part for part in digit if part <= LAST_OF_FONT and not unicodedata.combining(part))
    return escaped(near) if near and near != c else "?"


class LatexSetter(Setter):
    """Sets formulas in LaTeX's mathematics."""

    aside = r" \quad "

    def figures(self, figures: Figures) -> str:
        mark = "{,}" if self.mark == "," else self.mark
        whole = figures.whole.replace("−", "-").replace("∞", r"\infty ").replace(NARROW, r"\,")
        text = whole + (mark + figures.decimals if figures.decimals else "")
        return text if figures.exponent is None else rf"{text} \cdot 10^{{{figures.exponent}}}"

    def fraction(self, value: Fraction) -> str:
        sign = "-" if value < 0 else ""
        return rf"{sign}\tfrac{{{abs(value.numerator)}}}{{{value.denominator}}}"

    def letter(self, letter: str) -> str:
        if letter.isascii() and len(letter) > 1:
            return rf"\{letter}" if letter in OPERATORS else rf"\mathrm{{{escaped(letter)}}}"
        return "".join(LETTERS.get(c, c) for c in letter).strip()

    def word(self, word: str) -> str:
        return rf"\text{{ {escaped(word)}}}"

    def symbol(self, symbol: Symbol) -> str:
        marks = {"*": r"\ast", "′": r"\prime", "T": r"\top", "²": "2"}.get(symbol.mark, "")
        marks += f"({symbol.layer})" if symbol.layer else ""
        above = "'" if marks == r"\prime" else f"^{{{marks}}}" if marks else ""
        text = self.letter(symbol.written)
        if symbol.mark == "^":
            text = rf"\hat{{{text}}}"
        below = [self._below(i) for i in symbol.below]
        if below:
            joined = ("" if all(len(i) == 1 for i in below) else ",").join(below)
            text += f"_{{{joined}}}"
        return text + above

    def _below(self, part: str | int | Symbol) -> str:
        if isinstance(part, Symbol):
            return self.symbol(part)
        text = str(part)
        return text if len(text) == 1 or text.isdecimal() else rf"\mathrm{{{text}}}".replace("−", "-")

    def operator(self, sign: str, prefix: bool = False) -> str:
        return SIGNS.get(sign, sign) if prefix else f" {SIGNS.get(sign, sign)} "

    def beside(self, left: Expression) -> str:
        return r"\, "

    def parentheses(self, text: str) -> str:
        return rf"\left({text}\right)" if r"\frac" in text or r"\sum" in text else f"({text})"

    def bar(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def power(self, base: str, exponent: Expression) -> str:
        return f"{base}^{{{self.set(exponent)}}}"

    def call(self, call: Call) -> str:
        name = self.name(call)
        inside = [self.set(argument) for argument in call.arguments]
        match call.function.name:
            case "exp" if not call.function.only_a_name:
                return f"e^{{{inside[0]}}}"
            case "abs":
                return rf"\left|{inside[0]}\right|"
            case "√":
                return rf"\sqrt{{{inside[0]}}}"
        arguments = rf"{self._between}\, ".join(inside)
        return self.function(name) + self.parentheses(arguments)

    @property
    def _between(self) -> str:
        """The sign between arguments."""
        return self.separator.rstrip().replace(NARROW, r"\,")

    def function(self, name: str) -> str:
        """The name of a function."""
        stem, prime = (name[:-1], "'") if name.endswith("′") else (name, "")
        if stem in OPERATORS:
            return rf"\{stem}{prime}"
        return (self.letter(stem) if len(stem) == 1 else rf"\operatorname{{{escaped(stem)}}}") + prime

    def sum_over(self, index: str, body: str) -> str:
        below = index if len(index) == 1 else rf"\text{{{escaped(index)}}}"
        return rf"\sum_{{{below}}} {body}"

    def cases(self, cases: list[tuple[str, str]], otherwise: str) -> str:
        rows = [rf"{value} & \text{{{FOR.in_(self.lang)} }} {condition}" for value, condition in cases]
        rows.append(rf"{otherwise} & \text{{{ELSE.in_(self.lang)}}}")
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"

    def where(self, definitions: list[str]) -> str:
        joined = rf"{self._between}\; ".join(definitions)
        return rf"\text{{{WHERE.in_(self.lang)} }} {joined}"

    def blank(self) -> str:
        return r"\underline{\hspace{5em}\rule{0pt}{3.5ex}}"

    def matrix(self, matrix: Matrix) -> str:
        """A matrix in brackets."""
        gaps = [all(cell is None for cell in row) for row in matrix.rows]
        columns = [all(cell is None for cell in column) for column in zip(*matrix.rows, strict=True)]
        rows: list[list[str]] = [[] for _ in matrix.rows]
        plain = TextSetter(self.lang, self.digits)
        for cells, gap in zip(zip(*matrix.rows, strict=True), columns, strict=True):
            ends = missing_decimals(["" if cell is None else plain.set(cell) for cell in cells], self.mark)
            for row, cell, end, row_gap in zip(rows, cells, ends, gaps, strict=True):
                dots = r"\ddots" if row_gap and gap else r"\vdots" if row_gap else r"\cdots"
                fill = (
                    rf"\phantom{{{'{,}' if end[:1] == ',' else end[:1]}{end[1:]}}}" if end and cell is not None else ""
                )
                row.append(dots if cell is None else self.set(cell) + fill)
        body = r" \\ ".join(" & ".join(row) for row in rows)
        return rf"\left[\begin{{array}}{{{'r' * len(columns)}}} {body} \end{{array}}\right]"

    def piece(self, piece: Piece) -> str:
        """A part of a chain."""
        if isinstance(piece, str):
            return self.operator(piece)
        return self.matrix(piece) if isinstance(piece, Matrix) else self.set(piece)

    def chain(self, chain: Chain, width: int = WIDTH) -> str:
        """A chain as the inside of a displayed equation, broken where it would not fit a line."""
        plain = TextSetter(self.lang, self.digits)
        lines = broken(chain, width, lambda piece: block(piece, plain).width + (0 if isinstance(piece, str) else 1))
        texts = []
        for place, pieces in enumerate(lines):
            sides = [self.piece(piece) for piece in pieces]
            signs = [i for i, piece in enumerate(pieces) if piece in ("=", chain.sign)]
            if place == 0:
                sides.insert(signs[0] if signs else len(sides), "&")
            else:
                sides.insert(0, "&" if signs[:1] == [0] else r"&\quad")
            texts.append(re.sub(r" +", " ", " ".join(sides)).strip())
        if len(texts) == 1:
            return texts[0].replace("& ", "", 1)
        return "\\begin{aligned}\n" + " \\\\\n".join(texts) + "\n\\end{aligned}"


def render(lines: Iterable[Line], setter: LatexSetter, fragment: bool = False) -> str:
    """Set the lines of a board as LaTeX."""
    out: list[str] = []
    after_heading = False
    for line in lines:
        added = _line(line, setter)
        out += added[1:] if after_heading and not added[0] and not isinstance(line, Title) else added
        after_heading = isinstance(line, Title)
    body = "\n".join(out).strip() + "\n"
    if fragment:
        return body
    return (
        "\\documentclass[11pt,a4paper,fleqn]{article}\n"
        "\\usepackage[T1]{fontenc}\n\\usepackage[utf8]{inputenc}\n\\usepackage{lmodern}\n"
        f"\\usepackage[{BABEL.in_(setter.lang)}]{{babel}}\n"
        "\\usepackage{amsmath}\n\\usepackage{tikz}\n\\usepackage[margin=2cm]{geometry}\n"
        "\\setlength{\\parindent}{0pt}\n\\allowdisplaybreaks\n"
        f"\\begin{{document}}\n{body}\\end{{document}}\n"
    )


def _line(line: Line, setter: LatexSetter) -> list[str]:
    """One line of a board; before what begins a paragraph stands an empty one, which is left out after a heading."""
    match line:
        case Title(text=text, level=level):
            return ["", rf"\{('section', 'subsection', 'subsubsection')[level - 1]}*{{{escaped(text)}}}"]
        case Prose(text=text, numbers=numbers):
            text = escaped(text)
            for name, value in numbers:
                text = text.replace(rf"\{{{name}\}}", f"${setter.set(value)}$")
            return ["", text]
        case Chain():
            return [r"\[", setter.chain(line), r"\]"]
        case Table(header=header, rows=rows):
            return _table(header, rows, setter)
        case Curve():
            return _curve(line, setter)
        case Drawing(title=title, caption=caption):
            heading = rf"\subsubsection*{{{escaped(title)}}}"
            return ["", heading, *tikz.picture(line, setter, escaped), escaped(caption)]
        case Room(lines=count):
            return ["", *([r"\vspace{1.2em}\noindent\dotfill\par"] * count)]
        case Hint(title=title, chains=chains):
            inside = [text for chain in chains for text in (r"\[", setter.chain(chain), r"\]")]
            return ["", rf"\emph{{{escaped(title)}}}", *inside]
        case NewPage():
            return ["", r"\clearpage"]


def _cell(cell: Expression | str, setter: LatexSetter) -> str:
    return escaped(cell) if isinstance(cell, str) else f"${setter.set(cell)}$"


def _table(header: Sequence[str], rows: Sequence[Sequence[Expression | str]], setter: LatexSetter) -> list[str]:
    lines = ["", r"\begin{center}", rf"\begin{{tabular}}{{{'l' * len(header)}}}"]
    lines.append(" & ".join(map(escaped, header)) + r" \\ \hline")
    lines += [" & ".join(_cell(cell, setter) for cell in row) + r" \\" for row in rows]
    return [*lines, r"\end{tabular}", r"\end{center}"]


def _curve(curve: Curve, setter: LatexSetter) -> list[str]:
    """A table with bars, which needs no package."""
    rows = [" & ".join((escaped(curve.steps), escaped(curve.error), "")) + r" \\ \hline"]
    for place in curve_places(curve):
        if place is None:
            rows.append(r"$\vdots$ & $\vdots$ & \\")
            continue
        value = curve.values[place]
        length = curve.height(value) * LONGEST_BAR / 5
        rows.append(rf"{place} & ${setter.number(value)}$ & \rule{{{length:.2f}cm}}{{1.2ex}} \\")
    return ["", r"\begin{center}", r"\begin{tabular}{rll}", *rows, r"\end{tabular}", r"\end{center}"]
