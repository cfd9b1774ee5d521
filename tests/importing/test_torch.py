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
from reseau.checks import DTYPES
from reseau.vocabulary.optimizers import Optimizer

Array = npt.NDArray[Any]


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
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.PReLU(4)), r"layer 1: PReLU.* has slopes of shape \(4,\)"),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.ELU(0.5), nn.Linear(3, 1)), r"layer 1: ELU\(alpha=0.5\), after"),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.LogSigmoid()), r"layer 1: LogSigmoid\(\), after layer 1"),
        (
            lambda nn: nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.BatchNorm1d(3)),
            r"layer 2: BatchNorm1d\(.* changes what the last activation gives",
        ),
        (
            lambda nn: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, track_running_stats=False)),
            "layer 1: BatchNorm1d.* normalises by the rows at hand",
        ),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(4)), "layer 1: .* is for 4 columns"),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), None), "layer 1: NoneType is no module"),
        (
            lambda nn: nn.Sequential(nn.Linear(2, 3, device="meta")),
            r"layer 0: .* without numbers \(on the device 'meta'",
        ),
        (lambda nn: nn.Sequential(nn.Linear(2, 3)).bfloat16(), r"layer 0: .*torch.bfloat16; convert it first"),
        (lambda nn: complex_module(nn), "layer 0: .*torch.complex64; Réseau computes with real numbers"),
        (lambda nn: nn.Sequential(nn.LazyLinear(3), nn.ReLU()), "layer 0: LazyLinear has no weights yet"),
        (lambda nn: nn.Linear, "the class Linear, not an instance"),
        (lambda nn: None, "module is NoneType, but must be"),
        (lambda nn: b"PK", "module is bytes, not what torch.load makes of it"),
        (lambda nn: [nn.Linear(2, 3)], "module is list, but must be"),
        (
            lambda nn: nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Conv1d(1, 1, 1))),
            "layer 1.0: Conv1d.* is no part",
        ),
        (
            lambda nn: nn.Sequential(nn.Linear(2, 3), nn.LayerNorm((2, 3))),
            "layer 1: LayerNorm.* normalises over 2 axes",
        ),
        (lambda nn: nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 3)), "takes 2 inputs, but the layer before gives 3"),
        (lambda nn: nn.Sequential(nn.Linear(2, 3)).half(), r"torch.float16; convert it first: module.float\(\)"),
        (lambda nn: nn.Sequential(nn.LazyLinear(3)), "no weights yet"),
        (lambda nn: nn.Sequential(nn.Flatten(0), nn.Linear(2, 3)), "joins rows"),
        (
            lambda nn: nn.Sequential(nn.Tanh(), nn.Linear(2, 3)),
            "layer 0: Tanh.*before the first layer.* changes the inputs",
        ),
        (lambda nn: nn.Sequential(nn.ReLU()), "before the first layer|[Tt]here is no layer in"),
        (lambda nn: nn.Sequential(), "[Tt]here is no layer in"),
        (lambda nn: nn.Linear(2, 3).state_dict(), "a state_dict, which knows nothing of activations"),
        (lambda nn: 3, "module is int, but must be a torch.nn.Module"),
    ],
)
def test_other_modules_are_refused_by_their_layer(made: Callable[[Any], Any], message: str, torch: Any) -> None:
    with pytest.raises(rs.ParameterError, match=message):
        rs.from_torch(made(torch.nn))


def complex_module(nn: Any) -> Any:
    import torch

    return nn.Sequential(nn.Linear(2, 3, dtype=torch.complex64))


def test_weights_that_are_no_numbers_are_refused(torch: Any) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 3))
    with torch.no_grad():
        module[0].weight[2, 1] = float("nan")
    with pytest.raises(rs.ParameterError, match=r"layer 0: Linear.* holds nan among its weights"):
        rs.from_torch(module)
    module = torch.nn.Sequential(torch.nn.Linear(2, 3))
    module[0].weight = torch.nn.Parameter(module[0].weight.detach().to_sparse())
    with pytest.raises(rs.ParameterError, match=r"layer 0: Linear.* no plain array of numbers"):
        rs.from_torch(module)


def test_modules_that_may_do_anything_are_refused(torch: Any) -> None:
    nn = torch.nn

    class Own(nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return x

    class Dropout(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(8, 8)

        def forward(self, x: Any) -> Any:
            return self.inner(x)

    class MyDropout(nn.Dropout):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return 2 * x

    class Identity(nn.Identity):  # type: ignore[misc, name-defined]
        pass

    class MyLinear(nn.Linear):  # type: ignore[misc, name-defined]
        def __call__(self, x: Any) -> Any:
            return -super().__call__(x)

    class MySequential(nn.Sequential):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return x + super().forward(x)

    with pytest.raises(rs.ParameterError, match=r"the module: Own is a class of your own.* is no part"):
        rs.from_torch(Own())
    with pytest.raises(rs.ParameterError, match=r"the module: MySequential .*nn\.Sequential\(\*that_module\)"):
        rs.from_torch(MySequential(nn.Linear(2, 2)))
    for own in (Own(), Dropout(), MyDropout(), Identity(), MyLinear(8, 8), MySequential(nn.Linear(8, 8))):
        inner = nn.Sequential()
        inner.add_module("inner", own)
        module = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Sequential(nn.Tanh(), inner))
        with pytest.raises(rs.ParameterError, match=rf"layer 2\.1\.inner: {type(own).__name__} is a class of your own"):
            rs.from_torch(module)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
def test_hooks_and_what_was_changed_afterwards_are_refused(torch: Any) -> None:
    nn = torch.nn

    def module() -> Any:
        return nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Dropout(), nn.Linear(3, 1)))

    for place, at in ((r"the module: Sequential", ()), ("layer 1: Sequential", (1,)), (r"layer 1\.0: Dropout", (1, 0))):
        for register in ("register_forward_hook", "register_forward_pre_hook"):
            net = part = module()
            for index in at:
                part = part[index]
            getattr(part, register)(lambda *_: None)
            with pytest.raises(rs.ParameterError, match=f"{place} has hooks"):
                rs.from_torch(net)
        net = part = module()
        for index in at:
            part = part[index]
        part.forward = lambda x: x
        with pytest.raises(rs.ParameterError, match=f"{place} has a forward of its own"):
            rs.from_torch(net)
    for change in (nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm):
        net = module()
        change(net[1][1])
        with pytest.raises(rs.ParameterError, match=r"layer 1\.1: ParametrizedLinear computes its weights from others"):
            rs.from_torch(net)
        nn.utils.parametrize.remove_parametrizations(net[1][1], "weight")
        assert rs.from_torch(net).layers[1].W.shape == (3, 1)  # the way out leads out
    with pytest.raises(rs.ParameterError, match=r"the module: RecursiveScriptModule is compiled"):
        rs.from_torch(torch.jit.script(module()))
    handle = nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        with pytest.raises(rs.ParameterError, match="hooks for all modules"):
            rs.from_torch(module())
    finally:
        handle.remove()


FOLDED: list[tuple[Callable[[Any], list[Any]], list[rs.Dense]]] = [
    (
        lambda nn: [nn.Linear(6, 4, bias=False), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)],
        [rs.Dense(4, "relu"), rs.Dense(2, "identity")],
    ),
    (
        lambda nn: [nn.BatchNorm1d(6), nn.Linear(6, 4), nn.GELU(), nn.BatchNorm1d(4, affine=False), nn.Linear(4, 2)],
        [rs.Dense(4, "gelu"), rs.Dense(2, "identity")],
    ),
    (lambda nn: [nn.Linear(6, 4), nn.BatchNorm1d(4)], [rs.Dense(4, "identity")]),
    *(
        (
            lambda nn, function=function: [nn.Linear(6, 4), function(nn), nn.Linear(4, 2)],
            [rs.Dense(neurons, activation), rs.Dense(2, "identity")],
        )
        for function, neurons, activation in (
            (lambda nn: nn.LeakyReLU(0.2), 8, "relu"),
            (lambda nn: nn.RReLU(), 8, "relu"),
            (lambda nn: nn.ReLU6(), 4, "hard_sigmoid"),
            (lambda nn: nn.Hardtanh(-0.5, 2), 4, "hard_sigmoid"),
            (lambda nn: nn.Threshold(0, 0), 4, "relu"),
            (lambda nn: nn.CELU(0.5), 4, "elu"),
            (lambda nn: nn.Softplus(2.0), 4, "softplus"),
            (lambda nn: nn.LogSigmoid(), 4, "softplus"),
        )
    ),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("made", "layers"), FOLDED)
def test_what_is_no_layer_becomes_part_of_one(made: Any, layers: list[rs.Dense], dtype: str, torch: Any) -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(*made(torch.nn)).to(getattr(torch, dtype))
    X = drawn(64, 6, dtype=dtype)
    with torch.no_grad():
        for part in module:
            if isinstance(part, torch.nn.BatchNorm1d) and part.affine:
                part.weight.uniform_(0.5, 2)
                part.bias.uniform_(-1, 1)
        for _ in range(20):  # so that the statistics are no longer those of the beginning
            module.train()(torch.from_numpy(X * 2 + 0.5))
    theirs = torch_outputs(torch, module, X)
    module.train()
    net = rs.from_torch(module)
    assert module.training
    assert [layer.description for layer in net.layers] == layers
    np.testing.assert_allclose(net(X), theirs, rtol=0, atol=100 * np.finfo(dtype).eps)


def test_a_module_that_stands_there_twice_is_two_layers(torch: Any) -> None:
    shared = torch.nn.Linear(3, 3)
    module = torch.nn.Sequential(shared, torch.nn.Tanh(), shared)
    net = rs.from_torch(module)
    X = drawn(20, 3)
    np.testing.assert_allclose(net(X), torch_outputs(torch, module, X), rtol=0, atol=1e-6)


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


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_export_of_today_keeps_its_weights_beside_it_and_is_read(torch: Any, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    nn = torch.nn
    module = nn.Sequential(
        *(nn.BatchNorm1d(3), nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 6), nn.ReLU6(), nn.BatchNorm1d(6)),
        *(
            nn.Dropout(0.1),
            nn.Linear(6, 5),
            nn.PReLU(5),
            nn.Linear(5, 4),
            nn.Softplus(2),
            nn.Linear(4, 2),
            nn.Softmax(1),
        ),
    ).eval()
    path = tmp_path / "module.onnx"
    torch.onnx.export(module, (torch.zeros(2, 3),), path, dynamo=True, verbose=False)
    assert (tmp_path / "module.onnx.data").exists()
    net = rs.from_onnx(path)
    ours = rs.from_torch(module)
    assert [layer.description for layer in net.layers] == [layer.description for layer in ours.layers]
    X = drawn(20, 3)
    for found in (net, ours):
        np.testing.assert_allclose(found(X), torch_outputs(torch, module, X), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (lambda optim: optim.Adam, rs.Adam()),
        (lambda optim: optim.AdamW, rs.AdamW()),
        (lambda optim: lambda p: optim.SGD(p, lr=0.1, momentum=0.9), rs.SGD(0.1, momentum=0.9)),
        (lambda optim: lambda p: optim.RMSprop(p, lr=0.001, alpha=0.9), rs.RMSprop()),
    ],
)
def test_a_training_goes_the_same_way_in_both_as_the_guide_says(
    theirs: Callable[[Any], Any], ours: Optimizer, torch: Any
) -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)).double()
    net = rs.from_torch(torch.nn.Sequential(*module, torch.nn.Softmax(dim=-1)))
    X, y = drawn(48, 4, dtype="float64"), np.arange(48) % 3
    optimizer, loss_of = theirs(torch.optim)(module.parameters()), torch.nn.CrossEntropyLoss()
    for _ in range(10):
        for rows in torch.arange(48).split(16):
            optimizer.zero_grad()
            loss_of(module(torch.from_numpy(X)[rows]), torch.from_numpy(y)[rows]).backward()
            optimizer.step()
    net.fit(X, y, optimizer=ours, epochs=10, batch_size=16, shuffle=False)
    for linear, layer in zip((module[0], module[2]), net.layers, strict=True):
        np.testing.assert_allclose(layer.W, linear.weight.detach().numpy().T, rtol=0, atol=1e-12)
        np.testing.assert_allclose(layer.b, linear.bias.detach().numpy(), rtol=0, atol=1e-12)
