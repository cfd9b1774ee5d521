"""A session, as a page has it: what is asked is answered, and the same document gives the same weights."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from studio_page import Page, dense, same_bytes, toy

import reseau as rs
from reseau.studio.refusal import Refusal
from reseau.studio.session import Studio
from reseau.studio.toys import circles, split
from reseau.vocabulary.layers.table import LAYERS


@pytest.fixture(scope="module")
def studio():
    return Studio()


@pytest.fixture
def page(studio):
    page = Page(studio)
    yield page
    page.close()


def _fitted(epochs, learning_rate=0.01, **how):
    """What the library itself makes of what a session begins with."""
    X, y = circles(400, noise=0.1, seed=0)
    X, y, X_val, y_val = split(X, y, 0.25, seed=0)
    layers = rs.Dense(4, "tanh"), rs.Dense(3, "tanh"), rs.Dense(2, "softmax")
    net = rs.Network(*layers, loss="cross_entropy", inputs=2, seed=0)
    how = {"optimizer": rs.Adam(learning_rate), "batch_size": 32, "validation_data": (X_val, y_val), **how}
    return net, net.fit(X, y, epochs=epochs, **how) if epochs else None


def test_what_there_is_to_choose_from_comes_from_the_tables_of_the_library(page):
    welcome = page.welcome
    assert [kind["name"] for kind in welcome["kinds"]] == list(LAYERS)
    assert {a["name"] for a in welcome["activations"]} >= {"tanh", "relu", "softmax"}
    assert {(loss["name"], loss["task"], loss["output"]) for loss in welcome["losses"]} >= {
        ("cross_entropy", "classification", "softmax"),
        ("binary_cross_entropy", "classification", "sigmoid"),
        ("squared_error", "classification", "sigmoid"),
        ("squared_error", "regression", "identity"),
        ("poisson", "regression", "exponential"),
    }
    assert {"name": "sgd", "learning_rate": 0.01} in welcome["optimizers"]
    assert welcome["schedules"][0] == "constant"
    assert "function" not in welcome["schedules"]
    assert welcome["tables"][0]["name"] == "penguins.csv"
    assert welcome["tables"][0]["target"] == "species"


def test_epochs_are_those_of_fit_to_the_byte(page):
    page.train(3)
    net, history = _fitted(3)
    assert same_bytes(page.parameters(), net.parameters)
    frame = page.look()
    assert frame["epoch"] == 3
    np.testing.assert_array_equal(page.arrays["curve"][0], np.float32(history.loss))
    np.testing.assert_array_equal(page.arrays["curve"][1], np.float32(history.validation_loss))
    assert frame["curve_from"] == 0


def test_the_steps_of_an_epoch_lead_to_its_weights_to_the_byte(page):
    page.train(2)
    steps = page.look()["steps"]
    assert steps == 10  # 300 samples in batches of 32
    seen = []
    for step in range(1, steps):
        page.run("step")
        page.until(lambda event: event["type"] == "frame")
        assert (page.header["epoch"], page.header["step"]) == (2, step)
        seen.append(page.arrays["parameters"])
    look = page.session._run.look
    page.session._asked(look.step)  # the last, which the fit itself would make with the whole epoch
    after = look.network.parameters.copy()
    page.run("step")
    page.paused()
    assert page.look()["epoch"] == 3
    assert same_bytes(page.parameters(), after)
    assert same_bytes(page.parameters(), _fitted(3)[0].parameters)
    assert len({array.tobytes() for array in seen}) == steps - 1


@pytest.mark.parametrize(
    "training",
    [
        {"optimizer": "sgd", "schedule": "cosine", "epochs": 7, "l2": 0.01},
        {"optimizer": "rmsprop", "schedule": "reduce_on_plateau", "epochs": 40, "batch_size": 7},
        {"optimizer": "adamw", "schedule": "one_cycle", "epochs": 9, "batch_size": 1000},
    ],
)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_steps_follow_schedules_penalties_dropout_and_what_the_optimizer_keeps(page, training, dropout):
    layers = [dense(6, dropout=dropout), dense(2, "softmax")]
    page.change(data={"samples": 60}, network={"layers": layers}, training=training)
    page.train(3)

    def stepped():
        run = page.session._run
        while not page.session._step():
            pass
        run.look.step()
        return run.look.network.parameters.copy()

    after = page.session._asked(stepped)
    page.train(1)
    assert same_bytes(page.parameters(), after)


def test_a_step_before_the_first_epoch_is_one_of_its_own(page):
    page.change(training={"batch_size": 200})  # two steps
    before = page.parameters()
    page.run("step")
    page.until(lambda event: event["type"] == "frame")
    assert page.header["step"] == 1
    assert not same_bytes(page.arrays["parameters"], before)
    assert same_bytes(page.parameters(), before)  # those of whole epochs
    page.run("epoch")
    page.paused()
    assert same_bytes(page.parameters(), _fitted(1, batch_size=200)[0].parameters)


def test_another_training_goes_on_from_the_weights_in_another_fit(page):
    page.train(2)
    page.change(training={"learning_rate": 0.1})
    page.train(2)
    net, _ = _fitted(2)
    X, y = circles(400, noise=0.1, seed=0)
    X, y, X_val, y_val = split(X, y, 0.25, seed=0)
    net.fit(X, y, optimizer=rs.Adam(0.1), epochs=2, batch_size=32, validation_data=(X_val, y_val))
    assert same_bytes(page.parameters(), net.parameters)
    fits = page.document["fits"]
    assert [(fit["epochs"], fit["training"]["learning_rate"]) for fit in fits] == [(2, 0.01), (2, 0.1)]


def test_other_data_or_another_network_begin_anew(page):
    page.train(2)
    page.change(network={"seed": 5})
    assert page.document["fits"] == []
    assert page.look()["epoch"] == 0
    assert same_bytes(page.parameters(), rs.Network(*_layers(), loss="cross_entropy", inputs=2, seed=5).parameters)


def _layers():
    return rs.Dense(4, "tanh"), rs.Dense(3, "tanh"), rs.Dense(2, "softmax")


def test_the_output_is_as_wide_as_the_data_want_and_goes_with_their_task(page):
    page.change(data={"name": "spiral", "classes": 4})
    assert page.document["network"]["layers"][-1]["neurons"] == 4
    page.change(data={"name": "sine"})
    last = page.document["network"]["layers"][-1]
    assert (last["neurons"], last["activation"], page.document["network"]["loss"]) == (1, "identity", "squared_error")
    page.change(data={"name": "xor"})
    last = page.document["network"]["layers"][-1]
    assert (last["neurons"], last["activation"], page.document["network"]["loss"]) == (2, "softmax", "cross_entropy")
    page.change(network={"loss": "squared_error"})  # the lecture's, of which one output says yes or no
    assert page.document["network"]["layers"][-1]["neurons"] == 1
    page.change(data={"name": "moons"})
    assert page.document["network"]["loss"] == "squared_error"


def test_a_number_is_set_after_the_epoch_and_the_document_says_so(page):
    page.train(2)
    done = page.ask("set", tensor="layers.1.W", index=[3, 2], value=0.3)
    assert done["type"] == "done"
    page.until(lambda event: event["type"] == "frame")
    tensor = next(t for t in page.state["network"]["tensors"] if t["name"] == "layers.1.W")
    assert tensor["shape"] == [4, 3]
    assert page.arrays["parameters"][tensor["offset"] + 3 * 3 + 2] == np.float32(0.3)
    page.train(1)
    fit = page.document["fits"][0]
    assert fit["edits"] == [{"epoch": 2, "tensor": "layers.1.W", "index": [3, 2], "value": 0.3}]
    assert fit["epochs"] == 3


@pytest.mark.parametrize(
    ("tensor", "index", "value"),
    [("layers.7.W", [0, 0], 1), ("layers.0.W", [0], 1), ("layers.0.W", [2, 0], 1), ("layers.0.W", [0, 0], 1e40)],
)
def test_a_number_that_there_is_not_is_refused_and_changes_nothing(page, tensor, index, value):
    before = page.parameters()
    refused = page.ask("set", tensor=tensor, index=index, value=value)
    assert (refused["type"], refused["code"]) == ("refused", "network_refused")
    assert same_bytes(page.parameters(), before)
    page.run("pause")
    assert page.document["fits"] == []


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"network": {"layers": [dense(2, "softmax")], "loss": "squared"}}, "network_refused", "loss is 'squared'"),
        ({"network": {"layers": [dense(3, "sinus"), dense(2, "softmax")]}}, "network_refused", "'sinus'"),
        ({"network": {"layers": [{"kind": "conv"}, dense(2, "softmax")]}}, "network_refused", "kinds of layers"),
        ({"network": {"layers": [dense(3, residual=True), dense(2, "softmax")]}}, "network_refused", "residual link"),
        ({"network": {"layers": [dense(4096), dense(4096), dense(2, "softmax")]}}, "network_refused", "fewer neurons"),
        ({"network": {"layers": [dense(3, "softmax", dropout=0.5), dense(2, "softmax")]}}, "network_refused", "kind"),
        ({"network": {"layers": [dense(2, "softmax"), {"kind": "dropout"}]}}, "network_refused", "last layer"),
        ({"network": {"loss": "huber"}}, "network_refused", "none of classification"),
        ({"training": {"optimizer": "newton"}}, "training_refused", "'newton'"),
        ({"training": {"schedule": "cosine"}}, "training_refused", "after how many to stop"),
        ({"training": {"patience": 3}, "data": {"held_out": 0}}, "training_refused", "hold some out"),
        ({"data": {"name": "stars"}}, "unknown_toy", "'stars'"),
    ],
)
def test_what_cannot_be_is_refused_in_the_librarys_words_and_changes_nothing(page, changes, code, words):
    page.train(1)
    before, document = page.parameters(), page.document
    refused = page.change(**changes)
    assert (refused["type"], refused["code"]) == ("refused", code)
    assert words in refused["message"]
    page.run("pause")
    assert page.document == document
    assert same_bytes(page.parameters(), before)


def test_an_empty_layer_is_refused(studio):
    document = {**Page(studio).document}
    document["network"] = {**document["network"], "layers": [dense(0), dense(2, "softmax")]}
    with pytest.raises(Refusal) as refused:
        Page(studio).session._prepared(document)
    assert refused.value.code == "layer_empty"


def test_rewind_goes_back_to_the_first_weights(page):
    first = page.parameters()
    page.train(2)
    page.run("rewind")
    assert same_bytes(page.parameters(), first)
    assert page.document["fits"] == []
    page.train(2)
    assert same_bytes(page.parameters(), _fitted(2)[0].parameters)


def test_play_goes_on_until_it_is_paused(page):
    page.run("play")
    assert page.state["phase"] == "running"
    page.until(lambda event: event["type"] == "frame" and event["epoch"] > 20)
    page.run("pause")
    assert page.state["phase"] == "paused"
    made = page.document["fits"][0]["epochs"]
    assert made > 20
    assert same_bytes(page.parameters(), _fitted(made)[0].parameters)


def test_commands_that_come_while_it_runs_are_done_between_epochs(page):
    page.run("play")
    page.ask("set", tensor="layers.0.b", index=[0], value=1.5)
    page.ask("look", axes=[1, 0], sample={"part": "validation", "row": 3}, lang="fr")
    page.change(training={"learning_rate": 0.02})
    assert page.state["phase"] == "running"
    page.ask("keep")
    page.run("pause")
    first, second = page.document["fits"][:2]
    assert first["edits"][0]["value"] == 1.5
    assert first["edits"][0]["epoch"] <= first["epochs"]
    assert second["training"]["learning_rate"] == 0.02


@pytest.mark.parametrize(
    ("training", "stopped"),
    [({"epochs": 5}, "epochs"), ({"stop_loss": 0.6}, "stop_loss"), ({"patience": 2}, "patience")],
)
def test_a_run_comes_to_its_end_by_itself_and_says_why(page, training, stopped):
    page.change(training={"learning_rate": 0.2 if stopped == "patience" else 0.01, **training})
    page.run("play")
    page.paused()
    assert page.state["stopped"] == stopped
    fit = page.document["fits"][-1]
    page.look()
    curve = page.arrays["curve"]
    assert fit["epochs"] == curve.shape[1]
    if stopped == "stop_loss":
        assert curve[0, -1] < 0.6 <= curve[0, :-1].min()
    if stopped == "patience":
        assert curve[1].argmin() == curve.shape[1] - 3
        best, _ = _fitted(fit["epochs"], learning_rate=0.2, patience=2)
        assert same_bytes(page.parameters(), best.parameters)
    page.run("play")  # another fit
    page.paused()
    assert len(page.document["fits"]) == 2


def test_a_run_that_diverges_is_told_and_keeps_the_weights_before(page):
    page.change(data={"name": "plane"})
    page.change(training={"optimizer": "sgd", "learning_rate": 100.0})
    page.run("play")
    told = page.until(lambda event: event["type"] == "refused")
    assert (told["code"], told["answer"]) == ("diverged", None)
    assert "smaller learning rate" in told["message"]
    page.paused()
    assert page.state["stopped"] == "diverged"
    assert np.isfinite(page.parameters()).all()
    page.change(training={"learning_rate": 0.01})
    page.train(1)
    made = page.document["fits"][-1]
    assert made["training"]["learning_rate"] == 0.01


def test_what_the_library_notices_is_told_once(page):
    page.change(data={"name": "sine"}, network={"layers": [dense(4), dense(1, "sigmoid")]})
    page.train(2)
    page.change(training={"learning_rate": 0.02})
    page.train(1)
    notes = [event["message"] for event in page.seen if event["type"] == "refused" and event["code"] == "note"]
    assert len(notes) == 1
    assert "sigmoid" in notes[0]


def test_a_document_is_trained_again_as_far_as_it_had_come(page, studio):
    page.change(data={"name": "spiral", "classes": 3}, network={"layers": [dense(5, dropout=0.2), dense(3, "softmax")]})
    page.ask("set", tensor="layers.0.W", index=[0, 0], value=-1)
    page.train(3)
    page.ask("set", tensor="layers.0.b", index=[1], value=0.5)
    page.train(2)
    page.change(training={"optimizer": "sgd", "schedule": "polynomial", "epochs": 10, "learning_rate": 0.1})
    page.train(4)
    page.ask("set", tensor="layers.1.b", index=[1], value=0.25)
    page.run("pause")
    again = Page(studio, page.document)
    assert again.state["phase"] == "restoring"
    again.paused()
    assert again.document == page.document
    assert same_bytes(again.parameters(), page.parameters())
    page.train(2)  # both go on in the same fit
    again.train(2)
    assert same_bytes(again.parameters(), page.parameters())
    assert again.document == page.document
    again.close()


def test_a_restored_run_can_be_paused_where_it_is(page, studio):
    page.train(1)
    document = page.document
    document["fits"][0]["epochs"] = 5_000_000
    again = Page(studio, document)
    refused = again.ask("run", what="play")
    assert refused["code"] == "busy"
    with pytest.raises(Refusal, match="trained as far as it had come"):
        again.session.take("model")
    again.run("pause")
    made = again.document["fits"][0]["epochs"]
    assert 0 < made < 5_000_000
    assert same_bytes(again.parameters(), _fitted(made)[0].parameters)
    again.close()


def test_what_is_being_restored_waits_while_no_page_looks_on(page, studio):
    page.train(1)
    document = page.document
    document["fits"][0]["epochs"] = 5000
    again = Page(studio, document)
    again.session.detach()
    first = again.session._asked(lambda: (again.session._phase, again.session._run.epochs))
    assert first[0] == "restoring"
    time.sleep(0.1)
    assert again.session._asked(lambda: (again.session._phase, again.session._run.epochs)) == first
    again.session.attach(again.events.put)
    again.paused()
    assert again.document["fits"][0]["epochs"] == 5000
    assert same_bytes(again.parameters(), _fitted(5000)[0].parameters)
    again.close()


def test_nothing_is_taken_of_a_closed_session(studio):
    page = Page(studio)
    page.close()
    with pytest.raises(Refusal, match="closed"):
        page.session.take("model")


def test_another_training_ends_the_look_into_an_epoch(page):
    page.run("step")
    page.run("step")
    page.change(training={"batch_size": 100})
    page.run("step")
    page.until(lambda event: event["type"] == "frame" and event["step"] == 1)
    assert page.header["steps"] == 3
    page.train(1)
    assert same_bytes(page.parameters(), _fitted(1, batch_size=100)[0].parameters)


def test_a_newer_document_is_refused_and_the_session_begins_as_usual(page, studio):
    again = Page(studio, {**page.document, "version": 2})
    refused = next(event for event in again.seen if event["type"] == "refused")
    assert refused["code"] == "newer_version"
    assert again.document["data"]["name"] == "circles"
    again.close()


@pytest.mark.parametrize(
    ("fit", "code"),
    [
        ({"training": {"optimizer": "newton"}}, "training_refused"),
        ({"edits": [{"epoch": 0, "tensor": "layers.5.W", "index": [0, 0], "value": 1}]}, "network_refused"),
        ({"edits": [{"epoch": 0, "tensor": "layers.0.W", "index": [9, 0], "value": 1}]}, "network_refused"),
    ],
)
def test_a_document_whose_fits_cannot_be_made_is_refused(page, studio, fit, code):
    document = page.document
    made = {"training": document["training"] | fit.get("training", {}), "epochs": 3, "edits": fit.get("edits", [])}
    again = Page(studio, {**document, "fits": [made]})
    assert [event["code"] for event in again.seen if event["type"] == "refused"] == [code]
    assert again.document["fits"] == []
    again.close()


def test_a_fit_that_ends_sooner_than_its_document_says_is_told(page, studio):
    document = page.document
    training = {**document["training"], "epochs": 4}
    again = Page(studio, {**document, "training": training, "fits": [{"training": training, "epochs": 9, "edits": []}]})
    again.paused()
    note = next(event for event in again.seen if event["type"] == "refused")
    assert note["message"] == "A fit of 9 epochs came to its end after 4, and was left so."
    assert again.document["fits"][0]["epochs"] == 4
    again.close()


def test_a_frame_that_cannot_be_made_ends_no_training(page, monkeypatch):
    monkeypatch.setattr("reseau.studio.frames.Painter.picture", lambda *_: 1 / 0)
    page.run("play")
    failed = page.until(lambda event: event["type"] == "refused")
    assert failed["code"] == "failed"
    page.run("pause")
    assert page.document["fits"][0]["epochs"] > 0


def test_a_session_is_taken_up_where_it_was_left(page):
    page.run("play")
    page.session.detach()
    page.parameters()
    page.drain()
    first = page.parameters()
    time.sleep(0.1)
    assert same_bytes(page.parameters(), first)  # it trains no further
    assert page.events.empty()
    page.session.attach(page.events.put)
    welcome = page.ask("open", session=page.session.key)
    assert welcome["restored"]
    page.until(lambda event: event["type"] == "state")
    assert page.document["fits"][0]["epochs"] > 0


def test_kept_runs_are_compared(page):
    page.train(3)
    page.ask("keep")
    page.change(data={"name": "xor"})
    page.train(1)
    page.ask("keep")
    one, two = page.state["kept"]
    assert (one["run"], two["run"]) == (1, 2)
    assert (one["epochs"], two["epochs"]) == (3, 1)
    assert one["document"]["data"]["name"] == "circles"
    assert len(one["loss"]) == 3
    assert one["boundary"].startswith("data:image/png;base64,")
    assert 0 <= one["score"] <= 1
    page.ask("forget", run=1)
    assert [kept["run"] for kept in page.state["kept"]] == [2]
    assert page.ask("forget", run=1)["type"] == "refused"


@pytest.mark.parametrize(
    ("limit", "ask"),
    [
        ("run.MOST_EDITS", lambda page: page.ask("set", tensor="layers.0.b", index=[0], value=1)),
        ("view.MOST_KEPT", lambda page: page.ask("keep")),
    ],
)
def test_there_is_an_end_to_what_a_session_holds(page, monkeypatch, limit, ask):
    monkeypatch.setattr(f"reseau.studio.{limit}", 2)
    assert [ask(page)["type"] == "refused" for _ in range(3)] == [False, False, True]
    assert page.seen[-1]["code"] == "too_many"


def test_there_is_an_end_to_fits(page, monkeypatch):
    monkeypatch.setattr("reseau.studio.run.MOST_FITS", 2)
    for rate in (0.1, 0.2, 0.3):
        page.change(training={"learning_rate": rate})
        page.run("epoch")
        page.paused()
    assert len(page.document["fits"]) == 2
    assert any(event["type"] == "refused" and event["code"] == "too_many" for event in page.seen)


def test_two_sessions_do_not_disturb_one_another(studio):
    pages = [Page(studio), Page(studio)]
    pages[1].change(network={"seed": 1})
    for page in pages:
        page.change(training={"epochs": 200})
        page.send("run", what="play")
    for page in pages:
        page.until(lambda event: event["type"] == "state" and event["stopped"] == "epochs")
    assert same_bytes(pages[0].parameters(), _fitted(200)[0].parameters)
    assert not same_bytes(pages[1].parameters(), pages[0].parameters())
    for page in pages:
        page.close()


@pytest.mark.parametrize("running", [True, False])
def test_a_closed_session_ends_its_thread(studio, running):
    page = Page(studio)
    page.train(1)  # a fit that waits
    if running:
        page.change(data={"samples": 5000}, network={"layers": [dense(500), dense(500), dense(2, "softmax")]})
        page.run("play")
    thread = page.session._thread
    assert thread in threading.enumerate()
    page.close()
    assert not thread.is_alive()


def test_a_mistake_of_ours_ends_no_session(page, monkeypatch):
    monkeypatch.setattr("reseau.studio.view.View.keep", lambda *_: 1 / 0)
    refused = page.ask("keep")
    assert (refused["code"], refused["type"]) == ("failed", "refused")
    assert page.run("pause")["type"] == "state"


def test_samples_of_another_size_are_another_document(page):
    page.ask("change", data=toy("moons", samples=77, held_out=0))
    assert (page.state["data"]["training"], page.state["data"]["validation"]) == (77, 0)
    page.train(1)
    assert page.look()["scores"]["validation_loss"] is None
