"""`from_matlab`: a shallow network of MATLAB's, from the function that genFunction wrote or from a .mat file.

Rows there are columns here: MATLAB's layer is a = σ(W x + b) with a sample in each column, so that W is the transpose
of ours. What is done to inputs and outputs (mapminmax, mapstd, removeconstantrows) is affine, and becomes part of the
first and of the last layer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reseau import engine
from reseau.checks import as_path, known, shown
from reseau.errors import ParameterError
from reseau.importing.chain import Array, Chain, Floats
from reseau.network import Network
from reseau.vocabulary.losses import NamedLoss


def _softmax(n: Floats) -> Floats:
    e = np.exp(n - n.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


# Transfer functions that are entries of the table of activations, or clips.
TRANSFER: dict[str, Callable[[Floats], Floats]] = {
    "tansig": lambda n: np.tanh(n),
    "logsig": lambda n: 1 / (1 + np.exp(-n)),
    "purelin": lambda n: n,
    "poslin": lambda n: np.maximum(n, 0),
    "softmax": _softmax,
    "elliotsig": lambda n: n / (1 + np.abs(n)),
    "satlin": lambda n: np.clip(n, 0, 1),
    "satlins": lambda n: np.clip(n, -1, 1),
}
# By the field that tells them, what is added to (x − xoffset)·gain.
CENTRES = {"ymin": "mapminmax", "ymean": "mapstd"}
PROCESSING = (*CENTRES.values(), "removeconstantrows")
MOST_ROWS = 2**48 - 1  # of a matrix of MATLAB's
_NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|Inf|NaN)"
_CONSTANT = re.compile(r"^([A-Za-z]\w*)(?:\.(\w+))?\s*=\s*(\[[^\]]*\]|" + _NUMBER + r")\s*;?\s*$")
_ASSIGNMENT = re.compile(r"^(\w+|[XY]\{1,ts\})=([^=].*?);?$")
_PROCESS = re.compile(r"^(\w+)_(apply|reverse)\((\w+|X\{1,ts\}),(\w+)\)$")
_LAYER = re.compile(r"^(?:(\w+)_apply\()?([\w.*,+(){}]+?)\)?$")
_BIAS = re.compile(r"^(?:repmat\((b\w*),1,(?:Q|size\(.*\))\)|(b\w*))$")
_PRODUCT = re.compile(r"^((?:IW|LW|W)\w*)\*(\w+)$")

Settings = dict[str, Array]


@dataclass
class Shallow:
    """A network of MATLAB's, whose samples are columns.

    Attributes
    ----------
    before, after : list of (str, dict)
        What is done to inputs, and what is undone of outputs, in the order in which it happens: its name and settings.
    layers : list of (str, W, b, str)
        Where a layer stands, for messages; W (n_out, n_in), b (n_out,) or None, and the transfer function.
    """

    before: list[tuple[str, Settings]] = field(default_factory=list)
    layers: list[tuple[str, Array, Array | None, str]] = field(default_factory=list)
    after: list[tuple[str, Settings]] = field(default_factory=list)


def from_matlab(path: str | Path, *, loss: NamedLoss | None = None) -> Network:
    r"""Take over a shallow network of MATLAB's: fitnet, feedforwardnet, patternnet and the like.

    Parameters
    ----------
    path : str or Path
        A .m file that ``genFunction(net, 'name.m')`` wrote, with or without 'MatrixOnly'. Or a .mat file of version 7
        or older that holds ``IW = net.IW``, ``LW = net.LW`` and ``b = net.b``; where the network has them, also what is
        done to inputs and outputs, ``inputs = net.inputs{1}.processSettings`` and
        ``outputs = net.outputs{end}.processSettings``; and ``transferFcns``, a cell of the names of the layers'
        transfer functions, without which the hidden layers have tansig and the last purelin, as in fitnet.
    loss : str, loss or None
        As in `reseau.from_torch`: what the network is to be trained on with; None takes what suits the output.

    Returns
    -------
    Network
        In float64, with the outputs that MATLAB gives, up to rounding; X has a sample in each row, as everywhere here,
        where MATLAB has one in each column. mapminmax, mapstd and removeconstantrows become part of the first and the
        last layer.

    Raises
    ------
    ParameterError
        For a file that is neither; for networks with several inputs, with delays or with connections that skip a layer,
        and for transfer functions or processing that Réseau has not: the message names it.
    OSError
        When the file cannot be read.

    Examples
    --------
    >>> import reseau as rs
    >>> lines = ["function y1 = net(x1)", "x1_step1.xoffset = 0;", "x1_step1.gain = 0.5;", "x1_step1.ymin = -1;"]
    >>> lines += ["b1 = [1;2];", "IW1_1 = [3;4];", "xp1 = mapminmax_apply(x1,x1_step1);"]
    >>> lines += ["y1 = repmat(b1,1,Q) + IW1_1*xp1;", "end"]
    >>> with open("net.m", "w") as file:
    ...     _ = file.write("\n".join(lines))
    >>> rs.from_matlab("net.m")([[2.0]])
    array([[1., 2.]])
    """
    place = as_path(path)
    if place.suffix == ".mat":
        shallow = _from_mat(place)
    elif place.suffix == ".m":
        shallow = _from_function(place.read_text("utf-8", "replace"), place.name)
    else:
        raise ParameterError(f"path is {str(path)!r}, but must be a .m file of genFunction, or a .mat file.")
    return _network(shallow, place.name, loss)


# --- the function that genFunction writes -----------------------------------------------------------------------------


def _from_function(text: str, name: str) -> Shallow:
    """The network that a function computes: its constants, and the lines that use them."""
    constants: dict[str, Array] = {}
    settings: dict[str, Settings] = {}
    shallow, last, unread = Shallow(), {"x1", "X{1,ts}", "x"}, dict[str, str]()
    ended = False
    for number, line in _lines(text):
        found = _CONSTANT.match(line)
        if found:
            variable, part, value = found.groups()
            numbers = _matrix(value, f"line {number} of {name}")
            if part:
                settings.setdefault(variable, {})[part] = numbers
            else:
                constants[variable] = numbers
            continue
        assigned = _ASSIGNMENT.match(re.sub(r"\s", "", line))
        if not assigned:
            continue
        left, right = assigned.groups()
        where = f"line {number} of {name}, {line!r},"
        process, layer = _PROCESS.match(right), _LAYER.match(right)
        terms = _terms(layer[2]) if layer else None
        if process and process[4] in settings:
            if process[3] not in last:
                raise _unread(where, process[3], unread)
            steps = shallow.before if process[2] == "apply" else shallow.after
            if (process[2] == "apply") == bool(shallow.layers):
                raise ParameterError(
                    f"{where} stands where no such function is written; give the file as it was written."
                )
            steps.append((process[1], settings[process[4]]))
        elif layer and terms:
            bias, products = terms
            if len(products) != 1:
                raise ParameterError(
                    f"{where} adds {len(products)} products: the network has several inputs, or connections that skip "
                    "a layer, which Réseau has not."
                )
            (W, variable) = products[0]
            if variable not in last:
                raise _unread(where, variable, unread)
            for constant in (W, bias):
                if constant is not None and constant not in constants:
                    raise ParameterError(f"{where} uses {constant}, which stands nowhere above.")
            b = None if bias is None else constants[bias].reshape(-1)
            shallow.layers.append((where, constants[W], b, layer[1] or "purelin"))
        else:
            unread[left] = where
            continue
        last, ended = {left}, left in ("y1", "Y{1,ts}", "y")
    if not ended:
        raise ParameterError(
            f"{name} is no function that genFunction has written: no line gives y1 or Y{{1,ts}} from the inputs."
        )
    return shallow


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The statements of the first function with their line numbers, without comments; a statement is one line."""
    functions, begun, statement = 0, 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        bare = re.sub(r"%.*", "", line).strip()
        functions += bare.startswith("function")
        if functions > 1:
            return
        begun = begun if statement else number
        statement += " " + bare.removesuffix("...")
        if bare.endswith("..."):
            continue
        if statement.count("[") > statement.count("]"):
            statement += ";"  # a new line in a matrix is a new row
            continue
        if statement.strip():
            yield begun, statement.strip()
        statement = ""


def _matrix(text: str, where: str) -> Array:
    """The numbers of a literal: [1 2; 3 4], (rows, columns), or 5."""
    rows = [re.split(r"[,\s]+", row.strip().strip(",").strip()) for row in text.strip("[]").split(";") if row.strip()]
    try:
        numbers = [[float(entry) for entry in row] for row in rows]
    except ValueError:
        raise ParameterError(f"{where} has a matrix that is not written in numbers.") from None
    if len({len(row) for row in numbers}) > 1:
        raise ParameterError(f"{where} has a matrix whose rows are of several lengths.")
    return np.array(numbers, np.float64).reshape(len(numbers), -1 if numbers else 0)


def _terms(text: str) -> tuple[str | None, list[tuple[str, str]]] | None:
    """The bias and the products (W, x) of a sum; None for what is no such sum."""
    biases, products = [], []
    for term in text.split("+"):
        if found := _PRODUCT.match(term):
            products.append((found[1], found[2]))
        elif found := _BIAS.match(term):
            biases.append(found[1] or found[2])
        else:
            return None
    return (biases[0] if biases else None, products) if products and len(biases) < 2 else None


def _unread(where: str, variable: str, unread: Mapping[str, str]) -> ParameterError:
    made = unread.get(variable)
    return ParameterError(
        f"{made} is not understood."
        if made
        else f"{where} does not go on from the line before, but from {variable}: the network is no chain of layers."
    )


# --- a .mat file ------------------------------------------------------------------------------------------------------


def _from_mat(place: Path) -> Shallow:
    """The network of the variables of a .mat file."""
    import scipy.io

    with open(place, "rb") as file:
        try:
            found = scipy.io.loadmat(file)
        except NotImplementedError:  # what SciPy raises for HDF5
            raise ParameterError(
                f"{place.name} is of version 7.3, which is not read; write it with save(..., '-v7')."
            ) from None
        except Exception as error:  # of a damaged file SciPy and zlib raise anything
            raise ParameterError(f"{place.name} is no .mat file that can be read: {str(error).rstrip('.')}.") from None
    variables = {name: _plain(value) for name, value in found.items() if name[:2] != "__"}
    whole = [value for value in variables.values() if isinstance(value, dict) and "IW" in value]
    if "IW" not in variables and len(whole) == 1:
        variables = whole[0]
    missing = [name for name in ("IW", "LW", "b") if name not in variables]
    if missing:
        raise ParameterError(
            f"{place.name} has no {' and no '.join(missing)}; write IW = net.IW; LW = net.LW; b = net.b; and save all "
            "three."
        )
    IW, LW, b = (_cells(variables[name]) for name in ("IW", "LW", "b"))
    count = len(IW)
    if not count:
        raise ParameterError(f"{place.name} has no layer: its IW is empty.")
    names = _transfer(variables, count, place.name)
    shallow = Shallow()
    for l in range(count):
        here = f"layer {l + 1} of {place.name}"
        from_inputs = [(j, W) for j, W in enumerate(IW[l]) if np.size(W)]
        from_layers = [(j, W) for j, W in enumerate(LW[l] if l < len(LW) else []) if np.size(W)]
        if len(from_inputs) != (l == 0) or [j for j, _ in from_layers] != ([l - 1] if l else []):
            raise ParameterError(f"{here} does not follow the one before it alone; the network is no chain of layers.")
        W = _real((from_inputs or from_layers)[0][1], f"the weights of {here}")
        there = l < len(b) and bool(b[l]) and np.size(b[l][0])
        bias = _real(b[l][0], f"the biases of {here}").reshape(-1) if there else None
        shallow.layers.append((here, W, bias, names[l]))
    for name in sorted(variables, key=str.lower):
        steps = list(_settings(variables[name], name))
        if name.lower()[0] in "xip":
            shallow.before += steps
        elif name.lower()[0] in "yo":
            shallow.after = steps[::-1] + shallow.after
    return shallow


def _plain(value: Any) -> Any:
    """What loadmat gives, as Python has it: a struct as dict, a cell as rows of lists, text as str, else a matrix."""
    if isinstance(value, np.ndarray) and value.dtype.names:
        return {name: _plain(value[name].flat[0]) for name in value.dtype.names} if value.size else {}
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [[_plain(entry) for entry in row] for row in np.atleast_2d(value)]
    if isinstance(value, np.ndarray) and value.dtype.kind == "U":
        return str(value.flat[0]) if value.size else ""
    return value


def _real(value: Any, what: str) -> Array:
    """A matrix of real numbers as float64."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
        told = shown(value.tolist() if isinstance(value, np.ndarray) else value)
        raise ParameterError(f"{what} must be a matrix of real numbers, but are {told}.")
    return value.astype(np.float64)


def _cells(value: Any) -> list[list[Any]]:
    """The rows of a cell; of a matrix alone the one that has it."""
    return value if isinstance(value, list) else [[value]]


def _transfer(variables: Mapping[str, Any], count: int, name: str) -> list[str]:
    """The transfer function of each layer, by the variable that names them."""
    for variable, value in variables.items():
        if variable.lower().startswith(("transfer", "layer")):
            entries = [entry for row in _cells(value) for entry in row]
            names = [entry.get("transferFcn") if isinstance(entry, dict) else entry for entry in entries]
            told = [entry for entry in names if isinstance(entry, str)]
            if not len(told) == len(names) == count:
                raise ParameterError(f"{variable} in {name} must be a cell of {count} names, one for each layer.")
            return told
    return ["tansig"] * (count - 1) + ["purelin"]


def _settings(value: Any, name: str) -> Iterator[tuple[str, Settings]]:
    """The steps that a variable describes: a struct of settings, a cell of such, or a struct with processSettings."""
    if isinstance(value, list):
        for row in value:
            for entry in row:
                yield from _settings(entry, name)
    elif isinstance(value, dict) and "processSettings" in value:
        yield from _settings(value["processSettings"], name)
    elif isinstance(value, dict):
        kind = "removeconstantrows" if "keep" in value else next((CENTRES[c] for c in CENTRES if c in value), "")
        kind = value["name"] if isinstance(value.get("name"), str) else kind
        if not kind:
            raise ParameterError(
                f"{name} has the fields {', '.join(value) or '(none)'}, of no processing that is known."
            )
        numbers = {part: entry for part, entry in value.items() if not isinstance(entry, str | list | dict)}
        yield kind, {part: _real(entry, f"the numbers {part} of {name}") for part, entry in numbers.items()}


# --- both -------------------------------------------------------------------------------------------------------------


def _network(shallow: Shallow, name: str, loss: NamedLoss | None) -> Network:
    """The network, with what is done to inputs and outputs in its first and last layer."""
    layers = list(shallow.layers)
    for where, W, b, _ in layers:
        if b is not None and b.shape != (len(W),):
            raise ParameterError(f"{where} has {b.size} biases, but weights of {len(W)} neurons.")
    where, W, b, transfer = layers[0]
    W, b = _after_inputs(W, b, shallow.before, name)
    layers[0] = (where, W, b, transfer)
    if shallow.after:
        if layers[-1][3] != "purelin":
            layers.append((f"the output of {name}", np.eye(len(layers[-1][1])), None, "purelin"))
        where, W, b, transfer = layers[-1]
        layers[-1] = (where, *_before_outputs(W, b, shallow.after, name), transfer)
    chain = Chain(name)
    for where, W, b, transfer in layers:
        known(f"the transfer function of {where.removesuffix(',')}", transfer, TRANSFER)
        chain.linear(np.ascontiguousarray(W.T), b, where)
        chain.apply(TRANSFER[transfer], f"{transfer} in {where}")
    return chain.network(loss, dtype="float64")


def _after_inputs(
    W: Array, b: Array | None, steps: list[tuple[str, Settings]], name: str
) -> tuple[Array, Array | None]:
    """W and b that take inputs as they are, of those that take them after some steps: the last is undone first."""
    for kind, of in reversed(steps):
        known(f"The processing of inputs in {name}", kind, PROCESSING)
        if kind == "removeconstantrows":
            keep = _places(of, "keep", name)
            removed = _places(of, "remove", name) if "remove" in of else np.empty(0, int)
            rows = 1 + max(_places(of, "xrows", name) if "xrows" in of else [*keep, *removed], default=-1)
            if len(keep) != W.shape[1] or max([*keep, *removed]) >= rows:
                raise ParameterError(f"{name} keeps {len(keep)} inputs, but its first layer takes {W.shape[1]}.")
            if not engine.fits_in_memory(W.itemsize * len(W) * int(rows)):
                raise ParameterError(f"{name} has {rows:,} inputs, whose weights do not fit in memory.")
            wide = np.zeros((len(W), rows))
            wide[:, keep] = W
            W = wide
            continue
        gain, offset, centre = _affine(kind, of, W.shape[1], name)
        b = (0.0 if b is None else b) + W @ (centre - offset * gain)
        W = W * gain
    return W, b


def _before_outputs(
    W: Array, b: Array | None, steps: list[tuple[str, Settings]], name: str
) -> tuple[Array, Array | None]:
    """W and b that give outputs as they are, of those whose outputs are undone by some steps."""
    for kind, of in steps:
        known(f"The processing of outputs in {name}", kind, PROCESSING)
        b = np.zeros(len(W)) if b is None else b
        if kind == "removeconstantrows":
            keep = _places(of, "keep", name)
            removed = _places(of, "remove", name) if "remove" in of else np.empty(0, int)
            rows = len(keep) + len(removed)
            constants = of.get("constants", of.get("value", np.zeros(0))).reshape(-1)
            if len(keep) != len(W) or len(constants) != len(removed) or sorted([*keep, *removed]) != list(range(rows)):
                raise ParameterError(f"{name} does not say what each output is; keep, remove and constants do not fit.")
            wide, shift = np.zeros((rows, W.shape[1])), np.zeros(rows)
            wide[keep], shift[keep], shift[removed] = W, b, constants
            W, b = wide, shift
            continue
        gain, offset, centre = _affine(kind, of, len(W), name)
        if not gain.all():
            raise ParameterError(f"{name} has {kind} of outputs with a gain of 0, which cannot be undone.")
        W, b = W / gain[:, None], (b - centre) / gain + offset
    return W, b


def _places(of: Settings, part: str, name: str) -> Any:
    """Rows, which MATLAB counts from 1."""
    if part not in of:
        raise ParameterError(f"{name} has removeconstantrows without {part}.")
    places = of[part].reshape(-1)
    whole = (places >= 1) & (places <= MOST_ROWS) & (places == np.floor(places))
    if not whole.all() or len(np.unique(places)) < len(places):
        raise ParameterError(
            f"{name} has {part} = {shown(places.tolist())}, but these must be numbers of rows, from 1, each once."
        )
    return places.astype(int) - 1


def _affine(kind: str, of: Settings, rows: int, name: str) -> tuple[Array, Array, Array]:
    """gain, xoffset, and ymin or ymean, of so many rows."""
    centre = next(part for part, of_kind in CENTRES.items() if of_kind == kind)
    found = []
    for part in ("gain", "xoffset", centre):
        if part not in of:
            raise ParameterError(f"{name} has {kind} without {part}.")
        if of[part].size not in (1, rows):
            raise ParameterError(f"{name} has {kind} with {of[part].size} numbers of {part}, but for {rows} rows.")
        if not np.isfinite(of[part]).all():
            told = shown(of[part].reshape(-1).tolist())
            raise ParameterError(f"{name} has {kind} with {part} = {told}, but these must be finite.")
        found.append(np.broadcast_to(of[part].reshape(-1), rows))
    return found[0], found[1], found[2]
