"""What each reading command says of the vectors of other clients, valid and broken."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, Call
from syrupy.assertion import SnapshotAssertion

FIELD_VECTORS = ROOT / "docs/test-vectors/field"
STORES = sorted(path.parent for path in FIELD_VECTORS.glob("*-[0-9]*/.*/runs"))
FAULTS: list[dict[str, str]] = json.loads((FIELD_VECTORS / "broken/faults.json").read_bytes())
#: Commands about one run, none of which writes.
COMMANDS = (
    ("show",),
    ("metrics",),
    ("importance",),
    ("coefficients",),
    ("interpretability",),
    ("diagnostics",),
    ("verify", "--without-dataset"),
)
#: A value that was never there, shown as if it were one.
LEAKS = re.compile(r"\b(?:None|undefined|nan|NaN|(?<!or )null)\b|Traceback|INTERNAL_ERROR|\{'")


def leaks(text: str) -> bool:
    return LEAKS.search(" ".join(text.split())) is not None


def runs() -> list[Any]:
    folders = [
        *(path for store in STORES for path in sorted((store / "runs").iterdir())),
        *(FIELD_VECTORS / "broken" / fault["folder"] / fault["run"] for fault in FAULTS),
    ]
    return [
        pytest.param(path, id=path.relative_to(FIELD_VECTORS).as_posix().replace("/runs/", "/"))
        for path in folders
    ]


def said(result: Any, workspace: Path) -> str:
    """Return what a command printed, with the workspace's path as ``WORKSPACE``."""
    parts = [f"exit code {result.code}", result.out.rstrip("\n")]
    if result.err:
        parts.append(f"--- standard error\n{result.err.rstrip(chr(10))}")
    return "\n".join(part for part in parts if part).replace(str(workspace), "WORKSPACE")


@pytest.mark.parametrize("folder", runs())
def test_what_the_commands_say_of_a_run(
    folder: Path, runforge: Call, workspace: Path, snapshot: SnapshotAssertion
) -> None:
    store = folder.parents[1]
    shutil.copytree(store, workspace / store.name)
    before = {
        path: path.read_bytes() for path in (workspace / store.name).rglob("*") if path.is_file()
    }
    text = []
    for command, *options in COMMANDS:
        result = runforge(command, folder.name, *options)
        assert result.code in (0, 1, 2, 3, 7), (command, result)
        shown = said(result, workspace)
        assert not leaks(shown), (command, shown)
        text.append(f"$ runforge {command}\n{shown}")
        machine = runforge(command, folder.name, *options, "--json")
        assert machine.code in (0, result.code)  # a document is printed without reading others
        if machine.out:
            json.loads(machine.out)
    after = {
        path: path.read_bytes() for path in (workspace / store.name).rglob("*") if path.is_file()
    }
    assert after == before
    assert "\n\n".join(text) == snapshot


@pytest.mark.parametrize("store", STORES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_the_lists_say_of_a_store(
    store: Path, runforge: Call, workspace: Path, snapshot: SnapshotAssertion
) -> None:
    shutil.copytree(store, workspace / store.name)
    # The names start with times. A checkout writes the files in any order.
    for second, path in enumerate(sorted((workspace / store.name).rglob("*"))):
        os.utime(path, (1_780_000_000 + second, 1_780_000_000 + second))
    text = []
    for command in (("runs",), ("runs", "--status", "failed"), ("index", "check"), ("show",)):
        result = runforge(*command)
        assert result.code in (0, 1, 2, 3, 7), (command, result)
        shown = said(result, workspace)
        assert not leaks(shown), (command, shown)
        text.append(f"$ runforge {' '.join(command)}\n{shown}")
    assert "\n\n".join(text) == snapshot


@pytest.mark.parametrize("store", STORES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_two_runs_of_a_store_are_compared_and_reported(
    store: Path, runforge: Call, workspace: Path
) -> None:
    shutil.copytree(store, workspace / store.name)
    first, *_, last = sorted(path.name for path in (store / "runs").iterdir())
    compared = runforge("diff", first, last)
    assert compared.code in (0, 1), compared
    assert not leaks(said(compared, workspace)), said(compared, workspace)
    for format_ in ("html", "md"):
        target = workspace / f"report.{format_}"
        reported = runforge("report", first, "-o", str(target))
        assert reported.code == 0, reported
        text = target.read_text("utf-8")
        if format_ == "md":
            assert not leaks(text), text


def test_validate_knows_the_documents_of_other_clients(runforge: Call, workspace: Path) -> None:
    folder = FIELD_VECTORS / "editor-extension-1.2.1/.ml"
    failed = next((folder / "runs").glob("*failed*"))
    for path, name in (
        (failed / "request.json", "field.editor_request.v1"),
        (failed / "result.json", "field.editor_result.v1"),
        (folder / "outputs/index.json", "field.editor_index.v1.0.0"),
    ):
        result = runforge("validate", str(path))
        assert (result.code, result.out) == (0, f"{path}: valid {name}\n")


def test_validate_checks_an_index_that_is_an_array(runforge: Call, workspace: Path) -> None:
    name = "field.index_array.v1"
    index = FIELD_VECTORS / "editor-extension-0.4.3/.ml/outputs/index.json"
    assert runforge("validate", "--schema", name, str(index)).code == 0
    (workspace / "index.json").write_text("[{}]", "utf-8")
    result = runforge("validate", "--schema", name, "index.json")
    assert result.code == 2
    assert "`/0` lacks the required field `run_id`" in result.out
    assert runforge("validate", "--schema", "common.v1", "index.json").code == 2
