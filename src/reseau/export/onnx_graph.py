"""ONNX graphs as they grow, and the models that they become."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.checks import frames_within
from reseau.errors import MissingPackageError
from reseau.packages import how_to_install
from reseau.version import __version__
from reseau.vocabulary.losses import NamedLoss, describe_loss

if TYPE_CHECKING:
    import onnx

OPSET = 17  # unless asked for another one
OLDEST_OPSET = 13  # since which Softmax and others mean what they do here
ML_OPSET = 3
Array = np.ndarray[Any, Any]


def onnx_package() -> Any:
    """The package onnx; a `ReseauError` says how to get it."""
    try:
        import onnx
    except ImportError:
        raise MissingPackageError(
            "ONNX files are written and read with the package onnx, which is not installed; install it with "
            f"{how_to_install('onnx')}."
        ) from None
    return onnx


class Graph:
    """A graph as it grows: called with an operator and its inputs, it adds the node and returns the output's name.

    Parameters
    ----------
    dtype : dtype
        The precision of the network, and of Python numbers among the inputs.
    taken : sequence of str
        Names that nodes and weights must not have.
    opset : int
        The version of the operators.
    """

    def __init__(self, dtype: Any, taken: Iterable[str] = (), opset: int = OPSET) -> None:
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.opset = opset
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._taken = set(taken)
        self._constants: dict[tuple[str, bytes], str] = {}
        self._stem = ""

    @property
    def is_double(self) -> bool:
        """Whether the network is in float64."""
        return self.dtype == np.float64

    @contextmanager
    def within(self, stem: str) -> Iterator[None]:
        """Begin the names of what comes within with this."""
        self._stem, outer = self._stem + stem, self._stem
        yield
        self._stem = outer

    def reserve(self, names: Iterable[str]) -> None:
        """Let no node or weight have these names."""
        self._taken.update(names)

    def free(self, wanted: str) -> str:
        """Take a name like this one that nothing else has."""
        name, count = wanted, 1
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._taken.add(name)
        return name

    def __call__(
        self, operator: str, *inputs: str | float | Array, name: str | None = None, domain: str = "", **attributes: Any
    ) -> str:
        """Add a node. Numbers become constants of the network's precision, arrays those of their own.

        `name` is that of the output, one of the names taken for it.
        """
        from onnx import helper

        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        name = self.free(f"{self._stem}{operator}") if name is None else name
        self.nodes.append(helper.make_node(operator, names, [name], name=name, domain=domain, **attributes))
        return name

    def weight(self, name: str, value: Array) -> str:
        """Hold an array under a name like this one."""
        from onnx import numpy_helper

        name = self.free(name)
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def constant(self, value: float | Array) -> str:
        """Hold a number or array, once, whatever its name."""
        array = np.asarray(value) if isinstance(value, np.ndarray) else np.asarray(value, self.dtype)
        key = (f"{array.dtype.str}{array.shape}", array.tobytes())
        if array.dtype.kind == "O" or key not in self._constants:  # the bytes of objects are their places in memory
            self._constants[key] = self.weight("constant", array)
        return self._constants[key]

    def cast(self, value: str, dtype: Any, name: str | None = None) -> str:
        """Convert a tensor to another type."""
        from onnx import helper

        return self("Cast", value, name=name, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def nearest(self, distances: str, count: int) -> tuple[str, str]:
        """The least numbers of each row, and their places, int64; both (N, count)."""
        from onnx import helper

        values, places = self.free(f"{self._stem}least"), self.free(f"{self._stem}places")
        inputs = [distances, self.constant(np.array([count]))]
        self.nodes.append(helper.make_node("TopK", inputs, [values, places], name=values, axis=1, largest=0))
        return values, places

    def least(self, values: str) -> str:
        """The least number of each row, (N, 1)."""
        if self.opset < 18:
            return self("ReduceMin", values, axes=[1], keepdims=1)
        return self("ReduceMin", values, np.array([1]), keepdims=1)

    def mean(self, values: str) -> str:
        """The mean of each row, (N, 1)."""
        if self.opset < 18:
            return self("ReduceMean", values, axes=[1], keepdims=1)
        return self("ReduceMean", values, np.array([1]), keepdims=1)

    def one_hot(self, places: str, width: int) -> str:
        """Rows (N, width) of the network's precision that are 1 at a place, (N,); without a 1 for places beyond."""
        ones = self("OneHot", places, np.array(width), np.array([0, 1], np.float32), axis=-1)  # which runtimes all have
        return self.cast(ones, self.dtype) if self.is_double else ones


def tensor(name: str, dtype: Any, *shape: int | str, doc: str = "") -> Any:
    """Describe an input or output; a length that is text may be any."""
    from onnx import TensorProto, helper

    is_text = np.dtype(dtype).kind in "OU"
    code = TensorProto.STRING if is_text else helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, code, shape, doc_string=doc)


def finished(
    g: Graph,
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    kind: str,
    loss: NamedLoss | None = None,
    facts: Mapping[str, Any] | None = None,
) -> onnx.ModelProto:
    """The graph as a model; the rest is as for `describe`."""
    from onnx import helper

    opsets = [helper.make_opsetid("", g.opset)]
    if any(node.domain == "ai.onnx.ml" for node in g.nodes):
        opsets.append(helper.make_opsetid("ai.onnx.ml", ML_OPSET))
    model = helper.make_model(
        helper.make_graph(g.nodes, "reseau", inputs, outputs, initializer=g.weights),
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
    )
    describe(model, kind, loss, facts or {})
    return model


def pruned(nodes: Sequence[Any], weights: Sequence[Any], outputs: Iterable[str]) -> tuple[list[Any], list[Any]]:
    """Those nodes, in an order in which they can be computed, and weights that outputs depend on."""
    needed, kept = set(outputs), []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            needed.update(_used(node))
            kept.append(node)
    return kept[::-1], [weight for weight in weights if weight.name in needed]


def _used(node: Any) -> Iterator[str]:
    """The tensors that a node takes, those of the graphs within it included."""
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from _used(inner)
        yield from (output.name for output in attribute.g.output)


def describe(model: onnx.ModelProto, kind: str, loss: NamedLoss | None, facts: Mapping[str, Any]) -> None:
    """Say in a model's metadata whence it comes and what it is; the facts as JSON, those left out that are None."""
    from onnx import helper

    model.producer_name, model.producer_version = "reseau", __version__
    entries = {"library": "reseau", "version": __version__, "kind": kind}
    if loss is not None:
        name, *numbers = describe_loss(loss).items()
        entries, facts = entries | dict([name]), {**dict(numbers), **facts}
    entries |= {key: json.dumps(value, ensure_ascii=False) for key, value in facts.items() if value is not None}
    helper.set_model_props(model, entries)


def input_names(columns: Sequence[str], outputs: Iterable[str]) -> list[str]:
    """What the inputs of columns are called: as the columns, where a tensor can have that name and no other has it.

    What is called otherwise is said in one warning; the metadata tells the input of every column.
    """
    used = set(outputs)
    names = []
    for column in columns:
        plain = "".join("_" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in column) or "column"
        name, count = plain, 0
        while name in used or (name != column and name in columns):
            count += 1
            name = f"{plain} (input)" if count == 1 else f"{plain} (input {count})"
        used.add(name)
        names.append(name)
    renamed = [f"{name!r} for {column!r}" for column, name in zip(columns, names, strict=True) if column != name]
    if renamed:
        warnings.warn(
            "An input cannot have the name of an output, none, or one that is not text: there is "
            f'{", ".join(renamed)}; the metadata "inputs" has the input of every column.',
            stacklevel=frames_within(),
        )
    return names
