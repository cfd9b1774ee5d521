"""Which inputs go with the target: where a table has nearly as many inputs as rows, the others are noise to be learned.

Between an input and a signal that have nothing to do with one another, √n r of n rows, r their correlation, is about a
standard normal number, and of d such numbers the largest is about √(2 ln d). What is above that has been met too often
with the target to be chance [1].

[1] D. Donoho, I. Johnstone, Ideal spatial adaptation by wavelet shrinkage, 1994: the universal threshold.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reseau.network import Network
from reseau.tables.columns.description import X32
from reseau.tables.reading.cells import Floats, Mask
from reseau.vocabulary.layers import Architecture

LEAST_INPUTS = 8  # that are kept in any case: those that go with the target most
AT_ONCE = 1 << 22  # numbers of X in double


def related(X: X32, S: Floats) -> Mask:
    """Whether each input goes with a signal, (inputs,).

    Parameters
    ----------
    X : ndarray of shape (rows, inputs)
    S : ndarray of shape (rows, signals)
        What the target says of each row.
    """
    rows, inputs = X.shape
    S = _standardised(S)
    block = max(AT_ONCE // max(rows, 1), 1)
    strength = np.concatenate(
        [
            np.abs(_standardised(X[:, start : start + block].astype(np.float64)).T @ S).max(axis=1)
            for start in range(0, inputs, block)
        ]
    ) / np.sqrt(rows)  # √n r
    found = strength > np.sqrt(2 * np.log(max(inputs, 2)))
    found[np.argsort(-strength, kind="stable")[:LEAST_INPUTS]] = True
    return np.asarray(found)


def on_inputs(network: Network, chosen: Mask) -> Network:
    """The network on more inputs, of which the chosen ones are its own: it has weights of 0 for the others."""
    if chosen.all():
        return network
    architecture = network.architecture
    n_own, neurons = architecture.inputs, architecture.widths[1]
    W = np.zeros((len(chosen), neurons), network.dtype)
    W[chosen] = network.parameters[: n_own * neurons].reshape(n_own, neurons)
    whole = Architecture(len(chosen), architecture.layers, architecture.loss)
    parameters = np.concatenate([W.ravel(), network.parameters[n_own * neurons :]])
    return Network.from_flat({"dtype": network.dtype.name, **whole.describe()}, parameters)


def _standardised(A: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Each column with mean 0 and deviation 1; 0 where it does not vary."""
    D = A - A.mean(axis=0)
    deviation = D.std(axis=0)
    return np.asarray(np.divide(D, deviation, out=np.zeros_like(D), where=deviation > 0))
