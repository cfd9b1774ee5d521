"""What is in estimators of scikit-learn that are made of others, and their plainer copies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import reseau as rs
from reseau.composed.inside import innermost, networks, plain, positions

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 4)), columns=["a", "b", "c", "d"])
LABELS = (FRAME["a"] > 0).to_numpy()


def C() -> rs.MLPClassifier:
    return rs.MLPClassifier((3,), max_iter=2, random_state=0)


@pytest.mark.parametrize(
    ("columns", "places"),
    [
        (["d", "b"], [3, 1]),
        (slice("b", "c"), [1, 2]),
        (slice(1, None), [1, 2, 3]),
        ([0, -1], [0, 3]),
        (np.array([True, False, False, True]), [0, 3]),
        ([False, True, False, False], [1]),
        (make_column_selector(pattern="^[ac]$"), [0, 2]),
        ([], []),
    ],
)
def test_columns_given_in_any_way_are_those_that_scikit_learn_takes(columns: Any, places: list[int]) -> None:
    fitted = ColumnTransformer([("it", "passthrough", columns)]).fit(FRAME)
    ((_, _, kept), *_) = [entry for entry in fitted.transformers_ if entry[0] == "it"]
    assert positions(kept, fitted) == places
    np.testing.assert_array_equal(fitted.transform(FRAME), FRAME.to_numpy()[:, places])


def test_the_innermost_is_what_a_search_found_or_a_pipeline_is() -> None:
    pipeline = Pipeline([("a", "passthrough"), ("b", None), ("c", C())]).fit(FRAME, LABELS)
    assert innermost(pipeline) is pipeline[-1]
    assert innermost(FrozenEstimator(pipeline)) is pipeline[-1]
    search = GridSearchCV(make_pipeline(C()), {"mlpclassifier__alpha": [1e-4]}, cv=2).fit(FRAME, LABELS)
    assert innermost(search) is search.best_estimator_[-1]
    several = make_pipeline(StandardScaler(), C())
    assert innermost(several) is several
    with pytest.raises(rs.ParameterError, match="refit=False"):
        innermost(GridSearchCV(C(), {"alpha": [1e-4]}, cv=2, refit=False).fit(FRAME, LABELS))


def test_networks_are_found_wherever_they_are_fitted() -> None:
    votes = VotingClassifier([("a", make_pipeline(StandardScaler(), C())), ("b", BaggingClassifier(C(), 3))])
    assert list(networks(votes)) == []
    assert len(list(networks(votes.fit(FRAME, LABELS)))) == 4


def test_a_plain_copy_predicts_the_same_and_leaves_the_original_as_it_was() -> None:
    model = make_pipeline(
        "passthrough",
        make_column_transformer(
            (FeatureUnion([("x", "passthrough"), ("y", "drop")]), ["a", "c"]), remainder="passthrough"
        ),
        GridSearchCV(C(), {"alpha": [1e-4]}, cv=2),
    ).fit(FRAME, LABELS)
    before = repr(model)
    met: list[BaseEstimator] = []
    copied = plain(model, met.append)
    np.testing.assert_array_equal(copied.predict_proba(FRAME.to_numpy()), model.predict_proba(FRAME))
    assert repr(model) == before
    assert [type(step) for _, step in copied.steps] == [ColumnTransformer, rs.MLPClassifier]
    assert sum(isinstance(one, FunctionTransformer) for one in met) == 2
