"""`from_onnx`: a chain of dense layers in an ONNX graph, as a network.

The nodes are gone through in their order. Each tensor is either a constant of the graph, or is computed from the
outputs of the last layer met; of the latter we keep the value that it takes where that layer gives `chain.PROBE`. The
operators known for that are the few functions of arithmetic below. Nothing else that a file asks for is done, and no
other file is opened.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.activations import ACTIVATIONS
from reseau.activations.functions import SELU_ALPHA, SELU_SCALE
from reseau.checks import file_to_read
from reseau.errors import ModelFileError
from reseau.export.onnx_graph import onnx_package
from reseau.importing.chain import PROBE, Array, Chain
from reseau.losses import LOSSES
from reseau.network import Network

if TYPE_CHECKING:
    import onnx

Attributes = dict[str, Any]


@dataclass(frozen=True)
class _Data:
    """A tensor that depends on the inputs: of which layer's output it is a function, and its value at the probe."""

    layer: int  # 0 for the inputs themselves
    stage: int  # how many products and biases there were before it; a tensor from before a bias is not one from after
    value: Array
    bare: bool = True  # whether it is that output itself
    since: tuple[str, ...] = ()  # the nodes that changed it
    rank: int | None = 2  # how many axes it has; None if the graph does not say
    width: int | None = None  # how many numbers each of its rows has, if that is known


Tensor = Array | _Data


def from_onnx(model: str | Path | onnx.ModelProto, *, loss: str | None = None, output: str | None = None) -> Network:
    """Read a chain of dense layers from an ONNX file.

    Parameters
    ----------
    model : path or onnx.ModelProto
        Gemm, or MatMul and Add, with any activations between them that Réseau has, written as one operator or as
        several; Dropout, Identity, and Flatten, Reshape and Cast that change no number. Weights in float32 or float64,
        in the file itself.
    loss : str or None
        What the network is to be trained on with, a name of `reseau.losses.LOSSES`. None takes that of a file that
        Réseau wrote, else the one that suits the output: "cross_entropy" for a softmax, "binary_cross_entropy" for a
        sigmoid, "poisson" for an exponential, "squared_error" for all others.
    output : str or None
        Which output of the graph to compute, if it has several.

    Returns
    -------
    Network
        With the outputs of the graph, up to rounding.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ModelFileError
        For a file that is damaged or keeps its weights elsewhere, and for a graph that is no such chain; it names the
        node.
    ReseauError
        Without the package onnx.

    Examples
    --------
    >>> import numpy as np
    >>> import reseau as rs
    >>> net = rs.Network(rs.Dense(4, "gelu"), rs.Dense(2, "softmax"), inputs=3, loss="cross_entropy", seed=0)
    >>> net.to_onnx("small.onnx")
    >>> again = rs.from_onnx("small.onnx")
    >>> bool(np.array_equal(again.parameters, net.parameters))
    True
    """
    onnx_package()
    source, proto = _read(model) if isinstance(model, str | Path) else ("the ONNX model", model)
    _refuse_external(proto, source)
    chain = _Reader(proto, source, output).chain()
    if loss is None:
        metadata = {entry.key: entry.value for entry in proto.metadata_props}
        loss = metadata.get("loss") if metadata.get("library") == "reseau" else None
        loss = loss if loss in LOSSES else None
    return chain.network(loss)


def _read(path: str | Path) -> tuple[str, Any]:
    import onnx
    from google.protobuf.message import DecodeError

    path = Path(path)
    file_to_read(path)
    if path.is_dir():
        raise ModelFileError(f"{path} is a folder, not an ONNX file.")
    if not path.exists():
        raise FileNotFoundError(f"There is no ONNX file {path}.")
    try:
        return str(path), onnx.load_model_from_string(path.read_bytes())
    except DecodeError:
        raise ModelFileError(f"{path} is not an ONNX file, or is damaged; export it again.") from None


def _refuse_external(proto: Any, source: str) -> None:
    from onnx import TensorProto

    constants = [attribute.t for node in proto.graph.node for attribute in node.attribute]
    for tensor in [*proto.graph.initializer, *constants]:
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            raise ModelFileError(
                f"{source} keeps the tensor {tensor.name!r} in another file, which is not opened; make it one file: "
                "onnx.save(onnx.load(path), new_path)."
            )


class _Reader:
    """Goes through a graph's nodes.

    Parameters
    ----------
    proto : onnx.ModelProto
        The model.
    source : str
        What to call it.
    output : str or None
        Which output.
    """

    def __init__(self, proto: Any, source: str, output: str | None) -> None:
        graph = proto.graph
        self._source = source
        self._graph = graph
        self._opset = max((entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx")), default=1)
        self._output = self._choose(output)
        self._tensors: dict[str, Tensor] = {}
        self._layers: list[tuple[Array, Array | None, str]] = []
        self._values: list[_Data] = []  # what each takes
        self._stage = 0

    def _error(self, message: str) -> ModelFileError:
        return ModelFileError(f"{self._source}: {message}")

    def _choose(self, output: str | None) -> str:
        names = [entry.name for entry in self._graph.output]
        if output is None and len(names) == 1:
            return str(names[0])
        if output in names:
            return str(output)
        if not names:
            raise self._error("there is no graph with an output in it; is it an ONNX file?")
        asked = "the graph has several outputs" if output is None else f"output is {output!r}"
        raise self._error(f"{asked}; choose one of them with output=: {', '.join(map(repr, names))}.")

    def chain(self) -> Chain:
        """The layers of the graph."""
        graph = self._graph
        for tensor in graph.initializer:
            self._tensors[tensor.name] = self._array(tensor, f"the weights {tensor.name!r}")
        inputs = [entry for entry in graph.input if entry.name not in self._tensors]
        nodes = self._needed()
        if len(inputs) != 1:
            names = ", ".join(repr(entry.name) for entry in inputs)
            raise self._error(f"the graph has {len(inputs)} inputs ({names}), but must have one matrix of samples.")
        shape = inputs[0].type.tensor_type
        rank = len(shape.shape.dim) if shape.HasField("shape") else None
        lengths = [entry.dim_value for entry in shape.shape.dim][1:]  # 0 for one that may be any
        self._tensors[inputs[0].name] = _Data(0, 0, PROBE, rank=rank, width=math.prod(lengths) or None)
        self._uses = Counter(name for _, node in nodes for name in node.input)
        for place, node in nodes:
            what = f"node {place} ({node.op_type}{f' {node.name!r}' if node.name else ''})"
            self._tensors[node.output[0]] = self._node(node, what)
        last = self._tensors.get(self._output)
        if not isinstance(last, _Data):
            raise self._error(f"the output {self._output!r} does not depend on the input.")
        if last.stage != self._stage:
            raise self._error(f"the output {self._output!r} is not that of the last layer.")
        return self._as_chain(last)

    def _as_chain(self, last: _Data) -> Chain:
        chain = Chain(self._source, ModelFileError)
        for (W, b, what), before in zip(self._layers, self._values, strict=True):
            chain.applied(before.value, list(before.since))
            chain.linear(W, b, f"{self._source}: {what}")
        chain.applied(last.value, list(last.since))
        return chain

    def _needed(self) -> list[tuple[int, Any]]:
        """The nodes that the output needs, with their places from 1, in the graph's order."""
        wanted, found = {self._output}, []
        for place, node in reversed(list(enumerate(self._graph.node, start=1))):
            if wanted.intersection(node.output):
                found.append((place, node))
                wanted.update(node.input)
        return found[::-1]

    def _array(self, tensor: Any, what: str) -> Array:
        from onnx import numpy_helper

        try:
            array: Array = numpy_helper.to_array(tensor)
        except (ValueError, TypeError, KeyError) as error:
            raise self._error(f"{what} cannot be read: {error}.") from None
        return array

    # --- nodes --------------------------------------------------------------------------------------------------------

    def _node(self, node: Any, what: str) -> Tensor:
        from onnx import helper

        if node.domain not in ("", "ai.onnx"):
            raise self._error(f"{what} is an operator of {node.domain}, not of ONNX itself. {_WAY_OUT}")
        missing = [name for name in node.input if name and name not in self._tensors]
        if missing:
            raise self._error(f"{what} needs the tensor {missing[0]!r}, which nothing before it gives.")
        inputs = [self._tensors[name] if name else None for name in node.input]
        attributes: Attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Constant":
            return self._constant(attributes, what)
        data = [tensor for tensor in inputs if isinstance(tensor, _Data)]
        if len({tensor.stage for tensor in data}) > 1:
            raise self._error(
                f"{what} joins the outputs of different layers; a network of dense layers is one chain. {_WAY_OUT}"
            )
        try:
            if node.op_type in ("MatMul", "Gemm") and data:
                return self._linear(node.op_type, inputs, attributes, what)
            if node.op_type in _UNCHANGED and data:
                return self._unchanged(node, inputs, attributes, what)
            if not data:
                return self._folded(node.op_type, inputs, attributes, what)
            bias = self._bias(node, inputs, what)
            return self._applied(node.op_type, inputs, attributes, what) if bias is None else bias
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            if isinstance(error, ModelFileError):
                raise
            raise self._error(f"{what} has inputs or attributes that it cannot have: {error}") from None

    def _constant(self, attributes: Attributes, what: str) -> Array:
        for name, value in attributes.items():
            if name == "value":
                return self._array(value, what)
            if name in ("value_float", "value_floats"):
                return np.asarray(value, np.float32)
            if name in ("value_int", "value_ints"):
                return np.asarray(value, np.int64)
        raise self._error(f"{what} holds neither numbers nor a tensor of them.")

    def _linear(self, operator: str, inputs: Sequence[Any], attributes: Attributes, what: str) -> _Data:
        X, W = inputs[:2]
        b = inputs[2] if len(inputs) > 2 else None
        if not isinstance(X, _Data) or isinstance(W, _Data) or isinstance(b, _Data):
            raise self._error(f"{what} is not a product of the layer before with constant weights. {_WAY_OUT}")
        if X.stage != self._stage:
            raise self._error(
                f"{what} takes an output that another layer has taken already; a network of dense layers is one chain. "
                f"{_WAY_OUT}"
            )
        if X.rank not in (2, None):
            raise self._error(f"{what} takes inputs with {X.rank} axes; flatten them to (rows, inputs) first.")
        if W.ndim != 2:
            raise self._error(f"{what} has weights of shape {W.shape}, but must have a matrix of them.")
        if operator == "Gemm":
            if attributes.get("transA"):
                raise self._error(f"{what} transposes its inputs (transA). {_WAY_OUT}")
            W = W.T if attributes.get("transB") else W
            if attributes.get("alpha", 1.0) != 1.0:
                W = W * W.dtype.type(attributes["alpha"])
            if b is not None:
                b = np.broadcast_to(b * b.dtype.type(attributes.get("beta", 1.0)), (1, W.shape[1]))[0]
        self._layers.append((W, b, what))
        self._values.append(X)
        self._stage += 1
        return _Data(len(self._layers), self._stage, PROBE, width=W.shape[1])

    def _bias(self, node: Any, inputs: Sequence[Any], what: str) -> _Data | None:
        """What adds one number for each neuron to a layer's product and to nothing else is its bias."""
        if node.op_type not in ("Add", "Sub") or len(inputs) != 2:
            return None
        place = next(i for i, tensor in enumerate(inputs) if isinstance(tensor, _Data))
        data, b = inputs[place], inputs[1 - place]
        if not isinstance(data, _Data) or not data.bare or data.layer == 0 or isinstance(b, _Data):
            return None
        if data.stage != self._stage or self._uses[node.input[place]] > 1:
            return None
        if node.op_type == "Sub" and place == 1:
            return None
        W, before, where = self._layers[data.layer - 1]
        n = W.shape[1]
        # A single number is a neuron's own bias only where there is one neuron; else it is part of an activation.
        if b.size != n or b.shape[-1:] != (n,) or (n == 1 and before is not None):
            return None
        b = b.reshape(n) if node.op_type == "Add" else -b.reshape(n)
        self._layers[data.layer - 1] = (W, b if before is None else before + b, where)
        self._stage += 1
        return replace(data, stage=self._stage)

    def _unchanged(self, node: Any, inputs: Sequence[Any], attributes: Attributes, what: str) -> Tensor:
        """What gives on the numbers that it takes."""
        from onnx import TensorProto

        data = inputs[0]
        if not isinstance(data, _Data):
            raise self._error(f"{what} takes the layer before as something else than its input. {_WAY_OUT}")
        if node.op_type == "Dropout" and (_flag(inputs[2:]) or not attributes.get("is_test", 1)):
            raise self._error(f"{what} drops in training mode; export the model for inference.")
        if node.op_type == "Cast":
            if attributes["to"] not in (TensorProto.FLOAT, TensorProto.DOUBLE):
                raise self._error(f"{what} converts to a type that is neither float32 nor float64. {_WAY_OUT}")
            return replace(data, value=data.value.astype(np.float64))
        if node.op_type == "Flatten":
            if attributes.get("axis", 1) != 1:
                raise self._error(f"{what} joins rows (axis={attributes['axis']}). {_WAY_OUT}")
            return replace(data, rank=2)
        if node.op_type == "Reshape":
            shape = inputs[1] if len(inputs) > 1 else np.asarray(attributes.get("shape", ()))
            if isinstance(shape, _Data) or len(shape) != 2 or shape[0] not in (0, -1):
                raise self._error(f"{what} makes other rows of its inputs than they were. {_WAY_OUT}")
            keeps = shape[1] == -1 if data.width is None else shape[1] in (-1, data.width)
            if not keeps and not (data.rank == 2 and shape[1] == 0):
                raise self._error(f"{what} makes other rows of its inputs than they were. {_WAY_OUT}")
            return replace(data, rank=2)
        return data

    def _folded(self, operator: str, inputs: Sequence[Any], attributes: Attributes, what: str) -> Array:
        """A constant computed from constants."""
        from onnx import helper

        x = inputs[0]
        if operator == "Identity":
            result = x
        elif operator == "Transpose":
            result = np.transpose(x, attributes.get("perm"))
        elif operator == "Cast":
            result = x.astype(helper.tensor_dtype_to_np_dtype(attributes["to"]))
        elif operator == "Reshape":
            result = x.reshape([x.shape[i] if n == 0 else int(n) for i, n in enumerate(inputs[1])])
        else:
            # So that no small file grows: an outer product would.
            sizes = [tensor.shape for tensor in inputs if tensor is not None]
            largest = max(int(np.prod(shape)) for shape in sizes)
            if int(np.prod(np.broadcast_shapes(*sizes))) > largest:
                raise self._error(f"{what} makes a larger constant of smaller ones. {_WAY_OUT}")
            with np.errstate(all="ignore"):
                result = self._function(operator, what)(attributes, *inputs)
            result = np.asarray(result, x.dtype) if x.dtype.kind == "f" else np.asarray(result)
        return np.asarray(result)

    def _function(self, operator: str, what: str) -> Callable[..., Any]:
        if operator not in _FUNCTIONS:
            raise self._error(f"{what} is an operator that is no part of a chain of dense layers. {_WAY_OUT}")
        return _FUNCTIONS[operator]

    def _applied(self, operator: str, inputs: Sequence[Any], attributes: Attributes, what: str) -> _Data:
        """A function of what the last layer gives, at the probe."""
        function = self._function(operator, what)
        values: list[Any] = []
        for tensor in inputs:
            if isinstance(tensor, _Data):
                values.append(tensor.value)
            elif tensor is None:
                values.append(None)
            else:
                values.append(tensor if operator in _REDUCTIONS else self._single(tensor, what))
        with np.errstate(all="ignore"):
            value = function({"opset": self._opset, **attributes}, *values)
        data = [tensor for tensor in inputs if isinstance(tensor, _Data)]
        since = [name for tensor in data for name in tensor.since]
        told = tuple(dict.fromkeys([*since, what + _told(attributes)]))
        return replace(data[0], value=np.asarray(value), bare=False, since=told)

    def _single(self, constant: Array, what: str) -> Any:
        """The one number that a constant is, in however many places."""
        if constant.size == 0 or constant.dtype.kind not in "biuf" or (constant != constant.flat[0]).any():
            raise self._error(
                f"{what} has different constants for the neurons of a layer, but is neither its weights nor its bias; "
                f"fold it into them first. {_WAY_OUT}"
            )
        return np.asarray(constant.flat[0], bool if constant.dtype.kind == "b" else np.float64)


_WAY_OUT = (
    "Réseau reads chains of Gemm, or MatMul and Add, with activations; export only that part of the model, or run it "
    "with onnxruntime."
)
_UNCHANGED = ("Identity", "Dropout", "Flatten", "Reshape", "Cast")
_REDUCTIONS = ("ReduceMax", "ReduceSum")  # whose second input is axes


def _flag(values: Sequence[Any]) -> bool:
    return bool(values) and values[0] is not None and (isinstance(values[0], _Data) or bool(np.any(values[0])))


def _told(attributes: Attributes) -> str:
    """Attributes for a message: " with alpha=0.2"."""
    plain = {name: value for name, value in attributes.items() if isinstance(value, int | float | bytes)}
    shown = [
        f"{name}={value.decode(errors='replace') if isinstance(value, bytes) else f'{value:.6g}'}"
        for name, value in plain.items()
    ]
    return f" with {', '.join(shown)}" if shown else ""


# --- functions --------------------------------------------------------------------------------------------------------


def _ours(name: str) -> Callable[..., Any]:
    """An operator that is an entry of the table."""
    return lambda attributes, x: ACTIVATIONS[name].value(np.asarray(x, np.float64))


def _along_rows(name: str) -> Callable[..., Any]:
    def value(attributes: Attributes, x: Array) -> Array:
        axis = attributes.get("axis", -1 if attributes.get("opset", 13) >= 13 else 1)
        if axis not in (-1, 1):
            raise ValueError(f"its axis is {axis}, not that of the neurons.")
        result: Array = ACTIVATIONS[name].value(x)
        return result

    return value


def _reduction(function: Callable[..., Array]) -> Callable[..., Any]:
    def value(attributes: Attributes, x: Array, axes: Array | None = None) -> Array:
        given = attributes.get("axes", axes)
        if given is None or list(np.ravel(given)) not in ([-1], [1]) or not attributes.get("keepdims", 1):
            raise ValueError("it must go along the neurons and keep the axis.")
        return function(x, axis=-1, keepdims=True)

    return value


def _elu(alpha: float, x: Array) -> Array:
    result: Array = np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))
    return result


def _gelu(attributes: Attributes, x: Array) -> Array:
    name = {b"none": "gelu", b"tanh": "gelu_tanh"}[attributes.get("approximate", b"none")]
    result: Array = ACTIVATIONS[name].value(x)
    return result


def _clip(attributes: Attributes, x: Array, low: Any = None, high: Any = None) -> Array:
    low = attributes.get("min", -np.inf) if low is None else low
    high = attributes.get("max", np.inf) if high is None else high
    result: Array = np.minimum(np.maximum(x, low), high)
    return result


def _erf(attributes: Attributes, x: Array) -> Any:
    import scipy.special

    return scipy.special.erf(x)


def _folded_over(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def value(attributes: Attributes, *values: Any) -> Any:
        result = values[0]
        for other in values[1:]:
            result = function(result, other)
        return result

    return value


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda attributes, *values: function(*values)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Abs": _plain(np.abs),
    "Add": _plain(np.add),
    "And": _plain(np.logical_and),
    "Celu": lambda a, x: np.where(x > 0, x, _elu(a.get("alpha", 1.0), x / a.get("alpha", 1.0))),
    "Clip": _clip,
    "Div": _plain(np.divide),
    "Elu": lambda a, x: _elu(a.get("alpha", 1.0), x),
    "Equal": _plain(np.equal),
    "Erf": _erf,
    "Exp": _plain(np.exp),
    "Gelu": _gelu,
    "Greater": _plain(np.greater),
    "GreaterOrEqual": _plain(np.greater_equal),
    "HardSigmoid": lambda a, x: np.clip(a.get("alpha", 0.2) * x + a.get("beta", 0.5), 0, 1),
    "HardSwish": _ours("hard_swish"),
    "LeakyRelu": lambda a, x: np.where(x >= 0, x, a.get("alpha", 0.01) * x),
    "Less": _plain(np.less),
    "LessOrEqual": _plain(np.less_equal),
    "Log": _plain(np.log),
    "LogSoftmax": _along_rows("log_softmax"),
    "Max": _folded_over(np.maximum),
    "Min": _folded_over(np.minimum),
    "Mish": _ours("mish"),
    "Mul": _plain(np.multiply),
    "Neg": _plain(np.negative),
    "Not": _plain(np.logical_not),
    "Or": _plain(np.logical_or),
    "PRelu": lambda a, x, slope: np.where(x >= 0, x, slope * x),
    "Pow": _plain(np.power),
    "Reciprocal": _plain(np.reciprocal),
    "ReduceMax": _reduction(np.max),
    "ReduceSum": _reduction(np.sum),
    "Relu": _ours("relu"),
    "Selu": lambda a, x: a.get("gamma", SELU_SCALE) * _elu(a.get("alpha", SELU_ALPHA), x),
    "Sigmoid": _ours("sigmoid"),
    "Sign": _plain(np.sign),
    "Softmax": _along_rows("softmax"),
    "Softplus": _ours("softplus"),
    "Softsign": _ours("softsign"),
    "Sqrt": _plain(np.sqrt),
    "Sub": _plain(np.subtract),
    "Sum": _folded_over(np.add),
    "Swish": lambda a, x: x * ACTIVATIONS["sigmoid"].value(a.get("alpha", 1.0) * x),
    "Tanh": _ours("tanh"),
    "ThresholdedRelu": lambda a, x: np.where(x > a.get("alpha", 1.0), x, 0),
    "Where": _plain(np.where),
}
