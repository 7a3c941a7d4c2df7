"""Every command that reads shows a document with nulls as it shows one without these members."""

from __future__ import annotations

import copy
import hashlib
import re
import shutil
from collections.abc import Iterator
from difflib import unified_diff
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, Call
from runforge_contracts._generated.optional_nulls import PATHS
from runforge_contracts.codec.pointers import format_pointer, remove_at, set_at
from runforge_contracts.codec.strict_json import encode_json, parse_json
from runforge_contracts.codec.strict_yaml import encode_yaml, parse_yaml
from runforge_contracts.documents import Document, struct_of
from runforge_contracts.invariants.run_invariants import check_run
from runforge_contracts.invariants.store_invariants import check_store
from runforge_contracts.schemas import in_schema_order, validator
from runforge_contracts.store.layout import StoreLayout

VECTORS = ROOT / "docs/test-vectors"
#: Runs of the test vectors, and the documents in them that may have nulls.
TRAINED = {
    "succeeded": "20260224-100000-3f2d1b26",
    "without-record": "20260223-100000-e6dca325",
    "failed": "20260225-100000-c1b80f5d",
    "cancelled": "20260301-100000-5780f457",
}
DOCUMENTS = {"request.json": "request.v1", "result.json": "result.v1"}
EXPERIMENT = "run-2026-02-01-003"
OF_EXPERIMENTS = {
    "config.yaml": "tfc.config.v1",
    "metrics.json": "tfc.metrics.v1",
    "system.json": "tfc.system.v1",
}
CASES = [
    *((run, file, name) for run in TRAINED for file, name in DOCUMENTS.items()),
    *(("experiment", file, name) for file, name in OF_EXPERIMENTS.items()),
]
Place = tuple[str | int, ...]


def places(raw: Any, path: tuple[str | None, ...]) -> Iterator[Place]:
    """Yield where a path of the table leads to in a document, also to members that it lacks."""
    key, *rest = path
    keys: list[Any] = [key]
    if key is None:
        keys = list(raw) if isinstance(raw, dict) else list(range(len(raw)))
    for found in keys:
        if not rest:
            yield (found,)
        elif isinstance(raw, list) or isinstance(raw.get(found), dict | list):
            yield from ((found, *below) for below in places(raw[found], tuple(rest)))


def variants(
    name: str, raw: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield a document with nulls and without these members: one at a time, then all of a depth."""
    found = list(chain.from_iterable(places(raw, path) for path in PATHS[name]))
    groups = [(format_pointer(place), [place]) for place in found]
    for depth in sorted({len(place) for place in found}):
        groups.append((f"depth {depth}", [place for place in found if len(place) == depth]))
    for label, group in groups:
        null, absent = copy.deepcopy(raw), copy.deepcopy(raw)
        for place in group:
            if not is_needed(name, raw, place):
                set_at(null, format_pointer(place), None)
                set_at(absent, format_pointer(place), None)
                remove_at(absent, format_pointer(place))
        yield label, in_schema_order(null, name), absent


def is_needed(name: str, raw: dict[str, Any], place: Place) -> bool:
    """Return whether a condition requires the member, such as the error of a failed run."""
    without = copy.deepcopy(raw)
    set_at(without, format_pointer(place), None)
    refused = not validator(name).is_valid(without)
    remove_at(without, format_pointer(place))
    assert refused is not validator(name).is_valid(without), place
    return refused


def write(path: Path, raw: dict[str, Any]) -> None:
    """Write a document and its digest in the manifest."""
    data = encode_yaml(raw) if path.suffix == ".yaml" else encode_json(raw)
    path.write_bytes(data)
    manifest = path.parent / "manifest.json"
    if manifest.exists():
        listed = parse_json(manifest.read_bytes())
        listed["files"][path.name] = {
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
        }
        manifest.write_bytes(encode_json(listed))


@pytest.fixture
def store(workspace: Path) -> Path:
    """Return a workspace with the runs and the experiment runs of the test vectors."""
    shutil.copytree(VECTORS / "runs/v0.4.0", workspace, dirs_exist_ok=True)
    shutil.copytree(VECTORS / "experiments/sound", workspace, dirs_exist_ok=True)
    (workspace / ".runforge/runs" / TRAINED["without-record"] / "run.json").unlink()
    return workspace


def shown(runforge: Call, store: Path, folder: Path, other: str, *, whole: bool) -> dict[str, Any]:
    """Return what the commands show of a run, by command."""
    run, out = folder.name, store / "out"
    calls = [
        ("show", run),
        ("show", run, "--json"),
        ("runs", "--json"),
        ("diff", other, run, "--json"),
        ("verify", run, "--json"),
    ]
    if whole:
        calls += [
            ("runs",),
            ("runs", "--csv"),
            ("runs", "--tag", "small"),
            ("diff", run, other),
            ("metrics", run),
            ("diagnostics", run),
            ("verify", "--all"),
            ("index", "check"),
            ("experiment", "check"),
            ("report", run, other, "--force", "-o", str(out / "report.md")),
            ("report", run, "--no-model", "--force", "-o", str(out / "report.html")),
            ("export", run, "--to", "csv", "-o", str(out / "csv")),
        ]
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    found: dict[str, Any] = {}
    for call in calls:
        result = runforge(*call)
        assert result.code != 4, (call, result.err)
        found[" ".join(call)] = result
    found |= {
        str(path.relative_to(out)): path.read_text("utf-8")
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }
    found["check-run"] = check_run(folder)
    if whole:
        found["check-store"] = check_store(StoreLayout(store))
    return found


def without_digest(text: str, path: Path) -> str:
    """Return what is shown without the digest and the size of the file, which must differ."""
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    text = text.replace(digest, "DIGEST").replace(digest[:12], "DIGEST")
    return re.sub(rf'"bytes": {len(data)}\b', '"bytes": SIZE', text)


def compare(runforge: Call, store: Path, run: str, file: str, name: str, *, whole: bool) -> None:
    if run == "experiment":
        folder, other = store / "runs" / EXPERIMENT, "run-2025-01-10-001"
    else:
        folder = store / ".runforge/runs" / TRAINED[run]
        other = TRAINED["cancelled" if run != "cancelled" else "failed"]
    path = folder / file
    recorded = path.read_bytes()
    raw = (parse_yaml if path.suffix == ".yaml" else parse_json)(recorded)
    for label, null, absent in variants(name, raw):
        if whole is not label.startswith("depth"):
            continue
        found = []
        for document in (absent, null):
            write(path, document)
            loaded: Document[Any] = Document.load(path, struct_of(name))
            assert loaded.raw == document
            answers = shown(runforge, store, folder, other, whole=whole)
            text = {key: without_digest(str(value), path) for key, value in answers.items()}
            found.append({**text, "view": loaded.view})
        differing = {
            key: list(unified_diff(*(str(each[key]).split("\\n") for each in found), n=0))
            for key in found[0]
            if found[0][key] != found[1][key]
        }
        assert differing == {}, label
    path.write_bytes(recorded)


@pytest.mark.parametrize(("run", "file", "name"), CASES)
def test_a_document_of_nulls_is_shown_like_one_without_these_members(
    runforge: Call, store: Path, run: str, file: str, name: str
) -> None:
    compare(runforge, store, run, file, name, whole=True)


@pytest.mark.slow
@pytest.mark.parametrize(("run", "file", "name"), CASES)
def test_each_null_is_shown_like_an_absent_member(
    runforge: Call, store: Path, run: str, file: str, name: str
) -> None:
    compare(runforge, store, run, file, name, whole=False)


def test_a_request_of_nulls_is_executed_repeated_and_reproduced(
    runforge: Call, workspace: Path
) -> None:
    shutil.copytree(VECTORS / "runs/v0.4.0/data", workspace / "data")
    raw = parse_json((VECTORS / "request.v1.min.json").read_bytes())
    raw["dataset"] |= {"path": "data/three-classes.csv", "label_column": "label"}
    for place in chain.from_iterable(places(raw, path) for path in PATHS["request.v1"]):
        set_at(raw, format_pointer(place), None)
    request = workspace / "asked.json"
    request.write_bytes(encode_json(raw))
    first = runforge("run", str(request), "--json")
    assert first.code == 0, first.err
    run = next((workspace / ".runforge/runs").iterdir())
    assert parse_json((run / "request.json").read_bytes()) == raw  # an executor keeps it
    assert parse_json((run / "run.json").read_bytes())["seed"] == 42
    assert check_run(run) == []
    for call in (("verify", "--all"), ("reproduce", run.name), ("rerun", run.name)):
        result = runforge(*call)
        assert result.code == 0, (call, result.out, result.err)


def test_an_experiment_of_nulls_is_run_without_these_members(
    runforge: Call, workspace: Path
) -> None:
    (workspace / "train.py").write_text("print('trained')\n", "utf-8")
    (workspace / "base.yaml").write_text("seed: 3\nnotes: from below\nconfigs: null\n", "utf-8")
    experiment = {
        "experiment": "nulls",
        "model": "m",
        "dataset": "none",
        "run": {"script": "train.py", "module": None, "command": None, "args": None},
        "configs": ["base.yaml"],
        **dict.fromkeys(("datasets", "environment", "secret_environment", "seed", "copy_models")),
        "training": {"epochs": None, "lr": None},
    }
    (workspace / "nulls.yaml").write_bytes(encode_yaml(experiment))
    result = runforge("experiment", "run", "nulls.yaml", "--set", "notes=null")
    assert result.code == 0, result.err
    config = parse_yaml(next((workspace / "runs").glob("run-*/config.yaml")).read_bytes())
    # Null in the experiment replaces nothing, in a setting it does; what RunForge does not know
    # belongs to user code.
    assert config["seed"] == 3
    assert "notes" not in config
    assert config["training"] == {"lr": None}
    assert config["run"] == {"script": "train.py"}
