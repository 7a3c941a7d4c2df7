"""Indexes in the forms of other clients, read in our terms and written in theirs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.index.newest import newest_runs
from runforge_contracts.store.foreign_index import (
    ARRAY_FORM,
    EDITOR_FORM,
    FIRST_FORM,
    IndexFormName,
    read_entry,
    write_entry,
)
from runforge_contracts.store.latest import latest_runs
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.lookup import find_any_run
from runforge_contracts.store.reading import list_runs, locate_run, read_store_index
from runforge_contracts.validation import validate

FOLDER = "20260120-100000-flowers-a1b2"
RUN_ID = "20260120-090000-94bb4314"
SHA = "9f" * 32
#: As the editor extension 1.2.1 writes it.
ENTRY: dict[str, Any] = {
    "run_id": RUN_ID,
    "created_at": "2026-01-20T09:00:02.345678+00:00",
    "name": "flowers",
    "preset_id": "std-train",
    "status": "succeeded",
    "summary": {"duration_ms": 2345, "final_metrics": {"accuracy": 0.9333}, "device": "cuda"},
    "run_dir": f".ml/runs/{FOLDER}",
    "dataset_fingerprint_sha256": SHA,
    "label_column": "label",
    "model_pkl": f".ml/runs/{FOLDER}/artifacts/model.pkl",
}


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    (tmp_path / ".ml/runs" / FOLDER).mkdir(parents=True)
    (tmp_path / ".ml/outputs").mkdir()
    return StoreLayout(tmp_path, ".ml")


def write(store: StoreLayout, document: Any) -> None:
    store.index.write_text(json.dumps(document), "utf-8")


def read(store: StoreLayout, document: Any) -> list[dict[str, Any]]:
    write(store, document)
    index = read_store_index(store)
    assert index is not None
    validate({"schema_version": "index.v1", "runs": index.entries}, "index.v1")
    return index.entries


def test_ten_members_are_read(store: StoreLayout) -> None:
    [entry] = read(store, {"schema_version": "1.0.0", "runs": [ENTRY]})
    assert entry == {
        **ENTRY,
        "summary": {**ENTRY["summary"], "device": "gpu"},
        "model_pkl": "artifacts/model.pkl",
    }
    assert locate_run(entry, store) == store.runs / FOLDER


def test_six_members_are_read_with_paths_from_the_store(tmp_path: Path) -> None:
    old = StoreLayout(tmp_path)
    old.runs.mkdir(parents=True)
    names = ("run_id", "created_at", "dataset_fingerprint_sha256", "label_column")
    six = {name: ENTRY[name] for name in names} | {
        "run_dir": f"runs/{RUN_ID}/run.json",
        "model_pkl": f"runs/{RUN_ID}/artifacts/model.pkl",
    }
    [entry] = read(old, {"schema_version": "0.2.2.1", "runs": [six]})
    assert entry["run_dir"] == f".runforge/runs/{RUN_ID}"
    assert entry["model_pkl"] == "artifacts/model.pkl"


def test_an_array_is_read_in_the_editors_store_alone(store: StoreLayout) -> None:
    names = ("created_at", "name", "preset_id", "status", "run_dir", "summary")
    seven = {"run_id": FOLDER, **{name: ENTRY[name] for name in names}}
    [entry] = read(store, [seven])
    assert (entry["run_id"], entry["status"]) == (FOLDER, "succeeded")
    other = StoreLayout(store.workspace)
    other.root.mkdir()
    write(other, [seven])
    with pytest.raises(RunForgeError) as caught:
        read_store_index(other)
    assert caught.value.code is ErrorCode.INDEX_INVALID


def test_entries_of_ours_in_an_index_of_theirs_stay_what_they_are(store: StoreLayout) -> None:
    ours = {**ENTRY, "run_dir": f".ml/runs/{RUN_ID}", "model_pkl": "artifacts/model.pkl"}
    ours |= {"model_family": "random_forest", "model_sha256": SHA, "later": [1]}
    ours["summary"] = {**ENTRY["summary"], "device": "cpu"}
    [entry, _] = read(store, {"schema_version": "1.0.0", "runs": [ours, ENTRY]})
    assert entry == ours


def test_an_entry_that_an_editor_added_to_an_index_of_ours_is_read(store: StoreLayout) -> None:
    entries = read(store, {"schema_version": "index.v1", "runs": [ENTRY]})
    assert entries[0]["model_pkl"] == "artifacts/model.pkl"


@pytest.mark.parametrize(
    ("changed", "code", "member"),
    [
        ({"run_id": None}, ErrorCode.DOCUMENT_INVALID, "run_id"),
        ({"run_id": "../x"}, ErrorCode.DOCUMENT_INVALID, "run_id"),
        ({"run_id": "a", "created_at": "yesterday"}, ErrorCode.DOCUMENT_INVALID, "created_at"),
        ({"run_dir": 5}, ErrorCode.DOCUMENT_INVALID, "run_dir"),
        ({"run_dir": "a\nb"}, ErrorCode.DOCUMENT_INVALID, "run_dir"),
        ({"run_dir": ".ml/../../x"}, ErrorCode.PATH_OUTSIDE_ROOT, "run_dir"),
        ({"run_dir": "/etc"}, ErrorCode.PATH_OUTSIDE_ROOT, "run_dir"),
        ({"run_dir": "C:\\runs\\a"}, ErrorCode.PATH_OUTSIDE_ROOT, "run_dir"),
        ({"run_dir": "run.json"}, ErrorCode.PATH_OUTSIDE_ROOT, "run_dir"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named_and_hides_no_other(
    changed: dict[str, Any], code: ErrorCode, member: str, store: StoreLayout
) -> None:
    with pytest.raises(RunForgeError) as caught:
        read_entry({**ENTRY, **changed}, store)
    assert (caught.value.code, caught.value.location.pointer) == (code, f"/{member}")
    write(store, {"schema_version": "1.0.0", "runs": [{**ENTRY, **changed}, 7, ENTRY]})
    index = read_store_index(store)
    assert index is not None
    assert [entry["run_id"] for entry in index.entries] == [RUN_ID]
    assert index.pointer(0) == "/runs/2"
    assert [(item.position, item.member) for item in index.problems] == [(0, member), (1, None)]


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"created_at": "2026-01-20T10:00:02+01:00"}, {"created_at": "2026-01-20T09:00:02Z"}),
        ({"created_at": "2026-01-20T09:00:02"}, {"created_at": "2026-01-20T09:00:02Z"}),
        ({"created_at": None}, {"created_at": "2026-01-20T09:00:00Z"}),
        ({"status": "Completed"}, {"status": "succeeded"}),
        ({"status": "canceled"}, {"status": "cancelled"}),
        ({"status": "strange"}, {"status": None}),
        ({"label_column": 5}, {"label_column": None}),
        ({"dataset_fingerprint_sha256": "x"}, {"dataset_fingerprint_sha256": None}),
        ({"model_pkl": "../../model.pkl"}, {"model_pkl": None}),
        ({"model_pkl": "/etc/passwd"}, {"model_pkl": None}),
        ({"model_pkl": f"runs/{FOLDER}/a.pkl"}, {"model_pkl": "a.pkl"}),
        ({"run_dir": f".ml\\runs\\{FOLDER}"}, {"run_dir": f".ml/runs/{FOLDER}"}),
        ({"summary": {"duration_ms": 2.0, "final_metrics": {"a": "x", "b": 1}}}, {}),
        ({"summary": {"duration_ms": -1, "final_metrics": None, "device": 4}}, {}),
    ],
)
def test_members_are_put_into_our_terms_or_left_out(
    changed: dict[str, Any], found: dict[str, Any], store: StoreLayout
) -> None:
    [entry] = read(store, {"schema_version": "1.0.0", "runs": [{**ENTRY, **changed}]})
    assert {name: entry.get(name) for name in found} == found


def test_a_path_inside_the_workspace_may_be_absolute(store: StoreLayout) -> None:
    entry = read_entry({**ENTRY, "run_dir": str(store.runs / FOLDER)}, store)
    assert entry["run_dir"] == ENTRY["run_dir"]


def test_a_run_is_listed_once_and_found_by_both_names(store: StoreLayout) -> None:
    write(store, {"schema_version": "1.0.0", "runs": [ENTRY]})
    assert [entry["run_id"] for entry in list_runs(store)] == [RUN_ID]
    assert newest_runs(store, 5) is None  # that form is read as a whole
    for name in (RUN_ID, FOLDER, "20260120", "latest"):
        assert find_any_run(name, [store]).path == store.runs / FOLDER
    assert [run.path for run in latest_runs([store])] == [store.runs / FOLDER]


def test_an_index_behind_a_link_is_not_followed(store: StoreLayout) -> None:
    write(store, {"schema_version": "1.0.0", "runs": [ENTRY]})
    store.index.parent.rename(store.workspace / "elsewhere")
    store.index.parent.symlink_to(store.workspace / "elsewhere")
    with pytest.raises(RunForgeError) as caught:
        read_store_index(store)
    assert caught.value.code is ErrorCode.INDEX_INVALID
    assert "symbolic link" in caught.value.message


OURS: dict[str, Any] = {
    "run_id": RUN_ID,
    "created_at": "2026-01-20T09:00:02Z",
    "name": RUN_ID,
    "preset_id": "balanced",
    "status": "succeeded",
    "summary": {"duration_ms": 5, "final_metrics": {"accuracy": 1.0}, "device": "gpu"},
    "run_dir": f".ml/runs/{RUN_ID}",
    "dataset_fingerprint_sha256": SHA,
    "label_column": "label",
    "model_pkl": "artifacts/model.pkl",
    "model_family": "random_forest",
    "model_sha256": SHA,
}


@pytest.mark.parametrize("form", [EDITOR_FORM, FIRST_FORM, ARRAY_FORM])
def test_what_is_written_in_their_form_is_read_as_it_was(
    form: IndexFormName, store: StoreLayout
) -> None:
    written = write_entry(OURS, form, store)
    assert written is not None
    assert written["summary"]["device"] == "cuda"
    if form == FIRST_FORM:
        assert written["run_dir"] == f"runs/{RUN_ID}/run.json"
        assert written["model_pkl"] == f"runs/{RUN_ID}/artifacts/model.pkl"
    else:
        assert written["model_pkl"] == f".ml/runs/{RUN_ID}/artifacts/model.pkl"
    assert read_entry(written, store) == OURS


def test_a_run_that_their_clients_cannot_show_gets_no_entry(store: StoreLayout) -> None:
    failed = {name: value for name, value in OURS.items() if not name.startswith("model")}
    assert write_entry(failed, EDITOR_FORM, store) is None
    assert write_entry(failed, FIRST_FORM, store) is None
    assert write_entry(failed, ARRAY_FORM, store) is not None
    assert write_entry(failed, "index.v1", store) == failed
    assert write_entry({**OURS, "summary": {}}, EDITOR_FORM, store) is None
