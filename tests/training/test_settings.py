"""The settings of a training run: checked once, the same whoever gives them, described for checkpoints."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import numpy as np
import pytest

import reseau as rs
from reseau.training.settings import Settings


def test_every_setting_is_a_parameter_of_fit_with_the_same_default() -> None:
    parameters = inspect.signature(rs.Network.fit).parameters
    for field in dataclasses.fields(Settings):
        if field.name not in ("optimizer", "epochs"):  # of which fit takes names too, and None
            assert parameters[field.name].default == field.default
    assert (parameters["optimizer"].default, parameters["epochs"].default) == (None, None)
    assert Settings.of(optimizer=None) == Settings() == Settings(optimizer=rs.Adam(), epochs=10)
    method = rs.LevenbergMarquardt()
    assert Settings.of(optimizer="lm", epochs=None) == Settings(optimizer=method, epochs=1000)


def test_what_numpy_made_becomes_what_python_has() -> None:
    settings = Settings(epochs=np.int64(3), l2=np.float32(0.25), shuffle=np.False_, batch_size=np.uint8(7))  # type: ignore[arg-type]
    assert settings == Settings(epochs=3, l2=0.25, shuffle=False, batch_size=7)
    assert {type(value) for value in dataclasses.astuple(settings)[1:]} == {int, float, bool, tuple, type(None)}


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 2.5},
        {"l2": -1.0},
        {"shuffle": 1},
        {"precision": "fp8"},
        {"checkpoint_every": 0},
        {"patience": 0},
        {"patience": True},
        {"min_delta": -1.0},
        {"metrics": 3},
        {"metrics": "acuracy"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_setting_outside_its_range_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(rs.ParameterError, match=f"^{next(iter(wrong))} is "):
        Settings(**wrong)


def test_all_settings_but_how_often_the_disk_is_written_are_described() -> None:
    names = {field.name for field in dataclasses.fields(Settings)}
    assert set(Settings().describe()) == names - {"checkpoint_every"}
    description = Settings(optimizer=rs.SGD(0.5), l2=0.1).describe()
    assert description["optimizer"] == {"name": "sgd", "learning_rate": 0.5, "momentum": 0.0, "nesterov": False}
    assert description["l2"] == 0.1


def test_what_an_engine_takes_for_each_run_are_parameters_of_its_trainer() -> None:
    from reseau.engine import reference

    assert set(Settings().of_a_run) <= set(inspect.signature(reference.Trainer.run).parameters)
