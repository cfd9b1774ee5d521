"""A table as arrays for a network of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import reseau as rs
from reseau.tables import report

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(10, 3, 200), "sort": rng.choice(["plain", "striped"], 200)})
    frame["price"] = 20 * frame["size"] + 30 * (frame["sort"] == "striped") + rng.normal(size=200)
    return frame


def _trained(data, outputs, **how):
    net = rs.Network(rs.Dense(8, "tanh"), rs.Dense(outputs), inputs=len(data.inputs), seed=0, **how)
    net.fit(data.X, data.y, optimizer=rs.Adam(0.01), epochs=60, batch_size=16)
    return net


def test_numbers_are_standardised_by_the_rows_that_are_learned_from_and_labels_are_zeros_and_ones(table):
    data = rs.TableData(table, "price", held_out=0.25, seed=3)
    assert (len(data.rows), len(data.rows_val)) == (150, 50)
    assert sorted([*data.rows, *data.rows_val]) == list(range(200))
    learned = table["size"].to_numpy()[data.rows]
    for rows, X in ((data.rows, data.X), (data.rows_val, data.X_val)):
        of_rows = table.iloc[rows]
        expected = np.column_stack(
            [
                (of_rows["size"] - learned.mean()) / learned.std(),
                of_rows["sort"] == "plain",
                of_rows["sort"] == "striped",
            ]
        )
        np.testing.assert_allclose(X, expected, rtol=0, atol=1e-6)
    assert data.inputs == ["size", "sort=plain", "sort=striped"]
    price = table["price"].to_numpy()[data.rows]
    np.testing.assert_allclose(data.y[:, 0], (price - price.mean()) / price.std(), rtol=0, atol=1e-5)
    assert data.classes == []


def test_classes_are_their_places_and_held_out_in_proportion():
    data = rs.TableData(PENGUINS, "species", held_out=0.25, seed=0)
    species = pd.read_csv(PENGUINS)["species"].to_numpy()
    assert data.classes == ["Adelie", "Chinstrap", "Gentoo"]
    assert [data.classes[place] for place in data.y_val] == species[data.rows_val].tolist()
    assert data.y.dtype == np.int64
    counts = np.unique(species, return_counts=True)[1]
    np.testing.assert_allclose(np.bincount(data.y_val), counts / 4, atol=1)


def test_the_model_of_a_network_predicts_in_the_unit_of_the_table_what_the_network_says(table, tmp_path):
    data = rs.TableData(table, "price")
    net = _trained(data, 1)
    model = data.model(net)
    price = table["price"].to_numpy()[data.rows]
    expected = net(data.X_val)[:, 0].astype(float) * price.std() + price.mean()
    expected = np.maximum(expected, price.min())  # a price is not predicted below all that were met
    predicted = model.predict(table).values.to_numpy()
    np.testing.assert_allclose(predicted[data.rows_val], expected, rtol=1e-6)
    truth = table["price"].to_numpy()[data.rows_val]
    r2 = 1 - ((truth - expected) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    assert model.scores.rows == 50
    assert model.scores.r2 == pytest.approx(r2, abs=1e-6)
    model.save(tmp_path / "price.reseau")
    again = rs.load(tmp_path / "price.reseau")
    assert again.predict(table).values.equals(model.predict(table).values)
    assert report.training(again) == "150 rows, by a fit of the network's own"


def test_columns_are_what_is_said_of_them(table):
    table["code"] = np.arange(200) % 7
    data = rs.TableData(table, "price", columns={"code": "category", "sort": "ignore"})
    assert data.inputs == ["size", *(f"code={k}" for k in range(7))]
    with pytest.raises(rs.ParameterError, match=r"columns\['sort'\] is 'colour', which is unknown"):
        rs.TableData(table, "price", columns={"sort": "colour"})
    with pytest.raises(rs.ParameterError, match="columns is 'sort', but must say of columns by name what they are"):
        rs.TableData(table, "price", columns="sort")


def test_without_rows_held_out_there_are_no_scores(table):
    data = rs.TableData(table, "price", held_out=0)
    assert data.X_val.shape == (0, 3)
    assert data.model(_trained(data, 1)).scores is None


def test_a_label_tells_nothing_of_its_own_rows_target():
    """Each of 40 labels has five rows, of targets drawn by chance: in other rows they do not go with the target."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"label": [f"l{k:02}" for k in np.arange(400) % 80], "x": rng.normal(size=400)})
    frame["y"] = rng.normal(size=400)
    data = rs.TableData(frame, "y", held_out=0.2)
    effect = data.X[:, data.inputs.index("label: effect")]
    assert abs(np.corrcoef(effect, data.y[:, 0])[0, 1]) < 3 / np.sqrt(len(data.y))


def test_networks_that_do_not_fit_the_table_are_refused(table):
    data = rs.TableData(table, "price")
    with pytest.raises(rs.ParameterError, match="2 inputs and 1 outputs, but the table gives 3 inputs and takes 1"):
        data.model(rs.Network(rs.Dense(1), inputs=2))
    with pytest.raises(rs.ParameterError, match="for which y is scaled otherwise; give it to TableData too"):
        data.model(rs.Network(rs.Dense(1), loss="poisson", inputs=3))
    with pytest.raises(rs.ParameterError, match="network is 'net', but must be a Network"):
        data.model("net")
    classes = rs.TableData(PENGUINS, "species")
    logarithms = rs.Network(rs.Dense(3, "log_softmax"), loss="cross_entropy", inputs=len(classes.inputs))
    with pytest.raises(rs.ParameterError, match="have to be probabilities"):
        classes.model(logarithms)


def test_a_loss_of_means_has_targets_divided_by_their_mean(table):
    data = rs.TableData(table, "price", loss="poisson")
    price = table["price"].to_numpy()[data.rows]
    np.testing.assert_allclose(data.y[:, 0], price / price.mean(), rtol=1e-6)
    assert data.model(_trained(data, 1, loss="poisson")).target.loss == "poisson"


def test_arrays_that_are_like_a_models_are_what_it_has_learned_from(table):
    model = rs.TableModel.train(table, "price", preset="fast", epochs=5)
    data = rs.TableData(table, "price", like=model, held_out=0.25)
    predicted = model.predict(table).values.to_numpy()
    O = model.network(data.X)[:, 0].astype(float)
    np.testing.assert_allclose(predicted[data.rows], model.target.numbers(O[:, None]))
    before = float(model.network.errors(data.X, data.y).mean())
    model.network.fit(data.X, data.y, epochs=5)
    assert float(model.network.errors(data.X, data.y).mean()) < before
    again = data.model(model.network)
    assert again.columns == model.columns
    assert again.scores.rows == 50


def test_what_is_said_beside_a_model_is_refused(table):
    model = rs.TableModel.train(table, "price", preset="fast", epochs=1)
    with pytest.raises(rs.ParameterError, match="loss is 'huber', but like is a model, which says so"):
        rs.TableData(table, "price", like=model, loss="huber")
    with pytest.raises(rs.ParameterError, match="given as like predicts 'price'"):
        rs.TableData(table, "size", like=model)
    with pytest.raises(rs.ParameterError, match="the model that the data are like has 'squared_error'"):
        rs.TableData(table, "price", like=model).model(rs.Network(rs.Dense(1), loss="huber", inputs=3))


def test_what_it_is_like_is_a_model():
    with pytest.raises(rs.ParameterError, match="but must be a TableModel or None"):
        rs.TableData(PENGUINS, "species", like="penguins.reseau")
