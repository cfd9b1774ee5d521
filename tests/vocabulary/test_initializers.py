"""The table of initialisations: the laws of the weights, by bounds that a right law breaks once in 10⁸ seeds."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import scipy.stats

import reseau as rs
from reseau.vocabulary.activations import ACTIVATIONS
from reseau.vocabulary.initializers import INITIALIZERS

N_IN, N_OUT = 250, 400
PUBLISHED = {  # the variances of the papers: Glorot and Bengio 2010, He et al. 2015, LeCun et al. 1998
    "glorot_uniform": 2 / (N_IN + N_OUT),
    "glorot_normal": 2 / (N_IN + N_OUT),
    "he_uniform": 2 / N_IN,
    "he_normal": 2 / N_IN,
    "lecun_uniform": 1 / N_IN,
    "lecun_normal": 1 / N_IN,
}


def draw(name: str, seed: int = 0) -> np.ndarray:
    W = np.empty((N_IN, N_OUT))
    INITIALIZERS[name].draw(np.random.default_rng(seed), W)
    return W


def test_every_initialisation_has_a_published_variance_here():
    assert set(PUBLISHED) == set(INITIALIZERS)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_weights_have_mean_zero_and_the_published_variance(name):
    W = draw(name)
    assert W.shape == (N_IN, N_OUT)
    n, variance = W.size, PUBLISHED[name]
    fourth = 9 / 5 if name.endswith("uniform") else 3.0  # E w⁴/variance²
    assert abs(W.mean()) < 6 * sqrt(variance / n)
    assert abs((W**2).mean() / variance - 1) < 6 * sqrt((fourth - 1) / n)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_weights_follow_the_law_of_the_name(name):
    scale = sqrt(PUBLISHED[name])
    limit = sqrt(3) * scale
    law = scipy.stats.uniform(-limit, 2 * limit) if name.endswith("uniform") else scipy.stats.norm(0, scale)
    W = draw(name)
    assert scipy.stats.kstest(W.ravel(), law.cdf).pvalue > 1e-8
    if name.endswith("uniform"):
        assert np.abs(W).max() <= limit
        assert np.abs(W).max() > limit * (1 - 20 / W.size)  # (1 − 20/n)ⁿ = e^−20


@pytest.mark.parametrize("name", INITIALIZERS)
def test_neighbouring_weights_and_other_seeds_are_not_correlated(name):
    W, other = draw(name), draw(name, seed=1)
    for a, b in ((W[:, 1:], W[:, :-1]), (W[1:], W[:-1]), (W, other)):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 6 / sqrt(a.size)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_layer_draws_by_the_initialisation_that_suits_its_activation(name):
    def weights(init: str | None) -> np.ndarray:
        return rs.Network(rs.Dense(5, name, init=init), inputs=7, dtype="float64", seed=3).layers[0].W

    np.testing.assert_array_equal(weights(None), weights(ACTIVATIONS[name].initializer))


@pytest.mark.parametrize("init", INITIALIZERS)
def test_a_layer_honours_the_initialisation_it_is_given(init):
    net = rs.Network(rs.Dense(N_OUT, "tanh", init=init), inputs=N_IN, dtype="float64", seed=4)
    W = net.layers[0].W
    assert abs(W.var() / PUBLISHED[init] - 1) < 6 * sqrt(2 / W.size)
    assert (net.layers[0].b == 0).all()
