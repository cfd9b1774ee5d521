"""What the parameters of an estimator ask for: an optimizer, hidden layers. And what is refused of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import fields, is_dataclass, replace
from math import inf
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from reseau.checks import boolean, integer, known, real, shown
from reseau.errors import ParameterError
from reseau.estimators.rules import ACTIVATIONS_BY_NAME
from reseau.estimators.validation import check_metric
from reseau.vocabulary.layers import Dense, Layer, Residual
from reseau.vocabulary.layers.residual import chain
from reseau.vocabulary.least_squares import LEAST_SQUARES, LevenbergMarquardt, check_method
from reseau.vocabulary.optimizers import SGD, Adam, Optimizer
from reseau.vocabulary.precisions import check_precision

if TYPE_CHECKING:
    from reseau.estimators.perceptron import Perceptron


def _sgd(model: Perceptron) -> Optimizer:
    momentum = real("momentum", model.momentum, low=0, high=1)
    return SGD(model.learning_rate_init, momentum=momentum, nesterov=bool(model.nesterovs_momentum) and momentum > 0)


def _adam(model: Perceptron) -> Optimizer:
    rate, beta_1, beta_2 = model.learning_rate_init, model.beta_1, model.beta_2
    return Adam(rate, beta_1=beta_1, beta_2=beta_2, epsilon=model.epsilon, epsilon_hat=True)


_OPTIMIZERS = {"sgd": _sgd, "adam": _adam}  # of each solver that makes steps, at its first learning rate
SOLVERS = ("lbfgs", *_OPTIMIZERS)  # scikit-learn's
# What `optimizer` says itself: these must be as they are by default.
_OF_SOLVERS = {
    "solver": "adam",
    "learning_rate": "constant",
    "learning_rate_init": 0.001,
    "power_t": 0.5,
    "momentum": 0.9,
    "nesterovs_momentum": True,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
}
RATES = ("constant", "invscaling", "adaptive")
_NESTED = ("optimizer", "loss")  # whose own parameters are reached by `optimizer__learning_rate`
HIDDEN = {name: entry for name, entry in ACTIVATIONS_BY_NAME.items() if not entry.row_wise}


def check(model: Perceptron) -> tuple[Layer, ...]:
    """Check every parameter and return the hidden layers."""
    known("activation", model.activation, HIDDEN)
    hidden = hidden_layers(model)
    known("solver", model.solver, model._solvers)
    known("learning_rate", model.learning_rate, RATES)
    real("alpha", model.alpha, low=0)
    if not (isinstance(model.batch_size, str) and model.batch_size == "auto"):
        integer("batch_size", model.batch_size, low=1, also="'auto'")
    real("learning_rate_init", model.learning_rate_init, low=0, includes_low=False)
    real("power_t", model.power_t, low=0)
    integer("max_iter", model.max_iter, low=1)
    integer("max_fun", model.max_fun, low=1)
    whole = on_all_rows(model)
    if check_precision(model.precision) is not None and whole:
        raise ParameterError(f"precision is {model.precision!r}, which {whole} has no use for; use 'adam' or 'sgd'.")
    if whole and any(layer.dropout for layer in hidden):
        raise ParameterError(f"dropout needs steps on batches, which {whole} does not make; use 'adam' or 'sgd'.")
    real("tol", model.tol, low=0)
    real("validation_fraction", model.validation_fraction, low=0, high=1, includes_high=False)
    patience: object = model.n_iter_no_change
    if not (isinstance(patience, Real) and patience == inf):
        integer("n_iter_no_change", patience, low=1, also="inf")
    for name in ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping", "masked_targets"):
        boolean(name, getattr(model, name))
    if not isinstance(model.verbose, bool | np.bool_ | Integral) or model.verbose < 0:
        raise ParameterError(f"verbose is {model.verbose!r}, but must be True, False or a whole number from 0.")
    random: object = model.random_state
    if not (
        random is None or random is np.random or isinstance(random, np.random.RandomState | bool)  # True is 1 to NumPy
    ):
        integer("random_state", random, low=0, high=2**32 - 1, also="None or a numpy.random.RandomState")
    check_metric(model.early_stopping_metric)
    for make in _OPTIMIZERS.values():  # so that the parameters of each are checked
        make(model)
    if model.optimizer is not None:
        check_method(model.optimizer)
        for name, default in _OF_SOLVERS.items():
            if getattr(model, name) != default:
                raise ParameterError(
                    f"optimizer is {shown(model.optimizer)} and {name} is {shown(getattr(model, name))}, but the "
                    f"optimizer says all of that itself; leave {name} as it is by default"
                    + (", or optimizer." if name == "solver" else ", and give the optimizer its numbers.")
                )
    return hidden


def on_all_rows(model: Any) -> str:
    """What trains on all rows at once, such as `solver='lbfgs'`; empty for what makes steps on batches."""
    optimizer = model.optimizer
    if optimizer is None:
        return f"solver={model.solver!r}" if model.solver in ("lbfgs", *LEAST_SQUARES) else ""
    is_one = isinstance(optimizer, LevenbergMarquardt) or (isinstance(optimizer, str) and optimizer in LEAST_SQUARES)
    return f"optimizer={shown(optimizer)}" if is_one else ""


def least_squares_of(model: Perceptron) -> LevenbergMarquardt | None:
    """The method of least squares, if it is one that trains the model."""
    if model.optimizer is not None:
        method = check_method(model.optimizer)
        return method if isinstance(method, LevenbergMarquardt) else None
    return LEAST_SQUARES[model.solver]() if model.solver in LEAST_SQUARES else None


def optimizer_of(model: Perceptron) -> Optimizer | None:
    """The optimizer, at its first learning rate; None for what takes all rows at once."""
    if model.optimizer is not None:
        method = check_method(model.optimizer)
        return None if isinstance(method, LevenbergMarquardt) else method
    make = _OPTIMIZERS.get(model.solver)
    return None if make is None else make(model)


def hidden_layers(model: Perceptron) -> tuple[Layer, ...]:
    """The hidden layers, one after another; `activation` is that of those with neurons that are given none."""
    sigma = HIDDEN[model.activation].name
    dropout = real("dropout", model.dropout, low=0, high=1, includes_high=False)
    given = model.hidden_layers
    if given is None:
        return tuple(Dense(n, sigma, init="glorot_uniform", dropout=dropout) for n in _sizes(model.hidden_layer_sizes))
    if _sizes(model.hidden_layer_sizes) != [100]:
        raise ParameterError(
            f"hidden_layers and hidden_layer_sizes={model.hidden_layer_sizes!r} both say what the hidden layers are; "
            "give one of them."
        )
    if dropout:
        raise ParameterError(
            f"dropout is {dropout}, which goes with hidden_layer_sizes; hidden_layers have it in each layer, such as "
            f"Dense(64, dropout={dropout})."
        )
    if isinstance(given, Layer | Residual):
        given = (given,)
    if not isinstance(given, list | tuple):
        raise ParameterError(f"hidden_layers is {shown(given)}, but must be a list of layers such as [Dense(64)].")
    for place, layer in enumerate(given):
        if not isinstance(layer, Layer | Residual):
            meant = f"Dense({layer})" if isinstance(layer, Integral) else "Dense(64)"
            raise ParameterError(f"hidden_layers[{place}] is {shown(layer)}, but must be a layer such as {meant}.")
    layers = chain(given)
    activated = [place for place, layer in enumerate(layers[1:]) if layer.activates]  # by the layer after them
    return tuple(
        layer.but(activation=sigma)
        if layer.activation is None and layer.of_neurons and place not in activated
        else layer
        for place, layer in enumerate(layers)
    )


def _sizes(sizes: Any) -> list[int]:
    """The neurons of each layer of `hidden_layer_sizes`."""
    if isinstance(sizes, np.ndarray):
        sizes = sizes.tolist()
    if isinstance(sizes, Iterable) and not isinstance(sizes, str | bytes | Iterator | Mapping | Set):
        return [integer("hidden_layer_sizes", n, low=1, also="a tuple of such") for n in sizes]
    return [integer("hidden_layer_sizes", sizes, low=1, also="a tuple of such")]


def asked(model: Perceptron) -> str:
    """What says which hidden layers there are, for messages."""
    if model.hidden_layers is None:
        return f"hidden_layer_sizes={model.hidden_layer_sizes!r}"
    return f"hidden_layers={shown(model.hidden_layers)}"


# --- parameters within parameters -------------------------------------------------------------------------------------


def _is_nested(value: object) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def nested(name: str, value: Any) -> dict[str, Any]:
    """The parameters of a parameter by what scikit-learn calls them: `optimizer__learning_rate`."""
    if not _is_nested(value):
        return {}
    found = {f"{name}__{field.name}": getattr(value, field.name) for field in fields(value) if field.init}
    return found | {key: one for inner, part in found.items() for key, one in nested(inner, part).items()}


def all_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with those within them."""
    return {**parameters, **{key: one for name in _NESTED for key, one in nested(name, parameters.get(name)).items()}}


def with_nested(parameters: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes of parameters, in which those within the parameters have become changes of these."""
    own = {key: value for key, value in changes.items() if key.partition("__")[0] not in _NESTED or "__" not in key}
    for name in _NESTED:
        inner = {key.partition("__")[2]: value for key, value in changes.items() if key.startswith(f"{name}__")}
        if inner and name in parameters:  # a derived class may have no such parameter
            value = own.get(name, parameters[name])
            value = check_method(value) if name == "optimizer" and isinstance(value, str) else value
            own[name] = _changed(name, value, inner)
        elif inner:
            own.update({f"{name}__{key}": value for key, value in inner.items()})
    return own


def _changed(name: str, value: Any, changes: Mapping[str, Any]) -> Any:
    """A parameter with other parameters."""
    there = [field.name for field in fields(value) if field.init] if _is_nested(value) else []
    direct: dict[str, Any] = {}
    deeper: dict[str, dict[str, Any]] = {}
    for key, new in changes.items():
        first, _, rest = key.partition("__")
        if first not in there:
            has = f"has {', '.join(there)}" if there else "has no parameters"
            raise ParameterError(f"{name}__{key} cannot be set: {name} is {shown(value)}, which {has}.")
        if rest:
            deeper.setdefault(first, {})[rest] = new
        else:
            direct[first] = new
    for first, inner in deeper.items():
        direct[first] = _changed(f"{name}__{first}", direct.get(first, getattr(value, first)), inner)
    return replace(value, **direct)
