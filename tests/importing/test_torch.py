"""Modules of PyTorch run here with equal outputs, or are refused by their place."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from numerics import drawn

import reseau as rs
from reseau.network import DTYPES

Array = npt.NDArray[Any]


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


TORCH_FORMS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda nn: nn.Identity(),
    "sigmoid": lambda nn: nn.Sigmoid(),
    "tanh": lambda nn: nn.Tanh(),
    "softmax": lambda nn: nn.Softmax(dim=-1),
    "log_softmax": lambda nn: nn.LogSoftmax(dim=1),
    "relu": lambda nn: nn.ReLU(),
    "leaky_relu": lambda nn: nn.LeakyReLU(),
    "elu": lambda nn: nn.ELU(),
    "selu": lambda nn: nn.SELU(),
    "gelu": lambda nn: nn.GELU(),
    "gelu_tanh": lambda nn: nn.GELU(approximate="tanh"),
    "silu": lambda nn: nn.SiLU(),
    "mish": lambda nn: nn.Mish(),
    "softplus": lambda nn: nn.Softplus(),
    "softsign": lambda nn: nn.Softsign(),
    "hard_sigmoid": lambda nn: nn.Hardsigmoid(),
    "hard_swish": lambda nn: nn.Hardswish(),
}


def torch_outputs(torch: Any, module: Any, X: Array) -> Array:
    with torch.no_grad():
        return np.asarray(module.eval()(torch.from_numpy(X)).numpy())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TORCH_FORMS)
def test_a_sequential_module_gives_the_same_outputs_here(name: str, dtype: str, torch: Any) -> None:
    nn = torch.nn
    activation = TORCH_FORMS[name](nn)
    torch.manual_seed(0)
    module = nn.Sequential(
        *(nn.Flatten(), nn.Linear(6, 8), activation, nn.Dropout(0.3)),
        nn.Sequential(nn.Linear(8, 5, bias=False), activation, nn.Identity()),
        *(nn.Linear(5, 3), activation),
    ).to(getattr(torch, dtype))
    net = rs.from_torch(module)
    assert [layer.description for layer in net.layers] == [
        rs.Dense(8, name),
        rs.Dense(5, name, bias=False),
        rs.Dense(3, name),
    ]
    X = drawn(20, 2, 3, dtype=dtype)
    np.testing.assert_allclose(
        net(X.reshape(20, 6)), torch_outputs(torch, module, X), rtol=0, atol=100 * np.finfo(dtype).eps
    )


@pytest.mark.parametrize(
    ("output", "loss"),
    [
        (lambda nn: nn.Softmax(-1), "cross_entropy"),
        (lambda nn: nn.Sigmoid(), "binary_cross_entropy"),
        (lambda nn: nn.Identity(), "squared_error"),
        (lambda nn: nn.Tanh(), "squared_error"),
    ],
)
def test_the_loss_is_the_one_that_suits_the_output(output: Callable[[Any], Any], loss: str, torch: Any) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), output(torch.nn))
    assert rs.from_torch(module).loss == loss
    assert rs.from_torch(module, loss="huber").loss == "huber"


def test_a_module_shares_nothing_with_the_network(torch: Any) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 1))
    net = rs.from_torch(module)
    before = net.parameters.copy()
    with torch.no_grad():
        module[0].weight.zero_()
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            lambda nn: nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(0.2)),
            r"layer 1: LeakyReLU\(negative_slope=0.2\), after layer 1",
        ),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.ReLU6()), r"layer 1: ReLU6\(\)"),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.Softmax(dim=0)), r"layer 1: Softmax\(dim=0\)"),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.PReLU()), "layer 1: PReLU.* is no part"),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), "layer 1: BatchNorm1d.* is no part"),
        (
            lambda nn: nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Conv1d(1, 1, 1))),
            "layer 1.0: Conv1d.* is no part",
        ),
        (
            lambda nn: nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3, elementwise_affine=False)),
            "layer 1: LayerNorm.* is no part",
        ),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 3)), "takes 2 inputs, but the layer before gives 3"),
        (lambda nn: nn.Sequential(nn.Linear(2, 3)).half(), r"torch.float16; convert it first: module.float\(\)"),
        (lambda nn: nn.Sequential(nn.LazyLinear(3)), "no weights yet"),
        (lambda nn: nn.Sequential(nn.Flatten(0), nn.Linear(2, 3)), "joins rows"),
        (
            lambda nn: nn.Sequential(nn.Tanh(), nn.Linear(2, 3)),
            "layer 0: Tanh.*before the first layer.* changes the inputs",
        ),
        (lambda nn: nn.Sequential(nn.ReLU()), "before the first layer|has no dense layer"),
        (lambda nn: nn.Sequential(), "has no dense layer"),
        (lambda nn: nn.Linear(2, 3).state_dict(), "a state_dict, which knows nothing of activations"),
        (lambda nn: 3, "module is int, but must be a torch.nn.Module"),
    ],
)
def test_other_modules_are_refused_by_their_layer(made: Callable[[Any], Any], message: str, torch: Any) -> None:
    with pytest.raises(rs.ParameterError, match=message):
        rs.from_torch(made(torch.nn))


def test_modules_that_may_do_anything_are_refused(torch: Any) -> None:
    class Own(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return x

    with pytest.raises(rs.ParameterError, match=r"the module: Own.* is no part"):
        rs.from_torch(Own())
    module = torch.nn.Sequential(torch.nn.Linear(2, 3))
    module[0].register_forward_hook(lambda *_: None)
    with pytest.raises(rs.ParameterError, match=r"layer 0: Linear.* has hooks"):
        rs.from_torch(module)


def test_without_torch_nothing_is_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with pytest.raises(rs.ParameterError, match="module is a state_dict"):
        rs.from_torch({})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_module_s_own_export_is_read_too(torch: Any, tmp_path: Path) -> None:
    nn = torch.nn
    module = nn.Sequential(
        *(nn.Linear(3, 8), nn.GELU(), nn.Dropout(0.1), nn.Linear(8, 6), nn.SiLU(), nn.Linear(6, 5), nn.Mish()),
        *(nn.Linear(5, 5), nn.Hardswish(), nn.Linear(5, 4), nn.LeakyReLU(), nn.Linear(4, 2), nn.Softmax(dim=-1)),
    ).eval()
    path = tmp_path / "module.onnx"
    # The exporter that needs no further package.
    torch.onnx.export(module, (torch.zeros(1, 3),), path, dynamo=False, input_names=["X"], dynamic_axes={"X": {0: "N"}})
    net = rs.from_onnx(path)
    np.testing.assert_array_equal(net.parameters, rs.from_torch(module).parameters)
    X = drawn(20, 3)
    np.testing.assert_allclose(net(X), torch_outputs(torch, module, X), rtol=0, atol=1e-6)
