"""The progress of a fit: lines, a bar, a notebook's output; drawn seldom, and changing nothing."""

from __future__ import annotations

import io
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import reseau as rs
from reseau.training import progress

X = np.linspace(-1, 1, 20).reshape(-1, 1)


def small(engine: str | None = None, seed: int = 0) -> rs.Network:
    return rs.Network(rs.Dense(4, "tanh"), rs.Dense(1), seed=seed, engine=engine)


def terminal(monkeypatch) -> io.StringIO:
    """Make stderr one that says it is a terminal."""
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    return stream


@pytest.fixture
def notebook(monkeypatch):
    """What IPython's kernel offers, with what it was given to display."""
    IPython = pytest.importorskip("IPython")
    displayed: list[list[str]] = []

    def display(thing, display_id):
        displayed.append([thing.data])
        return SimpleNamespace(update=lambda thing: displayed[-1].append(thing.data))

    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr("IPython.display.display", display)
    return displayed


def test_nothing_is_shown_unless_it_is_asked_for(capsys, monkeypatch):
    stream = terminal(monkeypatch)
    small().fit(X, X, epochs=3)
    assert capsys.readouterr() == ("", "")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("verbose", [True, 1, 2, np.True_])
def test_plain_lines_tell_of_each_tenth_of_the_epochs(verbose, capsys):
    net = small()
    plan = {"validation_data": (X, X), "metrics": "r2"}
    history = net.fit(X, X, epochs=30, verbose=verbose, **plan)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert [int(re.match(r"epoch +(\d+)/30 ", line)[1]) for line in lines] == [1, *range(3, 31, 3)]
    last = f"  loss {history.loss[-1]:.4g}  validation {history.validation_loss[-1]:.4g}"
    assert lines[-1] == f"epoch 30/30{last}  r2 {history.metrics['r2'][-1]:.4g}"


@pytest.mark.parametrize("verbose", [False, 0, np.False_])
def test_false_shows_nothing(verbose, capsys):
    small().fit(X, X, epochs=3, verbose=verbose)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("verbose", ["yes", None, -1, 0.5])
def test_what_verbose_cannot_be_is_refused(verbose):
    net = small()
    with pytest.raises(rs.ParameterError, match=r"^verbose is .*, but must be a whole number of at least 0, or True"):
        net.fit(X, X, verbose=verbose)
    assert not net.built


def test_a_fit_that_ends_early_tells_of_its_last_epoch(capsys):
    small().fit(X, X, epochs=1000, verbose=True, callback=lambda history: history.epochs == 7)
    assert capsys.readouterr().err.splitlines()[-1].startswith("epoch    7/1000  loss ")


def test_a_terminal_has_a_bar_that_ends_full(monkeypatch):
    stream = terminal(monkeypatch)
    history = small().fit(X, X, epochs=40, verbose=True)
    shown = stream.getvalue()
    assert f"epoch 40/40  loss {history.loss[-1]:.4g}" in shown
    assert "\x1b[?25h" in shown  # the cursor is there again


def test_the_bar_is_closed_when_a_fit_fails(monkeypatch):
    stream = terminal(monkeypatch)

    def fail(history):
        raise LookupError

    with pytest.raises(LookupError):
        small().fit(X, X, epochs=40, verbose=True, callback=fail)
    assert stream.getvalue().endswith("\x1b[?25h")


def test_a_terminal_that_cannot_draw_has_lines(monkeypatch):
    stream = terminal(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    small().fit(X, X, epochs=2, verbose=True)
    assert stream.getvalue().startswith("epoch 1/2  loss ")


def test_a_notebook_has_one_output_that_is_drawn_anew(notebook, capsys):
    def best_of_all_by_far(T, O):
        return 1.0

    best_of_all_by_far.__name__ = "<b>&"
    small().fit(X, X, epochs=3, verbose=True, metrics=best_of_all_by_far)
    assert capsys.readouterr().err == ""
    ((first, *_, last),) = notebook
    assert '<progress value="1" max="3">' in first
    assert '<progress value="3" max="3">' in last
    assert "&lt;b&gt;&amp; 1" in last


def test_without_stderr_nothing_is_shown(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert small().fit(X, X, epochs=2, verbose=True).epochs == 2


def test_being_shown_changes_nothing_and_leaves_most_epochs_to_the_engine(engine, monkeypatch, capsys):
    nets, calls = [small(engine) for _ in range(2)], []
    monkeypatch.setattr(progress, "described", lambda history: calls.append(history.epochs) or "")
    epochs = {"native": 20_000, "reference": 20}[engine]
    for net, verbose in zip(nets, (False, True), strict=True):
        history = net.fit(X, X, epochs=epochs, verbose=verbose, batch_size=7)
        assert history.epochs == epochs
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()
    assert calls[-1] == epochs
    assert len(calls) <= 12


def test_checkpoints_are_written_at_the_same_epochs(tmp_path, capsys):
    nets = [small() for _ in range(2)]
    for place, net in enumerate(nets):
        net.fit(X, X, epochs=7, checkpoint=tmp_path / str(place), checkpoint_every=3, verbose=bool(place))
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()
    assert rs.load(tmp_path / "1" / "checkpoint.reseau").parameters.tobytes() == nets[1].parameters.tobytes()


def test_a_notebook_is_one_by_its_kernel_alone():
    assert not progress._in_a_notebook()


# --- several fits side by side ------------------------------------------------------------------------------------


def several(n: int) -> list[rs.Network]:
    return [small(seed=seed) for seed in range(n)]


def test_several_fits_count_their_epochs_together(capsys):
    nets, epochs = several(5), [10, 10, 20, 30, 30]
    histories = rs.fit_many(nets, X, X, epochs=epochs, verbose=True, metrics="r2")
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert 2 <= len(lines) <= 12
    counts = [int(re.match(r"epoch +(\d+)/100  networks \d/5  loss ", line)[1]) for line in lines]
    assert counts == sorted(counts)
    loss = np.median([history.loss[-1] for history in histories])
    r2 = np.median([history.metrics["r2"][-1] for history in histories])
    assert lines[-1] == f"epoch 100/100  networks 5/5  loss {loss:.4g}  r2 {r2:.4g}"


def test_a_bar_of_several_fits_ends_full_though_some_end_early(monkeypatch, capsys):
    stream = terminal(monkeypatch)
    histories = rs.fit_many(
        several(3), X, X, epochs=40, verbose=True, callback=[None, lambda history: history.epochs == 3, None]
    )
    assert [history.epochs for history in histories] == [40, 3, 40]
    assert "epoch 120/120  networks 3/3  loss" in stream.getvalue()
    assert "\x1b[?25h" in stream.getvalue()  # the cursor is there again


def test_a_notebook_has_one_output_for_several_fits(notebook):
    rs.fit_many(several(2), X, X, epochs=3, verbose=True)
    ((*_, last),) = notebook
    assert '<progress value="6" max="6">' in last
    assert "networks 2/2" in last


@pytest.mark.parametrize("threads", [1, 2])
def test_being_shown_changes_nothing_of_several_fits(threads, capsys):
    runs = [several(4), several(4)]
    for nets, verbose in zip(runs, (False, True), strict=True):
        rs.fit_many(nets, X, X, epochs=200, verbose=verbose, batch_size=7, threads=threads)
    assert [net.parameters.tobytes() for net in runs[0]] == [net.parameters.tobytes() for net in runs[1]]


def test_several_fits_are_silent_unless_asked_and_refuse_another_verbose(capsys):
    rs.fit_many(several(2), X, X, epochs=3)
    assert capsys.readouterr() == ("", "")
    nets = several(2)
    with pytest.raises(rs.ParameterError, match=r"^verbose is 'yes', but must be"):
        rs.fit_many(nets, X, X, verbose="yes")
    assert not any(net.built for net in nets)


def test_fits_that_were_complete_on_disk_are_counted_too(tmp_path, capsys):
    for _ in range(2):
        rs.fit_many(several(2), X, X, epochs=4, verbose=True, checkpoint=tmp_path)
        assert capsys.readouterr().err.splitlines()[-1].startswith("epoch 8/8  networks 2/2")
