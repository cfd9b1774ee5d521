"""Samples made up."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from reseau.studio.toys import TOYS, checkerboard, circles, gaussians, plane, rings, saddle, sine, spiral, split, waves


@pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS)
@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
def test_the_seed_alone_draws_samples_of_the_scale_that_networks_like(toy, classes, noise):
    X, y = toy.make(500, **toy.settings(noise, classes, 7))
    again = toy.make(500, **toy.settings(noise, classes, 7))
    other = toy.make(500, **toy.settings(noise, classes, 8))
    assert X.tobytes() == again[0].tobytes()
    assert y.tobytes() == again[1].tobytes()
    assert X.tobytes() != other[0].tobytes()
    assert (X.shape, X.dtype, len(y)) == ((500, toy.inputs), np.float32, 500)
    assert np.abs(X).max() < 6.5
    assert ((X.std(axis=0) > 0.5) & (X.std(axis=0) < 2)).all()
    if toy.task == "classification":
        counts = np.bincount(y)
        assert len(counts) == (classes if toy.many_classes else 2)
        assert counts.max() - counts.min() <= 1
    else:
        assert y.dtype == np.float32
        assert y.std() < 2


def test_without_noise_samples_lie_where_their_shape_is():
    X, y = circles(300)
    radius = np.hypot(*X.T)
    assert radius[y == 0].max() <= 0.8 < 1.3 <= radius[y == 1].min()
    X, y = rings(300, classes=4)
    assert (np.hypot(*X.T) // 0.5 == y).all()
    X, y = checkerboard(300)
    column, row = np.floor(X.T).astype(int)
    assert ((column + row) % 2 == y).all()
    X, y = spiral(300, classes=3)
    along, angle = np.hypot(*X.T) / 2, np.arctan2(X[:, 1], X[:, 0])
    arm = (angle / (2 * np.pi) - 3.5 / 3 * along) * 3 % 3
    np.testing.assert_allclose(np.cos(2 * np.pi * (arm - y) / 3), 1, atol=1e-4)


def test_a_line_tells_clouds_apart():
    X, y = gaussians(300)
    assert ((X.sum(axis=1) > 0) == y).mean() > 0.99


@pytest.mark.parametrize(
    ("make", "of"),
    [
        (sine, lambda x: np.sin(2 * x)),
        (plane, lambda x, z: (x + z) / 2),
        (saddle, lambda x, z: (x**2 - z**2) / 2),
        (waves, lambda x, z: np.sin(2 * x) * np.cos(2 * z)),
    ],
)
def test_numbers_follow_their_formula_and_noise_is_its_deviation(make, of):
    X, y = make(200)
    np.testing.assert_allclose(y, of(*X.T.astype(float)), atol=1e-5)
    X, y = make(4000, noise=0.5)
    assert np.std(y - of(*X.T)) == pytest.approx(0.5, rel=0.05)


def test_samples_that_are_held_out_are_the_share_asked_for_and_no_others():
    X, y = circles(100)
    found = split(X, y, 0.25, seed=3)
    assert [len(part) for part in found] == [75, 75, 25, 25]
    rows = {tuple(row) for row in X}
    assert {tuple(row) for row in (*found[0], *found[2])} == rows
    assert [len(part) for part in split(X[:3], y[:3], 0.9)] == [1, 1, 2, 2]
    assert [len(part) for part in split(X, y, 0.0)] == [100, 100, 0, 0]


def test_they_need_numpy_alone():
    code = (
        "import sys; import reseau.studio.toys; "
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'pyarrow', 'scipy', 'sklearn', 'narwhals'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
