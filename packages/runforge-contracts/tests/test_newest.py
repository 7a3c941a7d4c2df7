"""The newest runs, found from the end of the index, are those that the whole index gives."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs import files
from runforge_contracts.index.index_filter import skim_runs
from runforge_contracts.index.newest import described_runs, newest_runs
from runforge_contracts.selection.older_entries import SettingsReader
from runforge_contracts.selection.run_query import RunFacts, RunQuery
from runforge_contracts.store.index_form import newest_entries
from runforge_contracts.store.layout import StoreLayout, stores_in
from runforge_contracts.store.lookup import find_run
from runforge_contracts.store.reading import list_runs

VECTORS = Path(__file__).parents[3] / "docs/test-vectors/runs"


def entry(number: int, **more: Any) -> dict[str, Any]:
    run_id = f"202601{1 + number // 1440:02}-{number // 60 % 24:02}{number % 60:02}00-{number:08x}"
    return {
        "run_id": run_id,
        "created_at": "2026-01-01T00:00:00Z",
        "name": 'with } and { and "runs": [',
        "status": "succeeded",
        "summary": {"duration_ms": number, "final_metrics": {"accuracy": 0.5, "loss": 1e-07}},
        "run_dir": f".runforge/runs/{run_id}",
        **more,
    }


def make(folder: Path, entries: list[dict[str, Any]], *, folders: bool = True) -> StoreLayout:
    store = StoreLayout(folder)
    store.runs.mkdir(parents=True)
    store.index.write_bytes(encode_json({"schema_version": "index.v1", "runs": entries}))
    for item in entries if folders else ():
        store.run_folder(item["run_id"]).mkdir()
    return store


@pytest.mark.parametrize("size", [1, 2, 50, 51, 70, 71, 300])
@pytest.mark.parametrize("count", [1, 20, 1000])
def test_the_page_is_the_end_of_the_list(size: int, count: int, tmp_path: Path) -> None:
    store = make(tmp_path, [entry(number) for number in range(size)])
    page = newest_runs(store, count)
    assert page is not None
    assert page.entries == list_runs(store)[-count:]
    assert page.total == size


@pytest.mark.parametrize("count", [1, 20, 49, 1000])
def test_runs_of_one_second_are_not_looked_at_if_they_are_listed(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Sixteen begin in each second, and their names have another order than their entries.
    ids = [f"20260101-0000{n // 16:02}-{n * 2654435761 % 2**32:08x}" for n in range(320)]
    entries = [entry(number, run_id=run_id) for number, run_id in enumerate(ids)]
    entries = [{**item, "run_dir": f".runforge/runs/{item['run_id']}"} for item in entries]
    store = make(tmp_path, entries)
    looked_at = list[str]()

    def look(store: StoreLayout, names: list[str], known: set[str]) -> list[dict[str, Any]]:
        looked_at.extend(names)
        return described_runs(store, names, known)

    monkeypatch.setattr("runforge_contracts.index.newest.described_runs", look)
    page = newest_runs(store, count)
    assert page is not None
    assert page.entries == list_runs(store)[-count:]
    assert page.total == 320
    assert looked_at == []


@pytest.mark.parametrize("size", [60, 300])
def test_runs_without_any_folder_are_counted(size: int, tmp_path: Path) -> None:
    store = make(tmp_path, [entry(number) for number in range(size)], folders=False)
    page = newest_runs(store, 20)
    assert page is None or page.total == size


RUNS = [entry(number)["run_id"] for number in range(300)]
OLD = "20230101-000000-0badcafe"


def interrupted(store: StoreLayout, run_id: str) -> None:
    source = next((VECTORS / "v0.4.0/.runforge/runs").glob("20260302*"))
    shutil.copytree(source, store.run_folder(run_id))


def forgotten(store: StoreLayout, run_id: str) -> None:
    shutil.rmtree(store.run_folder(run_id))
    line = {"action": "forgotten", "run_id": run_id}
    store.removals.write_text(json.dumps(line) + "\n", "utf-8")


def two_missing(store: StoreLayout) -> None:
    for run_id in RUNS[7:9]:
        store.run_folder(run_id).rmdir()
    interrupted(store, OLD)


#: What is done to a store of 300 runs, and how many runs it has then.
COUNTED: dict[str, tuple[Callable[[StoreLayout], object], int]] = {
    "an old folder is missing": (lambda store: store.run_folder(RUNS[7]).rmdir(), 300),
    "a new folder is missing": (lambda store: store.run_folder(RUNS[297]).rmdir(), 300),
    "an old run is not listed": (lambda store: interrupted(store, OLD), 301),
    "an old folder has no run": (lambda store: store.run_folder(OLD).touch(), 300),
    "two are missing, another is not listed": (two_missing, 301),
    "an old run was forgotten": (lambda store: forgotten(store, RUNS[7]), 299),
    "a new run was forgotten": (lambda store: forgotten(store, RUNS[297]), 299),
}


@pytest.mark.parametrize("what", COUNTED)
def test_every_count_of_runs_is_the_same(what: str, tmp_path: Path) -> None:
    store = make(tmp_path, [entry(number) for number in range(300)])
    change, expected = COUNTED[what]
    change(store)
    assert len(list_runs(store)) == expected
    page = newest_runs(store, 20)
    assert page is not None
    assert page.total == expected
    facts = RunFacts(lambda entries: None, lambda entry, place: [], SettingsReader())
    found = skim_runs(store, 20, RunQuery(), facts)
    assert found is not None
    assert found.total == expected


def test_a_run_that_is_listed_again_is_one_run(tmp_path: Path) -> None:
    entries = [entry(number) for number in range(4)]
    store = make(tmp_path, entries)
    again = {**entries[1], "status": "failed"}
    index = {"schema_version": "index.v1", "runs": [*entries, again]}
    store.index.write_bytes(encode_json(index))
    assert list_runs(store) == entries
    page = newest_runs(store, 20)
    assert page is not None
    assert (page.entries, page.total) == (entries, 4)
    facts = RunFacts(lambda entries: None, lambda entry, place: [], SettingsReader())
    assert skim_runs(store, 20, RunQuery(), facts) is None


@pytest.mark.parametrize("size", [1, 60, 300])
def test_the_latest_run_is_the_last_of_the_list(size: int, tmp_path: Path) -> None:
    store = make(tmp_path, [entry(number) for number in range(size)])
    for name in (None, "29990101-000000-0badcafe"):
        if name is not None:
            store.run_folder(name).mkdir()
        last = list_runs(store)[-1]["run_id"]
        assert find_run("latest", [store]).path == store.run_folder(last)
    store.index.write_text("{")
    assert find_run("latest", [store]).path.name == "29990101-000000-0badcafe"


def test_a_run_is_found_by_its_id_whatever_the_index_is(tmp_path: Path) -> None:
    store = make(tmp_path, [entry(number) for number in range(3)])
    run_id = entry(1)["run_id"]
    elsewhere = tmp_path / "elsewhere"
    store.run_folder(run_id).rename(elsewhere)
    index = json.loads(store.index.read_text("utf-8"))
    index["runs"][1]["run_dir"] = "elsewhere"
    store.index.write_bytes(encode_json(index))
    assert find_run(run_id, [store]).path == elsewhere
    store.run_folder(run_id).mkdir()  # It only keeps the id of the run elsewhere.
    assert find_run(run_id, [store]).path == elsewhere
    (store.run_folder(run_id) / "request.json").touch()
    for text in (store.index.read_text("utf-8"), "{"):
        store.index.write_text(text)
        assert find_run(run_id, [store]).path == store.run_folder(run_id)


@pytest.mark.parametrize("size", [1, 50, 2**18])
@pytest.mark.parametrize(
    ("of_another", "is_found"),
    [
        ({}, True),
        ({"rerun_from": entry(1)["run_id"]}, True),
        ({"name": entry(1)["run_id"][:-1]}, True),
        ({"run_id": f"{entry(1)['run_id'][:-1]}f"}, False),
        ({"run_dir": f"elsewhere/{entry(1)['run_id'][:-1]}f"}, True),
        ({"run_dir": f".runforge/runs/{entry(1)['run_id'][:-1]}f"}, False),
    ],
)
def test_a_folder_is_found_by_the_start_of_its_name_unless_another_run_has_it(
    of_another: dict[str, str],
    is_found: bool,
    size: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "_BLOCK", size)
    store = make(tmp_path, [entry(number) for number in range(3)])
    run_id = entry(1)["run_id"]
    (store.run_folder(run_id) / "request.json").touch()
    index = json.loads(store.index.read_text("utf-8"))
    index["runs"][2].update(of_another)
    for text in (encode_json(index), json.dumps(index).encode()):
        store.index.write_bytes(text)
        if is_found:
            assert find_run(run_id[:-1], [store]).path == store.run_folder(run_id)
        else:
            with pytest.raises(RunForgeError) as caught:
                find_run(run_id[:-1], [store])
            assert caught.value.code is ErrorCode.RUN_AMBIGUOUS


def test_a_copied_folder_is_not_another_run(tmp_path: Path) -> None:
    shutil.copytree(VECTORS / "v0.4.0", tmp_path, dirs_exist_ok=True)
    (store,) = stores_in(tmp_path)
    before = list_runs(store)
    copied = store.run_folder(before[0]["run_id"])
    shutil.copytree(copied, store.run_folder("20990101-000000-0badcafe"))
    assert list_runs(store) == before
    page = newest_runs(store, 20)
    assert page is not None
    assert page.entries == before


def test_a_folder_of_another_name_is_one_run(tmp_path: Path) -> None:
    shutil.copytree(VECTORS / "v0.4.0", tmp_path, dirs_exist_ok=True)
    (store,) = stores_in(tmp_path)
    index = json.loads(store.index.read_text("utf-8"))
    index["runs"][0]["run_dir"] = ".runforge/runs/first"
    store.run_folder(index["runs"][0]["run_id"]).rename(store.run_folder("first"))
    store.index.write_bytes(encode_json(index))
    ids = [item["run_id"] for item in list_runs(store)]
    assert len(ids) == len(set(ids))
    page = newest_runs(store, 20)
    assert page is not None
    assert page.entries == list_runs(store)


def test_what_is_no_run_is_not_counted(tmp_path: Path) -> None:
    store = make(tmp_path, [entry(number) for number in range(3)])
    (store.runs / "README.md").touch()
    page = newest_runs(store, 20)
    assert page is not None
    assert page.total == 3


def test_runs_are_listed_by_when_they_began(tmp_path: Path) -> None:
    numbers = [*range(100), 105, 103, 101, 104, 102]
    store = make(tmp_path, [entry(number) for number in numbers])
    page = newest_runs(store, 10)
    assert page is not None
    numbers = [item["summary"]["duration_ms"] for item in page.entries]
    assert numbers == [95, 96, 97, 98, 99, 101, 102, 103, 104, 105]


def test_a_run_that_still_trains_is_on_the_page(tmp_path: Path) -> None:
    store = make(tmp_path, [entry(number) for number in range(200)])
    fresh = store.run_folder(entry(500)["run_id"])
    shutil.copytree(next((VECTORS / "v0.4.0/.runforge/runs").glob("20260302*")), fresh)
    page = newest_runs(store, 5)
    assert page is not None
    assert page.entries == list_runs(store)[-5:]
    assert page.entries[-1]["run_id"] == fresh.name
    assert "status" not in page.entries[-1]


def test_an_old_run_that_was_interrupted_does_not_push_in(tmp_path: Path) -> None:
    store = make(tmp_path, [entry(number) for number in range(1, 400)])
    shutil.copytree(
        next((VECTORS / "v0.4.0/.runforge/runs").glob("20260302*")),
        store.run_folder(entry(0)["run_id"]),
    )
    page = newest_runs(store, 5)
    assert page is not None
    assert page.entries == list_runs(store)[-5:]
    assert page.total == 400


@pytest.mark.parametrize("name", ["v0.2.2.1", "v0.3.3", "v0.3.6", "v0.4.0", "legacy-root"])
def test_runs_of_every_version_are_found_or_left_to_the_whole_list(name: str) -> None:
    for store in stores_in(VECTORS / name):
        page = newest_runs(store, 20)
        assert page is None or page.entries == list_runs(store)


def test_other_forms_are_left_to_the_whole_list(tmp_path: Path) -> None:
    store = make(tmp_path, [entry(number) for number in range(3)])
    index = json.loads(store.index.read_bytes())
    text = store.index.read_bytes()
    for other in (
        b"",
        b"{}",
        text[:-1],
        text[:-200],
        text + b"\n",
        text.replace(b"\n", b"\r\n"),
        json.dumps(index).encode(),
        encode_json({**index, "future": 1}),
        encode_json({**index, "runs": []}),
        encode_json({**index, "runs": [{**entry(1), "status": 7}]}),
        encode_json({**index, "runs": [{**entry(1), "run_id": "../up"}]}),
        encode_json({**index, "runs": [{**entry(1), "summary": {"final_metrics": {"a": "b"}}}]}),
        text.replace(b'"accuracy": 0.5', b'"accuracy": NaN'),
        text.replace(b'"name"', b'"run_id": "x",\n      "name"'),
    ):
        store.index.write_bytes(other)
        assert newest_runs(store, 20) is None, other[-80:]
    store.index.unlink()
    assert newest_runs(store, 20) is None


def test_names_of_other_clients_do_not_tell_when_their_run_began(tmp_path: Path) -> None:
    store = make(tmp_path, [entry(number) for number in range(200)])
    (store.runs / "experiment-7").mkdir()
    assert newest_runs(store, 5) is None


def test_the_last_entries_are_read_across_blocks(tmp_path: Path) -> None:
    long = [entry(number, notes="x" * 3000) for number in range(100)]
    store = make(tmp_path, long)
    for count in (1, 21, 22, 99, 100, 101):
        assert newest_entries(store.index, count) == long[-count:]
