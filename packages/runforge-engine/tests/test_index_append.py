"""A large index grows as a small one does, byte for byte, and no reader ever sees a part of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_engine.store import index_append, run_folders
from runforge_engine.store.run_folders import append_entry

APPEND = """
import sys
from pathlib import Path
from runforge_contracts.store.layout import StoreLayout
from runforge_engine.store import index_append
from runforge_engine.store import run_folders
index_append.LARGE = 0
target = StoreLayout(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    run_id = f"20260101-000000-{int(sys.argv[2]):04x}{number:04x}"
    entry = {"run_id": run_id, "created_at": "2026-01-01T00:00:00Z", "status": "failed"}
    run_folders.append_entry(target, {**entry, "run_dir": f".runforge/runs/{run_id}"})
"""


def entry(number: int, **more: Any) -> dict[str, Any]:
    run_id = f"20260101-000000-{number:08x}"
    return {
        "run_id": run_id,
        "created_at": "2026-01-01T00:00:00Z",
        "status": "succeeded",
        "run_dir": f".runforge/runs/{run_id}",
        **more,
    }


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreLayout:
    monkeypatch.setattr(index_append, "LARGE", 0)
    return StoreLayout(tmp_path)


def runs(store: StoreLayout) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(store.index.read_bytes())["runs"]
    return found


def whole(entries: list[dict[str, Any]]) -> bytes:
    return encode_json({"schema_version": "index.v1", "runs": entries})


def test_the_bytes_are_those_of_writing_the_whole(store: StoreLayout) -> None:
    entries: list[dict[str, Any]] = []
    for number in range(30):
        more: dict[str, Any] = {"name": 'a "name"\n }, {\u2028'} if number % 3 else {}
        if number % 5 == 0:
            more["unknown"] = {"deep": [{}, [], None]}
        entries.append(entry(number, **more))
        append_entry(store, dict(reversed(entries[-1].items())))
        ordered = json.loads(store.index.read_bytes())["runs"]
        assert ordered == entries
        assert store.index.read_bytes() == encode_json(
            {"schema_version": "index.v1", "runs": ordered}
        )


def test_an_entry_that_is_there_is_left_as_it_is(store: StoreLayout) -> None:
    for number in range(5):
        append_entry(store, entry(number))
    before = store.index.read_bytes()
    append_entry(store, entry(2, status="failed"))
    append_entry(store, entry(4, status="failed"))
    assert store.index.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: json.dumps(json.loads(text)).encode(),
        lambda text: encode_json({**json.loads(text), "future": {"a": 1}}),
        lambda text: b"\xef\xbb\xbf" + text,
    ],
)
def test_another_form_is_read_and_written_as_a_whole(change: Any, store: StoreLayout) -> None:
    for number in range(3):
        append_entry(store, entry(number))
    store.index.write_bytes(change(store.index.read_bytes()))
    append_entry(store, entry(3))
    assert [item["run_id"] for item in runs(store)] == [entry(n)["run_id"] for n in range(4)]


def test_what_others_changed_in_between_stays(store: StoreLayout) -> None:
    for number in range(4):
        append_entry(store, entry(number))
    edited = [{**item, "status": "failed"} for item in runs(store)]
    store.index.write_bytes(whole(edited))
    append_entry(store, entry(9))
    assert runs(store) == [*edited, entry(9)]
    text = store.index.read_bytes().replace(b'"failed"', b'"cancel"', 1)
    store.index.write_bytes(text)
    append_entry(store, entry(10))
    assert runs(store)[0]["status"] == "cancel"
    assert len(runs(store)) == 6


def test_a_reader_that_holds_an_old_state_keeps_it(store: StoreLayout) -> None:
    for number in range(3):
        append_entry(store, entry(number))
    with store.index.open("rb") as held:
        before = store.index.read_bytes()
        for number in range(3, 9):
            append_entry(store, entry(number))
        assert held.read() == before
    assert len(runs(store)) == 9


def test_a_damaged_spare_is_of_no_consequence(store: StoreLayout) -> None:
    entries = [entry(number) for number in range(12)]
    spare = store.index.with_name(".index.json.spare")
    note = store.index.with_name(".index.json.spare.note")
    for number, item in enumerate(entries):
        append_entry(store, item)
        if number == 3:
            spare.write_bytes(b"nonsense")
        if number == 5:
            note.write_bytes(b"[")
        if number == 7:
            spare.unlink()
        if number == 9:
            (store.index.with_name(".index.json.before")).write_bytes(b"left behind")
        assert store.index.read_bytes() == whole(entries[: number + 1])


def test_several_processes_lose_nothing_and_readers_see_whole_documents(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    command = [sys.executable, "-c", APPEND, str(tmp_path)]
    writers = [subprocess.Popen([*command, str(number), "40"]) for number in range(4)]
    reads, seen = 0, 0
    while any(writer.poll() is None for writer in writers):
        if store.index.exists():
            found = len(runs(store))
            assert found >= seen
            reads, seen = reads + 1, found
    assert [writer.returncode for writer in writers] == [0] * 4
    assert reads > 0
    assert len({item["run_id"] for item in runs(store)}) == len(runs(store)) == 160


@pytest.mark.parametrize("kills", [3, pytest.param(25, marks=pytest.mark.storm)])
def test_a_kill_at_any_moment_leaves_a_whole_index(kills: int, tmp_path: Path) -> None:
    store, count = StoreLayout(tmp_path), 0
    for number in range(kills):
        command = [sys.executable, "-c", APPEND, str(tmp_path), str(number), "500"]
        writer = subprocess.Popen(command)
        while writer.poll() is None:
            if store.index.exists() and len(runs(store)) > count:
                break
        time.sleep(0.0007 * number)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        found = runs(store)
        assert len(found) > count
        assert store.index.read_bytes() == whole(found)
        count = len(found)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreLayout:
    """Return a store whose index is appended to as text, by a process that has checked none."""
    monkeypatch.setattr(index_append, "_checked", None)
    return StoreLayout(tmp_path)


def test_a_small_index_is_read_as_a_whole_only_once(
    small: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    append_entry(small, entry(0))
    append_entry(small, entry(1))
    monkeypatch.setattr(run_folders, "read_store_index", None)
    for number in range(2, 30):
        append_entry(small, entry(number, name='a "name"\n    },\n    {\n'))
        if number % 7 == 0:  # As another process would.
            others = [*runs(small), entry(100 + number, unknown={"deep": [{}, []]})]
            small.index.write_bytes(whole(others))
    append_entry(small, entry(5, status="failed"))
    found = runs(small)
    assert small.index.read_bytes() == whole(found)
    assert [run["run_id"] for run in found] == [
        entry(number)["run_id"]
        for before in range(30)
        for number in ([before, 100 + before] if before and before % 7 == 0 else [before])
    ]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace(b'"succeeded"', b'"unheard-of"', 1),
        lambda text: text.replace(b'"created_at"', b'"made_at"', 3),
        lambda text: text[:-40],
        lambda text: text[: len(text) // 2] + text[len(text) // 2 + 1 :],
        lambda text: text.replace(b"\n  ]\n}\n", b',\n    {\n      "run_id": 5\n    }\n  ]\n}\n'),
    ],
)
def test_a_small_index_that_was_damaged_is_refused(damage: Any, small: StoreLayout) -> None:
    for number in range(5):
        append_entry(small, entry(number))
    small.index.write_bytes(damage(small.index.read_bytes()))
    before = small.index.read_bytes()
    with pytest.raises(RunForgeError) as raised:
        append_entry(small, entry(5))
    assert raised.value.code == "INDEX_INVALID"
    assert small.index.read_bytes() == before


def test_what_is_beside_the_entries_of_a_small_index_stays(small: StoreLayout) -> None:
    for number in range(2):
        append_entry(small, entry(number))
    # In our own form, and with the same end: the entry must not go into the other list.
    more = {"schema_version": "index.v1", "runs": runs(small), "unknown": [{"run_id": "x"}]}
    small.index.write_bytes(encode_json(more))
    for number in range(2, 5):
        append_entry(small, entry(number))
    found = json.loads(small.index.read_bytes())
    assert found["unknown"] == [{"run_id": "x"}]
    assert [run["run_id"] for run in found["runs"]] == [entry(n)["run_id"] for n in range(5)]
