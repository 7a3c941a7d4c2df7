"""Mutated models, read by the static reader and by the real one; run by hand for thousands.

    python fuzz_models.py COUNT [SEED]

The real reader is joblib's own, in a process of its own for each file. It is given the real thing
for the names on the list and a stand-in for any other, and writes down whatever it asks for.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from model_files import joblib_bytes, model, name, text

ROOTS = (
    ("linear_svc", "text", 4),
    ("linear_svc", "int", 2),
    ("logistic_regression", "int", 4),
    ("logistic_regression", "text", 0),
    ("random_forest", "text", 4),
    ("random_forest", "int", 3),
)
#: Operations that are pushed into a stream now and then.
SPLICES = (
    b"cos\nsystem\n",
    b"cos\nsystem\n(V:\ntR",
    b"(S':'\nios\nsystem\n",
    name("os", "system") + text(":") + b"\x85R",
    name("os", "path.join"),
    b"\x82\x01",
    b"\x95" + (40).to_bytes(8, "little"),
    b"\x95" + (5000).to_bytes(8, "little"),
    b"N.",
    b".",
    b"0",
    b"1",
    b"2",
    b"(",
    b"t",
    b"b",
    b"R",
    b"h\x05",
    b"q\x05",
    b"\x94",
    b"}",
    b"]",
    b"N",
)


def roots() -> list[bytes]:
    """Return the models that are mutated."""
    import pickle

    found = [joblib_bytes(model(family, labels, 2), protocol) for family, labels, protocol in ROOTS]
    return found + [pickle.dumps(model("linear_svc", "text"), protocol) for protocol in (0, 2, 5)]


def mutants(count: int, seed: int) -> Iterator[bytes]:
    """Yield ``count`` mutated models."""
    originals, rng = roots(), random.Random(seed)
    for _ in range(count):
        data = bytearray(rng.choice(originals))
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            at = rng.randrange(len(data))
            kind = rng.randrange(8)
            if kind == 0:
                data[at] ^= 1 << rng.randrange(8)
            elif kind == 1:
                data[at] = rng.randrange(256)
            elif kind == 2:
                del data[at : at + rng.choice((1, 2, 8, 100))]
            elif kind == 3:
                piece = data[at : at + rng.choice((1, 4, 30, 300))]
                to = rng.randrange(len(data))
                data[to:to] = piece
            elif kind == 4:
                data[at:at] = rng.choice(SPLICES)
            elif kind == 5:
                other = rng.choice(originals)
                start = rng.randrange(len(other))
                data[at : at + rng.choice((0, 20))] = other[start : start + rng.choice((20, 200))]
            elif kind == 6:
                data[at : at + 8] = rng.choice(
                    (bytes(8), b"\xff" * 8, b"\x7f" + b"\xff" * 7, rng.randbytes(8))
                )
            else:
                data[at:at] = rng.randbytes(rng.choice((1, 8)))
            if not data:
                break
        yield bytes(data)


def run(count: int, seed: int) -> Counter[str]:
    """Compare the two readers over ``count`` mutants and return how they fared.

    Raises ``AssertionError`` with the path of a mutant where the real reader asks for something
    that the static one neither listed nor refused, dies on a file that was found clean, or makes
    something else of it.
    """
    from runforge_engine.model_file.model_inspection import inspect_model_bytes

    outcomes = Counter[str]()
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        cases = list(mutants(count, seed))
        for index, data in enumerate(cases):
            (folder / f"{index}.pkl").write_bytes(data)
        subprocess.run(
            [sys.executable, __file__, "--record", folder_name, str(count)],
            check=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        )
        for index, data in enumerate(cases):
            inspection = inspect_model_bytes(data)
            listed = {(use.module, use.name) for use in inspection.globals}
            lines = (folder / f"{index}.names").read_text("utf-8").splitlines()
            asked = {tuple(json.loads(line)) for line in lines}
            status = (folder / f"{index}.status").read_text()
            if not inspection.is_clean:
                outcomes[f"refused, real reader {status}"] += 1
                continue
            outcomes[f"clean, real reader {status}"] += 1
            again = folder / f"{index}.again"
            same = not again.exists() or (
                inspect_model_bytes(again.read_bytes()).content_sha256 == inspection.content_sha256
            )
            if not asked <= listed or status in ("died", "hung") or not same:
                kept = Path(tempfile.mkdtemp()) / "mutant.pkl"
                kept.write_bytes(data)
                raise AssertionError(f"{kept}: {status}, {asked - listed}, same content: {same}")
    return outcomes


def record(folder: Path, count: int) -> None:
    """Read each file of the folder in a process of its own, and write down what it does."""
    import joblib  # noqa: F401 - once, before the processes part
    import sklearn.ensemble
    import sklearn.pipeline
    import sklearn.svm  # noqa: F401

    for index in range(count):
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                read(folder, index)
                os._exit(0)
            os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        word = {0: "succeeded", 1: "failed", -14: "hung"}.get(status, "died")
        (folder / f"{index}.status").write_text(word)


def read(folder: Path, index: int) -> None:
    """Read one file as joblib does, with stand-ins for names that are not on the list."""
    import resource
    import signal

    from joblib.numpy_pickle import NumpyUnpickler
    from runforge_engine.model_file.allowlist import ALLOWED

    resource.setrlimit(resource.RLIMIT_AS, (4 * 1024**3,) * 2)
    signal.alarm(20)
    out = os.open(folder / f"{index}.names", os.O_WRONLY | os.O_CREAT)

    class StandIn:
        def __init__(self, *args: object, **keywords: object) -> None:
            pass

        def __setstate__(self, state: object) -> None:
            pass

    class Recorder(NumpyUnpickler):
        def find_class(self, module: str, name: str) -> object:
            os.write(out, json.dumps([module, name]).encode() + b"\n")
            return super().find_class(module, name) if (module, name) in ALLOWED else StandIn

    with (folder / f"{index}.pkl").open("rb") as file:
        value = Recorder("", file, ensure_native_byte_order=True).load()
    (folder / f"{index}.again").write_bytes(joblib_bytes(value))


if __name__ == "__main__":
    if sys.argv[1] == "--record":
        record(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
        for start in range(0, int(sys.argv[1]), 1000):
            size = min(1000, int(sys.argv[1]) - start)
            print(seed, dict(run(size, seed)), flush=True)
            seed += 1
