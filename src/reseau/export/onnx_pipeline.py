"""Models of scikit-learn that have one of our estimators in them, as one ONNX graph from the raw columns on.

skl2onnx writes what is scikit-learn's, but for the steps of `onnx_steps`; our estimators are written as they are alone.
To import this module tells skl2onnx of them, so that its own `to_onnx` takes a pipeline with them too.

Inputs are the columns of the frame that the model was fitted on, (N, 1) each and of their own types, or "X" (N,
features). Within, all numbers are of one precision.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import skl2onnx
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from sklearn.base import is_classifier
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline

from reseau.checks import integer
from reseau.errors import ParameterError, ReseauError
from reseau.estimators import MLPClassifier, MLPRegressor
from reseau.export import onnx_steps
from reseau.export.composed import networks, plain
from reseau.export.models import dtype_of
from reseau.export.onnx_columns import Columns, columns_of
from reseau.export.onnx_graph import ML_OPSET, Graph, describe, tensor
from reseau.export.onnx_network import OUTPUTS, decisions, label_table, labels, layers

if TYPE_CHECKING:
    from reseau.perceptron import Perceptron

TENSORS: dict[str, Any] = {"float32": FloatTensorType, "float64": DoubleTensorType}
BEFORE = "steps/"  # begins the names of what skl2onnx wrote
# How far predictions may be from ours in each precision, in units of the largest; and of how many rows, for a threshold
# on the way may be passed by what is rounded.
CLOSE = {"float32": (1e-3, 0.5), "float64": (1e-6, 1.0)}


class _Invalid(Exception):
    """Why there is no valid graph in a precision."""


def pipeline_model(model: Any, sample: Any, dtype: str | None, opset: int) -> onnx.ModelProto:
    """The graph of a fitted model of scikit-learn.

    Parameters
    ----------
    model : estimator
        Fitted, with one of ours in it.
    sample : data frame, array or None
        Rows as the model takes them; None for an array of the network's precision.
    dtype : {"float32", "float64"} or None
        The precision of all numbers within; None for the network's, and for float32 where there is no other graph.
    opset : int
        The version of the operators.

    Raises
    ------
    ParameterError
        For a sample that the model does not take, and without one for a model that was fitted on a data frame.
    ReseauError
        For a step that cannot be written, and for a graph that is not valid.
    """
    integer("opset", opset, high=skl2onnx.__max_supported_opset__)
    ours = list(networks(model))
    precision = "float64" if any(one.network_.dtype == np.float64 for one in ours) else "float32"
    precision = precision if dtype is None else dtype_of(ours[0].network_, dtype)
    columns = columns_of(model, sample, precision, dtype, OUTPUTS)
    for one in ours:
        if type(one) not in _REGISTERED:
            _register(type(one), _REGISTERED[MLPClassifier if is_classifier(one) else MLPRegressor])
    expected = None if columns.rows is None else _expected(model, columns.rows)
    try:
        return _valid(model, columns, precision, precision, opset, expected)
    except _Invalid as error:
        if precision == "float32" or dtype is not None:
            raise ReseauError(str(error)) from error
        try:
            made = _valid(model, columns, "float32", precision, opset, expected)
        except _Invalid:
            raise ReseauError(str(error)) from error
        warnings.warn(
            f"There is no valid graph in float64, so that this one computes in float32: {error} With dtype='float32' "
            "it is asked for.",
            stacklevel=5,
        )
        return made


def _valid(model: Any, columns: Columns, within: str, outside: str, opset: int, expected: Any) -> onnx.ModelProto:
    """The graph in one precision, checked; its outputs are in another."""
    made = _graph(model, columns, within, outside, opset)
    try:
        onnx.checker.check_model(made, full_check=True)
    except Exception as error:
        raise _Invalid(f"The pipeline's graph in {within} is not valid: {_first_line(error)}") from error
    try:
        import onnxruntime
    except ImportError:
        return made
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what it has to say comes as an exception
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
        found = None if expected is None else session.run(None, columns.fed())
    except Exception as error:  # its classes have no common name
        raise _Invalid(f"onnxruntime refuses the pipeline's graph in {within}: {_first_line(error)}") from error
    if found is not None:
        _compare(found[-1], expected, within)
    return made


def _expected(model: Any, rows: Any) -> Any:
    """What the model says of rows: probabilities, or else what it predicts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            said = model.predict_proba(rows) if hasattr(model, "predict_proba") else model.predict(rows)
        except Exception as error:
            raise ParameterError(f"sample is not as the model takes it: {_first_line(error)}") from error
    return said


def _compare(found: Any, expected: Any, within: str) -> None:
    """Refuse a graph that does not say of the sample what the model says."""
    if isinstance(expected, list):  # of several targets
        for one, other in zip(found, expected, strict=True):
            _compare(one, other, within)
        return
    expected = np.asarray(expected)
    if expected.dtype.kind not in "fiu" or not isinstance(found, np.ndarray) or found.dtype.kind not in "fiu":
        return  # a vote for labels, of which the graph tells the shares
    expected = expected.reshape(len(expected), -1).astype(np.float64)
    found = found.reshape(len(found), -1).astype(np.float64) if len(found) else found
    if found.shape != expected.shape:
        raise _Invalid(f"The pipeline's graph in {within} gives {found.shape}, where the model gives {expected.shape}.")
    distance, share = CLOSE[within]
    far = abs(found - expected).max(axis=1) > distance * max(1.0, float(abs(expected).max(initial=0.0)))
    far |= np.isnan(found).any(axis=1) & ~np.isnan(expected).any(axis=1)
    if far.any() and (~far).mean() < share:
        row = int(far.argmax())
        raise _Invalid(
            f"The pipeline's graph in {within} gives {found[row].tolist()} for row {row + 1} of the sample, where the "
            f"model gives {expected[row].tolist()}."
        )


# --- the graph --------------------------------------------------------------------------------------------------------


def _graph(model: Any, columns: Columns, within: str, outside: str, opset: int) -> onnx.ModelProto:
    """What skl2onnx makes of the model, with the columns before it and the labels behind it."""
    core = plain(model)
    last = core
    while isinstance(last, Pipeline):
        last = last.steps[-1][1]
    ours = isinstance(last, (MLPClassifier, MLPRegressor))
    classes = getattr(last, "classes_", None) if is_classifier(last) else None
    by_place = isinstance(classes, np.ndarray) and not getattr(last, "_several", getattr(last, "multilabel_", False))
    if by_place:
        label_table(classes)  # refuses what has no tensors
        core = _with_places(core)
    made = _written(core, columns.types(TENSORS[within], StringTensorType), opset)
    made = onnx.compose.add_prefix(made, BEFORE)
    g = Graph(within, [*columns.inputs, *OUTPUTS], opset)
    used = {name for node in made.graph.node for name in node.input}
    columns.emit(g, BEFORE, used)
    front = list(g.nodes)
    g.nodes.clear()
    outputs = _outputs(g, made, classes if by_place else None, outside)
    nodes = [*front, *made.graph.node, *g.nodes]
    del made.graph.node[:], made.graph.input[:], made.graph.output[:], made.graph.value_info[:]
    made.graph.node.extend(nodes)
    made.graph.initializer.extend(g.weights)
    made.graph.input.extend(columns.described())
    made.graph.output.extend(outputs)
    made.graph.name = "reseau"
    if not any(entry.domain == "ai.onnx.ml" for entry in made.opset_import):
        made.opset_import.append(onnx.helper.make_opsetid("ai.onnx.ml", ML_OPSET))
    made.ir_version = onnx.helper.find_min_ir_version_for(made.opset_import)
    facts: dict[str, Any] = {"inputs": columns.told()}
    if classes is not None:
        facts["classes"] = (
            [label_table(one).tolist() for one in classes]
            if isinstance(classes, list)
            else label_table(classes).tolist()
        )
    kind = "classifier" if is_classifier(last) else "regressor"
    describe(made, kind, last.network_.loss if ours else None, facts)
    return made


def _outputs(g: Graph, made: onnx.ModelProto, classes: Any, outside: str) -> list[Any]:
    """Give what the model predicts its name and, from places in the classes, its labels; describes it."""
    described = []
    names = [output.name for output in made.graph.output]
    if len(names) == 1:
        return [_named(g, made.graph.output[0], "prediction", outside)]
    if classes is None:
        described.append(_named(g, made.graph.output[0], "label", outside))
    else:
        described.append(labels(g, g("Reshape", names[0], np.array([-1])), classes, "label"))
    described.append(_named(g, made.graph.output[1], "probabilities", outside))
    return described


def _named(g: Graph, given: Any, name: str, outside: str) -> Any:
    """The same under another name; real numbers in the precision of the outside."""
    described = copy.deepcopy(given)
    described.name = name
    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
    if not given.type.HasField("tensor_type") or given.type.tensor_type.elem_type not in floats:
        g("Identity", given.name, name=name)
        return described
    g.cast(given.name, outside, name=name)
    shape = given.type.tensor_type.shape.dim
    width = shape[1].dim_value if len(shape) == 2 and shape[1].dim_value else "outputs"
    return tensor(name, outside, "N", width)


def _with_places(core: Any) -> Any:
    """A copy that predicts the places of its classes."""
    core = copy.copy(core)
    if isinstance(core, Pipeline):
        *steps, (name, last) = core.steps
        core.steps = [*steps, (name, _with_places(last))]
    else:
        core.classes_ = np.arange(len(core.classes_))
    return core


def _written(core: Any, types: Any, opset: int) -> onnx.ModelProto:
    """What skl2onnx makes of a model, given the types of the inputs."""
    emitters: dict[type, Any] = {TransformedTargetRegressor: _target_converter}
    emitters |= {kind: _step_converter(emit) for kind, emit in onnx_steps.EMITTERS.items()}
    shapes = {TransformedTargetRegressor: _target_shape} | dict.fromkeys(onnx_steps.EMITTERS, _step_shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what concerns its other outputs
        try:
            made: onnx.ModelProto = skl2onnx.convert_sklearn(
                core,
                initial_types=types,
                target_opset={"": opset, "ai.onnx.ml": ML_OPSET},
                options={id(core): {"zipmap": False}} if is_classifier(core) else None,
                custom_conversion_functions=emitters,
                custom_shape_calculators=shapes,
                name="reseau",
            )
        except ReseauError:
            raise
        except Exception as error:  # whatever an assumption of a converter ends in
            raise _Invalid(f"A step of the pipeline cannot be written as ONNX: {_first_line(error)}") from error
    return made


def _first_line(error: Exception) -> str:
    text = (str(error).strip() or type(error).__name__).split("\n")[0].rstrip(".")
    return f"{type(error).__name__} {text}." if isinstance(error, (KeyError, AssertionError)) else f"{text}."


# --- what skl2onnx is told of -----------------------------------------------------------------------------------------


def _precision(operator: Any) -> str:
    return "float64" if any(isinstance(v.type, DoubleTensorType) for v in operator.inputs) else "float32"


def _cells(g: Graph, operator: Any) -> onnx_steps.Cells:
    """The inputs of a step: text, and all else in the graph's precision."""
    tensors, widths, texts = [], [], []
    for variable in operator.inputs:
        shape = variable.type.shape
        is_text = isinstance(variable.type, StringTensorType)
        same = is_text or isinstance(variable.type, TENSORS[g.dtype.name])
        tensors.append(variable.full_name if same else g.cast(variable.full_name, g.dtype))
        texts.append(is_text)
        alone = len(operator.inputs) == 1
        widths.append(operator.raw_operator.n_features_in_ if alone else shape[1] if len(shape) == 2 else 1)
    return onnx_steps.Cells(g, tensors, widths, texts)


def _added(scope: Any, container: Any, g: Graph, stem: str) -> Callable[[str], str]:
    """Move what has grown into skl2onnx's own graph; gives what a name has become."""
    prefix = scope.get_unique_variable_name(stem)
    own = {tensor.name for tensor in g.weights} | {name for node in g.nodes for name in node.output}
    renamed = {name: f"{prefix}/{name}" for name in own}
    for weight in g.weights:
        weight.name = renamed[weight.name]
        container.initializers.append(weight)
    for node in g.nodes:
        container.add_node(
            node.op_type,
            [renamed.get(name, name) for name in node.input],
            [renamed[name] for name in node.output],
            op_domain=node.domain,
            name=f"{prefix}/{node.name}",
            **{attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute},
        )
    return lambda name: renamed.get(name, name)


def _handed_over(container: Any, pairs: Iterable[tuple[str, Any]]) -> None:
    """Give results the names that the operator's outputs have."""
    for name, variable in pairs:
        container.add_node("Identity", [name], [variable.full_name], name=f"{variable.full_name}/Identity")


def _step_converter(emit: onnx_steps.Emitter) -> Callable[[Any, Any, Any], None]:
    def convert(scope: Any, operator: Any, container: Any) -> None:
        g = Graph(_precision(operator), opset=container.target_opset)
        made = emit(g, _cells(g, operator), operator.raw_operator)
        became = _added(scope, container, g, type(operator.raw_operator).__name__)
        _handed_over(container, [(became(made), operator.outputs[0])])

    return convert


def _step_shape(operator: Any) -> None:
    step = operator.raw_operator
    width: int | None
    try:
        width = len(step.get_feature_names_out())
    except (AttributeError, ValueError):
        width = getattr(step, "n_features_in_", None)
    keeps_text = isinstance(step, onnx_steps.KEEP_TEXT) and any(
        isinstance(variable.type, StringTensorType) for variable in operator.inputs
    )
    kind = StringTensorType if keeps_text else TENSORS[_precision(operator)]
    operator.outputs[0].type = kind([None, width])


def _target_converter(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    from skl2onnx._supported_operators import sklearn_operator_name_map

    inner = scope.declare_local_operator(sklearn_operator_name_map[type(model.regressor_)], model.regressor_)
    inner.inputs = operator.inputs
    inner.outputs.append(scope.declare_local_variable("scaled_target", operator.outputs[0].type.__class__()))
    g = Graph(_precision(operator), opset=container.target_opset)
    Y = onnx_steps.inverse(g, inner.outputs[0].full_name, model.transformer_)
    became = _added(scope, container, g, "target")
    _handed_over(container, [(became(Y), operator.outputs[0])])


def _target_shape(operator: Any) -> None:
    operator.outputs[0].type = TENSORS[_precision(operator)]([None, None])


def _classifier(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    g = Graph(_precision(operator), opset=container.target_opset)
    decided, P = decisions(g, model, _cells(g, operator).matrix(), g.free("probabilities"))
    if not model._several and not scope.get_options(model, {"nocl": False})["nocl"]:
        decided = g("Gather", g.weight("classes", _labels_of_skl2onnx(model)), decided, axis=0)
    became = _added(scope, container, g, type(model).__name__)
    _handed_over(container, zip(map(became, (decided, P)), operator.outputs, strict=True))


def _labels_of_skl2onnx(model: Any) -> Any:
    """The classes as skl2onnx has them, for its own nodes around ours: text, and whole numbers in int64."""
    classes = label_table(model.classes_)
    if classes.dtype.kind == "O":
        return classes
    whole = classes.astype(np.int64)
    if (whole.astype(classes.dtype) != classes).any() or (classes.dtype.kind == "u" and (whole < 0).any()):
        raise ReseauError(
            f"The classes {classes.tolist()} are not all whole numbers below 2^63, as skl2onnx has them; write the "
            "model with reseau.to_onnx."
        )
    return whole


def _classifier_shape(operator: Any) -> None:
    model = operator.raw_operator
    is_text = not model._several and label_table(model.classes_).dtype.kind == "O"
    label = StringTensorType if is_text else Int64TensorType
    operator.outputs[0].type = label([None, len(model.classes_)] if model._several else [None])
    operator.outputs[1].type = TENSORS[_precision(operator)]([None, len(model.classes_)])


def _regressor(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    g = Graph(_precision(operator), opset=container.target_opset)
    O = layers(g, model.network_, _cells(g, operator).matrix(), g.free("O"))
    became = _added(scope, container, g, type(model).__name__)
    _handed_over(container, [(became(O), operator.outputs[0])])


def _regressor_shape(operator: Any) -> None:
    outputs = operator.raw_operator.network_.architecture.outputs
    operator.outputs[0].type = TENSORS[_precision(operator)]([None, outputs])


_OPTIONS = {"zipmap": [True, False, "columns"], "nocl": [True, False], "output_class_labels": [False, True]}
_REGISTERED: dict[type[Perceptron], Any] = {}


def _register(kind: type[Perceptron], functions: Any) -> None:
    shape, convert, options = functions
    skl2onnx.update_registered_converter(kind, f"Reseau{kind.__name__}", shape, convert, options=options)
    _REGISTERED[kind] = functions


_register(MLPClassifier, (_classifier_shape, _classifier, _OPTIONS))
_register(MLPRegressor, (_regressor_shape, _regressor, None))
