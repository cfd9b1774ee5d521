"""What an estimator adds to the C of its network: what outputs mean, the names of classes, which is predicted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reseau.export import c_text as c
from reseau.export.c import Parts
from reseau.export.models import class_labels

if TYPE_CHECKING:
    from reseau.estimators.perceptron import Perceptron
    from reseau.estimators.scaling import Wrapped


def parts(wrapped: Wrapped, name: str, kind: str) -> Parts:
    """What is added, the names in which begin with `name`, in "float" or "double"."""
    estimator, features = wrapped.model, wrapped.features
    return Parts(
        about=(_about(estimator, name), ""),
        declarations=tuple(_declarations(estimator, features, name, kind)),
        definitions=tuple(_definitions(estimator, features, name, kind)),
    )


def _about(estimator: Perceptron, name: str) -> str:
    """What the outputs are."""
    from reseau.estimators.mlp import MLPClassifier

    if not isinstance(estimator, MLPClassifier):
        return "The outputs are the numbers predicted."
    if estimator._several:
        return "The outputs are the probabilities of the labels, of which several may hold at once (those above 0.5)."
    if estimator.n_outputs_ == 1:
        return f"The output is the probability of the second class of {name}_class_names; {name}_class decides."
    return (
        f"The outputs are the probabilities of the classes, in the order of {name}_class_names; {name}_class decides."
    )


def _declarations(estimator: Perceptron, features: list[str] | None, name: str, kind: str) -> Iterator[str]:
    """What the header has more than that of a network."""
    from reseau.estimators.mlp import MLPClassifier

    upper = name.upper()
    if features is not None:
        yield f"{c.comment('What the inputs are.')}\nextern const char *const {name}_input_names[{upper}_INPUTS];"
    if isinstance(estimator, MLPClassifier) and not estimator._several:
        classes = len(class_labels(estimator))
        yield "\n".join(
            [
                c.comment("The classes, and the place among them of that which outputs say."),
                f"#define {upper}_CLASSES {classes}",
                f"extern const char *const {name}_class_names[{upper}_CLASSES];",
                f"int {name}_class(const {kind} o[{upper}_OUTPUTS]);",
            ]
        )


def _definitions(estimator: Perceptron, features: list[str] | None, name: str, kind: str) -> Iterator[str]:
    """What the C file has more than that of a network."""
    from reseau.estimators.mlp import MLPClassifier

    upper = name.upper()
    if features is not None:
        yield c.texts(f"const char *const {name}_input_names[{upper}_INPUTS]", features)
    if isinstance(estimator, MLPClassifier) and not estimator._several:
        yield c.texts(f"const char *const {name}_class_names[{upper}_CLASSES]", class_labels(estimator))
        if estimator.n_outputs_ == 1:
            lines = [f"    return o[0] > {c.number(0.5, kind)};"]
        else:
            lines = [
                "    int most = 0;",
                f"    for (int k = 1; k < {upper}_OUTPUTS; k++)",
                "        if (o[k] > o[most])",
                "            most = k;",
                "    return most;",
            ]
        yield "\n".join([f"int {name}_class(const {kind} o[{upper}_OUTPUTS])", "{", *lines, "}"])
