"""Pipelines of scikit-learn that end in one of our estimators, as one ONNX graph from the raw columns.

The steps before the estimator are written by skl2onnx, the estimator by `reseau.export.onnx`, and the two graphs become
one. Inputs are the columns of the frame that the pipeline was fitted on, (N, 1) each and of their own types, or "X"
(N, features).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.errors import ParameterError, ReseauError
from reseau.export.onnx_graph import IR_VERSION, ML_OPSET, OPSET

if TYPE_CHECKING:
    import onnx
    from sklearn.pipeline import Pipeline

BEFORE, AFTER = "steps/", "network/"  # begin the names in each part
FLOAT_ONLY = {"Imputer", "Binarizer"}  # operators that onnxruntime has for float32 alone


def joined(pipeline: Pipeline, last: onnx.ModelProto, sample: Any) -> onnx.ModelProto:
    """The steps before the last one, and the graph of that one behind them.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Fitted.
    last : onnx.ModelProto
        Its last step.
    sample : data frame, array or None
        Rows as the pipeline takes them, of which the types of the columns are read; None for an array of the last
        step's precision.

    Raises
    ------
    ParameterError
        Without a sample of a pipeline that was fitted on a data frame.
    ReseauError
        Without the package skl2onnx, and for a step that it cannot write.
    """
    from onnx import compose

    steps = _steps(pipeline, last, sample)
    taken = {tensor.name for tensor in steps.graph.input} & {tensor.name for tensor in last.graph.output}
    if taken:
        raise ReseauError(f"The column {min(taken)!r} has the name of an output of the graph; rename the column.")
    steps = compose.add_prefix(steps, BEFORE, rename_inputs=False)
    last = compose.add_prefix(last, AFTER, rename_outputs=False)
    made, wanted = steps.graph.output[0], last.graph.input[0]
    _take(last, wanted, made.type.tensor_type.elem_type)
    return compose.merge_models(steps, last, io_map=[(made.name, wanted.name)])


def _take(model: onnx.ModelProto, tensor: Any, given: int) -> None:
    """Let a graph take an input of another type of numbers."""
    from onnx import helper

    kind = tensor.type.tensor_type.elem_type
    if given == kind:
        return
    inner = f"{tensor.name} as it is computed"
    for node in model.graph.node:
        node.input[:] = [inner if name == tensor.name else name for name in node.input]
    model.graph.node.insert(0, helper.make_node("Cast", [tensor.name], [inner], to=kind))
    tensor.type.tensor_type.elem_type = given


def _steps(pipeline: Pipeline, last: onnx.ModelProto, sample: Any) -> onnx.ModelProto:
    """What skl2onnx makes of all but the last step."""
    try:
        from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, guess_data_type
    except ImportError:
        raise ReseauError(
            "The steps of a pipeline are written by the package skl2onnx, which is not installed; install it with "
            "pip install 'reseau[onnx]'."
        ) from None
    if sample is None:
        if hasattr(pipeline, "feature_names_in_"):
            raise ParameterError(
                "sample is None, but the pipeline was fitted on a data frame; give a row of it, such as "
                "sample=X.head(1), of which the types of the columns are read."
            )
        from onnx import helper

        kind = helper.tensor_dtype_to_np_dtype(last.graph.input[0].type.tensor_type.elem_type)
        sample = np.zeros((1, pipeline.n_features_in_), kind)
    elif hasattr(sample, "to_pandas"):  # of polars
        sample = sample.to_pandas()
    types = guess_data_type(sample[:1])
    if isinstance(sample, np.ndarray):
        types = [("X", type(kind)([None, sample.shape[1]])) for _, kind in types]  # any number of rows
    steps = _written(pipeline, types)
    if any(node.op_type in FLOAT_ONLY for node in steps.graph.node):
        narrow = [
            (name, FloatTensorType(kind.shape) if type(kind) is DoubleTensorType else kind) for name, kind in types
        ]
        wide, steps = steps, _written(pipeline, narrow)
        kinds = {tensor.name: tensor.type.tensor_type.elem_type for tensor in wide.graph.input}
        for tensor in steps.graph.input:
            _take(steps, tensor, kinds[tensor.name])
    if len(steps.graph.output) != 1:
        raise ReseauError("The steps before the estimator give several outputs; ONNX has to have one, a matrix.")
    return _of_our_version(steps)


def _written(pipeline: Pipeline, types: Any) -> onnx.ModelProto:
    """What skl2onnx makes of all but the last step, given the types of the inputs."""
    import skl2onnx
    from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator

    versions = {"": OPSET, "ai.onnx.ml": ML_OPSET}
    try:
        steps: onnx.ModelProto = skl2onnx.to_onnx(pipeline[:-1], initial_types=types, target_opset=versions)
    except (MissingConverter, MissingShapeCalculator, RuntimeError, NotImplementedError, TypeError) as error:
        why = str(error).strip().split("\n")[0]
        raise ReseauError(f"A step of the pipeline cannot be written as ONNX: {why}") from error
    return steps


def _of_our_version(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph in the operators' version that the estimator's is written in."""
    from onnx import version_converter

    if any(entry.domain == "" and entry.version != OPSET for entry in model.opset_import):
        model = version_converter.convert_version(model, OPSET)
    model.ir_version = IR_VERSION
    return model
