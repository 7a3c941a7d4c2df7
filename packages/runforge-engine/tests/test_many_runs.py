"""A store of many runs: several processes find what one finds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest
from real_data import ROOT
from runforge_contracts.invariants.store_invariants import check_store
from runforge_contracts.shared_work import WORTH_SHARING, Result
from runforge_contracts.store.layout import StoreLayout
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
