"""ONNX Runtime, on a model made from the same weights."""

from __future__ import annotations

from collections.abc import Callable

from cases import Array, Case, Problem

from peers.peer import Peer, Setting

OPERATORS = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "gelu": "Gelu", "softmax": "Softmax"}


def model(case: Case, problem: Problem) -> bytes:
    """The case's network: Gemm and activation for each layer."""
    from onnx import TensorProto, helper, numpy_helper

    element = getattr(TensorProto, {"float32": "FLOAT", "float64": "DOUBLE"}[case.dtype])
    nodes, initializers, tensor = [], [], "X"
    activations = [case.activation] * (len(problem.weights) - 1) + [case.output]
    for place, ((W, b), activation) in enumerate(zip(problem.weights, activations, strict=True)):
        initializers += [numpy_helper.from_array(W, f"W{place}"), numpy_helper.from_array(b, f"b{place}")]
        nodes.append(helper.make_node("Gemm", [tensor, f"W{place}", f"b{place}"], [f"Z{place}"]))
        tensor = f"Z{place}"
        if activation in OPERATORS:
            nodes.append(helper.make_node(OPERATORS[activation], [tensor], [f"A{place}"]))
            tensor = f"A{place}"
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("X", element, [case.batch, case.widths[0]])],
        [helper.make_tensor_value_info(tensor, element, [case.batch, case.widths[-1]])],
        initializers,
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    data: bytes = proto.SerializeToString()
    return data


class OnnxRuntime(Peer):
    """`InferenceSession.run` on the CPU."""

    name = "ONNX Runtime"
    packages = ("onnxruntime", "onnx")

    def lacks(self, case: Case) -> str | None:
        return None if case.task == "infer" else "inference only"

    def predictor(self, case: Case, problem: Problem, setting: Setting) -> Callable[[], Array]:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = setting.threads
        session = onnxruntime.InferenceSession(model(case, problem), options, providers=["CPUExecutionProvider"])
        inputs = {"X": problem.X}
        return lambda: session.run(None, inputs)[0]
