"""PyTorch, eager and compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cases import LEARNING_RATES, MOMENTUM, Case, Problem

from peers.peer import Peer, Setting

if TYPE_CHECKING:
    import torch


def model(case: Case, problem: Problem) -> torch.nn.Sequential:
    """The case's layers up to the last one's scores, with its weights."""
    import torch

    activation = {
        "relu": torch.nn.ReLU,
        "tanh": torch.nn.Tanh,
        "sigmoid": torch.nn.Sigmoid,
        "gelu": torch.nn.GELU,
    }[case.activation]
    modules: list[torch.nn.Module] = []
    for W, b in problem.weights:
        linear = torch.nn.Linear(*W.shape, dtype=getattr(torch, case.dtype))
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W.T))
            linear.bias.copy_(torch.from_numpy(b))
        modules += [linear, activation()]
    return torch.nn.Sequential(*modules[:-1])


class PyTorch(Peer):
    """Fused optimizers on batches that are views of one tensor; `inference_mode`."""

    name = "PyTorch"
    packages = ("torch",)

    def settings(self, processors: int) -> list[Setting]:
        threads = [setting.threads for setting in super().settings(processors)]
        return [Setting(count, way) for way in ("eager", "compiled") for count in threads]

    def lacks(self, case: Case) -> str | None:
        return None

    @contextmanager
    def using(self, setting: Setting) -> Iterator[None]:
        import torch

        torch.set_num_threads(setting.threads)
        yield

    def forget(self) -> None:
        import torch

        torch.compiler.reset()

    def trainer(self, case: Case, problem: Problem, setting: Setting) -> Callable[[int], float]:
        import torch

        net = model(case, problem)
        gamma = LEARNING_RATES[case.optimizer]
        optimizer: torch.optim.Optimizer
        if case.optimizer == "adam":
            optimizer = torch.optim.Adam(net.parameters(), lr=gamma, fused=True)
        else:
            optimizer = torch.optim.SGD(net.parameters(), lr=gamma, momentum=MOMENTUM, fused=True)
        cross_entropy = torch.nn.CrossEntropyLoss()

        def error(X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            scores = net(X)
            if case.output == "softmax":
                E: torch.Tensor = cross_entropy(scores, y)
                return E
            return 0.5 * (scores - y).square().sum(dim=1).mean()

        step = torch.compile(error, dynamic=False) if setting.way == "compiled" else error
        X_batches, y_batches = (torch.from_numpy(part).split(case.batch) for part in (problem.X, problem.y))
        batches = list(zip(X_batches, y_batches, strict=True))

        def epochs(count: int) -> float:
            for _ in range(count):
                losses = []
                for X, y in batches:
                    optimizer.zero_grad(set_to_none=True)
                    E = step(X, y)
                    E.backward()
                    optimizer.step()
                    losses.append(E.detach())
            return float(torch.stack(losses).mean())

        return epochs

    def predictor(self, case: Case, problem: Problem, setting: Setting) -> Callable[[], Any]:
        import torch

        net = model(case, problem)
        if case.output == "softmax":
            net.append(torch.nn.Softmax(dim=1))
        forward = torch.compile(net.eval(), dynamic=False) if setting.way == "compiled" else net.eval()
        X = torch.from_numpy(problem.X)

        def predict() -> torch.Tensor:
            with torch.inference_mode():
                return forward(X)

        return predict
