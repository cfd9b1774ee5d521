"""Nonlinear regressions of NIST's Statistical Reference Datasets that are dense networks with one hidden layer.

Data, starting values and certified parameters are those of https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml, of
which lmfit's source distribution has copies in NIST_STRD. Certified are 11 digits, of which at least 8 are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import reseau as rs


class Problem(NamedTuple):
    """A problem and the network that it is.

    Attributes
    ----------
    layers : tuple of Dense
        The layers.
    parameters : callable
        The network's flat parameters, of NIST's b.
    x, y : list of float
        The data; inputs as the network takes them.
    starts : tuple of list of float
        NIST's two starting values b.
    certified : list of float
        The certified b.
    rss : float
        The certified residual sum of squares.
    """

    layers: tuple[rs.Dense, ...]
    parameters: Callable[[Any], Any]
    x: list[float]
    y: list[float]
    starts: tuple[list[float], list[float]]
    certified: list[float]
    rss: float

    def network(self, start: int, **options: Any) -> rs.Network:
        """The network at a start, 0 or 1."""
        net = rs.Network(*self.layers, inputs=1, dtype="float64", **options)
        net.parameters[...] = self.parameters(np.array(self.starts[start]))
        return net

    def digits(self, net: rs.Network) -> float:
        """How many digits of the worst parameter are those certified; hidden neurons may have changed places."""
        right = np.array(self.parameters(np.array(self.certified)))
        found, neurons = net.parameters, self.layers[0].neurons
        if neurons > 1:  # exponentials without bias: sort by rate
            order, place = np.argsort(found[:neurons]), np.argsort(right[:neurons])
            found, right = found.copy(), right.copy()
            for first in (0, neurons):
                found[first : first + neurons] = found[first : first + neurons][order]
                right[first : first + neurons] = right[first : first + neurons][place]
        off = np.abs(found - right) / np.abs(right)
        return -float(np.log10(max(off.max(), 1e-16)))


def _hidden(activation: str, neurons: int = 1, *, bias: bool = False, constant: bool = False) -> tuple[rs.Dense, ...]:
    return rs.Dense(neurons, activation, bias=bias), rs.Dense(1, bias=constant)


# fmt: off
_LANCZOS_X = [place / 20 for place in range(24)]
_MISRA_X = [
            77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0,
        ]
_MISRA_Y = [
            10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.4, 75.47, 81.78,
        ]

PROBLEMS = {
    "Rat42": Problem(  # b1/(1 + exp(b2 − b3 x))
        _hidden("sigmoid", bias=True),
        lambda b: [b[2], -b[1], b[0]],
        [9.0, 14.0, 21.0, 28.0, 42.0, 57.0, 63.0, 70.0, 79.0],
        [8.93, 10.8, 18.59, 22.33, 39.35, 56.11, 61.73, 64.62, 67.08],
        ([100.0, 1.0, 0.1], [75.0, 2.5, 0.07]),
        [72.462237576, 2.6180768402, 0.067359200066],
        8.0565229338,
    ),
    "Lanczos1": Problem(  # b1 exp(−b2 x) + b3 exp(−b4 x) + b5 exp(−b6 x)
        _hidden("exponential", 3),
        lambda b: [-b[1], -b[3], -b[5], b[0], b[2], b[4]],
        _LANCZOS_X,
        [
            2.5134, 2.044333373291, 1.668404436564, 1.366418021208, 1.123232487372, 0.9268897180037,
            0.7679338563728, 0.6388775523106, 0.5337835317402, 0.4479363617347, 0.377584788435,
            0.3197393199326, 0.2720130773746, 0.2324965529032, 0.1996589546065, 0.1722704126914,
            0.1493405660168, 0.1300700206922, 0.1138119324644, 0.1000415587559, 0.0883320908454,
            0.0783354401935, 0.06976693743449, 0.06239312536719,
        ],
        ([1.2, 0.3, 5.6, 5.5, 6.5, 7.6], [0.5, 0.7, 3.6, 4.2, 4.0, 6.3]),
        [0.095100000027, 1.0000000001, 0.86070000013, 3.0000000002, 1.5575999998, 5.0000000001],
        1.4307867721e-25,
    ),
    "Lanczos2": Problem(  # b1 exp(−b2 x) + b3 exp(−b4 x) + b5 exp(−b6 x)
        _hidden("exponential", 3),
        lambda b: [-b[1], -b[3], -b[5], b[0], b[2], b[4]],
        _LANCZOS_X,
        [
            2.5134, 2.04433, 1.6684, 1.36642, 1.12323, 0.92689, 0.767934, 0.638878, 0.533784, 0.447936,
            0.377585, 0.319739, 0.272013, 0.232497, 0.199659, 0.17227, 0.149341, 0.13007, 0.113812,
            0.100042, 0.0883321, 0.0783354, 0.0697669, 0.0623931,
        ],
        ([1.2, 0.3, 5.6, 5.5, 6.5, 7.6], [0.5, 0.7, 3.6, 4.2, 4.0, 6.3]),
        [0.096251029939, 1.0057332849, 0.86424689056, 3.0078283915, 1.5529016879, 5.00287981],
        2.2299428125e-11,
    ),
    "Lanczos3": Problem(  # b1 exp(−b2 x) + b3 exp(−b4 x) + b5 exp(−b6 x)
        _hidden("exponential", 3),
        lambda b: [-b[1], -b[3], -b[5], b[0], b[2], b[4]],
        _LANCZOS_X,
        [
            2.5134, 2.0443, 1.6684, 1.3664, 1.1232, 0.9269, 0.7679, 0.6389, 0.5338, 0.4479, 0.3776, 0.3197,
            0.272, 0.2325, 0.1997, 0.1723, 0.1493, 0.1301, 0.1138, 0.1, 0.0883, 0.0783, 0.0698, 0.0624,
        ],
        ([1.2, 0.3, 5.6, 5.5, 6.5, 7.6], [0.5, 0.7, 3.6, 4.2, 4.0, 6.3]),
        [0.086816414977, 0.95498101505, 0.84400777463, 2.9515951832, 1.5825685901, 4.9863565084],
        1.6117193594e-08,
    ),
    "MGH17": Problem(  # b1 + b2 exp(−b4 x) + b3 exp(−b5 x)
        _hidden("exponential", 2, constant=True),
        lambda b: [-b[3], -b[4], b[1], b[2], b[0]],
        [
            0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0, 110.0, 120.0, 130.0, 140.0,
            150.0, 160.0, 170.0, 180.0, 190.0, 200.0, 210.0, 220.0, 230.0, 240.0, 250.0, 260.0, 270.0,
            280.0, 290.0, 300.0, 310.0, 320.0,
        ],
        [
            0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.85, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658,
            0.628, 0.603, 0.58, 0.558, 0.538, 0.522, 0.506, 0.49, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431,
            0.424, 0.42, 0.414, 0.411, 0.406,
        ],
        ([50.0, 150.0, -100.0, 1.0, 2.0], [0.5, 1.5, -1.0, 0.01, 0.02]),
        [0.37541005211, 1.9358469127, -1.4646871366, 0.01286753464, 0.022122699662],
        5.4648946975e-05,
    ),
    "Misra1a": Problem(  # b1 (1 − exp(−b2 x)) = −b1 ELU(−b2 x) for b2 x > 0
        _hidden("elu"),
        lambda b: [-b[1], -b[0]],
        _MISRA_X,
        _MISRA_Y,
        ([500.0, 0.0001], [250.0, 0.0005]),
        [238.94212918, 0.00055015643181],
        0.12455138894,
    ),
    "Misra1d": Problem(  # b1 b2 x/(1 + b2 x)
        _hidden("softsign"),
        lambda b: [b[1], b[0]],
        _MISRA_X,
        _MISRA_Y,
        ([500.0, 0.0001], [450.0, 0.0003]),
        [437.36970754, 0.00030227324449],
        0.056419295283,
    ),
    "BoxBOD": Problem(  # b1 (1 − exp(−b2 x))
        _hidden("elu"),
        lambda b: [-b[1], -b[0]],
        [1.0, 2.0, 3.0, 5.0, 7.0, 10.0],
        [109.0, 149.0, 149.0, 191.0, 213.0, 224.0],
        ([1.0, 1.0], [100.0, 0.75]),
        [213.80940889, 0.54723748542],
        1168.0088766,
    ),
    "DanWood": Problem(  # b1 x^b2 = b1 exp(b2 log x)
        _hidden("exponential"),
        lambda b: [b[1], b[0]],
        np.log([1.309, 1.471, 1.49, 1.565, 1.611, 1.68]).tolist(),
        [2.138, 3.421, 3.597, 4.34, 4.882, 5.66],
        ([1.0, 5.0], [0.7, 4.0]),
        [0.76886226176, 3.8604055871],
        0.0043173084083,
    ),
}
# fmt: on
