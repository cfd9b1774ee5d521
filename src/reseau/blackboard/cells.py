"""The numbers of a learning step as Python with NumPy alone: cells of code, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, TypeAlias

import numpy as np

from reseau.blackboard import words
from reseau.blackboard.numpy_text import Writer, array_text, whole
from reseau.blackboard.step import Parameter, Parts, Placed, Task, of_each
from reseau.formulas.fractions import floats
from reseau.formulas.trees import Condition, Expression, symbols_of, to_float
from reseau.vocabulary.activations import Activation
from reseau.vocabulary.activations.activation import group_of
from reseau.vocabulary.layers.equations import OfMatrices, OfNumbers
from reseau.vocabulary.losses.loss import Loss

NEAR = 1e-6  # relatively: how near a formula has to come to the number, or the number itself is written
Rename: TypeAlias = Callable[[str], str]
Entry: TypeAlias = "Activation | Loss"


def _same(name: str) -> str:
    return name


def _after(name: str) -> str:
    """The same quantity after the step."""
    return name if name in ("X", "T") else f"{name}_new"


@dataclass(frozen=True)
class Code:
    """Writes the cells of a step.

    Parameters
    ----------
    task : Task
        What it is a step of.
    parts : dict
        Its numbers.
    lang : str
        Of comments.
    """

    task: Task
    parts: Parts
    lang: str

    # --- the stages ---------------------------------------------------------------------------------------------------

    def given(self) -> Iterator[str]:
        """The sample, the parameters and the settings."""
        yield f"X = {self.text('X')}\nX"
        yield f"T = {self.text('T')}\nT"
        for l in range(1, self.task.depth + 1):
            several = self.of(l)
            if several:
                lines = [f"{parameter.name} = {self.text(parameter.name)}" for parameter in several]
                yield "\n".join([*lines, ", ".join(parameter.name for parameter in several)])
        settings = list(self._settings())
        yield "\n".join([*(f"{name} = {value!r}" for name, value in self._settings().items()), ", ".join(settings)])
        states = self._states()
        if states:
            yield "\n".join([*(f"{name} = {code}" for name, code in states.items()), next(iter(states))])

    def stages(self, first: bool) -> Iterator[list[str]]:
        """The cells of each stage of the step."""
        depth = self.task.depth
        for l in range(1, depth + 1):
            cells = [] if first or l > 1 else [self._again()]
            cells += [self._cell(line) for line in self._forward(l, _same)]
            if l == depth:
                cells.append(f"O = A{l}\nO")
            yield cells
        yield [self._cell(line) for line in self._error(_same)]
        for l in range(depth, 0, -1):
            yield [self._cell(line) for line in self._backward(l)]
        head = f"t = {self.task.t}\nt" if self._counts() else ""
        yield [head] if head else []
        for l in range(1, depth + 1):
            if self.of(l):
                yield [self._updated(parameter) for parameter in self.of(l)]
        yield list(self._afterwards())

    # --- its cells ----------------------------------------------------------------------------------------------------

    def text(self, name: str) -> str:
        """The numbers of a part."""
        return array_text(self.parts[name])

    def of(self, l: int) -> list[Parameter]:
        """The parameters of layer l."""
        return [parameter for parameter in self.task.parameters if parameter.layer == l]

    @staticmethod
    def _cell(line: tuple[str, str]) -> str:
        name, code = line
        return f"{code}\n{name}"

    def _settings(self) -> dict[str, float]:
        """What of the optimizer's settings its equations ask for."""
        asked = set().union(*(_symbols(equation.right) for equation in self.task.optimizer.equations))
        return {name: value for name, value in self.task.optimizer.hyperparameters().items() if name in asked}

    def _states(self) -> dict[str, str]:
        """The optimizer's state before the first step."""
        states = [equation.left.name for equation in self.task.optimizer.equations if equation.state]
        tensors = [parameter.name for parameter in self.task.parameters]
        return {f"{state}_{tensor}_before": f"np.zeros_like({tensor})" for tensor in tensors for state in states}

    def _again(self) -> str:
        """What the next step begins with."""
        tensors = [parameter.name for parameter in self.task.parameters]
        states = [equation.left.name for equation in self.task.optimizer.equations if equation.state]
        lines = [f"{tensor} = {tensor}_new" for tensor in tensors]
        lines += [f"{state}_{tensor}_before = {state}_{tensor}" for tensor in tensors for state in states]
        lines += [f"{name} = {value!r}" for name, value in self._settings().items()]
        return "\n".join([*lines, tensors[0]] if tensors else lines)

    def _counts(self) -> bool:
        return any("t" in _symbols(equation.right) for equation in self.task.optimizer.equations)

    def _forward(self, l: int, n: Rename) -> Iterator[tuple[str, str]]:
        layer, value = self.task.layer(l), self.task.value(l)
        for placed in self.task.forward(l):
            yield n(placed.name), f"{n(placed.name)} = {self._equation(placed, l, n)}"
        name, Z = n(value.name), n(f"Z{l}")
        formula = self._by_rows(layer.sigma.formula, {"z": Z}, layer.sigma.groups, layer.sigma.row_wise)
        values = {"z": self.parts[f"Z{l}"]}
        yield name, self._checked(value.name, n, formula, layer.sigma.formula, values, layer.sigma)
        if layer.residual:
            source = self.task.input(l - layer.residual + 1).name
            yield n(f"A{l}"), f"{n(f'A{l}')} = {name} + {n(source)}"

    def _error(self, n: Rename) -> Iterator[tuple[str, str]]:
        L, loss = self.task.depth, self.task.architecture.error
        values = {"o": self.parts[f"A{L}"], "t": self.parts["T"]}
        formula = self._by_rows(loss.formula, {"o": n(f"A{L}"), "t": "T"}, loss.groups, True)
        yield n("e"), self._checked("e", n, formula, loss.formula, values, loss)
        mean = "" if self._rows == 1 else " / len(X)"
        yield n("E"), f"{n('E')} = {n('e')}.sum(){mean}"

    def _backward(self, l: int) -> Iterator[tuple[str, str]]:
        task, sigma = self.task, self.task.layer(l).sigma
        Z, A, D, dA, delta = f"Z{l}", task.value(l).name, f"D{l}", f"dA{l}", f"delta{l}"
        loss = task.architecture.error
        names = {"o": f"A{l}", "t": "T"}
        if l == task.depth:
            values = {"o": self.parts[f"A{l}"], "t": self.parts["T"]}
            formula = self._by_rows(loss.derivative_formula, names, loss.groups, True)
            yield dA, self._checked(dA, _same, self._share(formula), loss.derivative_formula, values, loss, share=True)
        if sigma.row_wise:
            yield D, self._jacobian(l)
        else:
            formula = Writer({"z": Z, "a": A}).write(sigma.derivative_formula)
            if not _symbols(sigma.derivative_formula):
                formula = f"np.full_like({Z}, {formula})"
            of = {"z": self.parts[Z], "a": self.parts[A]}
            yield D, self._checked(D, _same, formula, sigma.derivative_formula, of, sigma)
        if l == task.depth and task.architecture.simplifies:
            formula = self._by_rows(loss.delta_formula, names, loss.groups, True)
            yield delta, self._checked(delta, _same, self._share(formula), loss.delta_formula, values, loss, share=True)
        elif sigma.row_wise:
            yield delta, f"{delta} = ({dA}[:, :, None] * {D}).sum(axis=1)"
        else:
            yield delta, f"{delta} = {dA} * {D}"
        for placed in (*task.gradients(l), *task.back(l)):
            yield placed.name, f"{placed.name} = {self._equation(placed, l, _same)}"
        links = task.links_from(l - 1)
        if l > 1 and links:
            yield f"dA{l - 1}", f"dA{l - 1} = {' + '.join([f'R{l}', *(f'dA{m}' for m in links)])}"

    def _jacobian(self, l: int) -> str:
        sigma, A, D = self.task.layer(l).sigma, self.task.value(l).name, f"D{l}"
        text = Writer({"a": "a"}, by_place=True).write(sigma.derivative_formula)

        def of(rows: str) -> str:
            return f"np.array([[[{text} for j in range(len(a))] for i in range(len(a))] for a in {rows}], dtype=float)"

        if not sigma.groups:
            return f"{D} = {of(A)}"
        ends = [0, *accumulate(sigma.groups)]
        lines = [f"{D} = np.zeros(({A}.shape[0], {A}.shape[1], {A}.shape[1]))"]
        for first, end in pairwise(ends):
            lines.append(f"{D}[:, {first}:{end}, {first}:{end}] = {of(f'{A}[:, {first}:{end}]')}")
        return "\n".join(lines)

    def _updated(self, parameter: Parameter) -> str:
        """How a parameter moves, as one cell."""
        tensor, optimizer = parameter.name, self.task.optimizer
        several = of_each(optimizer.equations)
        names = {"w": tensor, "g": parameter.gradient}
        names |= {equation.left.name: f"{equation.left.name}_{tensor}_before" for equation in optimizer.equations}
        lines = []
        for equation in optimizer.equations:
            known = {name: names.get(name, name) for name in _symbols(equation.right)}
            text = Writer(known, scalar=not _asked(equation.right) & several).write(equation.right)
            names[equation.left.name] = f"{equation.left.name}_{tensor}"
            lines.append(f"{names[equation.left.name]} = {text}")
        return "\n".join([*lines, f"{tensor}_new = {tensor} + change_{tensor}", f"change_{tensor}, {tensor}_new"])

    def _afterwards(self) -> Iterator[str]:
        L = self.task.depth
        if any(
            code.startswith("#") for l in range(1, L + 1) for _, code in (*self._forward(l, _same), *self._error(_same))
        ):
            yield from (f"{name} = {self.text(name)}\n{name}" for name in ("O_new", "E_new"))
            return
        lines = [code for l in range(1, L + 1) for _, code in self._forward(l, _after)]
        yield "\n".join([*lines, f"O_new = A{L}_new", "O_new"])
        yield "\n".join([*(code for _, code in self._error(_after)), "E_new"])

    # --- formulas -----------------------------------------------------------------------------------------------------

    @property
    def _rows(self) -> int:
        return int(self.parts["X"].shape[0])

    def _share(self, text: str) -> str:
        """What a row counts of a batch."""
        return text if self._rows == 1 else f"({text}) / len(X)"

    def _equation(self, placed: Placed, l: int, n: Rename) -> str:
        """An equation of layer l."""
        equation = placed.equation
        names = {name: n(part) for name, part in self.task.names(l).items()}
        if isinstance(equation, OfNumbers):
            layer = self.task.layer(l)
            for symbol in layer.constants:
                names[symbol.name] = repr(getattr(layer, symbol.name))
            names["n"] = f"{names['A']}.shape[1]"
            return Writer(names).write(equation.formula)
        assert isinstance(equation, OfMatrices)
        text = ""
        for before, side in zip(("+", *equation.sides), equation.sides, strict=False):
            if isinstance(side, str):
                text += f" {'*' if side == '∘' else side} "
                continue
            text += "" if isinstance(before, str) else " @ "
            text += names[side.name] + (".T" if side.mark == "T" else "")
        if not equation.summed:
            return text
        return f"{text}.sum(axis=0)" if len(equation.sides) == 1 else f"({text}).sum(axis=0)"

    def _by_rows(self, formula: Expression, names: Mapping[str, str], groups: Sequence[int], indexed: bool) -> str:
        """A formula of the numbers of rows, perhaps of each group of them by itself."""
        if not groups:
            return self._of_rows(formula, names, indexed)
        cuts = list(accumulate(groups))[:-1]
        split = [f"np.split({array}, {cuts}, axis=1)" for array in names.values()]
        letters, several = ", ".join(names), split[0] if len(split) == 1 else f"zip({', '.join(split)})"
        inner = self._of_rows(formula, {name: name for name in names}, indexed)
        return f"np.hstack([{inner} for {letters} in {several}])"

    def _of_rows(self, formula: Expression, names: Mapping[str, str], indexed: bool) -> str:
        if not indexed or whole(formula):
            return Writer(names).write(formula)
        inner = Writer({name: f"{name}_" for name in names}, by_place=True).write(formula)
        letters = ", ".join(f"{name}_" for name in names)
        arrays = list(names.values())
        several = arrays[0] if len(arrays) == 1 else f"zip({', '.join(arrays)})"
        first = next(iter(names))
        return f"np.array([[{inner} for j in range(len({first}_))] for {letters} in {several}])"

    def _checked(
        self, name: str, n: Rename, text: str, formula: Expression, values: Parts, entry: Entry, *, share: bool = False
    ) -> str:
        """What a formula gives; or the number, where rounded numbers would give the formula another value."""
        if n is _same and not self._true(name, formula, values, entry, share):
            return f"# {words.NOT_BY_FORMULA.in_(self.lang)}\n{name} = {self.text(name)}"
        return f"{n(name)} = {text}"

    def _true(self, name: str, formula: Expression, values: Parts, entry: Entry, share: bool = False) -> bool:
        """Whether a formula gives the numbers of a part."""
        part = floats(self.parts[name])
        given = {key: floats(value) for key, value in values.items()}
        factor = 1 / self._rows if share else 1.0
        with np.errstate(all="ignore"):
            if isinstance(entry, Activation) and not entry.row_wise:
                found = factor * np.broadcast_to(formula.evaluate(given), part.shape)
                return bool(np.allclose(found, part, rtol=NEAR, atol=0.0, equal_nan=True))
            for r, j in np.ndindex(*part.shape):
                row: Parts = {key: value[r] for key, value in given.items()}
                row["j"] = j
                if entry.groups:
                    group, row["j"] = group_of(entry.groups, j)
                    row |= {key: row[key][group] for key in given}
                try:
                    number = factor * to_float(formula.evaluate(row))
                except (ArithmeticError, ValueError):
                    return False
                if not np.isclose(number, part[r, j], rtol=NEAR, atol=0.0, equal_nan=True):
                    return False
        return True


def _symbols(formula: Expression) -> set[str]:
    return {symbol.name for symbol in symbols_of(formula)}


def _asked(node: Any) -> set[str]:
    """The symbols of the conditions within a formula."""
    if isinstance(node, Condition):
        return _symbols(node.left) | _symbols(node.right)
    if isinstance(node, Expression):
        return set().union(*map(_asked, vars(node).values()))
    return set().union(*map(_asked, node)) if isinstance(node, tuple) else set()
