"""The C of a network, its layers one after another, forward and back; and of several whose mean a file gives.

A `Chain` alone fills the file's functions itself. Of a `Mean` each network has two functions of its own, which those
of the file call.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from reseau.export import c_text as c
from reseau.export.c_layers import Layer, added


def _row_names() -> Iterator[str]:
    yield from "uvw"
    yield from (f"w{count}" for count in itertools.count(2))


def declared(kind: str, arrays: dict[str, int]) -> list[str]:
    """The declaration of arrays of these lengths."""
    named = [f"{name}[{length}]" for name, length in arrays.items()]
    if not named:
        return []
    return [f"{c.filled(named, f'    {kind} ')};".replace(f"\n    {kind} ", "\n        ")]


class Chain:
    """The statements of one network in a C file whose names begin with `name`.

    Parameters
    ----------
    layers : sequence of Layer
        In their order.
    scales : bool
        Whether the file's function ``name_scaled(x, a)`` is called first.
    """

    def __init__(self, name: str, layers: Sequence[Layer], scales: bool) -> None:
        self.name = name
        self.layers = layers
        self.scales = scales
        self.kind = layers[0].kind
        self.n_in, self.n_out = layers[0].n_in, layers[-1].n_out

    @property
    def adds(self) -> str:
        """What `ADD` is needed for, as its comment begins; "" where it is not."""
        return "A residual link: add" if any(layer.link is not None for layer in self.layers) else ""

    def functions(self) -> Iterator[str]:
        """The functions of each network among several."""
        yield from ()

    def stack(self) -> tuple[int, int]:
        """How many numbers `predict` and `jacobian` keep."""
        return sum(self.rows().values()), sum(self.kept().values())

    def equations(self, x: str, o: str = "o") -> Iterator[str]:
        """What each layer computes, from a row x to a row o."""
        outputs = [x]
        for layer in self.layers:
            a = o if layer is self.layers[-1] else f"a{layer.place}"
            yield layer.equation(outputs[-1], a, "" if layer.link is None else outputs[layer.link])
            outputs.append(a)

    def _places(self) -> list[str]:
        """The arrays of `predict` that hold the inputs and the outputs of each layer: the first that is free.

        So two take turns where no residual link needs one for longer.
        """
        last = len(self.layers)
        needed_until = {value: value + 1 for value in range(last)}
        needed_until |= {layer.link: layer.place for layer in self.layers if layer.link is not None}
        places = ["u" if self.scales else "x"]
        for l in range(1, last):
            taken = {places[value] for value in range(l) if needed_until[value] >= l}
            places.append(next(name for name in _row_names() if name not in taken))
        return [*places, "o"]

    def rows(self) -> dict[str, int]:
        """The arrays of `predict`, with their lengths: as wide as the widest that goes there."""
        rows: dict[str, int] = {}
        widths = [self.n_in, *(layer.n_out for layer in self.layers)]
        for name, width in zip(self._places(), widths, strict=True):
            if name not in "xo":
                rows[name] = max(rows.get(name, 0), width)
        return rows

    def kept(self) -> dict[str, int]:
        """The arrays of `jacobian`: what each layer gave, as far as the way back needs it, and two rows for that.

        What goes back through residual links has a row for each place at which they begin.
        """
        arrays = {"a0": self.n_in} if self.scales else {}
        for layer in self.layers:
            if "z" in layer.needs and not layer.linear:
                arrays[f"z{layer.place}"] = layer.n_out
            if layer.place < len(self.layers) or ("a" in layer.needs and layer.link is None):
                arrays[f"a{layer.place}"] = layer.n_out
            if "a" in layer.needs:
                arrays[layer.value_row] = layer.n_out
        links = {f"r{layer.link}": layer.n_out for layer in self.layers if layer.link is not None}
        return arrays | {f"g{side}": max(width) for side, width in self._sides().items()} | links

    def _sides(self) -> dict[int, list[int]]:
        """How wide the rows are that hold ∂/∂a of the layers, which take turns."""
        sides: dict[int, list[int]] = {}
        for layer in self.layers:
            sides.setdefault(layer.place % 2, []).append(layer.n_out)
        return sides

    def predict(self) -> list[str]:
        """The statements that make o of x."""
        places = self._places()
        calls = [f"{self.name}_scaled(x, u);"] if self.scales else []
        for layer, x, a in zip(self.layers, places, places[1:], strict=False):
            calls += layer.forward(x, a, linked="" if layer.link is None else places[layer.link])
        return calls

    def jacobian(self, then: Sequence[str], row: str = "J[k]") -> list[str]:
        """The statements that make a row of derivatives for each output k, and what is done with it then."""
        name, upper, last = self.name, self.name.upper(), self.layers[-1]
        arrays = self.kept()
        x = "x"
        forward: list[str] = []
        backward: list[str] = []
        if self.scales:
            forward.append(f"{name}_scaled(x, a0);")
            x = "a0"
        inputs = x
        given: list[str] = []  # the inputs of each layer
        for layer in self.layers:
            l, a, value = layer.place, f"a{layer.place}", layer.value_row
            linked = "" if layer.link is None else f"a{layer.link}" if layer.link else inputs
            z = f"z{l}" if f"z{l}" in arrays else ""
            if value != a and value in arrays:
                forward += layer.forward(x, value, z)
                if a in arrays:
                    forward += [f"memcpy({a}, {value}, sizeof {a});", added(name, linked, a, layer.n_out)]
            elif a in arrays:
                forward += layer.forward(x, a, z, linked)
            elif z:
                forward += layer.forward(x, "", z)[:1]
            given.append(x)
            x = a
        brought: set[int] = set()  # where what comes back through links has been
        for layer, x in zip(reversed(self.layers), reversed(given), strict=True):
            l, g = layer.place, f"g{layer.place % 2}"
            if l in brought:
                backward.append(added(name, f"r{l}", g, layer.n_out))
            if layer.link is not None:
                r = f"r{layer.link}"
                first = layer.link not in brought
                backward.append(f"memcpy({r}, {g}, sizeof {r});" if first else added(name, g, r, layer.n_out))
                brought.add(layer.link)
            backward.append(layer.backward(x, g, row if l == 1 else f"g{(l - 1) % 2}"))
        if 0 in brought:
            backward.append(added(name, "r0", row, self.n_in))
        one, zero = (c.in_type(digits, self.kind) for digits in ("1.0", "0.0"))
        return [
            *forward,
            f"for (int k = 0; k < {upper}_OUTPUTS; k++) {{ /* back from output k: g = do_k/da */",
            f"    for (int j = 0; j < {upper}_OUTPUTS; j++)",
            f"        g{last.place % 2}[j] = j == k ? {one} : {zero};",
            *(f"    {line}" for line in [*backward, *then]),
            "}",
        ]


class Mean:
    """The statements of several networks in a C file, which gives the mean of their outputs."""

    def __init__(self, networks: Sequence[Chain], scales: bool) -> None:
        self.networks = networks
        self.layers = [layer for network in networks for layer in network.layers]
        self.scales = scales
        first = networks[0]
        self.name, self.kind, self.n_in, self.n_out = first.name, first.kind, first.n_in, first.n_out
        self.adds = "Add"

    def equations(self, x: str) -> Iterator[str]:
        """What each layer of each network computes, and the mean."""
        m = len(self.networks)
        for place, network in enumerate(self.networks, start=1):
            yield from network.equations(x, f"o{place}")
        yield f"  o = ({'o1 + o2' if m == 2 else f'o1 + ... + o{m}'})/{m}"

    def functions(self) -> Iterator[str]:
        """The two functions of each network."""
        kind, upper = self.kind, self.name.upper()
        x, o, J = (
            f"const {kind} x[{upper}_INPUTS]",
            f"{kind} o[{upper}_OUTPUTS]",
            f"{kind} J[{upper}_OUTPUTS][{upper}_INPUTS]",
        )
        for place, (network, stem) in enumerate(zip(self.networks, self._stems(), strict=True), start=1):
            calls = network.predict()
            lines = [*declared(kind, network.rows()), *(f"    {call}" for call in calls)]
            about = c.comment(f"The outputs of network {place}.")
            yield "\n".join([about, f"static void {stem}predict({x}, {o})", "{", *lines, "}"])
            calls = network.jacobian([added(self.name, "row", "J[k]", self.n_in)], "row")
            lines = [*declared(kind, network.kept() | {"row": self.n_in}), *(f"    {call}" for call in calls)]
            about = c.comment(f"Add the derivatives of the outputs of network {place}.")
            yield "\n".join([about, f"static void {stem}jacobian({x}, {J})", "{", *lines, "}"])

    def _stems(self) -> list[str]:
        return [network.layers[0].stem for network in self.networks]

    def stack(self) -> tuple[int, int]:
        """How many numbers `predict` and `jacobian` keep, the largest that they call included."""
        called = [max(numbers) for numbers in zip(*(network.stack() for network in self.networks), strict=True)]
        return sum(self.rows().values()) + called[0], sum(self.kept().values()) + called[1] + self.n_in

    def rows(self) -> dict[str, int]:
        """The arrays of `predict`."""
        return self.kept() | {"p": self.n_out}

    def kept(self) -> dict[str, int]:
        """The arrays of `jacobian`."""
        return {"u": self.n_in} if self.scales else {}

    def _scaled(self) -> tuple[str, list[str]]:
        """What the networks take, and the call that makes it."""
        return ("u", [f"{self.name}_scaled(x, u);"]) if self.scales else ("x", [])

    def predict(self) -> list[str]:
        """The statements that make o of x."""
        x, calls = self._scaled()
        for place, stem in enumerate(self._stems()):
            calls.append(f"{stem}predict({x}, {'p' if place else 'o'});")
            if place:
                calls.append(added(self.name, "p", "o", self.n_out))
        return [*calls, f"for (int k = 0; k < {self.name.upper()}_OUTPUTS; k++)", f"    o[k] /= {self._count()};"]

    def jacobian(self, then: Sequence[str]) -> list[str]:
        """The statements that make a row of derivatives for each output k, and what is done with it then."""
        x, calls = self._scaled()
        upper, zero = self.name.upper(), c.in_type("0.0", self.kind)
        outputs, inputs = (
            f"for (int {i} = 0; {i} < {upper}_{what}; {i}++)" for i, what in (("k", "OUTPUTS"), ("i", "INPUTS"))
        )
        return [
            *calls,
            outputs,
            f"    {inputs}",
            f"        J[k][i] = {zero};",
            *(f"{stem}jacobian({x}, J);" for stem in self._stems()),
            f"{outputs} {{",
            f"    {inputs}",
            f"        J[k][i] /= {self._count()};",
            *(f"    {line}" for line in then),
            "}",
        ]

    def _count(self) -> str:
        return c.in_type(f"{len(self.networks)}.0", self.kind)
