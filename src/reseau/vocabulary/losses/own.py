"""A loss of one's own: a Python function of outputs and targets, around which an engine goes forward and back."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, isnan
from typing import Any, ClassVar, TypeAlias

import numpy as np

from reseau.arrays import Array, ArrayLike, FloatArray
from reseau.checks import shown
from reseau.errors import ParameterError, ReseauError
from reseau.formulas.trees import Symbol
from reseau.formulas.words import Words
from reseau.vocabulary.activations import Activation
from reseau.vocabulary.losses.loss import Loss

LossFunction: TypeAlias = Callable[[FloatArray, FloatArray], tuple[ArrayLike, ArrayLike]]  # see OwnLoss
_ROWS, _OUTPUTS = 8, 8  # of which derivatives are compared, at most


class OwnLoss(Loss):
    """A loss that a Python function computes; `Network(..., loss=f)` makes it of a function `f`.

    For each batch, of training as of the calls of `errors` and `value_and_gradient`, the function is called once, with
    all rows of the batch: E is what it returns, averaged over the rows. It may look at several rows at once, and then
    returns the derivative of the sum of all values.

    Parameters
    ----------
    function : callable
        (O, T) -> (value, derivative). O are the outputs, an array (rows, outputs) in the network's dtype, and T the
        targets, an array (rows, columns) with as many columns as y has. The value is one number a row, (rows,), or one
        for each output, (rows, outputs), whose sum over the outputs is the row's; the derivative is ∂value/∂O, (rows,
        outputs). Both arrays are the function's to keep or change.

    Attributes
    ----------
    function : callable or None
        The same; None in a network that comes from a file, which keeps no function.

    Raises
    ------
    ParameterError
        For what cannot be called, and when it is used: for what is no such pair, and for a derivative that is not that
        of the value. That is looked at before the first use, by differences of the value on up to 8 rows of targets
        with outputs as the last layer could give them; at a kink, or a jump, whatever lies between the slopes on both
        sides will do.

    Notes
    -----
    With `masked_targets`, the function finds NaN for a missing target. If it returns a value for each output, and y has
    a column for each, value and derivative count nothing there; with one value a row it has to see to that itself.

    An exception that the function raises ends the fit and reaches the caller, with the parameters of the last complete
    epoch. A batch whose outputs are no longer finite is not shown to it. In `fit_many` it is called in the thread that
    trains the network, at times in several at once. In a checkpoint it goes by its name.

    Examples
    --------
    A forecast that is too low costs three times as much as one that is too high:

    >>> import numpy as np
    >>> import reseau as rs
    >>> def cost(O, T):
    ...     factor = np.where(O < T, 3.0, 1.0)
    ...     return factor * (O - T) ** 2, 2 * factor * (O - T)
    >>> net = rs.Network(rs.Dense(1), loss=cost, inputs=1, dtype="float64", seed=0)
    >>> net.parameters[...] = [1.0, 0.0]
    >>> net.errors([[1.0], [1.0]], [0.0, 2.0])
    array([[1.],
           [3.]])
    >>> net.gradient([[1.0], [1.0]], [0.0, 2.0])
    [(array([[-2.]]), array([-2.]))]
    """

    name = "own"
    words: ClassVar[Words] = Words("loss of one's own", "erreur à soi")
    source = "the user"
    formula: Symbol = Symbol("e", index=("j",))  # nothing is known of it, nor of its derivative
    derivative_formula: Symbol = formula
    own = True
    function: LossFunction | None
    _checked: bool

    def __init__(self, function: LossFunction | None) -> None:
        given: object = function
        if given is not None and (not callable(given) or isinstance(given, type)):
            raise ParameterError(
                f"loss is OwnLoss({shown(given)}), but must be made of a function of outputs and targets."
            )
        self.function = function
        self._checked = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OwnLoss) and self.function is other.function

    def __hash__(self) -> int:
        return id(self.function)

    def __repr__(self) -> str:
        return f"OwnLoss({self.called})"

    @property
    def called(self) -> str:
        """What the function is called, by which a checkpoint knows it."""
        if self.function is None:
            return "None"
        return str(getattr(self.function, "__qualname__", type(self.function).__qualname__))

    @property
    def is_plain(self) -> bool:
        """No name alone stands for it."""
        return False

    def numbers(self) -> dict[str, Any]:
        """None: files keep its name alone."""
        return {}

    def least(self, T: Array) -> Array:
        """None that is known, and so taken for 0."""
        return np.zeros_like(T)

    def value(self, O: Array, T: Array) -> Array:
        """The errors as `evaluate` gives them."""
        return self.evaluate(O, T)[0]

    def derivative(self, O: Array, T: Array) -> Array:
        """∂E/∂O as `evaluate` gives it."""
        return self.evaluate(O, T)[1]

    def evaluate(self, O: Array, T: Array, output_weights: Array | None = None) -> tuple[FloatArray, FloatArray]:
        """The errors, (rows, outputs) or (rows, 1) if there is one for each row; and ∂E/∂O, (rows, outputs).

        Nothing counts where a target is missing, if each output has its own, or an output has no weight. Outputs that
        are not finite are not shown to the function, and have errors that are not. What overflows in the
        function, engines do not let NumPy say.
        """
        if not isfinite(O.sum()) and not np.isfinite(O).all():  # the sum alone may overflow
            return np.full_like(O, np.nan), np.full_like(O, np.nan)
        T_of_each = T if T.shape == O.shape else None
        e, G = self._call(np.array(O), np.array(T))
        of_each = e.shape == O.shape
        if of_each and T_of_each is not None and isnan(T_of_each.min()):
            there = ~np.isnan(T_of_each)
            e, G = np.where(there, e, 0), np.where(there, G, 0)
        elif isnan(e.min(initial=0)):
            self._check_missing(e, T)
        if output_weights is not None:
            if not of_each:
                raise ParameterError(
                    f"output_weights needs the value of each output, but loss={self} returns one of each row; let it "
                    f"return values of shape (rows, {O.shape[1]}), or weigh them itself."
                )
            c = output_weights.astype(O.dtype)
            e, G = np.where(c > 0, c * e, 0), np.where(c > 0, c * G, 0)
        return e.astype(O.dtype, copy=False), G.astype(O.dtype, copy=False)

    def _check_missing(self, e: FloatArray, T: FloatArray) -> None:
        """Refuse values that are NaN as a target is missing, for which the function has not seen to it."""
        wrong = np.isnan(e).any(axis=1) & np.isnan(T).any(axis=1)
        if wrong.any():
            raise ParameterError(
                f"loss={self} returned nan as the value of a row of which a target is missing (NaN). Let it count "
                "nothing there, such as with numpy.where(numpy.isnan(T), 0, ...), in value and derivative; or let it "
                "return a value for each output, with which it needs not."
            )

    def _call(self, O: FloatArray, T: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What the function returns, if it is a pair of arrays of the right shapes."""
        if self.function is None:
            raise ReseauError(
                "The network comes from a file and has a loss of one's own, whose function no file keeps; give it "
                "again, as in net.loss = f."
            )
        shape = O.shape
        answer: object = self.function(O, T)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise ParameterError(
                f"loss={self} returned {_what(answer)}, but must return a pair: the value of each row or output, and "
                "its derivative by the outputs."
            )
        value, derivative = (
            _array(part, self, what) for part, what in zip(answer, ("value", "derivative"), strict=True)
        )
        if value.shape not in (shape, shape[:1], (shape[0], 1)):
            raise ParameterError(
                f"loss={self} returned values of shape {value.shape}, but must return one for each row, {shape[:1]}, "
                f"or for each output, {shape}; they are averaged over the rows afterwards."
            )
        if derivative.shape != shape:
            raise ParameterError(
                f"loss={self} returned a derivative of shape {derivative.shape}, but must return one for each output, "
                f"{shape}."
            )
        return value.reshape(shape[0], -1), derivative

    def check(self, sigma: Activation, outputs: int, T: FloatArray) -> None:
        """Refuse a function that is not there, or whose derivative is not that of its value; look before the first use.

        `T` are some targets, and `sigma` is the activation of so many outputs.
        """
        if self._checked:
            return
        rng = np.random.default_rng(0)
        T = T[:_ROWS].astype(np.float64)
        O = np.asarray(sigma.value(rng.normal(size=(len(T), outputs))))
        with np.errstate(all="ignore"):
            self._compare(O, T)
        self._checked = True

    def _compare(self, O: FloatArray, T: FloatArray) -> None:
        e, G = self.evaluate(O, T)
        E, precision = float(e.sum()), self._precision(O, T)
        h = np.cbrt(precision) * np.maximum(1, np.abs(O))
        for place in np.ndindex(len(O), min(O.shape[1], _OUTPUTS)):
            beside = []
            for step in (-h[place], h[place]):
                moved = O.copy()
                moved[place] += step
                beside.append(float(self.value(moved, T).sum()))
            below, above = (E - beside[0]) / h[place], (beside[1] - E) / h[place]
            slope = (below + above) / 2
            if not np.isfinite(slope):  # beyond where the value is defined
                continue
            # Slopes on both sides differ by h e″, and at a kink by more. Of the value some last digits are lost.
            given, off = float(G[place]), 10 * precision * max(1.0, abs(E)) / h[place]
            near = off + (1e-4 + 100 * np.cbrt(precision) ** 2) * max(abs(given), abs(slope))
            if not min(below, above) - near <= given <= max(below, above) + near:
                row, j = place
                t = f", t = {T[place]:g}" if T.shape == O.shape else ""
                raise ParameterError(
                    f"The derivative that loss={self} returns is not that of its value: of output {j} of row {row}, "
                    f"at o = {O[place]:g}{t}, it is {given:g}, but differences of the value give {slope:g}. It must be "
                    "that of the row's own value, not divided by the number of rows."
                )

    def _precision(self, O: FloatArray, T: FloatArray) -> float:
        """That of the numbers that the function returns."""
        assert self.function is not None
        answer = np.asarray(self.function(O.copy(), T.copy())[0])
        return float(np.finfo(answer.dtype if answer.dtype.kind == "f" else np.float64).eps)


def _what(answer: object) -> str:
    return "None" if answer is None else f"{shown(answer)}, of type {type(answer).__name__}"


def _array(part: object, loss: OwnLoss, what: str) -> FloatArray:
    """What the function returned, as an array of numbers."""
    try:
        array = np.asarray(part)
    except Exception as error:  # of another library's array anything may come
        raise ParameterError(f"loss={loss} returned a {what} that cannot be read as an array ({error}).") from None
    if array.dtype.kind not in "fiub":
        raise ParameterError(f"loss={loss} returned a {what} of type {array.dtype}, but must return numbers.")
    return array if array.dtype.kind == "f" else array.astype(np.float64)
