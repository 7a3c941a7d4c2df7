"""A store of many runs: several processes find what one finds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest
from real_data import ROOT
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.invariants.store_invariants import check_store
from runforge_contracts.shared_work import WORTH_SHARING, Result
from runforge_contracts.store import index_entries
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import read_store_index
from runforge_engine.store import run_folders
from runforge_engine.store.index_repair import check_index, rebuild_index
from runforge_engine.verification.verify_store import verification_document, verify_store

VECTORS = ROOT / "docs/test-vectors/runs/v0.4.0"


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    """Return a store of copies of a run that differ in their ids; every tenth is damaged."""
    store = StoreLayout(tmp_path)
    [folder, *_] = sorted(path for path in VECTORS.rglob("manifest.json"))
    run_id = folder.parent.name
    for number in range(WORTH_SHARING + 20):
        path = store.run_folder(f"20260101-000000-{number:08x}")
        shutil.copytree(folder.parent, path)
        for file in path.rglob("*.json"):
            file.write_text(file.read_text("utf-8").replace(run_id, path.name), "utf-8")
        if number % 10 == 0:
            (path / "manifest.json").write_text(json.dumps({"files": number}), "utf-8")
    return store


class Counting:
    """What was shown: the stages, and how many results each had."""

    def __init__(self) -> None:
        self.stages = list[tuple[str, int, int]]()

    def __call__(
        self, stage: str, results: Iterable[Result], total: int, unit: str = ""
    ) -> Iterator[Result]:
        done = 0
        for result in results:
            done += 1
            yield result
        self.stages.append((stage, done, total))


def test_several_processes_find_what_one_finds(store: StoreLayout) -> None:
    rebuild_index(store)
    shown, runs = Counting(), len(list(store.runs.iterdir()))
    alone, shared = verify_store(store), verify_store(store, jobs=2, watch=shown)
    documents = [verification_document(found.runs, [found]) for found in (alone, shared)]
    assert msgspec.to_builtins(documents[0]) == msgspec.to_builtins(documents[1])
    assert any(not run.holds for run in alone.runs)
    assert shown.stages == [("Verifying runs", runs, runs)]


def test_an_index_is_checked_and_rebuilt_alike(store: StoreLayout) -> None:
    rebuilt = rebuild_index(store)
    written = store.index.read_bytes()
    store.index.unlink()
    assert rebuild_index(store, jobs=2) == rebuilt
    assert store.index.read_bytes() == written
    shown = Counting()
    assert check_index(store, jobs=2, watch=shown) == check_index(store)
    assert shown.stages
    assert all(done == total for _, done, total in shown.stages)


def test_a_store_is_checked_alike(store: StoreLayout) -> None:
    rebuild_index(store)
    alone = check_store(store)
    assert check_store(store, jobs=2) == alone
    assert alone


def contradict(store: StoreLayout) -> None:
    """Change the index so that it has every kind of mistake that a valid one can have."""
    index = json.loads(store.index.read_text("utf-8"))
    runs = index["runs"]
    runs[3]["status"], runs[4]["origin"] = "failed", "0" * 64
    runs[7]["run_dir"] = ".runforge/runs/20260101-000000-ffffffff"
    runs[8]["run_dir"] = runs[9]["run_dir"]
    runs[12]["run_dir"] = "../elsewhere"
    del runs[14]["status"], runs[15]["name"], runs[16], runs[17]["summary"]
    index["runs"] = [*runs[20:], runs[5], *runs[:20]]
    store.index.write_bytes(encode_json(index))
    shutil.rmtree(store.run_folder(runs[2]["run_id"]))


@pytest.mark.parametrize("jobs", [1, 2])
def test_entries_that_are_parsed_when_they_are_read_give_the_same(
    jobs: int, store: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuild_index(store)
    contradict(store)

    def found() -> list[object]:
        verified = verify_store(store, jobs=jobs)
        document = verification_document(verified.runs, [verified])
        checked = check_index(store, jobs=jobs)
        return [msgspec.to_builtins(document), checked, check_store(store, jobs=jobs)]

    monkeypatch.setattr(index_entries, "_SMALL", 2**40)
    whole = found()
    monkeypatch.setattr(index_entries, "_SMALL", 0)
    index = read_store_index(store, parse_later=True)
    assert index is not None
    assert index.is_parsed_later
    assert found() == whole
    findings = {item.rule for item in check_store(store)}
    assert findings >= {"index.once", "index.entry", "index.run-dir", "index.complete"}


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 120])
@pytest.mark.parametrize("beside", [{}, {"beside": [1]}])
def test_an_index_of_any_length_is_written_alike(
    count: int, beside: dict[str, object], store: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuild_index(store)
    whole = json.loads(store.index.read_text("utf-8"))
    document = {**whole, "runs": whole["runs"][:count], **beside}
    store.index.write_bytes(encode_json(document))
    index = read_store_index(store)
    monkeypatch.setattr(run_folders, "_AT_ONCE", 50)
    run_folders.write_index(store, index, iter(document["runs"]))
    assert store.index.read_bytes() == encode_json(document)


@pytest.mark.parametrize(
    ("members", "is_in_order"),
    [
        (["schema_version", "runs", "beside"], True),
        (["schema_version", "beside", "runs"], False),
        (["runs", "schema_version"], False),
    ],
)
def test_the_order_of_the_members_of_an_index_is_that_of_its_file(
    members: list[str], is_in_order: bool, store: StoreLayout
) -> None:
    rebuild_index(store)
    document = {**json.loads(store.index.read_text("utf-8")), "beside": [{"a": 1}]}
    store.index.write_bytes(encode_json({name: document[name] for name in members}))
    found = {item.rule for check in verify_store(store).checks for item in check.findings}
    assert ("json.key-order" not in found) == is_in_order
    assert not {item for item in found if item.startswith("index.")}
