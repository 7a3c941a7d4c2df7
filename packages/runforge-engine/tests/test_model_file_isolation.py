from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from model_files import Payload, joblib_bytes, model, model_bytes
from real_data import FAMILIES

#: Inspects a file in a process that dies if anything of the model, or of its libraries, is touched.
GUARDED = """
import os, sys

DEADLY = {"numpy", "scipy", "sklearn", "joblib", "pandas", "pyarrow", "pickle", "_pickle"}
armed = False

def die(code, what):
    os.write(2, f"{what}".encode())
    os._exit(code)

def watch(event, args):
    if event == "import" and args[0].partition(".")[0] in DEADLY:
        die(41, f"import {args[0]}")
    if event in {"pickle.find_class", "os.system", "os.exec", "os.mkdir", "subprocess.Popen"}:
        die(42, event)
    # The second time, everything of our own is imported: from then on nothing may be.
    if armed and event in {"import", "exec", "compile"}:
        die(43, event)

sys.addaudithook(watch)

import json
from pathlib import Path
from runforge_engine.model_file.model_inspection import inspect_model

inspect_model(Path(sys.argv[1]))
armed = True
text = json.dumps(inspect_model(Path(sys.argv[1])).to_dict())
armed = False
assert not DEADLY & set(sys.modules)
print(text)
"""


def inspect_guarded(path: Path) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", GUARDED, str(path)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    document: dict[str, object] = json.loads(done.stdout)
    return document


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("bz2", 3), ("xz", 3)], ids=str)
def test_nothing_of_a_model_is_imported_or_run(
    family: str, compress: object, tmp_path: Path
) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(joblib_bytes(model(family, "text"), 4, compress))
    assert inspect_guarded(path)["clean"] is True


def test_nothing_of_a_hostile_model_is_imported_or_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "model.pkl", tmp_path / "executed"
    fitted = model("linear_svc")
    fitted.evil = Payload(trace)
    path.write_bytes(joblib_bytes(fitted))
    assert inspect_guarded(path)["clean"] is False
    assert not trace.exists()


@pytest.mark.parametrize("deed", ["import pickle", "import wave", "exec('')", "os.mkdir('/')"])
def test_the_guard_would_notice(deed: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(model_bytes("linear_svc"))
    code = GUARDED.replace("armed = True", f"armed = True; {deed}")
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, timeout=60)
    assert done.returncode in (41, 42, 43)
