"""What scikit-learn's callbacks hear of a fit; they are there from scikit-learn 1.9 on."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from reseau.estimators.description import OF_EPOCHS

if TYPE_CHECKING:
    from typing_extensions import Self

    from reseau.estimators.perceptron import Perceptron

_Method = TypeVar("_Method", bound=Callable[..., Any])

if TYPE_CHECKING:

    class CallbackSupportMixin:
        """What has `set_callbacks`, from scikit-learn 1.9 on."""

        def set_callbacks(self, *callbacks: object) -> Self:
            """Set what hears of the next fits."""

    def with_callbacks(method: _Method) -> _Method:
        """End the callbacks of a fit with it."""

else:
    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks
    except ImportError:
        CallbackSupportMixin = type("CallbackSupportMixin", (), {})

        def with_callbacks(method: _Method) -> _Method:
            """There is nothing to end."""
            return method


__all__ = ["CallbackSupportMixin", "Tasks", "with_callbacks"]


class Tasks:
    """The tasks of a fit: the fit itself and, one after another in it, its epochs or iterations.

    Parameters
    ----------
    model : Perceptron
        The estimator that is fitted, in a method `with_callbacks`.
    X, y, sample_weight
        What it is fitted to, as the user gave it.
    name : str
        What a task within the fit is called.
    most : int
        How many of these there may be.
    """

    def __init__(self, model: Perceptron, X: Any, y: Any, sample_weight: Any, name: str, most: int) -> None:
        self.model, self.name = model, name
        self.task: Any = None
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.told = {"estimator": model, "X": X, "y": y, "metadata": metadata}
        self.fit: Any = None
        if hasattr(model, "_skl_callbacks"):  # so that whoever has none pays nothing
            self.fit = model._init_callback_context(max_subtasks=most)
            self.fit.call_on_fit_task_begin(**self.told)

    def begin(self) -> None:
        """An epoch or iteration begins."""
        if self.fit is not None:
            self.task = self.fit.subcontext(task_name=self.name)
            self.task.call_on_fit_task_begin(**self.told, reconstruction_attributes=self._fitted)

    def end(self) -> bool:
        """It ends; whether there is to be none after it."""
        if self.task is None:
            return False
        task, self.task = self.task, None
        return bool(task.call_on_fit_task_end(**self.told, reconstruction_attributes=self._fitted))

    def end_fit(self) -> None:
        """The fit ends."""
        if self.fit is None:
            return
        if self.task is not None:  # an iteration that was begun and has not taken place
            self.task.call_on_fit_task_end(estimator=self.model)
        self.fit.call_on_fit_task_end(**self.told, reconstruction_attributes=self._fitted)

    def _fitted(self) -> dict[str, Any]:
        """What makes of a copy of the estimator one that stays as this one is now."""
        attributes = vars(self.model)
        records = {name: list(attributes[name]) for name in OF_EPOCHS if isinstance(attributes.get(name), list)}
        return {"_network": copy.deepcopy(self.model._up_to_date()), **records}
