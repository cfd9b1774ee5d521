"""Ensemble: several networks as one, whose outputs are the mean of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from reseau import data
from reseau.arrays import ArrayLike, FloatArray, RowsLike
from reseau.checks import boolean, in_memory, integer, shown
from reseau.engine.equations import counted
from reseau.engine.reference import dense_targets
from reseau.errors import ParameterError, ReseauError
from reseau.model import Model
from reseau.names import PrecisionName
from reseau.network import Network
from reseau.vocabulary.layers import Architecture
from reseau.vocabulary.losses import NamedLoss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reseau.blackboard import Blackboard
    from reseau.parts import Parts
    from reseau.training.metrics import MetricLike


class Ensemble(Model):
    """Several networks of the same inputs and outputs as one model, whose outputs are the mean of theirs.

    O = (O_1 + ... + O_m)/m. Networks that were trained from other seeds, or on other rows, err differently, and the
    mean of what they say errs less than each does on average. Of softmax it is a mean of probabilities; of a loss that
    predicts a scale beside the mean ("gaussian"), the mean of the scales.

    Parameters
    ----------
    networks : iterable of Network
        At least one, each another object, and built; of the same numbers of inputs and outputs, loss, precision and
        last activation. Their layers may differ. They are not copied: the ensemble predicts with their parameters as
        they then are.

    Raises
    ------
    ParameterError
        For no networks, what is none or not built, the same one twice, and networks that do not fit the first; also for
        such as give logarithms of probabilities (log_softmax), whose mean is no distribution.

    Examples
    --------
    >>> import numpy as np
    >>> import reseau as rs
    >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> nets = [rs.Network(rs.Dense(8, "tanh"), rs.Dense(1), inputs=1, seed=seed) for seed in range(3)]
    >>> histories = rs.fit_many(nets, X, X**2, epochs=20)
    >>> ensemble = rs.Ensemble(nets)
    >>> bool(np.allclose(ensemble(X), np.mean([net(X) for net in nets], axis=0)))
    True
    >>> ensemble
    Ensemble(3 x Network(Dense(8, 'tanh'), Dense(1, 'identity'), loss='squared_error', inputs=1, dtype='float32'))
    """

    def __init__(self, networks: Iterable[Network]) -> None:
        self._networks = _checked(networks)

    # --- what it is ---------------------------------------------------------------------------------------------------

    @property
    def networks(self) -> tuple[Network, ...]:
        """The members."""
        return self._networks

    def __len__(self) -> int:
        return len(self._networks)

    def __iter__(self) -> Iterator[Network]:
        return iter(self._networks)

    @overload
    def __getitem__(self, place: int) -> Network: ...

    @overload
    def __getitem__(self, place: slice) -> Ensemble: ...

    def __getitem__(self, place: int | slice) -> Network | Ensemble:
        return Ensemble(self._networks[place]) if isinstance(place, slice) else self._networks[place]

    @property
    def _common(self) -> Architecture:
        """An architecture of which inputs, outputs, loss and the last layer's range are those of all."""
        return self._networks[0].architecture

    @property
    def inputs(self) -> int:
        """How many columns X has."""
        return self._common.inputs

    @property
    def outputs(self) -> int:
        """How many columns O has."""
        return self._common.outputs

    @property
    def loss(self) -> NamedLoss:
        """The name of the members' loss, or a loss of one's own."""
        return self._networks[0].loss

    @property
    def dtype(self) -> np.dtype[Any]:
        """The precision of the members' parameters and arithmetic."""
        return self._networks[0].dtype

    @property
    def n_parameters(self) -> int:
        """The number of weights and biases of all members."""
        return sum(net.n_parameters for net in self._networks)

    # --- what it computes ---------------------------------------------------------------------------------------------

    def __call__(
        self, X: RowsLike, *, precision: PrecisionName | None = None, threads: int | None = None
    ) -> FloatArray:
        """The mean of the outputs that the members have for the samples X.

        Parameters
        ----------
        X, precision, threads
            As when a `Network` is called.

        Returns
        -------
        ndarray of shape (rows, n_outputs)
            O, in the networks' dtype, summed in float64 in the order of the members. A row's outputs are the same bytes
            in any batch and for any number of threads.

        Raises
        ------
        DataError, ParameterError
            As of a `Network`.
        """
        if not (type(X) is np.ndarray and X.dtype.kind == "f"):
            X = data.rows(X, "X", self.dtype, columns=self.inputs, empty=True)
        return self._mean(lambda net: net(X, precision=precision, threads=threads))

    def predict(self, X: RowsLike, *, precision: PrecisionName | None = None, threads: int | None = None) -> FloatArray:
        """The outputs O of the samples X: the same as calling the ensemble, as for `Network.predict`."""
        return self(X, precision=precision, threads=threads)

    def errors(
        self, X: RowsLike, y: ArrayLike, *, masked_targets: bool = False, threads: int | None = None
    ) -> FloatArray:
        """The error e_j of each output for each sample, of the mean of what the members say.

        Parameters are those of `Network.errors`. Errors are computed from outputs, not from raw scores: a cross-entropy
        is infinite where all members give what is right the probability 0.

        Returns
        -------
        ndarray of shape (rows, n_outputs)
            e, in the networks' dtype.
        """
        samples, T = self._samples(X, y, masked_targets)
        return self._errors(self(samples, threads=threads), T)

    def evaluate(
        self,
        X: RowsLike,
        y: ArrayLike,
        *,
        metrics: MetricLike | Sequence[MetricLike] | None = (),
        sample_weight: ArrayLike | None = None,
        masked_targets: bool = False,
        threads: int | None = None,
    ) -> dict[str, float]:
        """The mean error of samples, and how good the outputs are in other numbers.

        Parameters, result and errors are those of `Network.evaluate`; the loss is that of `errors`.

        Examples
        --------
        >>> import reseau as rs
        >>> nets = [rs.Network(rs.Dense(1, bias=False), inputs=1, dtype="float64", seed=seed) for seed in (0, 1)]
        >>> for net, slope in zip(nets, (1.0, 3.0)):
        ...     net.parameters[...] = [slope]
        >>> rs.Ensemble(nets).evaluate([[1.0], [2.0]], [2.0, 6.0], metrics=("mae", "r2"))
        {'loss': 1.0, 'mae': 1.0, 'r2': 0.5}
        """
        from reseau.training.evaluation import mean_error
        from reseau.training.metrics import measured, metrics_of

        asked = metrics_of(metrics)
        samples, T = self._samples(X, y, masked_targets)
        s = None if sample_weight is None else data.weights(sample_weight, samples.shape[0])
        for metric in asked:
            metric.check(T, "y", self._common)
        O = self(samples, threads=threads)
        return {"loss": mean_error(self._errors(O, T), s), **measured(asked, T, O, s, self._common)}

    def jacobian(self, X: RowsLike, *, threads: int | None = None) -> FloatArray:
        """∂O/∂X for each sample, (rows, n_outputs, inputs): the mean of the members', see `Network.jacobian`."""
        X = data.matrix(X, "X", self.dtype, columns=self.inputs)
        return self._mean(lambda net: net.jacobian(X, threads=threads))

    def jvp(self, X: RowsLike, v: ArrayLike, *, threads: int | None = None) -> FloatArray:
        """J v for each sample, (rows, n_outputs): the mean of the members', see `Network.jvp`."""
        return self._mean(lambda net: net.jvp(X, v, threads=threads))

    def vjp(self, X: RowsLike, u: ArrayLike, *, threads: int | None = None) -> FloatArray:
        """uᵀ J for each sample, (rows, inputs): the mean of the members', see `Network.vjp`."""
        return self._mean(lambda net: net.vjp(X, u, threads=threads))

    def hessian_vector(self, X: RowsLike, v: ArrayLike, *, threads: int | None = None) -> FloatArray:
        """∂²o_j/∂x² v for each sample and output, (rows, n_outputs, inputs): see `Network.hessian_vector`."""
        return self._mean(lambda net: net.hessian_vector(X, v, threads=threads))

    def blackboard(self, X: RowsLike, y: ArrayLike, *, member: int = 1, **options: Any) -> Blackboard:
        """Work out a learning step of one member as on a blackboard.

        Parameters
        ----------
        X, y
            As in `Network.blackboard`.
        member : int
            Which network, the first being 1.
        **options
            The others of `Network.blackboard`.

        Returns
        -------
        Blackboard
            As of `Network.blackboard`.

        Raises
        ------
        ParameterError
            For a member that is not there; and as `Network.blackboard` does.
        """
        return member_of(self, member).blackboard(X, y, **options)

    def _samples(self, X: object, y: object, masked: object) -> tuple[Any, Any]:
        X = data.rows(X, "X", self.dtype, columns=self.inputs)
        masked = boolean("masked_targets", masked)
        return X, data.targets(y, "y", self._common, X.shape[0], self.dtype, masked=masked)

    @in_memory("the mean over the networks on these rows")
    @np.errstate(all="ignore")  # what overflows is inf, and not said, as in the engines
    def _mean(self, of: Callable[[Network], FloatArray]) -> FloatArray:
        """The mean of something of each member, summed in float64 in their order."""
        first, *others = self._networks
        total = of(first).astype(np.float64)
        for net in others:
            np.add(total, of(net), out=total)
        total /= len(self._networks)
        return total.astype(self.dtype)

    @np.errstate(all="ignore")
    def _errors(self, O: FloatArray, T: Any) -> FloatArray:
        """e_j of outputs and targets that were checked; nothing where a target is missing."""
        error = self._common.error
        if error.own:
            return np.asarray(error.value(O, T))
        T = dense_targets(self._common, T, self.dtype)
        return np.asarray(counted(error.value(O, T), T))

    # --- how it is kept and shown -------------------------------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        """The members without their numbers, as JSON-able values."""
        return {"kind": "ensemble", "networks": [net.describe() for net in self._networks]}

    def tensors(self) -> dict[str, FloatArray]:
        """The members' tensors by name: "0.layers.0.W" of the first, ..."""
        return {
            f"{place}.{name}": tensor
            for place, net in enumerate(self._networks)
            for name, tensor in net.tensors().items()
        }

    @classmethod
    def from_description(cls, description: dict[str, Any], tensors: dict[str, FloatArray] | None) -> Ensemble:
        """Rebuild an ensemble from what `describe` and `tensors` gave; without tensors it can be shown, not called.

        Raises
        ------
        ReseauError
            When the networks do not fit one another, a value is out of range, or a tensor is missing or of another
            shape.
        """
        networks, used = [], 0
        for place, of_one in enumerate(description["networks"]):
            own = None if tensors is None else _behind(f"{place}.", tensors)
            used += 0 if own is None else len(own)
            networks.append(Network.from_description(of_one, own))
        if tensors is not None and used < len(tensors):
            raise ReseauError(f"The description has {len(networks)} networks, but there are tensors of none of them.")
        return cls(networks)

    def described(self) -> tuple[dict[str, Any], dict[str, FloatArray]]:
        """What a model file holds of it: the description and the tensors."""
        return self.describe(), self.tensors()

    def parts(self) -> Parts:
        """Nothing stands around the networks."""
        from reseau.export.plain import Inputs, Outputs
        from reseau.parts import Parts

        return Parts(Inputs(), self, Outputs())

    def summary(self) -> str:
        """A table of the layers of each network, as `Network.summary` gives it; of equal ones once.

        Examples
        --------
        >>> import reseau as rs
        >>> print(rs.Ensemble([rs.Network(rs.Dense(1), inputs=2, seed=seed) for seed in range(3)]).summary())
        Networks 1 to 3:
        layer  W       b  activation    parameters
        1      (2, 1)  1  identity    z          3
        2 inputs, 1 output, loss squared_error ½ (o*_j − o_j)², float32, 3 parameters
        <BLANKLINE>
        The mean of 3 networks, 9 parameters
        """
        places: dict[Architecture, list[int]] = {}
        for place, net in enumerate(self._networks, start=1):
            places.setdefault(net.architecture, []).append(place)
        blocks = [f"{_numbered(several)}:\n{self._networks[several[0] - 1].summary()}" for several in places.values()]
        return "\n\n".join([*blocks, f"The mean of {_networks(len(self))}, {self.n_parameters} parameters"])

    def __repr__(self) -> str:
        shown_once = list(dict.fromkeys(map(repr, self._networks)))
        if len(shown_once) == 1:
            return f"Ensemble({len(self)} x {shown_once[0]})"
        return f"Ensemble([{', '.join(map(repr, self._networks))}])"


def from_description(description: dict[str, Any], tensors: dict[str, FloatArray] | None) -> Network | Ensemble:
    """Rebuild a network, or several as one, from what `describe` and `tensors` of either gave."""
    kind: Any = Ensemble if "networks" in description else Network
    found: Network | Ensemble = kind.from_description(description, tensors)
    return found


def member_of(network: Network | Ensemble, member: object) -> Network:
    """One of the networks of a model, by its number from 1; ParameterError for another."""
    return network.networks[integer("member", member, low=1, high=len(network.networks)) - 1]


def _behind(prefix: str, tensors: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """The tensors whose names begin so, without that."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _networks(count: int) -> str:
    return f"{count} network{'s' if count > 1 else ''}"


def _numbered(places: list[int]) -> str:
    if len(places) > 2 and places[-1] - places[0] == len(places) - 1:
        return f"Networks {places[0]} to {places[-1]}"
    return f"Network{'s' if len(places) > 1 else ''} {', '.join(map(str, places))}"


def _checked(networks: object) -> tuple[Network, ...]:
    """The networks as a tuple; ParameterError for the first that cannot be a member."""
    try:
        nets: list[Any] = list(networks)  # type: ignore[call-overload]  # whether it can is the question
    except TypeError:
        raise ParameterError(f"networks is {shown(networks)}, but must be a list of networks.") from None
    if not nets:
        raise ParameterError("networks is empty, but there must be at least one network, whose outputs are averaged.")
    for place, net in enumerate(nets):
        _check_member(f"networks[{place}]", net, nets[:place])
    return tuple(nets)


def _check_member(name: str, net: Any, before: list[Network]) -> None:
    """Raise ParameterError unless this can stand behind the networks before it."""
    if not isinstance(net, Network):
        way_out = "; give its networks instead, as *ensemble" if isinstance(net, Ensemble) else ""
        raise ParameterError(f"{name} is {shown(net)}, but must be a Network{way_out}.")
    if not net.built:
        raise ParameterError(f"{name} does not know its inputs yet; fit it, or give inputs= when constructing it.")
    last = net.architecture.layers[-1]
    if last.range_like.distribution == "logarithms":
        raise ParameterError(
            f"{name} ends in {last}, whose outputs are logarithms of probabilities: their mean is no distribution. "
            "Give the last layers of all networks softmax."
        )
    for place, other in enumerate(before):
        if net is other:
            raise ParameterError(f"{name} is networks[{place}] once more; each must be a network of its own.")
    for what, own, first in zip(_COMPARED, _facts(net), _facts(before[0]), strict=True) if before else ():
        if own != first:
            raise ParameterError(
                f"{name} has {what}{shown(own)}, but networks[0] {shown(first)}; the outputs of an ensemble are the "
                "mean of those of its networks, which must have them in common."
            )


_COMPARED = ("inputs=", "outputs=", "loss=", "dtype=", "the last activation ")


def _facts(net: Network) -> tuple[Any, ...]:
    """What the networks of an ensemble have in common."""
    architecture = net.architecture
    sigma = architecture.layers[-1].range_like
    last = f"{sigma.name} of groups {sigma.groups}" if sigma.groups else sigma.name
    return architecture.inputs, architecture.outputs, net.loss, net.dtype.name, last
