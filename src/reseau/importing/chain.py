"""A chain of layers as it is met elsewhere: layers, what scales columns, and what activations compute.

An activation is recognised by what it computes, not by its name: GELU is one module in one place, six nodes in another.
Whatever stands between two layers is applied to one small matrix of numbers, and must give there what an entry of
`reseau.vocabulary.activations.ACTIVATIONS` gives, up to the rounding of float32. Some functions that are no entries
are entries with other weights around them, exactly: what clips, leaky ReLUs of any slope, what is sharper (see `read`).

What multiplies each column by a number and adds one (scalers, batch normalisation) becomes part of a layer: of the one
before, σ((x W + b)·k + c) = σ(x kW + kb + c), or of the one behind, (a·k + c) V + b = a kV + (cV + b). So does what
follows a layer normalisation; a parametric ReLU and a residual link end a layer as an activation does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from reseau.checks import DTYPES
from reseau.errors import ParameterError, ReseauError
from reseau.names import ActivationName, InitializerName
from reseau.network import Network
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.layers import Dense, Dropout, Layer, LayerNorm, PReLU
from reseau.vocabulary.losses import LOSSES, NamedLoss, check_loss, loss_of

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

# A few roundings of float32, in which other libraries may compute, of numbers like z and σ(z). The nearest two entries
# of the table, the forms of GELU, are a hundred times as far apart.
TOLERANCE = 4e-6
NEAR = 30.0  # within which everything must be finite; beyond, a form that overflows is no other function

FARTHEST = 2.0**26  # what may be taken off an input, in units of what is left: half of float64's digits
NEAREST = 1.0  # the same in float32: one bit


def _probe() -> Floats:
    """Numbers on both sides of zero and of every kink, near and far, four in each row; all of them in float32."""
    near = np.linspace(-12, 12, 385)  # sixteenths
    far = np.concatenate([np.linspace(12.5, NEAR, 36), np.geomspace(40, 1e4, 12)])
    small = np.geomspace(1e-6, 1e-2, 13)
    z = np.concatenate([near, far, -far, small, -small])
    z = np.append(z, np.zeros(-len(z) % 4))
    z = np.random.default_rng(0).permutation(z)  # so that a row has small and large ones
    some = z[np.abs(z) <= 12][:32]
    z = np.concatenate([z, -np.abs(some), np.abs(some)])  # so that a row may have one sign
    return z.reshape(-1, 4).astype(np.float32).astype(np.float64)


PROBE = _probe()


@cache
def _values() -> dict[str, Floats]:
    with np.errstate(over="ignore"):
        return {name: entry.value(PROBE) for name, entry in ACTIVATIONS.items()}


def _agree(value: Floats, expected: Floats) -> bool:
    with np.errstate(invalid="ignore", over="ignore"):
        close = np.abs(value - expected) <= TOLERANCE * (1 + np.abs(PROBE) + np.abs(expected))
    return bool((close | ~np.isfinite(value) | ~np.isfinite(expected)).all())


def _of_probe(value: Array) -> Floats | None:
    """The value if it has the form of one at `PROBE`."""
    value = np.asarray(value, dtype=np.float64)
    if value.shape != PROBE.shape or not np.isfinite(value[np.abs(PROBE) <= NEAR]).all():
        return None
    return value


def recognise(value: Array) -> str | None:
    """The name of the activation that takes this value at `PROBE`, or None."""
    found = _of_probe(value)
    if found is None:
        return None
    return next((name for name, expected in _values().items() if _agree(found, expected)), None)


def takes(function: Callable[[Floats], Array], value: Array) -> bool:
    """Whether a function takes this value at `PROBE`."""
    found = _of_probe(value)
    return found is not None and _agree(found, np.asarray(function(PROBE)))


def is_line(value: Array) -> bool:
    """Whether this value at `PROBE` is the numbers themselves, to which nothing was applied."""
    return takes(lambda z: z, value)


@dataclass(frozen=True)
class Affine:
    """x ↦ x·scale + shift, of every column alike (numbers) or of each (vectors)."""

    scale: Any = 1.0
    shift: Any = 0.0

    def then(self, other: Affine) -> Affine:
        """First this one, then another."""
        return Affine(self.scale * other.scale, self.shift * other.scale + other.shift)

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        return bool(np.all(self.scale == 1) and np.all(self.shift == 0))


@dataclass(frozen=True)
class Reading:
    """A function as an activation with weights around it: `after`(σ(`before`(z))), or σ(z) − slope·σ(−z)."""

    activation: str
    before: Affine = Affine()
    after: Affine = Affine()
    slope: Any = None

    @property
    def is_plain(self) -> bool:
        """Whether it is the activation alone."""
        return self.slope is None and self.before.is_identity and self.after.is_identity


# How sharp σ(kz)/k is: k, by the value at a z.
_SHARPNESS: dict[str, tuple[float, Callable[[float], float]]] = {
    "softplus": (0.0, lambda value: np.log(2) / value),
    "elu": (-1e4, lambda value: -1 / value),  # CELU
    "silu": (1.0, lambda value: np.log(value / (1 - value))),  # z φ(kz)
}


def read(value: Array) -> Reading | None:
    """Read what takes this value at `PROBE`, or None: an entry of the table, or one with other weights around it.

    A leaky ReLU with the slope λ is max(0, z) − λ max(0, −z). Softplus, ELU and SiLU are as sharp as one likes,
    σ(kz)/k. A clip of kz + c to [low, high] is a hard sigmoid, which clips z/6 + ½ to [0, 1], times (high − low).
    """
    name = recognise(value)
    if name is not None:
        return Reading(name)
    found = _of_probe(value)
    if found is None:
        return None
    slope = _slope_below_zero(value)
    if slope is not None:
        return Reading("relu", slope=slope)
    with np.errstate(all="ignore"):
        for name, (z, sharpness) in _SHARPNESS.items():
            k = float(sharpness(np.float64(_at(found, z))))
            if np.isfinite(k) and k != 0 and _agree(found, ACTIVATIONS[name].value(k * PROBE) / k):
                return Reading(name, Affine(k), Affine(1 / k))
    return _clip(found)


def _at(found: Floats, z: float) -> float:
    return float(found[z == PROBE][0])


def _slope_below_zero(value: Array) -> float | None:
    """Read λ of max(0, z) + λ min(0, z), what takes this value at `PROBE`; None of what is no such function."""
    found = _of_probe(value)
    if found is None:
        return None
    slope = -_at(found, -1.0)
    return slope if _agree(found, np.where(PROBE > 0, PROBE, slope * PROBE)) else None


def _clip(found: Floats) -> Reading | None:
    low, high = float(found.min()), float(found.max())
    inside = (found > low) & (found < high)
    if min(inside.sum(), (found == low).sum(), (found == high).sum()) < 2:  # a line has its ends at one point each
        return None
    z, a = PROBE[inside], found[inside]
    first, last = z.argmin(), z.argmax()
    k = (a[last] - a[first]) / (z[last] - z[first])
    c = a[first] - k * z[first]
    if not _agree(found, np.clip(k * PROBE + c, low, high)):
        return None
    width = high - low
    return Reading("hard_sigmoid", Affine(6 * k / width, 6 * (c - low) / width - 3), Affine(width, low))


def default_loss(activation: str) -> NamedLoss:
    """The loss that goes with an output's activation; the squared error where there is none."""
    for loss in LOSSES.values():
        if loss.simplifies_with == activation or (loss.distribution and loss.takes(ACTIVATIONS[activation])):
            return check_loss(loss)
    return "squared_error"


@dataclass
class _Layer:
    """A layer as it grows: in its source's precision, and in float64 once something became part of it.

    Attributes
    ----------
    made : function
        Of the activation, whether something is added, and the residual link; gives the layer.
    W, b : ndarray or None
        What it multiplies by and what it adds: W (n_in, n_out) and b (n_out,), γ and β, or slopes.
    activation : str
        "" as long as it is not settled.
    residual : int
        Over how many layers a link leads that ends here.
    """

    made: Callable[..., Layer]
    W: Array | None
    b: Array | None = None
    activation: str = ""
    residual: int = 0

    @property
    def is_dense(self) -> bool:
        """Whether it has a matrix of weights."""
        return self.W is not None and self.W.ndim == 2

    def then(self, affine: Affine) -> None:
        """Let z become z·scale + shift."""
        assert self.W is not None
        if np.any(affine.scale != 1):
            with np.errstate(over="ignore"):  # what is beyond the numbers is refused in the end
                self.W = self.W.astype(np.float64) * affine.scale
                self.b = None if self.b is None else self.b.astype(np.float64) * affine.scale
        if self.b is not None:
            self.b = self.b.astype(np.float64) + affine.shift
        elif np.ndim(affine.shift) or affine.shift:
            n = np.broadcast_shapes(self.W.shape[-1:], np.shape(affine.shift))
            self.b = np.broadcast_to(np.asarray(affine.shift, np.float64), n)


def _dense(
    width: int, activation: ActivationName, bias: bool, residual: int, init: InitializerName | None = None
) -> Layer:
    return Dense(width, activation, bias=bias, init=init, residual=residual)


def _norm(
    epsilon: float, activation: ActivationName, bias: bool, residual: int, init: InitializerName | None = None
) -> Layer:
    return LayerNorm(activation, bias=bias, epsilon=epsilon, residual=residual)


def _prelu(activation: ActivationName, bias: bool, residual: int, init: str | None = None) -> Layer:
    return PReLU(residual=residual)


def _nothing(activation: ActivationName, bias: bool, residual: int, init: str | None = None) -> Layer:
    return Dropout(0.0, residual=residual)


class Chain:
    """Layers as they come, each with the activations that follow it.

    Parameters
    ----------
    source : str
        What the layers come from, for messages: "the module".
    error : type
        Of the errors raised.
    way_out : str
        What else to do with inputs so far from zero that taking them nearer cannot become part of a layer.
    """

    def __init__(
        self,
        source: str,
        error: type[ReseauError] = ParameterError,
        *,
        way_out: str = "scale the inputs before they are given to the network",
    ) -> None:
        self._source = source
        self._error = error
        self._way_out = way_out
        self._dtype: np.dtype[Any] | None = None  # of all numbers
        self._wide = False  # whether the network must compute in float64 all the same
        self._layers: list[_Layer] = []
        self._widths: list[int | None] = [
            None
        ]  # of the inputs and of what each layer gives; None where it is not known
        self._value: Array = PROBE  # of what was applied since the last layer
        self._since: list[str] = []  # what that was
        # What stands between the last activation and the next layer.
        self._between = Affine()
        self._slope: Any = None
        self._scaled: str | None = None  # what does so, if it is not the activation itself

    @property
    def width(self) -> int | None:
        """How many columns there are now; None where nothing has told yet."""
        return self._widths[-1]

    @property
    def is_scaled(self) -> bool:
        """Whether something waits to become part of the next layer."""
        return self._slope is not None or not self._between.is_identity

    @property
    def has_ended(self) -> bool:
        """Whether what comes now, if anything, is another layer."""
        return is_line(self._value) and (not self._layers or bool(self._layers[-1].activation))

    def apply(self, function: Callable[[Floats], Array], what: str) -> None:
        """Apply a function to what the layer so far gives; `what` is it and its place, for messages."""
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(function(np.asarray(self._value, np.float64)), dtype=np.float64)
        except Exception as error:  # whatever another library raises on a matrix
            raise self._error(f"{what} cannot be applied to a matrix of numbers: {error}") from error
        self.applied(value, [*self._since, what])

    def applied(self, value: Array, since: list[str]) -> None:
        """Say at once all that was applied since the last layer: its value at `PROBE`, and what it was."""
        if self._layers and self._layers[-1].activation:
            if is_line(value):
                return
            slope = _slope_below_zero(value)
            if slope is not None and not self.is_scaled:
                self._append_prelu(np.array([slope], self._dtype or DTYPES[0]), since[-1])
                return
            if self.is_scaled:
                raise self._error(
                    f"{since[-1]} follows {self._scaled}, which follows an activation and becomes part of a layer; a "
                    "layer must come between."
                )
            raise self._error(
                f"{since[-1]} follows a parametric ReLU, or stands where a residual link begins or ends; Réseau has no "
                "activation there but a ReLU of any slope, so that a layer must come between."
            )
        self._value, self._since = value, since

    def affine(self, affine: Affine, what: str) -> None:
        """Multiply each column by a number and add one; of vectors, (n,), each for its own column."""
        for vector in (affine.scale, affine.shift):
            if not np.isfinite(vector).all():
                raise self._error(f"{what} has numbers that are not finite.")
            if np.ndim(vector) and self.width is not None and np.shape(vector) != (self.width,):
                raise self._error(f"{what} is for {np.size(vector)} columns, but the layer before gives {self.width}.")
        if self._layers and not self._layers[-1].activation and is_line(self._value):
            self._layers[-1].then(affine)
            for vector in (affine.scale, affine.shift):
                if np.ndim(vector):
                    self._learn_width(np.size(vector))
            return
        if affine.is_identity:
            return
        self._close()
        lengths = {np.size(vector) for vector in (self._between.scale, affine.scale, affine.shift) if np.ndim(vector)}
        if len(lengths) > 1:
            raise self._error(f"{what} is for {np.size(affine.scale)} columns, but what comes before it is for others.")
        self._between, self._scaled = self._between.then(affine), what

    def prelu(self, slopes: Array, what: str) -> None:
        """Append a parametric ReLU: one number, the slope of all neurons, or (n,), that of each."""
        if slopes.ndim != 1 or slopes.size not in (1, self.width or slopes.size):
            raise self._error(f"{what} has slopes of shape {slopes.shape}, but must have one, or one for each neuron.")
        self._plain(what)
        self._append_prelu(slopes, what)

    def norm(self, gamma: Array | None, beta: Array | None, epsilon: float, what: str) -> None:
        """Append a layer normalisation: γ and β (n,), or None for ones and for nothing added."""
        self._plain(what)
        for vector in (gamma, beta):
            if vector is not None and (vector.ndim != 1 or vector.size != (self.width or vector.size)):
                n = "one for each number" if self.width is None else self.width
                raise self._error(f"{what} has numbers of shape {vector.shape}, but must have {n}.")
        if self.width == 1 or any(vector is not None and vector.size == 1 for vector in (gamma, beta)):
            raise self._error(f"{what} stands on a single number, of which x − μ is 0 whatever it is.")
        if not epsilon > 0:
            raise self._error(f"{what} has epsilon={epsilon!r}, but Réseau's has to be above 0.")
        self._check([vector for vector in (gamma, beta) if vector is not None], what)
        n = next((vector.size for vector in (gamma, beta) if vector is not None), self.width or 1)
        self._append(_Layer(partial(_norm, epsilon), np.ones(n, self._dtype) if gamma is None else gamma, beta))

    def mark(self, what: str) -> int:
        """End the layer so far, from which a residual link may lead; returns how many layers there are."""
        self._plain(what)
        return len(self._layers)

    def link(self, mark: int, what: str) -> None:
        """Add what came out at a mark."""
        self._plain(what)
        there, here = self._widths[mark], self.width
        if there != here:
            raise self._error(f"{what} adds {there} numbers to {here}, but a residual link adds as many.")
        if mark == len(self._layers) or self._layers[-1].residual:
            self._append(_Layer(_nothing, None, activation="identity"))
        self._layers[-1].residual = len(self._layers) - mark

    def _plain(self, what: str) -> None:
        """End the layer so far with nothing that would have to become part of the next one."""
        self._close(whole=True)
        if self.is_scaled:
            raise self._error(
                f"{what} follows {self._scaled or 'a scaled activation'}, which would have to become part of a dense "
                "layer; one must come between."
            )

    def _append(self, layer: _Layer) -> None:
        """Append a layer that keeps the width."""
        if layer.W is not None and layer.W.size > 1:
            self._learn_width(layer.W.size)
        self._layers.append(layer)
        self._widths.append(self.width)

    def _append_prelu(self, slopes: Array, what: str) -> None:
        self._check([slopes], what)
        self._append(_Layer(_prelu, slopes, activation="identity"))

    def _learn_width(self, width: int) -> None:
        """Know how wide everything is that had no width of its own."""
        self._widths = [width if known is None else known for known in self._widths]

    def against_zero(self, first: bool) -> None:
        """Give the last layer's one neuron a neighbour whose z is 0, the first or the second of the two."""
        layer = self._layers[-1]
        assert layer.W is not None  # of a dense layer: one number is what no other gives
        b = np.zeros(1) if layer.b is None else layer.b
        side = (1, 0) if first else (0, 1)
        layer.W, layer.b = np.pad(layer.W, ((0, 0), side)), np.pad(b, side)
        layer.made = partial(_dense, 2)
        self._widths[-1] = 2

    def linear(self, W: Array, b: Array | None, what: str) -> None:
        """Begin a layer: weights (n_in, n_out) and biases (n_out,)."""
        self._close()
        if W.ndim != 2 or 0 in W.shape:
            raise self._error(f"{what} has weights of shape {W.shape}, but must have a matrix of them.")
        if self.width not in (None, W.shape[0]):
            raise self._error(f"{what} takes {W.shape[0]} inputs, but the layer before gives {self.width}.")
        self._check([W] if b is None else [W, b], what)
        if b is not None and b.shape != (W.shape[1],):
            raise self._error(f"{what} has biases of shape {b.shape}, but must have {W.shape[1]}.")
        self._learn_width(W.shape[0])
        if not self.is_scaled:
            self._layers.append(_Layer(partial(_dense, W.shape[1]), W, b))
        else:
            self._layers.append(self._joined(W, b, what))
        self._between, self._slope, self._scaled = Affine(), None, None
        self._widths.append(W.shape[1])

    def _check(self, arrays: list[Array], what: str) -> None:
        """Refuse numbers of another precision than those before, and such as are not finite."""
        for place, array in enumerate(arrays):
            self._dtype = self._dtype or array.dtype
            if array.dtype.name not in DTYPES:
                raise self._error(
                    f"{what} holds {array.dtype}, but Réseau computes in {' or '.join(DTYPES)}; convert "
                    f"{self._source} first."
                )
            if array.dtype != self._dtype:
                raise self._error(
                    f"{what} holds {array.dtype} where the first layer holds {self._dtype}; convert {self._source} to "
                    "one of them first."
                )
            if not np.isfinite(array).all():
                odd = array[~np.isfinite(array)][0]
                raise self._error(
                    f"{what} holds {odd} among its {'biases' if place else 'weights'}, with which there is "
                    "nothing to predict; take the model from before its training went wrong."
                )

    def _joined(self, W: Array, b: Array | None, what: str) -> _Layer:
        """A layer with what stands before it: (a·k + c) V + b = a kV + (cV + b), and twice for a leaky ReLU."""
        V = W.astype(np.float64)
        for vector in (self._between.scale, self._between.shift):
            if np.ndim(vector) and len(vector) != len(V):
                raise self._error(f"{what} takes {len(V)} inputs, but {self._scaled} is for {len(vector)} columns.")
        shift = np.broadcast_to(self._between.shift, len(V))
        if not self._layers:
            self._keep_digits(shift)
        if shift.any():
            with np.errstate(over="ignore", invalid="ignore"):
                b = shift @ V + (0 if b is None else b)
        with np.errstate(over="ignore", invalid="ignore"):
            V = np.reshape(self._between.scale, (-1, 1)) * V
        if self._slope is not None:
            V = np.vstack([V, -np.reshape(self._slope, (-1, 1)) * V])
        return _Layer(partial(_dense, W.shape[1]), V, b)

    def _keep_digits(self, shift: Floats) -> None:
        """Choose the precision in which x·k + c loses nothing that counts, where x·k is about as large as c."""
        far = np.abs(shift)
        if far.max() > FARTHEST:
            raise self._error(
                f"{self._scaled} takes off {far.max():.3g} times what it then divides by in column {far.argmax()}; as "
                f"part of a layer that would lose digits, so {self._way_out}."
            )
        if far.max() > NEAREST:
            self._wide = True

    def _close(self, last: bool = False, whole: bool = False) -> None:
        """Settle what the last layer's activation is; of a `whole` layer no weights of the next one can be part."""
        reading = read(self._value)
        plain_only = last or not self._layers or (whole and (reading is None or reading.slope is None))
        if reading is None or (plain_only and not reading.is_plain) or (not self._layers and reading != _IDENTITY):
            after = f"after layer {len(self._layers)}" if self._layers else "before the first layer"
            raise self._error(
                f"{', then '.join(self._since)}, {after} of {self._source}, "
                + (
                    f"computes none of the activations that Réseau has: {', '.join(ACTIVATIONS)}; train "
                    f"{self._source} with one of them."
                    if self._layers
                    else "changes the inputs; leave it out, and give the network inputs so changed."
                )
            )
        if self._layers and not self._layers[-1].activation:
            self._take(reading, whole)
        self._value, self._since = PROBE, []

    def _take(self, reading: Reading, whole: bool) -> None:
        layer = self._layers[-1]
        if reading.slope is not None and (whole or not layer.is_dense):
            layer.activation = "identity"
            self._append_prelu(np.array([reading.slope], self._dtype or DTYPES[0]), self._since[-1])
            return
        layer.then(reading.before)
        layer.activation = reading.activation
        self._between, self._slope = reading.after, reading.slope
        if reading.slope is not None:
            assert layer.W is not None
            layer.W = np.hstack([layer.W, -layer.W])
            layer.b = None if layer.b is None else np.concatenate([layer.b, -layer.b])
            layer.made = partial(_dense, layer.W.shape[1])

    def network(
        self,
        loss: NamedLoss | None = None,
        *,
        trained_with: NamedLoss | None = None,
        dtype: str | None = None,
        init: str | None = None,
        inputs: int | None = None,
        inputs_dtype: str = DTYPES[0],
    ) -> Network:
        """The network.

        Parameters
        ----------
        loss : str, loss or None
            None takes the one that it was trained with, if that goes with the output, or else the one that suits it.
        trained_with : str, loss or None
            What a file says of it.
        dtype : str or None
            None takes that of the weights, or float64 where inputs are far from zero.
        init : str or None
            Of the layers, for training them afresh.
        inputs : int or None
            How many inputs there are, where no layer tells.
        inputs_dtype : str
            Their precision, which counts where no layer has numbers.
        """
        if not self._layers:
            raise self._error(f"There is no layer in {self._source}.")
        self._close(last=True)
        if self._scaled is not None:
            raise self._error(
                f"{self._scaled} changes what the last activation gives, which would have to become part of a layer "
                "after it; there is none."
            )
        inputs = self._widths[0] or inputs
        if inputs is None:
            raise self._error(f"No layer of {self._source} tells how many inputs there are; put a dense layer in.")
        layers = [self._described(place, layer, init) for place, layer in enumerate(self._layers, start=1)]
        output = layers[-1].range_like
        if loss is None and trained_with is not None and loss_of(trained_with).takes(output):
            loss = trained_with
        net = Network(
            *layers,
            loss=default_loss(output.name) if loss is None else loss,
            inputs=inputs,
            dtype=np.dtype(dtype or ("float64" if self._wide else str(self._dtype or inputs_dtype))),
            seed=0,  # what it draws is replaced
        )
        with np.errstate(over="ignore"):
            for view, layer in zip(net.layers, self._layers, strict=True):
                for letter, values in zip(view.description.letters, (layer.W, layer.b), strict=False):
                    if values is not None:
                        view.tensors[letter][...] = values
        if not np.isfinite(net.parameters).all():
            raise self._error(
                f"The columns of {self._source} are scaled by numbers beyond {net.dtype}; scale its inputs before."
            )
        return net

    def _described(self, place: int, layer: _Layer, init: str | None) -> Layer:
        try:
            return layer.made(layer.activation, bias=layer.b is not None, residual=layer.residual, init=init)
        except ParameterError as error:  # a softmax of one number
            raise self._error(f"Layer {place} of {self._source} is none that Réseau has: {error}") from None


_IDENTITY = Reading("identity")
