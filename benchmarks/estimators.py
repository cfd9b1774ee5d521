"""MLPClassifier with scikit-learn's default settings: time and memory of a fit, ours beside scikit-learn's.

    pip install . && python benchmarks/estimators.py [--only digits] [--epochs 10]

The same data, parameters and random_state, so that both should fit the same model: the losses of the first epochs must
agree, and so must the scores on rows held out. Each fit has a process of its own, in turn, which reads the data from a
file; its largest resident size is the peak: interpreter, libraries, data and fit. Times and peaks are medians over the
rounds. The images of Fashion-MNIST are Debian's package dataset-fashion-mnist; without it they are left out, and said.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# NumPy and the rest are imported in the children alone: on Linux a process that is started begins with the peak of the
# one that started it, so that this one must stay small.

SIDES = {"Réseau": "reseau", "scikit-learn": "sklearn.neural_network"}
DTYPES = ("float64", "float32")
SEED = 0
COMPARED = 3  # first epochs; later ones tell of rounding, which training magnifies
LOSS_TOLERANCE = {"float64": 1e-9, "float32": 1e-3}  # relative, of each of them
SCORE_TOLERANCE = 0.01
MB = 1e6


def digits(rng: Any) -> tuple[Any, ...]:
    """1797 images of 8 × 8, of ten digits."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    order = rng.permutation(len(y))
    return X[order] / 16, y[order], 1347


def table(rng: Any) -> tuple[Any, ...]:
    """100,000 rows of 50 columns to fit, 20,000 to score; five classes by a network drawn at random, and noise."""
    import numpy as np

    rows = 120_000
    X = rng.standard_normal((rows, 50))
    hidden = np.tanh(X @ rng.normal(scale=50**-0.5, size=(50, 20)))
    return X, (hidden @ rng.normal(size=(20, 5)) + 0.3 * rng.standard_normal((rows, 5))).argmax(axis=1), 100_000


def images(rng: Any) -> tuple[Any, ...]:
    """Fashion-MNIST: 60,000 images of 28 × 28 to fit, 10,000 to score, of ten kinds of clothing."""
    import numpy as np
    from fashion_mnist import FOLDER, read_idx

    parts = [read_idx(FOLDER / f"{part}-images-idx3-ubyte.gz").reshape(-1, 784) for part in ("train", "t10k")]
    labels = [read_idx(FOLDER / f"{part}-labels-idx1-ubyte.gz").astype(np.int64) for part in ("train", "t10k")]
    return np.concatenate(parts) / 255, np.concatenate(labels), 60_000


def text(rng: Any) -> tuple[Any, ...]:
    """A sparse matrix like one of words: 20,000 rows to fit, 4,000 to score, 50,000 columns, 100 non-zeros a row.

    Each row takes one of every 500 columns, the first of them most often; in a fifth of the blocks the topic, one of
    four, shifts which.
    """
    import numpy as np
    import scipy.sparse

    rows, blocks, width, topics = 24_000, 100, 500, 4
    topic = rng.integers(0, topics, rows)
    place = (width * rng.random((rows, blocks)) ** 3).astype(np.int32)
    place[:, ::5] = (place[:, ::5] + 10 * topic[:, None]) % width
    columns = place + np.arange(0, blocks * width, width, dtype=np.int32)
    counts = 1 + rng.exponential(size=(rows, blocks))
    counts /= np.sqrt((counts**2).sum(axis=1, keepdims=True))
    starts = np.arange(0, rows * blocks + 1, blocks, dtype=np.int32)
    X = scipy.sparse.csr_matrix((counts.ravel(), columns.ravel(), starts), shape=(rows, blocks * width))
    wrong = rng.random(rows) < 0.05
    return X, np.where(wrong, rng.integers(0, topics, rows), topic), 20_000


DATA: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "digits": digits,
    "table": table,
    "fashion-mnist": images,
    "sparse text": text,
}


@dataclass
class Case:
    """Some data in a precision, and what each side's fits came to.

    Attributes
    ----------
    data, dtype : str
        Which.
    fits : dict of str to list of dict
        By side, what each child told.
    """

    data: str
    dtype: str
    fits: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {side: [] for side in SIDES})

    @property
    def name(self) -> str:
        """As --only knows it."""
        return f"{self.data} {self.dtype}"

    def median(self, side: str, what: str) -> float:
        """Over the rounds."""
        return statistics.median(fit[what] for fit in self.fits[side])

    def disagreements(self) -> list[str]:
        """In what the two differ by more than rounding."""
        ours, theirs = (self.fits[side][0] for side in SIDES)
        found = []
        for epoch, (mine, other) in enumerate(zip(ours["losses"], theirs["losses"], strict=True), start=1):
            if not abs(mine - other) <= LOSS_TOLERANCE[self.dtype] * abs(other):
                found.append(f"the losses of epoch {epoch} are {mine:.10g} and {other:.10g}")
        if not abs(ours["score"] - theirs["score"]) <= SCORE_TOLERANCE:
            found.append(f"the scores are {ours['score']:.4f} and {theirs['score']:.4f}")
        return found


def prepare(folder: Path, data: str, dtype: str) -> None:
    """Write the data into files, so that nothing but they themselves is in the memory of who fits them."""
    import numpy as np
    import scipy.sparse

    X, y, rows = DATA[data](np.random.default_rng(SEED))
    for part, chosen in (("train", slice(None, rows)), ("test", slice(rows, None))):
        some = X[chosen].astype(dtype)
        if scipy.sparse.issparse(some):
            scipy.sparse.save_npz(folder / f"X-{part}.npz", some, compressed=False)
        else:
            np.save(folder / f"X-{part}.npy", some)
        np.save(folder / f"y-{part}.npy", y[chosen])


def stored(folder: Path, part: str) -> tuple[Any, Any]:
    """X and y as they were prepared."""
    import numpy as np
    import scipy.sparse

    sparse = folder / f"X-{part}.npz"
    X = scipy.sparse.load_npz(sparse) if sparse.exists() else np.load(folder / f"X-{part}.npy")
    return X, np.load(folder / f"y-{part}.npy")


def fit(folder: Path, side: str, settings: dict[str, Any]) -> None:
    """Fit, and print what it took as JSON."""
    import importlib

    from sklearn.exceptions import ConvergenceWarning

    X, y = stored(folder, "train")
    before = peak()
    estimator = importlib.import_module(SIDES[side]).MLPClassifier
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # some are told to stop after so many epochs
        estimator(max_iter=1).fit(X[:200], y[:200])  # what is loaded once is there before
        model = estimator(random_state=SEED, **settings)
        start = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - start
    most = peak()
    print(
        json.dumps(
            {
                "seconds": seconds,
                "before": before,
                "peak": most,
                "epochs": model.n_iter_,
                "losses": [float(loss) for loss in model.loss_curve_[:COMPARED]],
                "loss": float(model.loss_),
                "score": model.score(*stored(folder, "test")),
            }
        )
    )


def peak() -> float:
    """MB of memory this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB


def call(task: str, *what: Any) -> str:
    """What a child prints."""
    command = [sys.executable, __file__, "--child", json.dumps([task, *what])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{what}:\n{done.stderr}")
    return done.stdout


def child(task: str, folder: str, *what: Any) -> None:
    """What a child does."""
    {"prepare": prepare, "fit": fit}[task](Path(folder), *what)


def measure(case: Case, rounds: int, settings: dict[str, Any]) -> None:
    """Fit the case in turn, in a process for each fit."""
    with tempfile.TemporaryDirectory() as folder:
        call("prepare", folder, case.data, case.dtype)
        for _ in range(rounds):
            for side in SIDES:
                case.fits[side].append(json.loads(call("fit", folder, side, settings)))


def about() -> dict[str, str]:
    """Processor, threads and versions, asked of a child."""
    program = (
        "import json, numpy, scipy, sklearn\n"
        "from run import machine\n"
        "about = machine()\n"
        "about |= {module.__name__: module.__version__ for module in (numpy, scipy, sklearn)}\n"
        "print(json.dumps(about))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


HEADER = (
    f"{'case':<24}{'Réseau':>10}{'scikit-learn':>14}{'ratio':>8}"
    f"{'ms an epoch':>22}{'epochs':>12}{'score':>18}{'peak, MB':>16}"
)


def line(case: Case) -> str:
    """A case as a line of the table; seconds, scikit-learn's over ours, and of both the rest."""
    ours, theirs = (case.median(side, "seconds") for side in SIDES)
    per_epoch = [1000 * case.median(side, "seconds") / case.fits[side][0]["epochs"] for side in SIDES]
    epochs = [case.fits[side][0]["epochs"] for side in SIDES]
    scores = [case.fits[side][0]["score"] for side in SIDES]
    peaks = [case.median(side, "peak") for side in SIDES]
    pairs = [
        f"{'{:.1f}, {:.1f}'.format(*per_epoch):>22}",
        f"{'{}, {}'.format(*epochs):>12}",
        f"{'{:.4f}, {:.4f}'.format(*scores):>18}",
        f"{'{:.0f}, {:.0f}'.format(*peaks):>16}",
    ]
    return f"{case.name:<24}{ours:>8.2f} s{theirs:>12.2f} s{theirs / ours:>8.2f}" + "".join(pairs)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--only", metavar="SUBSTRING", default="", help="the cases whose name contains it")
    parser.add_argument("--rounds", type=int, default=3, help="fits of each side in each case")
    parser.add_argument("--max-iter", type=int, default=200, help="epochs at most, as the estimators' own default")
    parser.add_argument("--epochs", type=int, metavar="N", help="exactly so many epochs, whether the loss falls or not")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(*json.loads(arguments.child))
        return
    settings: dict[str, Any] = {"max_iter": arguments.max_iter}
    if arguments.epochs:
        settings = {"max_iter": arguments.epochs, "tol": 0.0, "n_iter_no_change": math.inf}
    cases = [Case(data, dtype) for data in DATA for dtype in DTYPES]
    names = "\n".join(case.name for case in cases)
    cases = [case for case in cases if arguments.only in case.name]
    if not cases:
        sys.exit(f"No case has {arguments.only!r} in its name; they are:\n{names}")
    if not Path("/usr/share/datasets/fashion-mnist").is_dir():
        print("Fashion-MNIST is left out: apt-get install dataset-fashion-mnist")
        cases = [case for case in cases if case.data != "fashion-mnist"]

    where = about()
    print(f"{where['processor']}, {where['threads']} threads, {where['instruction_set']}, load {where['load']:.1f}")
    print(", ".join(f"{name} {where[name]}" for name in ("python", "numpy", "scipy", "sklearn")))
    print(f"MLPClassifier(random_state={SEED}, {', '.join(f'{k}={v}' for k, v in settings.items())})\n")
    print(HEADER, flush=True)
    wrong: list[str] = []
    for case in cases:
        measure(case, arguments.rounds, settings)
        print(line(case), flush=True)
        wrong += [f"{case.name}: {what}" for what in case.disagreements()]
    if arguments.json:
        document = {"about": where, "settings": settings, "cases": [asdict(case) for case in cases]}
        document["settings"] = {name: str(value) for name, value in settings.items()}
        arguments.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if wrong:
        sys.exit("\n".join(["", *wrong]))


if __name__ == "__main__":
    main()
