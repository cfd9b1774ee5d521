"""`from_onnx`: a chain of layers in an ONNX graph, as a network.

The nodes are gone through in their order. Each tensor is either a constant of the graph, or is computed from the
outputs of the last layer met; of the latter we keep the value that it takes where that layer gives `chain.PROBE`. The
operators known for that are the few functions of arithmetic in `onnx_functions`. Nothing else that a file asks for is
done.

A number that is added to all neurons, or that multiplies them, may be part of an activation (hard sigmoid is z + 3,
clipped, over 6), or scale what the activation takes or gives, which becomes part of a layer. So a tensor has several
values: for each such map z ↦ zk + c that may come first, the one that it takes where *that* gives the probe.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from reseau.errors import ModelFileError
from reseau.export.onnx_graph import onnx_package
from reseau.importing.chain import PROBE, Affine, Array, Chain, read, recognise, takes
from reseau.importing.onnx_functions import ARITHMETIC, FUNCTIONS, SCALES, Attributes, told
from reseau.importing.onnx_tensors import Tensors, read_model
from reseau.importing.onnx_values import (
    MOST,
    SAME,
    Data,
    Sum,
    Tensor,
    begun,
    combined,
    data_of,
    epsilon_of,
    is_set,
    shortest,
    sums_of,
)
from reseau.network import Network
from reseau.vocabulary.activations.functions import sigmoid, softmax
from reseau.vocabulary.losses import NamedLoss, loss_from_description

if TYPE_CHECKING:
    import onnx


def from_onnx(
    model: str | Path | bytes | BinaryIO | onnx.ModelProto, *, loss: NamedLoss | None = None, output: str | None = None
) -> Network:
    """Read a chain of layers from an ONNX file.

    Parameters
    ----------
    model : path, bytes, binary file or onnx.ModelProto
        Gemm, or MatMul and Add, with any activations between them that Réseau has, written as one operator or as
        several; LayerNormalization, or the nodes that it is made of, and PRelu; Add, where a residual link ends;
        Dropout, Identity, and Flatten, Reshape and Cast that change no number. What scales columns (Sub, Div, Mul, Add,
        Scaler, BatchNormalization) becomes part of the layer beside it, and so do clips and leaky ReLUs of any slope
        between layers (see Notes). Weights in float32 or float64, in the file itself or, of a path, in files of the
        same folder.
    loss : str, loss or None
        What the network is to be trained on with, a name of `reseau.vocabulary.losses.LOSSES`. None takes that of a
        file that Réseau wrote, else the one that suits the output: "cross_entropy" for a softmax or its log,
        "binary_cross_entropy" for a sigmoid, "poisson" for an exponential, "squared_error" for all others.
    output : str or None
        Which output of the graph to compute. None takes the only one, or the only one that is a tensor of floats, such
        as the probabilities beside a label.

    Returns
    -------
    Network
        With the outputs of the graph, up to rounding. It is in float64 if the graph first takes off the inputs more
        than what is left of them, which would lose digits in float32.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ModelFileError
        For a file that is damaged, whose weights are not finite, or lie outside its folder, and for a graph that is no
        such chain; it names the node.
    ParameterError
        For anything but such a model.
    ReseauError
        Without the package onnx.

    Notes
    -----
    A clip to [low, high] becomes low + (high − low)·hard_sigmoid, a leaky ReLU of the slope λ two neurons,
    max(0, z) − λ max(0, −z); what multiplies them is in the weights of the next layer. The two columns 1 − φ(z) and
    φ(z) of a binary classifier become the softmax of 0 and z.

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
    source, proto, folder = read_model(model)
    reader = _Reader(proto, source, folder, output)
    chain = reader.chain()
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    ours = metadata.get("library") == "reseau" and not reader.has_pair
    trained_with = None
    if ours and "loss" in metadata:
        with suppress(ValueError):  # of a later release, or of another hand
            numbers = json.loads(metadata.get("loss_numbers", "{}"))
            trained_with = loss_from_description({"loss": metadata["loss"], "loss_numbers": numbers})
    return chain.network(loss, trained_with=trained_with, inputs=reader.inputs, inputs_dtype=reader.inputs_dtype)


class _Reader:
    """Goes through a graph's nodes.

    Parameters
    ----------
    proto : onnx.ModelProto
        The model.
    source : str
        What to call it.
    folder : Path or None
        Where it lies.
    output : str or None
        Which output.
    """

    def __init__(self, proto: Any, source: str, folder: Path | None, output: str | None) -> None:
        self._source = source
        self._graph = proto.graph
        self._opset = max((entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx")), default=1)
        self._output = self._choose(output)
        self._arrays = Tensors(source, folder)
        self._tensors: dict[str, Tensor] = {}
        self._chain = Chain(source, ModelFileError)
        self._stage = 0
        self.inputs: int | None = None  # how many there are, if the graph says so
        self.inputs_dtype = "float32"
        self.has_pair = False  # whether a sigmoid and its complement became a softmax

    def _error(self, message: str) -> ModelFileError:
        return ModelFileError(f"{self._source}: {message}")

    def _choose(self, output: str | None) -> str:
        from onnx import TensorProto

        entries = self._graph.output
        names = [entry.name for entry in entries]
        if isinstance(output, str) and output in names:
            return output
        if not names:
            raise self._error("there is no graph with an output in it; is it an ONNX file?")
        floats = [
            entry.name
            for entry in entries
            if entry.type.tensor_type.elem_type in (TensorProto.FLOAT, TensorProto.DOUBLE)
        ]
        if output is None and 1 in (len(names), len(floats)):
            return str(names[0] if len(names) == 1 else floats[0])
        asked = "the graph has several outputs" if output is None else f"output is {output!r}"
        raise self._error(f"{asked}; choose one of them with output=: {', '.join(map(repr, names))}.")

    def chain(self) -> Chain:
        """The layers of the graph."""
        from onnx import TensorProto

        graph = self._graph
        nodes = self._needed()
        self._uses = Counter(name for _, node in nodes for name in node.input)
        used = {*self._uses, self._output}
        constants = {tensor.name: tensor for tensor in graph.initializer}
        for name in used & set(constants):
            self._tensors[name] = self._arrays.array(constants[name], f"the tensor {name!r}")
        inputs = [entry for entry in graph.input if entry.name not in constants]
        if len(inputs) != 1:
            names = ", ".join(repr(entry.name) for entry in inputs)
            raise self._error(f"the graph has {len(inputs)} inputs ({names}), but must have one matrix of samples.")
        shape = inputs[0].type.tensor_type
        rank = len(shape.shape.dim) if shape.HasField("shape") else None
        lengths = [entry.dim_value for entry in shape.shape.dim][1:]  # 0 for one that may be any
        self._rows = shape.shape.dim[0].dim_value if rank else 0  # 0 if there may be any number
        self.inputs = math.prod(lengths) or None
        self.inputs_dtype = "float64" if shape.elem_type == TensorProto.DOUBLE else "float32"
        self._tensors[inputs[0].name] = Data(0, {SAME: PROBE}, rank=rank, width=self.inputs)
        for place, node in nodes:
            what = f"node {place} ({node.op_type}{f' {node.name!r}' if node.name else ''})"
            result, name = self._node(node, what), node.output[0]
            if name in self._tensors:
                raise self._error(f"{what} gives the tensor {name!r}, which is there already.")
            self._tensors[name] = result
        last = self._tensors.get(self._output)
        if isinstance(last, Sum):
            last = last.plain
        if last is None:
            raise self._error(
                f"the output {self._output!r} has different numbers for the neurons of a layer. {_WAY_OUT}"
            )
        if not isinstance(last, Data):
            raise self._error(f"the output {self._output!r} does not depend on the input.")
        if last.stage != self._stage:
            raise self._error(f"the output {self._output!r} is not that of the last layer.")
        self._settle(last)
        return self._chain

    def _needed(self) -> list[tuple[int, Any]]:
        """The nodes that the output needs, with their places from 1, in the graph's order."""
        wanted, found = {self._output}, []
        for place, node in reversed(list(enumerate(self._graph.node, start=1))):
            if wanted.intersection(node.output):
                found.append((place, node))
                wanted.update(node.input)
        return found[::-1]

    # --- nodes --------------------------------------------------------------------------------------------------------

    def _node(self, node: Any, what: str) -> Tensor:
        from onnx import helper

        scaler = node.domain == "ai.onnx.ml" and node.op_type == "Scaler"
        if node.domain not in ("", "ai.onnx") and not scaler:
            raise self._error(f"{what} is an operator of {node.domain}, not of ONNX itself. {_WAY_OUT}")
        missing = [name for name in node.input if name and name not in self._tensors]
        if missing:
            raise self._error(f"{what} needs the tensor {missing[0]!r}, which nothing before it gives.")
        inputs = [self._tensors[name] if name else None for name in node.input]
        data = data_of(inputs)
        sums = sums_of(inputs)
        apart = len({tensor.stage for tensor in data} | {tensor.stage for tensor in sums}) > 1
        if apart or (len(data) == 2 and data[0] is data[1]):
            linked = self._linked(node.op_type, inputs, what)
            if linked is not None:
                return linked
        if apart:
            raise self._error(
                f"{what} joins the outputs of different layers, but not as a residual link does. {_WAY_OUT}"
            )
        try:
            attributes: Attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "Constant":
                return self._constant(attributes, what)
            if sums:
                found = self._summed(node.op_type, inputs, what)
                if found is not None:
                    return found
                inputs = [tensor.plain if isinstance(tensor, Sum) else tensor for tensor in inputs]
                data = data_of(inputs)
            if not data:
                return self._folded(node.op_type, inputs, attributes, what)
            if node.op_type in ("MatMul", "Gemm"):
                return self._linear(node.op_type, inputs, attributes, what)
            if node.op_type in _UNCHANGED:
                return self._unchanged(node, inputs, attributes, what)
            if node.op_type in SCALES:
                return self._scaled(data[0], SCALES[node.op_type](attributes, *inputs), what)
            if node.op_type == "LayerNormalization":
                return self._normalised(inputs, attributes, what)
            if node.op_type == "PRelu":
                return self._leaky(inputs, what)
            if node.op_type == "Concat":
                return self._pair(data, attributes, what)
            taken = self._begun(node.op_type, inputs, what)
            return self._stepped(node.op_type, taken, what) or self._applied(node.op_type, taken, attributes, what)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
            if isinstance(error, ModelFileError):
                raise
            raise self._error(f"{what} has inputs or attributes that it cannot have: {error}") from None

    def _constant(self, attributes: Attributes, what: str) -> Array:
        for name, value in attributes.items():
            if name == "value":
                return self._arrays.array(value, what)
            if name in ("value_float", "value_floats"):
                return np.asarray(value, np.float32)
            if name in ("value_int", "value_ints"):
                return np.asarray(value, np.int64)
        raise self._error(f"{what} holds neither numbers nor a tensor of them.")

    # --- what becomes part of the chain -------------------------------------------------------------------------------

    def _settle(self, data: Data) -> None:
        """Let the chain know what was applied since its last output."""
        if data.stage != self._stage:
            raise self._error(
                f"{data.since[-1] if data.since else 'a node'} takes an output that another layer has taken already; "
                f"a network is one chain of layers. {_WAY_OUT}"
            )
        for reads in (recognise, read):
            for first, value, last in data.readings():
                if reads(value) is not None:
                    for step, function in ((first, None), (SAME, value), (last, None)):
                        if function is not None:
                            self._chain.applied(function, list(data.since))
                        elif not step.is_identity:
                            self._chain.affine(step, " and ".join(data.since[-2:]))
                    return
        self._chain.applied(data.values[SAME], list(data.since))

    def _next(self, data: Data) -> Data:
        """What the chain gives now."""
        self._stage += 1
        return Data(self._stage, {SAME: PROBE}, rank=data.rank, width=self._chain.width or data.width)

    def _names(self, data: Data) -> list[str]:
        return [name for name, tensor in self._tensors.items() if tensor is data]

    def _taken(self, data: Data, what: str) -> None:
        """Settle what a layer takes; if something else takes it too, remember after which layer it comes."""
        names = self._names(data)
        self._settle(data)
        if any(self._uses[name] > 1 for name in names):
            marked = replace(data, mark=self._chain.mark(f"{self._source}: {what}"))
            self._tensors |= dict.fromkeys(names, marked)

    def _linked(self, operator: str, inputs: Sequence[Any], what: str) -> Data | None:
        """Add what came out of an earlier layer, or of the same one: the end of a residual link."""
        if operator not in ("Add", "Sum") or len(inputs) != 2 or len(data_of(inputs)) < 2:
            return None
        before, now = sorted(inputs, key=lambda tensor: tensor.stage)
        plain = self._chain.has_ended if now.line == SAME else recognise(now.values[SAME]) is not None
        again = before is now and plain
        if now.stage != self._stage or self._chain.is_scaled or (before.mark is None and not again):
            return None
        names = self._names(now)
        self._settle(now)
        mark = self._chain.mark(f"{self._source}: {what}") if before.mark is None else before.mark
        if again:  # what is added to itself may begin another link
            self._tensors |= dict.fromkeys(names, replace(now, mark=mark))
        self._chain.link(mark, f"{self._source}: {what}")
        return self._next(now)

    def _begun(self, operator: str, inputs: Sequence[Any], what: str) -> Sequence[Any]:
        """Let that be the output of a layer with which a layer normalisation or a parametric ReLU begins."""
        if operator not in ("ReduceMean", "Min"):
            return inputs
        x = data_of(inputs)[0]
        if operator == "ReduceMean":
            begins = not x.centred
        else:
            zero = all(tensor is x or (not isinstance(tensor, Data) and not np.any(tensor)) for tensor in inputs)
            begins = zero and x.line is None and recognise(x.values[SAME]) is not None
        if not begins or (x.mark is not None and x.stage == self._stage):
            return inputs
        names = self._names(x)
        self._settle(x)
        mark = self._chain.mark(f"{self._source}: {what}")
        fresh = replace(self._next(x), mark=mark)
        self._tensors |= dict.fromkeys(names, fresh)
        return [fresh if tensor is x else tensor for tensor in inputs]

    def _summed(self, operator: str, inputs: Sequence[Any], what: str) -> Tensor | None:
        """Arithmetic with numbers for the columns, on the way to a layer; None where that is but a function."""
        found = combined(operator, inputs, what)
        if found is not None:
            concluded = self._concluded(found, what)
            if not isinstance(concluded, Sum):
                return concluded
        if all(tensor.plain is not None for tensor in sums_of(inputs)):
            return None
        if found is not None:
            return found
        raise self._error(
            f"{what} has different constants for the neurons of a layer, but is part of no layer normalisation or "
            f"parametric ReLU. {_WAY_OUT}"
        )

    def _concluded(self, total: Sum, what: str) -> Tensor:
        """The layer that a sum is, or the sum itself."""
        norm, slopes = total.as_norm(), total.as_prelu()
        if norm is None and slopes is None:
            return total
        source = next(
            (
                tensor
                for tensor in self._tensors.values()
                if isinstance(tensor, Data) and tensor.stage == total.stage and tensor.line == total.first
            ),
            replace(total.data, values={total.first: PROBE}, line=total.first),
        )
        self._taken(source, what)
        if norm is not None:
            gamma, epsilon = norm
            self._chain.norm(gamma, total.shift, epsilon, f"{self._source}: {what}")
        elif slopes is not None:
            self._chain.prelu(slopes, f"{self._source}: {what}")
        return self._next(source)

    def _normalised(self, inputs: Sequence[Any], attributes: Attributes, what: str) -> Data:
        """A layer normalisation as one operator."""
        data, gamma, beta = (*inputs, None)[:3]
        if not isinstance(data, Data) or data_of((gamma, beta)) or sums_of((gamma, beta)):
            raise self._error(f"{what} does not normalise the layer before with constant numbers. {_WAY_OUT}")
        if data.rank not in (2, None):
            raise self._error(f"{what} takes inputs with {data.rank} axes; flatten them to (rows, inputs) first.")
        if attributes.get("axis", -1) not in (-1, 1):
            raise self._error(f"{what} normalises over more than the numbers of a row (axis={attributes['axis']}).")
        self._taken(data, what)
        epsilon = shortest(np.float32(attributes.get("epsilon", 1e-5)))
        self._chain.norm(gamma, beta, epsilon, f"{self._source}: {what}")
        return self._next(data)

    def _linear(self, operator: str, inputs: Sequence[Any], attributes: Attributes, what: str) -> Data:
        X, W = inputs[:2]
        b = inputs[2] if len(inputs) > 2 else None
        if not isinstance(X, Data) or isinstance(W, Data) or isinstance(b, Data):
            raise self._error(f"{what} is not a product of the layer before with constant weights. {_WAY_OUT}")
        if X.stage != self._stage:
            raise self._error(
                f"{what} takes an output that another layer has taken already; a network is one chain of layers. "
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
        self._taken(X, what)
        self._chain.linear(W, b, f"{self._source}: {what}")
        return self._next(replace(X, rank=2))

    def _scaled(self, data: Data, affine: Affine, what: str) -> Data:
        """What multiplies each column by a number of its own, and adds one."""
        if data.rank not in (2, None):
            raise self._error(f"{what} takes inputs with {data.rank} axes; flatten them to (rows, inputs) first.")
        sizes = {np.size(vector) for vector in (affine.scale, affine.shift) if np.ndim(vector)}
        if len(sizes) > 1 or (data.width is not None and sizes - {data.width}):
            raise self._error(f"{what} is for {max(sizes)} columns, but takes {data.width}. {_WAY_OUT}")
        self._taken(data, what)
        self._chain.affine(affine, f"{self._source}: {what}")
        return replace(self._next(data), width=next(iter(sizes), data.width))

    def _stepped(self, operator: str, inputs: Sequence[Any], what: str) -> Tensor | None:
        """Arithmetic with constants: one number for all columns, or each its own."""
        if operator == "Neg":
            data: Data = inputs[0]
            return data.stepped(Affine(-1.0), what)
        if operator not in ARITHMETIC or len(inputs) != 2 or len(data_of(inputs)) == 2:
            return None
        data, constant = inputs if isinstance(inputs[0], Data) else inputs[::-1]
        if isinstance(constant, Data) or constant is None or constant.dtype.kind not in "fiu":
            return None
        step = ARITHMETIC[operator](constant.astype(np.float64), isinstance(inputs[0], Data))
        if step is None or not (np.isfinite(step.scale).all() and np.isfinite(step.shift).all()):
            return None
        total = begun(operator, data, constant, step, what)
        if total is not None:
            return self._concluded(total, what)
        if constant.size == 1 and constant.ndim <= (2 if data.rank is None else data.rank):
            step = Affine(*(float(np.ravel(value)[0]) for value in (step.scale, step.shift)))
            if data.centred and step.scale == 1:
                data = replace(data, added=(*data.added, shortest(np.ravel(constant)[0])))
            return data.stepped(step, what) if step.scale != 0 else None
        if data.line is None and constant.size == data.width and (constant == constant.flat[0]).all():
            return None  # the number of an activation, once for each neuron
        if constant.ndim > 2 or constant.shape[-1:] != (constant.size,):
            return None
        vectors = (np.ravel(value) if np.size(value) > 1 else float(value) for value in (step.scale, step.shift))
        return self._scaled(data, Affine(*vectors), what)

    def _leaky(self, inputs: Sequence[Any], what: str) -> Data:
        data, slopes = inputs
        if not isinstance(data, Data) or isinstance(slopes, Data) or slopes.shape[-1:] not in ((slopes.size,), ()):
            raise self._error(f"{what} does not have one slope for each neuron. {_WAY_OUT}")
        if slopes.size not in (1, data.width):
            raise self._error(f"{what} has {slopes.size} slopes, but takes {data.width} columns. {_WAY_OUT}")
        self._taken(data, what)
        self._chain.prelu(slopes.reshape(-1), f"{self._source}: {what}")
        return self._next(data)

    def _pair(self, data: Sequence[Data], attributes: Attributes, what: str) -> Data:
        """Join the columns 1 − φ(z) and φ(z), as classifiers of two classes do: the softmax of 0 and z."""
        if len(data) == 2 and attributes.get("axis") in (1, -1) and self._chain.width == 1:
            for first in data[0].values:
                if first not in data[1].values:
                    continue
                columns = [tensor.values[first] for tensor in data]
                sigmoids = [takes(sigmoid, column) for column in columns]
                if any(sigmoids) and np.allclose(columns[0] + columns[1], 1, rtol=0, atol=1e-7):
                    self._settle(replace(data[0], values={first: PROBE}, line=first))
                    self._chain.against_zero(first=sigmoids[1])
                    self.has_pair = True
                    probabilities = {SAME: softmax(PROBE)}
                    return replace(self._next(data[0]), values=probabilities, line=None, since=(what,))
        raise self._error(f"{what} joins other columns than a sigmoid and what it lacks to 1. {_WAY_OUT}")

    # --- what does not ------------------------------------------------------------------------------------------------

    def _unchanged(self, node: Any, inputs: Sequence[Any], attributes: Attributes, what: str) -> Tensor:
        """What gives on the numbers that it takes."""
        from onnx import TensorProto

        data = inputs[0]
        if not isinstance(data, Data):
            raise self._error(f"{what} takes the layer before as something else than its input. {_WAY_OUT}")
        if node.op_type == "Dropout" and (is_set(inputs[2:]) or not attributes.get("is_test", 1)):
            raise self._error(f"{what} drops in training mode; export the model for inference.")
        if node.op_type == "Cast":
            if attributes["to"] not in (TensorProto.FLOAT, TensorProto.DOUBLE):
                raise self._error(f"{what} converts to a type that is neither float32 nor float64. {_WAY_OUT}")
            return replace(data, values={first: value.astype(np.float64) for first, value in data.values.items()})
        if node.op_type == "Flatten":
            if attributes.get("axis", 1) != 1:
                raise self._error(f"{what} joins rows (axis={attributes['axis']}). {_WAY_OUT}")
            return replace(data, rank=2)
        if node.op_type == "Reshape":
            shape = inputs[1] if len(inputs) > 1 else np.asarray(attributes.get("shape", ()))
            if isinstance(shape, Data) or len(shape) != 2 or shape[0] not in (0, -1, self._rows):
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
            largest = max(math.prod(shape) for shape in sizes)
            if math.prod(np.broadcast_shapes(*sizes)) > largest:
                raise self._error(f"{what} makes a larger constant of smaller ones. {_WAY_OUT}")
            with np.errstate(all="ignore"):
                result = self._function(operator, what)(attributes, *inputs)
            result = np.asarray(result, x.dtype) if x.dtype.kind == "f" else np.asarray(result)
        return np.asarray(result)

    def _function(self, operator: str, what: str) -> Callable[..., Any]:
        if operator not in FUNCTIONS:
            raise self._error(f"{what} is an operator that is no part of a chain of layers. {_WAY_OUT}")
        return FUNCTIONS[operator]

    def _applied(self, operator: str, inputs: Sequence[Any], attributes: Attributes, what: str) -> Data:
        """A function of what the last layer gives, at the probe."""
        function = self._function(operator, what)
        data = data_of(inputs)
        constants = [
            tensor
            if tensor is None or isinstance(tensor, Data) or operator in _REDUCTIONS
            else self._single(tensor, data[0], what)
            for tensor in inputs
        ]
        values = {}
        for first in data[0].values:
            if all(first in tensor.values for tensor in data):
                given = [tensor.values[first] if isinstance(tensor, Data) else tensor for tensor in constants]
                with np.errstate(all="ignore"):
                    values[first] = np.asarray(function({"opset": self._opset, **attributes}, *given))
        since = [name for tensor in data for name in tensor.since]
        steps = tuple(dict.fromkeys([*since, what + told(attributes)]))[-MOST:]
        result = replace(data[0], values=values, line=None, tail=(), since=steps, mark=None)
        if operator != "ReduceMean" and not any(tensor.centred for tensor in data):
            return result
        added = tuple(number for tensor in data for number in tensor.added)
        result = replace(result, centred=True, added=added)
        epsilon = epsilon_of(values[SAME], added) if SAME in values else None
        if epsilon is None:
            return result
        self._settle(replace(result, values={SAME: PROBE}, line=SAME))
        self._chain.norm(None, None, epsilon, f"{self._source}: {what}")
        return self._next(replace(result, centred=False, added=(), since=()))

    def _single(self, constant: Array, data: Data, what: str) -> Any:
        """The one number that a constant is, in however many places."""
        if constant.size == 0 or constant.dtype.kind not in "biuf" or (constant != constant.flat[0]).any():
            raise self._error(
                f"{what} has different constants for the neurons of a layer, but is neither its weights nor its bias; "
                f"fold it into them first. {_WAY_OUT}"
            )
        if constant.shape[-1:] not in ((), (1,), (data.width,)) or constant.size != math.prod(constant.shape[-1:]):
            raise self._error(f"{what} has a constant of shape {constant.shape}, which makes other rows. {_WAY_OUT}")
        return np.asarray(constant.flat[0], bool if constant.dtype.kind == "b" else np.float64)


_WAY_OUT = (
    "Réseau reads chains of Gemm, or MatMul and Add, with activations and LayerNormalization; export only that part of "
    "the model, or run it with onnxruntime."
)
_UNCHANGED = ("Identity", "Dropout", "Flatten", "Reshape", "Cast")
_REDUCTIONS = ("ReduceMax", "ReduceMean", "ReduceSum")  # whose second input is axes
