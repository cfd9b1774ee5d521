"""Models of scikit-learn that have one of our estimators in them, as one ONNX graph from the raw columns on.

skl2onnx writes what is scikit-learn's, but for `steps` and `around`; our estimators are written as they are
alone. To import this module tells skl2onnx of them, so that its own `to_onnx` takes a pipeline with them too.

Inputs are the columns of the frame that the model was fitted on, (N, 1) each and of their own types, or "X" (N,
features). Within, all numbers are of one precision.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx
import scipy.sparse
import skl2onnx
from skl2onnx._supported_operators import sklearn_operator_name_map
from skl2onnx.common.data_types import Int64TensorType, StringTensorType
from sklearn.base import ClassifierMixin, is_classifier
from sklearn.pipeline import Pipeline

from reseau.checks import frames_within, integer
from reseau.composed import steps
from reseau.composed.around import AROUND, SAY_THE_LIKELIEST
from reseau.composed.columns import Columns, columns_of
from reseau.composed.inside import networks, plain
from reseau.composed.operators import TENSORS, Converter, cells, hand_over, is_text, precision
from reseau.errors import ParameterError, ReseauError
from reseau.estimators import label_columns
from reseau.estimators.classifier import MLPClassifier
from reseau.estimators.regressor import MLPRegressor
from reseau.export.common import dtype_of
from reseau.export.onnx_graph import ML_OPSET, Graph, describe, pruned, tensor
from reseau.export.onnx_labels import label_table, labels
from reseau.export.onnx_layers import layers
from reseau.model import Model

if TYPE_CHECKING:
    from reseau.estimators.perceptron import Perceptron

OUTPUTS = ("label", "probabilities", "prediction")
BEFORE = "steps/"  # begins the names of what skl2onnx wrote
CLOSE = {"float32": 1e-3, "float64": 1e-6}  # how far, in units of the largest, predictions may be from ours
# For how many of the rows, where not for all: what is rounded may pass a threshold on its way, and where rows are our
# own, far from what was learned, probabilities may be too small for a runtime.
MOST = 0.9


class _Invalid(Exception):
    """Why there is no valid graph in a precision and a version."""


def pipeline_model(model: Any, sample: Any, dtype: npt.DTypeLike | None, opset: int) -> onnx.ModelProto:
    """The graph of a fitted model of scikit-learn.

    Parameters
    ----------
    model : estimator
        Fitted, with one of ours in it.
    sample : data frame, array or None
        Rows as the model takes them; None for numbers alone, in the network's precision.
    dtype : {"float32", "float64"} or None
        The precision of all numbers within; None for the network's, and for float32 where there is no other graph.
    opset : int
        The version of the operators.

    Raises
    ------
    ParameterError
        For a sample that the model does not take, and without one for a model that takes more than numbers.
    ReseauError
        For a step that cannot be written, and for a graph that is not valid.
    """
    integer("opset", opset, high=skl2onnx.__max_supported_opset__)
    ours = list(networks(model))
    outside = "float64" if any(one.network_.dtype == np.float64 for one in ours) else "float32"
    if dtype is not None:
        outside = dtype = dtype_of(ours[0].network_, dtype)
    for one in ours:
        if type(one) not in _REGISTERED:
            _register(type(one), _REGISTERED[MLPClassifier if is_classifier(one) else MLPRegressor])
    columns = columns_of(model, plain(model), sample, outside, dtype, OUTPUTS)
    expected = _expected(model, columns)
    refusals = []
    for within in [outside] if dtype is not None or outside == "float32" else [outside, "float32"]:
        try:
            made = _valid(model, columns, within, outside, opset, expected)
        except _Invalid as error:
            refusals.append(error)
            continue
        if within != outside:
            warnings.warn(
                f"There is no valid graph in float64, so that this one computes in float32: {refusals[0]} With "
                "dtype='float32' it is asked for.",
                stacklevel=frames_within(),
            )
        return made
    raise ReseauError(str(refusals[0])) from refusals[0]


def _valid(
    model: Any, columns: Columns, within: str, outside: str, opset: int, expected: tuple[Any, Any]
) -> onnx.ModelProto:
    """The graph in one precision, checked; its inputs and outputs are in another."""
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
        found = None if expected[0] is None else session.run(None, columns.fed())
    except Exception as error:  # its classes have no common name
        raise _Invalid(f"onnxruntime refuses the pipeline's graph in {within}: {_first_line(error)}") from error
    if found is not None:
        share = 1.0 if columns.are_given and within == columns.precision == "float64" else MOST
        distance = max(CLOSE[within], CLOSE[columns.precision])
        try:
            _compare(found[0], expected[0], expected[1], distance, share)
            if expected[1] is not None:
                _compare(found[1], expected[1], None, distance, share)
        except _Invalid as error:
            raise _Invalid(f"The pipeline's graph in {within} gives {error}") from None
    return made


def _expected(model: Any, columns: Columns) -> tuple[Any, Any]:
    """What the model predicts for the rows, and how probable it holds each class."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            probable = is_classifier(model) and hasattr(model, "predict_proba")
            return model.predict(columns.rows), model.predict_proba(columns.rows) if probable else None
        except Exception as error:
            if not columns.are_given:  # a step may have reasons to refuse such rows
                return None, None
            raise ParameterError(f"sample is not as the model takes it: {_first_line(error)}") from error


def _compare(found: Any, expected: Any, probabilities: Any, distance: float, share: float) -> None:
    """Refuse a graph that does not say of this share of the rows what the model says."""
    if isinstance(expected, list):  # of several targets
        for one, other in zip(found, expected, strict=True):
            _compare(one, other, None, distance, share)
        return
    expected = expected.toarray() if scipy.sparse.issparse(expected) else expected
    rows = len(expected)
    found, expected = (np.asarray(values).reshape(rows, -1) for values in (found, expected))
    if found.shape != expected.shape:
        raise _Invalid(f"{found.shape}, where the model gives {expected.shape}.")
    if expected.dtype.kind == "f":
        size = abs(expected[np.isfinite(expected)]).max(initial=1.0)
        near = np.isclose(found, expected, rtol=0, atol=distance * size, equal_nan=True).all(axis=1)
    else:
        near = (found == expected).all(axis=1)
        if isinstance(probabilities, np.ndarray) and probabilities.shape[1] > 1:  # a tie may fall either way
            first, second = np.sort(probabilities, axis=1)[:, [-1, -2]].T
            near |= first - second < distance
    if near.mean() < share:
        row = int((~near).argmax())
        raise _Invalid(
            f"{found[row].tolist()} for row {row + 1} of the sample, where the model gives {expected[row].tolist()}."
        )


# --- the graph --------------------------------------------------------------------------------------------------------


def _graph(model: Any, columns: Columns, within: str, outside: str, opset: int) -> onnx.ModelProto:
    """What skl2onnx makes of a model, with the columns before it and the labels behind it."""
    core = plain(model, _parsed_in(within))
    last = core
    while isinstance(last, Pipeline):
        last = last.steps[-1][1]
    labels: object = getattr(last, "classes_", None)
    if isinstance(last, MLPClassifier) and isinstance(labels, list):
        label_columns.refuse(labels, "ONNX")
    several = getattr(last, "_several", getattr(last, "multilabel_", False))
    classes = labels if is_classifier(last) and not several else None
    if isinstance(classes, np.ndarray):
        label_table(classes)  # refuses what has no tensors
        if "classes_" in vars(last):
            core = _with_places(core)
    made = _written(core, columns.types(TENSORS[within], StringTensorType), within, opset)
    prefix = BEFORE
    while any(name.startswith(prefix) for name in columns.inputs):
        prefix = f"_{prefix}"
    made = onnx.compose.add_prefix(made, prefix, rename_functions=False)
    g = Graph(within, [*columns.inputs, *OUTPUTS], opset)
    columns.emit(g, prefix, {name for node in made.graph.node for name in node.input})
    nodes = [*g.nodes, *made.graph.node]
    g.nodes.clear()
    outputs = _outputs(g, made, last, classes, outside)
    nodes, weights = pruned([*nodes, *g.nodes], [*made.graph.initializer, *g.weights], OUTPUTS)
    graph = onnx.helper.make_graph(nodes, "reseau", columns.described(), outputs, initializer=weights)
    # The nodes are those of the version that was asked for, where skl2onnx tells of the oldest that has them all.
    opsets = [onnx.helper.make_opsetid(one.domain, one.version if one.domain else opset) for one in made.opset_import]
    if not any(entry.domain == "ai.onnx.ml" for entry in opsets):
        opsets.append(onnx.helper.make_opsetid("ai.onnx.ml", ML_OPSET))
    whole = onnx.helper.make_model(
        graph,
        opset_imports=opsets,
        functions=list(made.functions),
        ir_version=max(8, onnx.helper.find_min_ir_version_for(opsets, ignore_unknown=True)),
    )
    facts: dict[str, Any] = {"inputs": columns.told()}
    if classes is not None:
        each = [label_table(one).tolist() for one in (classes if isinstance(classes, list) else [classes])]
        facts["classes"] = each if isinstance(classes, list) else each[0]
    kind = "classifier" if is_classifier(last) else "regressor"
    describe(whole, kind, last.parts().network.loss if isinstance(last, Model) else None, facts)
    return whole


def _outputs(g: Graph, made: onnx.ModelProto, last: Any, classes: Any, outside: str) -> list[Any]:
    """Give what the model predicts its name and, from places in the classes, its labels; describes it."""
    given = made.graph.output
    if len(given) == 1:
        return [_named(g, given[0], "prediction", outside)]
    if classes is None:
        label = _named(g, given[0], "label", outside)
    elif isinstance(classes, list) or ("classes_" not in vars(last) and type(last) not in AROUND):
        # Of several targets, or where classes_ is a property, the labels are skl2onnx's: text or int64.
        kind = label_table(classes[0] if isinstance(classes, list) else classes).dtype
        shape = [len(classes)] if isinstance(classes, list) else []
        if kind.kind == "O":
            g("Identity", given[0].name, name="label")
        else:
            g.cast(given[0].name, kind, name="label")
        label = tensor("label", kind, "N", *shape)
    elif isinstance(last, SAY_THE_LIKELIEST):
        label = labels(g, g("ArgMax", given[1].name, axis=1, keepdims=0), classes, "label")
    else:
        label = labels(g, g("Reshape", given[0].name, np.array([-1])), classes, "label")
    return [label, _named(g, given[1], "probabilities", outside)]


def _named(g: Graph, given: Any, name: str, outside: str) -> Any:
    """The same under another name; real numbers in the precision of the outside."""
    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
    if given.type.HasField("tensor_type") and given.type.tensor_type.elem_type in floats:
        g.cast(given.name, outside, name=name)
        shape = given.type.tensor_type.shape.dim
        return tensor(name, outside, "N", (len(shape) == 2 and shape[1].dim_value) or "outputs")
    g("Identity", given.name, name=name)
    described = copy.deepcopy(given)
    described.name = name
    return described


def _with_places(core: Any) -> Any:
    """A copy that predicts the places of its classes."""
    core = copy.copy(core)
    if isinstance(core, Pipeline):
        *steps, (name, last) = core.steps
        core.steps = [*steps, (name, _with_places(last))]
    else:
        core.classes_ = np.arange(len(core.classes_))
    return core


def _written(core: Any, types: Any, within: str, opset: int) -> onnx.ModelProto:
    """What skl2onnx makes of a model, given the types of the inputs."""
    shapes = {kind: shape for kind, (shape, _) in AROUND.items()}
    converters = {kind: convert for kind, (_, convert) in AROUND.items()}
    for kind, emit in steps.EMITTERS.items():
        shapes[kind], converters[kind] = _step_shape(within), _step(emit, within)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what concerns its other outputs
        try:
            made: onnx.ModelProto = skl2onnx.convert_sklearn(
                core,
                initial_types=types,
                target_opset={"": opset, "ai.onnx.ml": ML_OPSET},
                options={id(core): {"zipmap": False}} if is_classifier(core) else None,
                custom_conversion_functions=converters,
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


def _parsed_in(within: str) -> Callable[[Any], None]:
    """Let copies of our steps tell skl2onnx, when it first meets them, of which type they give numbers."""

    def dress(copied: Any) -> None:
        if type(copied) in steps.EMITTERS:

            def parser(scope: Any, inputs: Any) -> list[Any]:
                kept = isinstance(copied, steps.KEEP_TEXT) and any(map(is_text, inputs))
                return [scope.declare_local_variable("variable", (StringTensorType if kept else TENSORS[within])())]

            copied.onnx_parser = lambda: parser

    return dress


def _step(emit: steps.Emitter, within: str) -> Converter:
    def convert(scope: Any, operator: Any, container: Any) -> None:
        g = Graph(within, opset=container.target_opset)
        hand_over(scope, container, g, [(emit(g, cells(g, operator), operator.raw_operator), operator.outputs[0])])

    return convert


def _step_shape(within: str) -> Callable[[Any], None]:
    def calculate(operator: Any) -> None:
        step = operator.raw_operator
        width: int | None
        try:
            width = len(step.get_feature_names_out())
        except (AttributeError, ValueError):
            width = getattr(step, "n_features_in_", None)
        keeps_text = isinstance(step, steps.KEEP_TEXT) and any(map(is_text, operator.inputs))
        operator.outputs[0].type = (StringTensorType if keeps_text else TENSORS[within])([None, width])

    return calculate


def _classifier(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    g = Graph(precision(operator), opset=container.target_opset)
    parts = model.parts()
    decided, P = parts.decoder.decisions(g, parts.network, cells(g, operator).matrix(), g.free("probabilities"))
    if not model._several and not scope.get_options(model, {"nocl": False})["nocl"]:
        decided = g("Gather", g.weight("classes", _labels_of_skl2onnx(model)), decided, axis=0)
    hand_over(scope, container, g, zip([decided, P], operator.outputs, strict=True))


def _labels_of_skl2onnx(model: Any) -> Any:
    """The classes as skl2onnx has them, for its own nodes around ours: text, and whole numbers in int64."""
    classes = label_table(model.classes_)
    if classes.dtype.kind == "O":
        return classes
    whole = classes.astype(np.int64)
    if (whole.astype(classes.dtype) != classes).any() or (classes.dtype.kind == "u" and (whole < 0).any()):
        raise ReseauError(
            f"The classes {classes.tolist()} are not all whole numbers below 2^63, as skl2onnx's nodes around the "
            "estimator have them; make them text."
        )
    return whole


def _classifier_shape(operator: Any) -> None:
    model = operator.raw_operator
    has_text = not model._several and label_table(model.classes_).dtype.kind == "O"
    label = StringTensorType if has_text else Int64TensorType
    operator.outputs[0].type = label([None, len(model.classes_)] if model._several else [None])
    operator.outputs[1].type = TENSORS[precision(operator)]([None, len(model.classes_)])


def _regressor(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    g = Graph(precision(operator), opset=container.target_opset)
    O = layers(g, model.network_, cells(g, operator).matrix(), g.free("O"))
    hand_over(scope, container, g, [(O, operator.outputs[0])])


def _regressor_shape(operator: Any) -> None:
    outputs = operator.raw_operator.network_.architecture.outputs
    operator.outputs[0].type = TENSORS[precision(operator)]([None, outputs])


# What skl2onnx's own parser of classifiers asks for.
_OPTIONS = {"zipmap": [True, False, "columns"], "nocl": [True, False], "output_class_labels": [False, True]}
_REGISTERED: dict[type[Perceptron], Any] = {}


def _register(kind: type[Perceptron], functions: Any) -> None:
    shape, convert, options = functions
    skl2onnx.update_registered_converter(kind, f"Reseau{kind.__name__}", shape, convert, options=options)
    _REGISTERED[kind] = functions


_register(MLPClassifier, (_classifier_shape, _classifier, _OPTIONS))
_register(MLPRegressor, (_regressor_shape, _regressor, None))
for _around, (_shape, _convert) in AROUND.items():
    if _around not in sklearn_operator_name_map:  # those that skl2onnx has stay its own outside of this file
        _options = _OPTIONS if issubclass(_around, ClassifierMixin) else None
        skl2onnx.update_registered_converter(_around, f"Reseau{_around.__name__}", _shape, _convert, options=_options)
