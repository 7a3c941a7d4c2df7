"""An entry is added to the index of the editor extension, and no other byte of it changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import LEGACY_STORE, StoreLayout
from runforge_engine.store import editor_index
from runforge_engine.store.editor_index import append_foreign_entries

posix = pytest.mark.skipif(os.name == "nt", reason="symbolic links and renames as POSIX has them")
EXCHANGES = sys.platform in ("linux", "darwin")


def append_editor_entry(workspace: Path, entry: dict[str, Any]) -> None:
    append_foreign_entries(StoreLayout(workspace, LEGACY_STORE), [entry])


def entry(run_id: str) -> dict[str, Any]:
    return {"run_id": run_id, "summary": {"final_metrics": {"accuracy": 0.1}}, "name": "ü]}"}


TEN = {"schema_version": "1.0.0", "runs": [entry("a"), {"more": [1, {"]": '\\"'}]}], "x": [[]]}
FORMS = {
    "object": TEN,
    "six fields": {"schema_version": "0.2.2.1", "runs": [{"run_id": "a"}]},
    "ours": {"schema_version": "index.v1", "runs": [{"run_id": "a"}]},
    "list": [{"run_id": "a"}, {"run_id": "b", "runs": []}],
    "empty object": {"schema_version": "1.0.0", "runs": []},
    "empty list": [],
    "runs elsewhere": {"meta": {"runs": [1]}, "runs": [], "schema_version": "1.0.0"},
}
WRITTEN: dict[str, Callable[[Any], str]] = {
    "two spaces": lambda raw: json.dumps(raw, indent=2),
    "sorted, with a newline": lambda raw: json.dumps(raw, indent=2, sort_keys=True) + "\n",
    "tabs": lambda raw: json.dumps(raw, indent="\t", ensure_ascii=False),
    "one line": json.dumps,
    "compact": lambda raw: json.dumps(raw, separators=(",", ":")) + "\n",
    "of Windows": lambda raw: json.dumps(raw, indent=4).replace("\n", "\r\n"),
}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / ".ml/outputs/index.json"
    path.parent.mkdir(parents=True)
    return path


def runs(path: Path) -> list[dict[str, Any]]:
    raw = json.loads(path.read_bytes())
    found: list[dict[str, Any]] = raw if isinstance(raw, list) else raw["runs"]
    return found


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("form", FORMS)
def test_an_entry_is_added_and_no_other_byte_changes(
    form: str, written: str, index: Path, tmp_path: Path
) -> None:
    before = WRITTEN[written](FORMS[form]).encode()
    index.write_bytes(before)
    index.chmod(0o640)
    append_editor_entry(tmp_path, entry("new"))
    after = index.read_bytes()
    assert runs(index)[-1] == entry("new")
    raw = json.loads(after)
    (raw if isinstance(raw, list) else raw["runs"]).pop()
    assert raw == FORMS[form]
    # What was added is in one piece.
    pairs = zip(before, after, strict=False)
    same = next(number for number, (old, new) in enumerate(pairs) if old != new)
    assert after.endswith(before[same:])
    if os.name == "posix":
        assert index.stat().st_mode & 0o777 == 0o640
    append_editor_entry(tmp_path, entry("new"))
    assert index.read_bytes() == after
    assert {path.name for path in index.parent.iterdir()} <= {"index.json", "index.lock"}


def test_a_missing_index_is_created(tmp_path: Path) -> None:
    append_editor_entry(tmp_path, entry("a"))
    append_editor_entry(tmp_path, entry("b"))
    path = tmp_path / ".ml/outputs/index.json"
    whole = {"schema_version": "1.0.0", "runs": [entry("a"), entry("b")]}
    assert path.read_text("utf-8") == json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b'{"schema_version": "1.0.0"}',
        b'{"schema_version": "1.0.0", "runs": {}}',
        b'{"schema_version": "1.0.0", "runs": [1]}',
        b'{"schema_version": "9.0.0", "runs": []}',
        b'{"runs": []}',
        b'{"schema_version": "1.0.0", "runs": [], "runs": []}',
        b'{"schema_version": "1.0.0", "runs": [{"accuracy": NaN}]}',
        b"[" * 100_000,
        b"\xff\xfe[\x00]\x00",
    ],
)
def test_an_index_that_is_not_understood_is_left_alone(
    data: bytes, index: Path, tmp_path: Path
) -> None:
    index.write_bytes(data)
    with pytest.raises(RunForgeError) as caught:
        append_editor_entry(tmp_path, entry("new"))
    assert caught.value.code is ErrorCode.INDEX_INVALID
    assert index.read_bytes() == data
    assert [path.name for path in index.parent.iterdir()] == ["index.json"]


@posix
@pytest.mark.parametrize("place", [".ml", ".ml/outputs", ".ml/outputs/index.json"])
@pytest.mark.parametrize("dangling", [True, False])
def test_nothing_is_written_through_a_link(place: str, dangling: bool, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    link = tmp_path / place
    link.parent.mkdir(parents=True, exist_ok=True)
    if not dangling and link.suffix:
        elsewhere.write_text('{"schema_version": "1.0.0", "runs": []}')
    elif not dangling:
        elsewhere.mkdir()
    link.symlink_to(elsewhere)
    before = elsewhere.read_bytes() if elsewhere.is_file() else None
    with pytest.raises(RunForgeError) as caught:
        append_editor_entry(tmp_path, entry("new"))
    assert caught.value.code is ErrorCode.FILE_UNSAFE
    assert link.is_symlink()
    assert not (elsewhere.is_dir() and any(elsewhere.iterdir()))
    assert (elsewhere.read_bytes() if elsewhere.is_file() else None) == before


def replace_as_the_editor(path: Path, raw: Any) -> None:
    """Replace the index as the extension's engine does."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(raw, indent=2, sort_keys=True), "utf-8")
    temporary.replace(path)


def with_entry(path: Path, run_id: str) -> Any:
    raw = json.loads(path.read_bytes())
    raw["runs"].append(entry(run_id))
    return raw


@pytest.mark.skipif(not EXCHANGES, reason="the system cannot exchange two files")
def test_an_entry_that_is_displaced_at_the_last_moment_is_added_again(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.write_text(json.dumps(TEN))
    exchange = editor_index.exchange_files
    late = iter(["theirs 1", "theirs 2"])

    def after_them(one: Path, two: Path) -> bool:
        run_id = next(late, None)
        if run_id is not None:
            replace_as_the_editor(index, with_entry(index, run_id))
        return exchange(one, two)

    monkeypatch.setattr(editor_index, "exchange_files", after_them)
    append_editor_entry(tmp_path, entry("ours"))
    ids = [str(found.get("run_id")) for found in runs(index)]
    assert sorted(ids[2:]) == ["ours", "theirs 1", "theirs 2"]
    assert ids[:2] == ["a", "None"]


@pytest.mark.skipif(not EXCHANGES, reason="the system cannot exchange two files")
def test_what_is_not_understood_is_put_back(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.write_text(json.dumps(TEN))
    exchange = editor_index.exchange_files
    late: Iterator[bytes] = iter([b"garbage"])

    def after_them(one: Path, two: Path) -> bool:
        for data in late:
            index.write_bytes(data)
        return exchange(one, two)

    monkeypatch.setattr(editor_index, "exchange_files", after_them)
    with pytest.raises(RunForgeError):
        append_editor_entry(tmp_path, entry("ours"))
    assert index.read_bytes() == b"garbage"


@pytest.mark.parametrize("exchanges", [True, False])
def test_an_entry_that_another_writer_did_not_know_is_added_again(
    exchanges: bool, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.write_text(json.dumps(TEN))
    if not exchanges:
        monkeypatch.setattr(editor_index, "exchange_files", lambda one, two: False)
    stale = iter([with_entry(index, "theirs")])
    pause = time.sleep

    def sleep(seconds: float) -> None:
        for raw in stale:
            replace_as_the_editor(index, raw)
        pause(seconds)

    monkeypatch.setattr(time, "sleep", sleep)
    append_editor_entry(tmp_path, entry("ours"))
    assert [found.get("run_id") for found in runs(index)] == ["a", None, "theirs", "ours"]


def test_a_change_that_is_seen_in_time_is_kept_without_an_exchange(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.write_text(json.dumps(TEN))
    monkeypatch.setattr(editor_index, "exchange_files", lambda one, two: False)
    unfinished = editor_index._unfinished
    late = iter([with_entry(index, "theirs")])

    def before_the_check(path: Path, data: bytes) -> Path:
        for raw in late:
            replace_as_the_editor(index, raw)
        return unfinished(path, data)

    monkeypatch.setattr(editor_index, "_unfinished", before_the_check)
    append_editor_entry(tmp_path, entry("ours"))
    assert [found.get("run_id") for found in runs(index)] == ["a", None, "theirs", "ours"]


def test_an_index_that_appears_meanwhile_is_kept(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = editor_index._unfinished
    late = iter([{"schema_version": "1.0.0", "runs": [entry("theirs")]}])

    def before_the_link(path: Path, data: bytes) -> Path:
        for raw in late:
            replace_as_the_editor(index, raw)
        return unfinished(path, data)

    monkeypatch.setattr(editor_index, "_unfinished", before_the_link)
    append_editor_entry(tmp_path, entry("ours"))
    assert [found["run_id"] for found in runs(index)] == ["theirs", "ours"]


def test_an_append_gives_up_where_the_entry_is_removed_again_and_again(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_as_the_editor(index, TEN)
    monkeypatch.setattr(editor_index, "_PATIENCE", 0.2)
    monkeypatch.setattr(editor_index, "_stays", lambda path, entry: False)
    with pytest.raises(RunForgeError) as caught:
        append_editor_entry(tmp_path, entry("ours"))
    assert caught.value.code is ErrorCode.STORE_BUSY


OURS = """
import sys
from pathlib import Path
from runforge_contracts.store.layout import StoreLayout
from runforge_engine.store.editor_index import append_foreign_entries
store = StoreLayout(Path.cwd(), ".ml")
for number in range(int(sys.argv[2])):
    append_foreign_entries(store, [{"run_id": f"{sys.argv[1]}-{number}", "summary": {}}])
"""
#: The extension's engine: no lock, and the whole file is written again.
THEIRS = """
import json, os, sys, time
for number in range(int(sys.argv[2])):
    path = ".ml/outputs/index.json"
    with open(path) as file:
        raw = json.load(file)
    raw["runs"].append({"run_id": f"{sys.argv[1]}-{number}", "summary": {}})
    with open(path + ".tmp", "w") as file:
        json.dump(raw, file, indent=2, sort_keys=True)
    os.replace(path + ".tmp", path)
    time.sleep(0.05)
"""


def test_nothing_is_lost_beside_the_engine_of_the_editor(index: Path, tmp_path: Path) -> None:
    replace_as_the_editor(index, {"schema_version": "1.0.0", "runs": []})
    calls = [(OURS, "one", 8), (OURS, "two", 8), (THEIRS, "theirs", 60)]
    processes = [
        subprocess.Popen([sys.executable, "-c", program, name, str(count)], cwd=tmp_path)
        for program, name, count in calls
    ]
    assert [process.wait() for process in processes] == [0, 0, 0]
    wanted = {f"{name}-{number}" for _, name, count in calls for number in range(count)}
    found = [known["run_id"] for known in runs(index)]
    assert (len(found), set(found)) == (len(wanted), wanted)


@pytest.mark.skipif(not EXCHANGES, reason="the system cannot exchange two files")
def test_runs_of_one_second_have_one_id_and_both_stay(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {**entry("same"), "run_dir": ".ml/runs/one"}
    index.write_text(json.dumps({"schema_version": "1.0.0", "runs": [first]}))
    exchange = editor_index.exchange_files
    second = iter([{**first, "run_dir": ".ml/runs/two"}])

    def after_them(one: Path, two: Path) -> bool:
        for late in second:
            raw = {"schema_version": "1.0.0", "runs": [first, late]}
            replace_as_the_editor(index, raw)
        return exchange(one, two)

    monkeypatch.setattr(editor_index, "exchange_files", after_them)
    append_editor_entry(tmp_path, {**entry("ours"), "run_dir": ".ml/runs/three"})
    found = sorted(known["run_dir"].rpartition("/")[2] for known in runs(index))
    assert found == ["one", "three", "two"]


def test_what_a_killed_append_left_is_taken_over(index: Path, tmp_path: Path) -> None:
    index.write_text(json.dumps(TEN))
    left = {
        ".index.json.0123456789abcdef.tmp": json.dumps(with_entry(index, "displaced")),
        ".index.json.1123456789abcdef.tmp": json.dumps(with_entry(index, "displaced"))[:-20],
        ".index.json.2123456789abcdef.tmp": json.dumps(with_entry(index, "displaced")),
        "index.json.tmp": json.dumps(with_entry(index, "theirs, unfinished")),
        ".index.json.notours.tmp": "{}",
    }
    for name, text in left.items():
        (index.parent / name).write_text(text)
    append_editor_entry(tmp_path, entry("ours"))
    assert [found.get("run_id") for found in runs(index)] == ["a", None, "displaced", "ours"]
    assert {path.name for path in index.parent.iterdir()} - {"index.lock"} == {
        "index.json",
        "index.json.tmp",
        ".index.json.notours.tmp",
    }


@posix
def test_a_link_among_what_was_left_is_not_followed(index: Path, tmp_path: Path) -> None:
    index.write_text(json.dumps(TEN))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(json.dumps(with_entry(index, "elsewhere")))
    (index.parent / ".index.json.0123456789abcdef.tmp").symlink_to(elsewhere)
    (index.parent / ".index.json.1123456789abcdef.tmp").mkdir()
    os.mkfifo(index.parent / ".index.json.2123456789abcdef.tmp")
    append_editor_entry(tmp_path, entry("ours"))
    assert [found.get("run_id") for found in runs(index)] == ["a", None, "ours"]
    assert elsewhere.is_file()


def test_an_index_that_is_being_written_in_place_is_awaited(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = json.dumps(TEN)
    index.write_text("")
    states = iter([whole[:20], whole])
    pause = time.sleep

    def sleep(seconds: float) -> None:
        for text in states:
            index.write_text(text)
            break
        pause(seconds)

    monkeypatch.setattr(time, "sleep", sleep)
    append_editor_entry(tmp_path, entry("ours"))
    assert [found.get("run_id") for found in runs(index)] == ["a", None, "ours"]
