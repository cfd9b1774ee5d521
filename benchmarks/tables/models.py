"""The models that are compared, each at its defaults on the same rows, from a frame as it is to predictions.

Réseau gets the frame. The others get what their users would hand over: text as categories (dates as numbers of days),
missing values as NaN where a model takes them; for the networks of pytabkit, which do not, the median and a column that
says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

MOST_CATEGORIES = 254  # of a column; HistGradientBoosting takes 255 values, missing included
DATE = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}/\d{1,2}/\d{4}"  # how the text of a date begins


@dataclass(frozen=True)
class Problem:
    """What is learned, and on what it is tested.

    Attributes
    ----------
    train, test : DataFrame
        The rows; only those to train on have the target.
    target : str
        The column to predict.
    classes : tuple of str
        Sorted; empty for a regression.
    seed, threads : int
        For the models.
    settings : dict
        Keyword arguments of Réseau's training.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    target: str
    classes: tuple[str, ...]
    seed: int
    threads: int
    settings: Mapping[str, Any]

    @property
    def y(self) -> np.ndarray:
        """What to learn: numbers, or the places of the classes."""
        y = self.train[self.target]
        return np.searchsorted(self.classes, y.astype(str)) if self.classes else y.to_numpy(np.float64)


def columns(problem: Problem, most_categories: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The columns to train and to test on as numbers and categories, under names that every library takes.

    Categories are those of the training rows, the commonest if there are more than `most_categories`; others are
    missing.
    """
    train, test = pd.DataFrame(index=problem.train.index), pd.DataFrame(index=problem.test.index)
    for i, name in enumerate(problem.test.columns):
        known, new = problem.train[name], problem.test[name]
        if not pd.api.types.is_numeric_dtype(known):
            known, new = (column.astype(object).where(column.notna(), None) for column in (known, new))
            if known.dropna().astype(str).str.match(DATE).mean() > 0.9:
                known, new = days(known), days(new)
            else:
                levels = sorted(known.dropna().astype(str).value_counts().index[:most_categories])
                known, new = (
                    pd.Series(pd.Categorical(column.map(str, na_action="ignore"), levels), column.index)
                    for column in (known, new)
                )
        else:
            known, new = known.astype(np.float64), new.astype(np.float64)
        train[f"x{i}"], test[f"x{i}"] = known, new
    return train, test


def days(column: pd.Series) -> pd.Series:
    """Days since 1970 of dates as text."""
    times = pd.to_datetime(column, format="mixed", utc=True, errors="coerce")
    return (times - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)


def fitted(model: Any, train: pd.DataFrame, test: pd.DataFrame, problem: Problem) -> np.ndarray:
    """What a model with scikit-learn's interface says of the rows to test."""
    model.fit(train, problem.y)
    said = model.predict_proba(test) if problem.classes else model.predict(test)
    return np.asarray(said, np.float64)


def reseau(problem: Problem) -> np.ndarray:
    import reseau as rs

    task = "classification" if problem.classes else "regression"
    given = {"test_size": 0, "seed": problem.seed, "threads": problem.threads, **problem.settings}
    model = rs.TableModel.train(problem.train, problem.target, task=task, **given)
    said = model.predict(problem.test, threads=problem.threads)
    if not problem.classes:
        return np.asarray(said.values, np.float64)
    place = [list(model.target.labels).index(name) for name in problem.classes]
    return np.asarray(said.probabilities, np.float64)[:, place]


def hist_gradient_boosting(problem: Problem) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if problem.classes else HistGradientBoostingRegressor
    model = kind(categorical_features="from_dtype", random_state=problem.seed)
    return fitted(model, *columns(problem, MOST_CATEGORIES), problem)


def lightgbm(problem: Problem) -> np.ndarray:
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind = LGBMClassifier if problem.classes else LGBMRegressor
    model = kind(n_jobs=problem.threads, random_state=problem.seed, verbose=-1)
    return fitted(model, *columns(problem), problem)


def xgboost(problem: Problem) -> np.ndarray:
    from xgboost import XGBClassifier, XGBRegressor

    kind = XGBClassifier if problem.classes else XGBRegressor
    model = kind(enable_categorical=True, n_jobs=problem.threads, random_state=problem.seed)
    return fitted(model, *columns(problem), problem)


def catboost(problem: Problem) -> np.ndarray:
    from catboost import CatBoostClassifier, CatBoostRegressor

    kind = CatBoostClassifier if problem.classes else CatBoostRegressor
    train, test = columns(problem)
    names = [name for name in train if isinstance(train[name].dtype, pd.CategoricalDtype)]
    train, test = (
        frame.assign(**{name: frame[name].astype(object).where(frame[name].notna(), "missing") for name in names})
        for frame in (train, test)
    )
    model = kind(
        cat_features=names,
        thread_count=problem.threads,
        random_seed=problem.seed,
        verbose=False,
        allow_writing_files=False,
    )
    return fitted(model, train, test, problem)


def without_missing(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Missing numbers as the median, with a column that says where."""
    train, test = train.copy(), test.copy()
    for name in train.select_dtypes("number"):
        known, new = train[name], test[name]
        if known.isna().any():
            train[f"{name} missing"], test[f"{name} missing"] = known.isna() * 1.0, new.isna() * 1.0
        middle = 0.0 if known.isna().all() else known.median()
        train[name], test[name] = known.fillna(middle), new.fillna(middle)
    return train, test


def realmlp(problem: Problem) -> np.ndarray:
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Classifier if problem.classes else RealMLP_TD_Regressor
    model = kind(device="cpu", n_threads=problem.threads, random_state=problem.seed)
    return fitted(model, *without_missing(*columns(problem)), problem)


def tabm(problem: Problem) -> np.ndarray:
    from pytabkit import TabM_D_Classifier, TabM_D_Regressor

    kind = TabM_D_Classifier if problem.classes else TabM_D_Regressor
    model = kind(device="cpu", n_threads=problem.threads, random_state=problem.seed)
    return fitted(model, *without_missing(*columns(problem)), problem)


@dataclass(frozen=True)
class Model:
    """How a model is run.

    Attributes
    ----------
    run : callable
        Train, and predict the rows to test: probabilities of each class, or numbers.
    imports : tuple of str
        Modules that it needs, so that their import is not timed.
    """

    run: Callable[[Problem], np.ndarray]
    imports: tuple[str, ...]


MODELS = {
    "reseau": Model(reseau, ("reseau", "reseau.tables.model")),
    "HistGradientBoosting": Model(hist_gradient_boosting, ("sklearn.ensemble",)),
    "LightGBM": Model(lightgbm, ("lightgbm",)),
    "XGBoost": Model(xgboost, ("xgboost",)),
    "CatBoost": Model(catboost, ("catboost",)),
    "TabM": Model(tabm, ("pytabkit", "torch")),
    "RealMLP": Model(realmlp, ("pytabkit", "torch", "pytorch_lightning")),
}
