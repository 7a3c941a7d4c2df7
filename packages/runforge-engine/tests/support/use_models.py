"""Changed models that are used wherever the static reader finds them clean; run by hand for many.

    python use_models.py COUNT [SEED]

Half of them are changed as bytes, the others in what they hold: fields, types, shapes, attributes
swapped, values out of range, deep nesting. Each that is told clean is loaded and used in a process
of its own, which must neither die nor take longer or more memory than a model of its size needs.
"""

from __future__ import annotations

import copy
import hashlib
import io
import os
import random
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fuzz_models import mutants
from model_files import joblib_bytes, model_bytes

FAMILIES = ("linear_svc", "logistic_regression", "random_forest")
#: Seconds and bytes that one model may take.
_SECONDS, _MEMORY = 20, 1024**3


class ForgedTree:
    """Pickles as a tree with the given arguments and state, whatever they are."""

    def __init__(self, args: tuple[Any, ...], state: dict[str, Any]) -> None:
        self.args = args
        self.state = state

    def __reduce__(self) -> Any:
        from sklearn.tree._tree import Tree

        return Tree, self.args, self.state


def changed_models(count: int, seed: int) -> Iterator[bytes]:
    """Yield ``count`` models that hold something else than what was fitted."""
    import joblib

    rng = random.Random(seed)
    for _ in range(count):
        family, labels = rng.choice(FAMILIES), rng.choice(("int", "text"))
        fitted = joblib.load(io.BytesIO(model_bytes(family, labels, 2)))
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            try:
                rng.choice(_CHANGES)(fitted, rng)
            except (TypeError, ValueError, AttributeError, IndexError, KeyError, OverflowError):
                continue  # One change made the next impossible.
        try:
            yield joblib_bytes(fitted, rng.choice((2, 4, 5)), rng.choice((0, 0, 0, 3)))
        except Exception:  # noqa: BLE001 - what cannot even be written is no case
            yield b""


def _parts(fitted: Any) -> list[Any]:
    parts = [fitted, *(step for _, step in fitted.steps)]
    for tree in getattr(parts[-1], "estimators_", ()):
        parts.append(tree)
    return [part for part in parts if hasattr(part, "__dict__")]


def _swap_attributes(fitted: Any, rng: random.Random) -> None:
    one, other = (vars(rng.choice(_parts(fitted))) for _ in range(2))
    a, b = rng.choice(sorted(one)), rng.choice(sorted(other))
    one[a], other[b] = other[b], one[a]


def _drop_attribute(fitted: Any, rng: random.Random) -> None:
    part = vars(rng.choice(_parts(fitted)))
    del part[rng.choice(sorted(part))]


def _set_attribute(fitted: Any, rng: random.Random) -> None:
    part = vars(rng.choice(_parts(fitted)))
    part[rng.choice([*sorted(part), "unknown", "predict", "_sklearn_version"])] = _odd(rng)


def _odd(rng: random.Random) -> Any:
    import numpy as np

    nested: Any = []
    for _ in range(rng.choice((3, 40, 90))):
        nested = [nested, nested]
    return rng.choice(
        [
            None,
            True,
            -1,
            0,
            3,
            100,
            2**31,
            2**62,
            2**200,
            0.0,
            float("nan"),
            float("inf"),
            1e308,
            "",
            "x",
            "x" * 5000,
            nested,
            {1: 2},
            {"a": nested},
            (1, 2),
            np.float64(2.5),
            np.int64(-7),
            np.zeros(0),
            np.zeros(4),
            np.zeros((4, 1)),
            np.zeros((300, 300)),
            np.array(["a", "b", "c"], dtype=object),
            np.array(["a", "a", "a"]),
            np.arange(3, dtype=np.int8),
        ]
    )


def _change_array(fitted: Any, rng: random.Random) -> None:
    import numpy as np

    part = vars(rng.choice(_parts(fitted)))
    name = rng.choice([name for name, value in part.items() if isinstance(value, np.ndarray)])
    part[name] = _changed(part[name], rng)


def _changed(array: Any, rng: random.Random) -> Any:
    import numpy as np

    array = array.copy()
    kind = rng.randrange(9)
    if kind == 0:
        return array.astype(rng.choice(("f4", "f8", "i4", "i8", "u1", "U3", "O", "c16", ">f8")))
    if kind == 1:
        return array.reshape(-1, 1)
    if kind == 2:
        return array[:-1]
    if kind == 3:
        return np.concatenate([array, array])
    if kind == 4:
        return array.T.copy()
    if kind == 5:
        return np.asfortranarray(array)
    if kind == 6:
        return array[..., None].repeat(rng.choice((1, 2, 50)), axis=-1)
    raw = array.reshape(-1)
    raw[rng.randrange(len(raw))] = _odd(rng) if array.dtype == object else rng.choice((0, -1, 1e9))
    return array


def _change_tree(fitted: Any, rng: random.Random) -> None:
    trees = fitted["clf"].estimators_
    tree = rng.choice(trees)
    _, args, state = tree.tree_.__reduce__()
    state = {name: copy.copy(value) for name, value in state.items()}
    nodes, kind = state["nodes"], rng.randrange(8)
    if kind == 0:
        one, other = rng.sample(nodes.dtype.names, 2)
        state["nodes"] = _reordered(nodes, _swapped(nodes.dtype.names, one, other))
    elif kind == 1:
        one, other = rng.sample(nodes.dtype.names, 2)
        nodes[one], nodes[other] = nodes[other].copy(), nodes[one].copy()
    elif kind == 2:
        node = rng.randrange(len(nodes))
        nodes[rng.choice(nodes.dtype.names)][node] = rng.choice((0, 1, 2, 3, 9, 200))
    elif kind == 3:
        node = rng.randrange(len(nodes))
        name = rng.choice(("left_child", "right_child", "feature", "threshold", "impurity"))
        nodes[name][node] = rng.choice((-3, -2, -1, 0, 5, 2**31, 2**62))
    elif kind == 4:
        name = rng.choice(("nodes", "values"))
        state[name] = _changed(state[name], rng)
    elif kind == 5:
        state[rng.choice(("max_depth", "node_count"))] = rng.choice((-1, 0, 1, 3, 10**6, 2**62))
    elif kind == 6:
        at = rng.randrange(3)
        args = (*args[:at], rng.choice((0, 1, 3, 5, 2**31, args[1], args[1] + 1)), *args[at + 1 :])
    else:
        import numpy.lib.recfunctions as records

        state["nodes"] = rng.choice(
            (records.repack_fields(nodes), nodes.astype(nodes.dtype.newbyteorder(">")))
        )
    tree.tree_ = ForgedTree(args, state)


def _swapped(names: tuple[str, ...], one: str, other: str) -> list[str]:
    return [other if name == one else one if name == other else name for name in names]


def _reordered(nodes: Any, names: list[str]) -> Any:
    """Return nodes with their fields in another order, and each value under its own name."""
    import numpy as np

    offsets = [nodes.dtype.fields[name][1] for name in nodes.dtype.names]
    formats = [nodes.dtype.fields[name][0] for name in names]
    dtype = np.dtype(
        {"names": names, "formats": formats, "offsets": offsets, "itemsize": nodes.dtype.itemsize}
    )
    made = np.zeros(len(nodes), dtype)
    for name in names:
        made[name] = nodes[name]
    return made


def _change_forest(fitted: Any, rng: random.Random) -> None:
    trees, kind = fitted["clf"].estimators_, rng.randrange(4)
    if kind == 0:
        trees.append(trees[0])
    elif kind == 1:
        trees[0].tree_ = trees[1].tree_
    elif kind == 2:
        trees[:] = trees * 300
    else:
        trees[0] = fitted["scaler"]


def _change_steps(fitted: Any, rng: random.Random) -> None:
    from sklearn.pipeline import Pipeline

    kind = rng.randrange(4)
    if kind == 0:
        fitted.steps.reverse()
    elif kind == 1:
        nested = fitted["clf"]
        for _ in range(18):
            nested = Pipeline([("scaler", fitted["scaler"]), ("clf", nested)])
        fitted.steps[1] = ("clf", nested)
    elif kind == 2:
        fitted.steps.append(fitted.steps[rng.randrange(2)])
    else:
        fitted.steps[0] = ("scaler", rng.choice((None, "passthrough", fitted)))


_CHANGES: tuple[Callable[[Any, random.Random], None], ...] = (
    _swap_attributes,
    _drop_attribute,
    _set_attribute,
    _change_array,
    _change_array,
    _change_tree,
    _change_tree,
    _change_forest,
    _change_steps,
)


def run(count: int, seed: int) -> Counter[str]:
    """Use those of ``count`` changed models that are told clean, and return how they fared.

    Raises ``AssertionError`` with the path of a model that killed its process.
    """
    import joblib  # noqa: F401 - once, before the processes part
    import sklearn.ensemble
    import sklearn.pipeline
    import sklearn.svm  # noqa: F401
    from runforge_engine.model_file.model_inspection import inspect_model_bytes

    outcomes = Counter[str]()
    half = count // 2
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pkl"
        for cases in (mutants(half, seed), changed_models(count - half, seed)):
            for data in cases:
                if not inspect_model_bytes(data).is_clean:
                    outcomes["refused"] += 1
                    continue
                path.write_bytes(data)
                word = _use_in_child(path, data)
                outcomes[f"clean, {word}"] += 1
                if word.startswith("died"):
                    kept = Path(tempfile.mkdtemp()) / "model.pkl"
                    kept.write_bytes(data)
                    raise AssertionError(f"{kept}: {word}")
    return outcomes


def _use_in_child(path: Path, data: bytes) -> str:
    child = os.fork()
    if child == 0:
        try:
            os._exit(_use(path, data))
        except MemoryError:
            os._exit(9)
        except BaseException:  # noqa: BLE001 - an exception that nobody expects is told, too
            import traceback

            traceback.print_exc()
            os._exit(8)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    words = {0: "used", 1: "not loaded", 2: "used in vain"}
    return words.get(status, f"died with {status}")


def _use(path: Path, data: bytes) -> int:
    """Load and use a model as the commands do, and return how that went."""
    import resource
    import signal

    import numpy as np
    from runforge_contracts.errors import RunForgeError
    from runforge_engine.model_file.loading import load_model
    from runforge_engine.modeling.predict import (
        RecordedModel,
        apply,
        consistent,
        signature_of,
    )

    own = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (own + _MEMORY,) * 2)
    signal.alarm(_SECONDS)
    warnings.simplefilter("ignore")
    digest = hashlib.sha256(data).hexdigest()
    X = np.random.default_rng(0).normal(size=(40, 4)) * 3
    try:
        load_model(path, digest)
    except RunForgeError:
        return 1
    model = RecordedModel(path, "run", digest, {})
    outcome = 0
    for probabilities in (False, True):
        try:
            with consistent(model):
                pipeline = load_model(path, digest)
                signature_of(pipeline, model)
                if probabilities and not hasattr(pipeline, "predict_proba"):
                    continue
                apply(pipeline, X, "predict_proba" if probabilities else "predict")
                # What a report asks for besides.
                if hasattr(pipeline, "decision_function"):
                    pipeline.decision_function(X)
                repr(pipeline)
        except RunForgeError:
            outcome = 2
    return outcome


if __name__ == "__main__":
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    total = Counter[str]()
    for start in range(0, int(sys.argv[1]), 1000):
        total += run(min(1000, int(sys.argv[1]) - start), seed)
        print(seed, dict(total), flush=True)
        seed += 1
