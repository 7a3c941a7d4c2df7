"""Runs of every client are found and read, and a hostile store cannot mislead a reader."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout, stores_in
from runforge_contracts.store.lookup import find_run
from runforge_contracts.store.reading import (
    describe,
    list_runs,
    locate_run,
    read_index,
    run_folders,
)
from runforge_contracts.store.run import Run

VECTORS = Path(__file__).parents[3] / "docs/test-vectors/runs"
EXPECTED = {
    "v0.2.2.1": ["20240101-120000-abc12345"],
    "v0.3.3": ["20240601-083000-def67890"],
    "v0.3.6": ["20260115-101500-1a2b3c4d", "20260116-111500-5e6f7a8b"],
    "legacy-root": ["20260117-121500-9c0d1e2f"],
}


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    """Return a store with the two runs of version 0.3.6."""
    shutil.copytree(VECTORS / "v0.3.6", tmp_path, dirs_exist_ok=True)
    return StoreLayout(tmp_path)


@pytest.mark.parametrize("name", EXPECTED)
def test_older_stores_are_listed_and_their_documents_read(name: str) -> None:
    [store] = stores_in(VECTORS / name)
    entries = list_runs(store)
    assert [entry["run_id"] for entry in entries] == EXPECTED[name]
    for entry in entries:
        assert (entry["status"], entry["summary"]["final_metrics"]["accuracy"]) == (
            "succeeded",
            0.92,
        )
        folder = Run(locate_run(entry, store))
        assert folder.status == "succeeded"
        assert folder.record is not None
        assert folder.id == folder.path.name == entry["run_id"]
        assert folder.diagnostics == [
            {
                "code": "MISSING_VALUES_DROPPED",
                "severity": "warning",
                "message": "3 rows were dropped because a value was missing.",
                "details": {"rows_dropped": 3},
            }
        ]


def test_a_run_is_found_by_id_prefix_latest_and_path(store: StoreLayout) -> None:
    older, newer = EXPECTED["v0.3.6"]
    for reference, run_id in (
        (older, older),
        ("20260115", older),
        ("latest", newer),
        (str(store.run_folder(older)), older),
    ):
        assert find_run(reference, [store]).id == run_id


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("2026", ErrorCode.RUN_AMBIGUOUS),
        ("2027", ErrorCode.RUN_NOT_FOUND),
        ("", ErrorCode.RUN_NOT_FOUND),
        ("../..", None),
        ("no/such/run", ErrorCode.RUN_NOT_FOUND),
        ("\x1b[2J", ErrorCode.RUN_NOT_FOUND),
        ("a\x00b", ErrorCode.RUN_NOT_FOUND),
    ],
)
def test_what_names_no_run_is_refused(
    reference: str, code: ErrorCode | None, store: StoreLayout
) -> None:
    if code is None:
        return
    with pytest.raises(RunForgeError) as caught:
        find_run(reference, [store])
    assert caught.value.code is code
    assert caught.value.message.isprintable()


def test_an_empty_folder_of_any_name_does_not_end_the_listing(store: StoreLayout) -> None:
    store.run_folder("backup").mkdir()
    assert [entry["run_id"] for entry in list_runs(store)] == ["backup", *EXPECTED["v0.3.6"]]


def test_a_file_in_place_of_the_run_folders_is_reported(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    store.root.mkdir()
    store.runs.touch()
    with pytest.raises(RunForgeError) as caught:
        list_runs(store)
    assert caught.value.code is ErrorCode.FILE_UNREADABLE


def test_an_empty_store_has_no_runs(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    assert (list_runs(store), read_index(store), run_folders(store)) == ([], [], [])
    with pytest.raises(RunForgeError) as caught:
        find_run("latest", [store])
    assert caught.value.code is ErrorCode.RUN_NOT_FOUND


def write_index(store: StoreLayout, entries: list[dict[str, Any]]) -> None:
    index = {"schema_version": "index.v1", "runs": entries}
    store.index.write_text(json.dumps(index), "utf-8")


def test_an_index_that_climbs_out_is_refused(store: StoreLayout) -> None:
    entry = {
        "run_id": "20260201-000000-00000000",
        "created_at": "2026-02-01T00:00:00Z",
        "status": "succeeded",
        "run_dir": "../../etc",
    }
    write_index(store, [entry])
    with pytest.raises(RunForgeError) as caught:
        find_run("20260201-000000-00000000", [store])
    assert caught.value.code is ErrorCode.PATH_OUTSIDE_ROOT


def test_folders_that_are_links_or_no_runs_are_passed_over(
    store: StoreLayout, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (store.runs / "20260301-000000-00000000").symlink_to(elsewhere)
    (store.runs / ".hidden").mkdir()
    (store.runs / "a file").touch()
    (store.runs / "bad\nname").mkdir()
    assert [path.name for path in run_folders(store)] == EXPECTED["v0.3.6"]


def test_a_document_that_is_a_link_is_not_followed(store: StoreLayout, tmp_path: Path) -> None:
    folder = store.run_folder(EXPECTED["v0.3.6"][0])
    (folder / layout.METRICS).rename(tmp_path / "real.json")
    (folder / layout.METRICS).symlink_to(tmp_path / "real.json")
    with pytest.raises(RunForgeError) as caught:
        Run(folder).content(layout.METRICS)
    assert caught.value.code is ErrorCode.FILE_UNSAFE


def test_a_run_without_an_end_is_incomplete(store: StoreLayout) -> None:
    folder = store.run_folder("20260301-000000-00000000")
    folder.mkdir()
    request = store.run_folder(EXPECTED["v0.3.6"][0]) / layout.REQUEST
    (folder / layout.REQUEST).write_bytes(request.read_bytes())
    entry = list_runs(store)[-1]
    assert Run(folder).status == "incomplete"
    assert "status" not in entry
    assert entry["name"] == "An older run"


def test_an_unreadable_run_does_not_hide_the_others(store: StoreLayout) -> None:
    older, newer = EXPECTED["v0.3.6"]
    (store.run_folder(older) / layout.RUN).write_text("{")
    assert [entry["run_id"] for entry in list_runs(store)] == [newer]
    with pytest.raises(RunForgeError) as caught:
        describe(Run(store.run_folder(older)), store)
    assert caught.value.code is ErrorCode.JSON_INVALID


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": "index.v1"}', "null"])
def test_a_corrupt_index_is_named_and_the_folders_still_serve(
    text: str, store: StoreLayout
) -> None:
    store.index.write_text(text)
    with pytest.raises(RunForgeError) as caught:
        list_runs(store)
    assert caught.value.code is ErrorCode.INDEX_INVALID
    assert len(list_runs(store, trust_index=False)) == 2
    assert find_run("latest", [store]).id == EXPECTED["v0.3.6"][1]
    assert store.index.read_text() == text


def test_a_store_that_was_copied_finds_its_runs(store: StoreLayout) -> None:
    run_id = EXPECTED["v0.3.6"][0]
    entry = describe(Run(store.run_folder(run_id)), store)
    write_index(store, [{**entry, "run_dir": f"/somewhere/else/{run_id}"}])
    assert find_run(run_id, [store]).path == store.run_folder(run_id)


def test_reading_loads_nothing_heavy() -> None:
    program = (
        "import sys, runforge_contracts.store.reading, runforge_contracts.documents\n"
        "heavy = {'numpy', 'pandas', 'sklearn', 'jsonschema', 'jsonschema_rs', 'asyncio'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
