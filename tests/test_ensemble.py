"""Several networks as one, whose outputs are the mean of theirs."""

from __future__ import annotations

import copy
import io
import pickle

import numpy as np
import pytest
import scipy.sparse
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from typer.testing import CliRunner

import reseau as rs
from reseau.cli import app
from reseau.display.compared import targets_and_predictions
from reseau.files import model_file

RNG = np.random.default_rng(7)
X = RNG.normal(size=(300, 4))
LABELS = RNG.integers(0, 3, 300)


def classifiers(dtype: str = "float32") -> list[rs.Network]:
    """Networks of other widths and layers."""
    chains = [
        [rs.Dense(8, "tanh"), rs.Dense(3)],
        [rs.Dense(16), rs.LayerNorm(), rs.Dense(5, "silu"), rs.Dense(3)],
        [rs.Dense(3)],
    ]
    return [
        rs.Network(chain, loss="cross_entropy", inputs=4, dtype=dtype, seed=seed) for seed, chain in enumerate(chains)
    ]


def quantities(count: int = 3, **given) -> list[rs.Network]:
    return [rs.Network(rs.Dense(6, "tanh"), rs.Dense(2), inputs=4, seed=seed, **given) for seed in range(count)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_outputs_are_the_mean_of_those_of_the_networks(dtype):
    nets = classifiers(dtype)
    O = rs.Ensemble(nets)(X)
    assert O.dtype == dtype
    expected = np.mean([net(X).astype(np.float64) for net in nets], axis=0)
    np.testing.assert_allclose(O, expected, rtol=2 * np.finfo(dtype).eps)
    np.testing.assert_allclose(O.sum(axis=1), 1, rtol=8 * np.finfo(dtype).eps)
    assert np.array_equal(rs.Ensemble(nets).predict(X), O)


def test_an_ensemble_of_one_network_says_what_that_says():
    (net,) = quantities(1)
    ensemble = rs.Ensemble([net])
    assert ensemble(X).tobytes() == net(X).tobytes()
    assert ensemble.jacobian(X).tobytes() == net.jacobian(X).tobytes()


def test_a_row_has_the_same_bytes_in_any_batch_and_for_any_number_of_threads():
    ensemble = rs.Ensemble(classifiers())
    whole = ensemble(X, threads=1)
    assert all(ensemble(X, threads=threads).tobytes() == whole.tobytes() for threads in (2, 3, None))
    assert np.concatenate([ensemble(X[row : row + 1]) for row in range(20)]).tobytes() == whole[:20].tobytes()
    assert ensemble(X[5:50], threads=2).tobytes() == whole[5:50].tobytes()


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_samples_are_whatever_a_network_takes(engine):
    pytest.importorskip("reseau._native") if engine == "native" else None
    nets = [rs.Network(rs.Dense(3), rs.Dense(2), inputs=4, seed=seed, engine=engine) for seed in (0, 1)]
    ensemble = rs.Ensemble(nets)
    expected = ensemble(X)
    assert np.array_equal(ensemble(X.tolist()), expected)
    assert np.array_equal(ensemble(X.astype(np.float32)), expected)
    np.testing.assert_allclose(ensemble(scipy.sparse.csr_array(X)), expected, rtol=1e-5, atol=1e-6)
    assert ensemble(np.empty((0, 4))).shape == (0, 2)


@pytest.mark.parametrize(
    "wrong", [np.full((2, 4), np.nan), np.ones((2, 5)), np.ones(4), [["a"] * 4], None, np.full((1, 4), 1e300)]
)
def test_samples_that_a_network_refuses_are_refused_in_the_same_words(wrong):
    nets = quantities()
    with pytest.raises(rs.DataError) as of_one:
        nets[0](wrong)
    with pytest.raises(rs.DataError) as of_all:
        rs.Ensemble(nets)(wrong)
    assert str(of_all.value) == str(of_one.value)


def test_products_in_another_precision_are_those_of_the_networks():
    nets = quantities()
    expected = np.mean([net(X, precision="bf16").astype(np.float64) for net in nets], axis=0)
    assert np.array_equal(rs.Ensemble(nets)(X, precision="bf16"), expected.astype(np.float32))
    with pytest.raises(rs.ParameterError, match="precision"):
        rs.Ensemble(nets)(X, precision="half")


def test_derivatives_are_the_means_of_those_of_the_networks():
    nets = classifiers("float64")
    ensemble = rs.Ensemble(nets)
    v, u = RNG.normal(size=(300, 4)), RNG.normal(size=3)
    for name, given in (("jacobian", ()), ("jvp", (v,)), ("vjp", (u,)), ("hessian_vector", (v[0],))):
        expected = np.mean([getattr(net, name)(X, *given) for net in nets], axis=0)
        np.testing.assert_allclose(getattr(ensemble, name)(X, *given), expected, rtol=1e-14, atol=1e-15)
    h = 1e-6
    slopes = [(ensemble(X + h * e) - ensemble(X - h * e)) / (2 * h) for e in np.eye(4)]
    np.testing.assert_allclose(ensemble.jacobian(X), np.stack(slopes, axis=2), atol=1e-8)


def test_classes_are_judged_by_the_mean_of_the_probabilities():
    ensemble = rs.Ensemble(classifiers("float64"))
    P = ensemble(X)
    found = ensemble.evaluate(X, LABELS, metrics=("accuracy", "log_loss", "auc"))
    assert found["loss"] == pytest.approx(log_loss(LABELS, P), rel=1e-12)
    assert found["log_loss"] == pytest.approx(log_loss(LABELS, P), rel=1e-12)
    assert found["accuracy"] == accuracy_score(LABELS, P.argmax(axis=1))
    expected = np.mean([roc_auc_score(k == LABELS, P[:, k]) for k in range(3)])
    assert found["auc"] == pytest.approx(expected, rel=1e-12)
    e = ensemble.errors(X, LABELS)
    np.testing.assert_allclose(e, -np.eye(3)[LABELS] * np.log(P), rtol=1e-13)


def test_numbers_are_judged_by_the_mean_and_missing_targets_count_nothing():
    ensemble = rs.Ensemble(quantities(dtype="float64"))
    y = RNG.normal(size=(300, 2))
    y[7, 1] = np.nan
    expected = np.where(np.isnan(y), 0, (y - ensemble(X)) ** 2 / 2)
    np.testing.assert_allclose(ensemble.errors(X, y, masked_targets=True), expected, rtol=1e-12)
    weights = RNG.uniform(size=300)
    found = ensemble.evaluate(X, y, masked_targets=True, sample_weight=weights)
    assert found == {"loss": pytest.approx(np.average(expected.sum(axis=1), weights=weights))}
    with pytest.raises(rs.DataError, match=r"masked_targets=True"):
        ensemble.errors(X, y)


def test_a_loss_of_ones_own_is_that_of_the_mean():
    def cubic(o, t):
        return abs(o - t) ** 3, 3 * (o - t) * abs(o - t)

    nets = [rs.Network(rs.Dense(1), inputs=4, loss=cubic, dtype="float64", seed=seed) for seed in (0, 1)]
    with pytest.raises(rs.ParameterError, match="loss="):
        rs.Ensemble([*nets, rs.Network(rs.Dense(1), inputs=4, dtype="float64")])
    ensemble = rs.Ensemble(nets)
    y = RNG.normal(size=(300, 1))
    np.testing.assert_allclose(ensemble.errors(X, y), abs(ensemble(X) - y) ** 3)


def test_a_sum_that_overflows_is_infinite_and_not_said():
    nets = quantities(2, dtype="float32")
    for net in nets:
        net.parameters[...] = 0
        net.layers[-1].b[...] = 3e38
    assert np.array_equal(rs.Ensemble(nets)(X[:1]), np.full((1, 2), 3e38, np.float32))
    for net, large in zip(nets, (np.inf, -np.inf), strict=True):
        net.layers[-1].b[...] = large
    assert np.isnan(rs.Ensemble(nets)(X[:1])).all()


def test_it_is_a_sequence_of_its_networks_which_are_not_copied():
    nets = quantities()
    ensemble = rs.Ensemble(iter(nets))
    assert ensemble.networks == tuple(nets) == tuple(ensemble)
    assert len(ensemble) == 3
    assert ensemble[-1] is nets[2]
    assert ensemble[1:].networks == tuple(nets[1:])
    assert (ensemble.inputs, ensemble.outputs, ensemble.loss, ensemble.dtype) == (4, 2, "squared_error", np.float32)
    assert ensemble.n_parameters == 3 * nets[0].n_parameters
    before = ensemble(X)
    nets[1].fit(X, X[:, :2], epochs=1)
    assert not np.array_equal(ensemble(X), before)


def test_copies_and_pickles_predict_the_same():
    ensemble = rs.Ensemble(classifiers())
    for other in (copy.deepcopy(ensemble), pickle.loads(pickle.dumps(ensemble))):
        assert other(X).tobytes() == ensemble(X).tobytes()
        assert other[0] is not ensemble[0]


NET = quantities(1)[0]


@pytest.mark.parametrize(
    ("networks", "words"),
    [
        ([], "networks is empty"),
        (None, "networks is None, but must be a list of networks"),
        (NET, "but must be a list of networks"),
        ([NET, "net"], r"networks\[1\] is 'net', but must be a Network"),
        ([rs.Ensemble([NET])], r"networks\[0\] is Ensemble.*give its networks instead"),
        ([NET, rs.Network(rs.Dense(2))], r"networks\[1\] does not know its inputs yet"),
        ([NET, *quantities(1), NET], r"networks\[2\] is networks\[0\] once more"),
        ([NET, rs.Network(rs.Dense(2), inputs=3)], r"networks\[1\] has inputs=3, but networks\[0\] 4"),
        ([NET, rs.Network(rs.Dense(3), inputs=4)], r"networks\[1\] has outputs=3, but networks\[0\] 2"),
        ([NET, *quantities(1, dtype="float64")], r"networks\[1\] has dtype='float64', but networks\[0\] 'float32'"),
        ([NET, *quantities(1, loss="huber")], r"networks\[1\] has loss='huber', but networks\[0\] 'squared_error'"),
        (
            [NET, rs.Network(rs.Dense(2, "relu"), inputs=4)],
            r"networks\[1\] has the last activation 'relu', but networks\[0\] 'identity'",
        ),
        (
            [rs.Network(rs.Dense(2, "log_softmax"), inputs=4, loss="cross_entropy")],
            r"networks\[0\] ends in Dense\(2, 'log_softmax'\), whose outputs are logarithms",
        ),
        (
            [
                rs.Network(rs.Dense(4, "softmax", groups=groups), inputs=4, loss="cross_entropy")
                for groups in ((2, 2), (1, 3))
            ],
            r"networks\[1\] has the last activation 'softmax of groups \(1, 3\)'",
        ),
    ],
)
def test_what_cannot_be_averaged_is_refused_by_its_place(networks, words):
    with pytest.raises(rs.ParameterError, match=words):
        rs.Ensemble(networks)


def test_a_blackboard_is_that_of_the_chosen_network():
    nets = classifiers()
    ensemble = rs.Ensemble(nets)
    for member, net in enumerate(nets, start=1):
        board = ensemble.blackboard(X[:1], LABELS[:1], member=member, lang="fr")
        assert str(board) == str(net.blackboard(X[:1], LABELS[:1], lang="fr"))
    assert str(ensemble.blackboard(X[:1], LABELS[:1])) == str(nets[0].blackboard(X[:1], LABELS[:1]))
    for wrong in (0, 4, "first"):
        with pytest.raises(rs.ParameterError, match="member is"):
            ensemble.blackboard(X[:1], LABELS[:1], member=wrong)


def test_it_is_shown_by_its_networks():
    same, other = quantities(2), rs.Network(rs.Dense(2), inputs=4)
    assert repr(rs.Ensemble(same)) == f"Ensemble(2 x {same[0]!r})"
    ensemble = rs.Ensemble([*same, other])
    assert repr(ensemble) == f"Ensemble([{same[0]!r}, {same[1]!r}, {other!r}])"
    told = ensemble.summary()
    assert told.startswith(f"Networks 1, 2:\n{same[0].summary()}\n\nNetwork 3:\n{other.summary()}\n\n")
    assert told.endswith(f"\n\nThe mean of 3 networks, {ensemble.n_parameters} parameters")


def test_displays_compare_its_targets_with_the_mean():
    ensemble, y = rs.Ensemble(quantities()), RNG.normal(size=(300, 2))
    t, o = targets_and_predictions(ensemble, X, y)
    assert np.array_equal(t, y)
    assert np.array_equal(o, ensemble(X))
    classes = rs.Ensemble(classifiers())
    t, o = targets_and_predictions(classes, X, LABELS)
    assert np.array_equal(t, np.eye(3)[LABELS])
    assert np.array_equal(o, classes(X))


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_holds_all_networks_and_gives_the_same_bytes(tmp_path):
    ensemble = rs.Ensemble(classifiers())
    ensemble.save(tmp_path / "a.reseau")
    rs.save(ensemble, tmp_path / "b.reseau")
    assert (tmp_path / "a.reseau").read_bytes() == (tmp_path / "b.reseau").read_bytes()
    back = rs.load(tmp_path / "a.reseau")
    assert type(back) is rs.Ensemble
    assert repr(back) == repr(ensemble)
    assert back(X).tobytes() == ensemble(X).tobytes()
    kept = io.BytesIO()
    back.save(kept)
    assert kept.getvalue() == (tmp_path / "a.reseau").read_bytes()


def test_commands_show_and_verify_it(tmp_path):
    path, ensemble = tmp_path / "a.reseau", rs.Ensemble(quantities())
    ensemble.save(path)
    told = CliRunner().invoke(app, ["show", str(path)])
    assert told.exit_code == 0
    assert told.stdout.startswith(f"{path}: an ensemble\n\n{ensemble.summary()}\n")
    verified = CliRunner().invoke(app, ["verify", str(path)])
    assert f"in order (ensemble, {ensemble.n_parameters} weights" in verified.stdout
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    refused = CliRunner().invoke(app, ["predict", str(path), str(tmp_path / "t.csv")])
    assert refused.exit_code == 2
    assert "holds an Ensemble, which does not know how to read a table" in " ".join(refused.stderr.split())


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    nets = quantities()
    nets[2].layers[1].W[0, 1] = np.nan
    with pytest.raises(rs.ReseauError, match=r"layer 2 has parameters that are not finite in float32.* W\[0, 1\]"):
        rs.Ensemble(nets).save(tmp_path / "no.reseau")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda d, t: d["networks"].pop(), "there are tensors of none of them"),
        (lambda d, t: d["networks"].append(d["networks"][0]), "hold another number"),
        (lambda d, t: d["networks"][1].update(dtype="float64"), "float64"),
        (lambda d, t: d["networks"].clear(), "must contain at least 1 items"),
        (lambda d, t: d["networks"][1].update(loss="huber"), r"networks\[1\] has loss='huber'"),
        (lambda d, t: d.update(more=1), "must not contain"),
        (lambda d, t: t.update({"0.layers.0.W": t["0.layers.0.W"].T}), "shape"),
        (lambda d, t: t.update({"layers.0.W": t.pop("0.layers.0.W")}), "hold another number"),
    ],
)
def test_a_file_that_describes_no_ensemble_is_refused(changed, words, tmp_path):
    description, tensors = rs.Ensemble(quantities()).described()
    changed(description, tensors)
    model_file.write(tmp_path / "odd.reseau", description, tensors)
    with pytest.raises(rs.ModelFileError, match=words):
        rs.load(tmp_path / "odd.reseau")
