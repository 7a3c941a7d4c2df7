"""What the reference executor and store leave: recorded once, and spoiled many times.

Training takes seconds, and a wrong executor that is derived from a right one differs from it only
in what it leaves. So the real one is asked once for every case, and its workspaces are kept.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import msgspec
from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance._generated.protocol_v1 import Answer
from runforge_conformance.judging import ScratchFolder
from runforge_conformance.runner import prepare, question
from runforge_conformance.vectors import ROLE_OF, all_cases

CLIENTS = Path(__file__).parents[1] / "clients"
#: What a recorded workspace may be asked of: not clients that run at once.
_ALONE = "concurrent"


class Recorded(NamedTuple):
    """A case, what the reference client answered, and the workspace that it left."""

    case: Case
    answer: dict[str, Any]
    workspace: Path


def load_harness(client: str) -> ModuleType:
    """Return the harness of a client of this repository as a module."""
    name = f"{client}_harness"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, CLIENTS / client / "harness.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def executor_cases() -> list[Case]:
    """Return the cases of executors and stores that one client answers alone."""
    return [
        case
        for case in all_cases()
        if ROLE_OF[case.op] in ("executor", "store") and _ALONE not in (case.flags or ())
    ]


def record(target: Path, cases: list[Case], *, jobs: int = os.cpu_count() or 1) -> None:
    """Ask the reference client for the cases that ``target`` does not hold yet."""
    harness = load_harness("cli")

    def one(case: Case) -> None:
        folder = target / case.id
        if (folder / "answer.json").exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
        place = prepare(case, folder)
        answer = harness.answer(question(case, place, 1))
        (folder / "answer.json").write_text(json.dumps(answer), "utf-8")

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, cases))


def recorded(target: Path, cases: list[Case]) -> list[Recorded]:
    """Return what was recorded of the cases."""
    return [
        Recorded(
            case,
            json.loads((target / case.id / "answer.json").read_bytes()),
            target / case.id / "workspace",
        )
        for case in cases
    ]


def replay(one: Recorded, folder: Path) -> tuple[ScratchFolder, dict[str, Any]]:
    """Give the case anew in ``folder``, with the workspace that the reference client left."""
    place = prepare(one.case, folder)
    shutil.rmtree(place.workspace)
    shutil.copytree(one.workspace, place.workspace, symlinks=True)
    return place, json.loads(json.dumps(one.answer))


def as_answer(answer: dict[str, Any]) -> Answer:
    """Return an answer as the runner gets it."""
    return msgspec.convert({"seq": 1, **answer}, Answer)


if __name__ == "__main__":
    record(Path(sys.argv[1]), executor_cases())
