"""Compare the index with real run folders, and rebuild it, after changes to either."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, TRAIN, Call
from real_store import training
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import describe
from runforge_contracts.store.run import Run
from runforge_contracts.validation import validate
from runforge_engine.runtime.folder_lock import holding, is_held
from runforge_engine.store.index_repair import rebuild_index

VECTORS = ROOT / "docs/test-vectors/runs"


def index_of(workspace: Path) -> Path:
    return workspace / ".runforge/index.json"


def entries_of(workspace: Path) -> list[dict[str, Any]]:
    document = json.loads(index_of(workspace).read_bytes())
    validate(document, "index.v1")
    entries: list[dict[str, Any]] = document["runs"]
    return entries


def ids_of(workspace: Path) -> list[str]:
    return [entry["run_id"] for entry in entries_of(workspace)]


def folder_of(workspace: Path, number: int) -> Path:
    return workspace / entries_of(workspace)[number]["run_dir"]


def edit(workspace: Path, change: Callable[[list[Any]], object]) -> bytes:
    """Change the entries of the index, and return the bytes that it has then."""
    document = json.loads(index_of(workspace).read_bytes())
    change(document["runs"])
    index_of(workspace).write_text(json.dumps(document))
    return index_of(workspace).read_bytes()


def the_report(runforge: Call, command: str, code: int, *options: str) -> dict[str, Any]:
    result = runforge("index", command, "--json", *options)
    assert (result.code, result.err) == (code, "")
    validate(result.json, "index_report.v1")
    [report] = result.json["stores"]
    assert report["counts"] == {
        "scanned": report["counts"]["scanned"],
        **{name: len(value) for name, value in report.items() if isinstance(value, list)},
    }
    assert report["fits"] == (report["findings"] == [])
    return dict(report)


def files_of(workspace: Path) -> dict[str, bytes]:
    return {
        path.relative_to(workspace).as_posix(): path.read_bytes()
        for path in (workspace / ".runforge").rglob("*")
        if path.is_file()
    }


def test_an_index_from_nothing_is_the_one_that_was_appended(runforge: Call, filled: Path) -> None:
    appended = index_of(filled).read_bytes()
    ended = [entry["status"] for entry in entries_of(filled)]
    assert ended == ["succeeded", "failed", "cancelled", "succeeded"]
    ids = ids_of(filled)
    index_of(filled).unlink()
    report = the_report(runforge, "rebuild", 0)
    assert index_of(filled).read_bytes() == appended
    assert (report["recovered"], report["unlisted"], report["fits"]) == (ids, [], True)
    assert (report["counts"]["scanned"], report["cancelled"]) == (4, [ids[2]])
    before = files_of(filled)
    report = the_report(runforge, "rebuild", 0)
    assert (report["recovered"], report["already_indexed"]) == ([], ids)
    assert files_of(filled) == before


def test_runs_of_one_second_keep_their_order(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    for _ in range(6):
        assert runforge("train", "penguins.csv", "--label", "species").code == 1
    appended, ids = index_of(workspace).read_bytes(), ids_of(workspace)
    # As after a checkout: when a file was written tells nothing any more.
    for age, run_id in enumerate(ids):
        for path in (workspace / ".runforge/runs" / run_id).rglob("*"):
            os.utime(path, (1e9 - age, 1e9 - age))
    index_of(workspace).unlink()
    assert runforge("index", "rebuild").code == 0
    assert index_of(workspace).read_bytes() == appended


def test_runs_of_one_instant_keep_their_order(runforge: Call, workspace: Path) -> None:
    for _ in range(6):
        assert runforge("train", "penguins.csv", "--label", "species").code == 1
    appended = index_of(workspace).read_bytes()
    assert ids_of(workspace) != sorted(ids_of(workspace))
    index_of(workspace).unlink()
    assert runforge("index", "rebuild").code == 0
    assert index_of(workspace).read_bytes() == appended


def test_what_is_in_the_index_stays_as_it_is(runforge: Call, filled: Path) -> None:
    first, second, third, fourth = ids_of(filled)

    def change(entries: list[Any]) -> None:
        entries[:] = [
            {**entries[3], "future": {"b": 1, "a": None}, "name": "of another client"},
            entries[1],
        ]

    edit(filled, change)
    raw = json.loads(index_of(filled).read_bytes())
    index_of(filled).write_text(json.dumps({"later": [1, {"z": 1, "a": 2}], **raw}))
    report = the_report(runforge, "rebuild", 0)
    assert report["recovered"] == [first, third]
    document = json.loads(index_of(filled).read_bytes())
    assert document["later"] == [1, {"z": 1, "a": 2}]
    assert document["runs"][:2] == raw["runs"]
    assert [entry["run_id"] for entry in document["runs"]] == [fourth, second, first, third]


def test_check_names_disagreements_and_writes_nothing(runforge: Call, filled: Path) -> None:
    assert the_report(runforge, "check", 0)["findings"] == []
    one, two, three, four = ids_of(filled)

    def change(entries: list[Any]) -> None:
        entries[0]["summary"]["final_metrics"]["accuracy"] = 0.25
        entries[0]["model_sha256"] = "0" * 64
        entries[2]["status"] = "succeeded"
        entries[3:] = [entries[1]]

    shutil.rmtree(folder_of(filled, 1))
    before = edit(filled, change), files_of(filled)
    report = the_report(runforge, "check", 1)
    assert (index_of(filled).read_bytes(), files_of(filled)) == before
    found = {
        (item["kind"], item["path"] + "#" + item.get("pointer", ""), item["run_id"])
        for item in report["findings"]
    }
    index = ".runforge/index.json#/runs"
    assert found == {
        ("entry_disagrees", f"{index}/0/summary/final_metrics/accuracy", one),
        ("entry_disagrees", f"{index}/0/model_sha256", one),
        ("folder_missing", f"{index}/1/run_dir", two),
        ("entry_disagrees", f"{index}/2/status", three),
        ("entry_duplicate", f"{index}/3", two),
        ("entry_missing", f".runforge/runs/{four}#", four),
    }
    assert (report["missing_folders"], report["unlisted"]) == ([two], [four])
    text = runforge("index", "check")
    assert (text.code, "6 findings" in text.out) == (1, True)
    assert max(len(line) for line in text.out.splitlines()) <= 80
    assert "`runforge index rebuild` adds the runs that are missing." in text.out
    assert "move .runforge/index.json elsewhere" in " ".join(text.out.split())
    rebuilt = the_report(runforge, "rebuild", 0)
    assert (rebuilt["recovered"], rebuilt["missing_folders"]) == ([four], [two])
    assert ids_of(filled) == [one, two, three, two, four]
    # As is advised.
    index_of(filled).rename(filled / "index-of-then.json")
    assert the_report(runforge, "rebuild", 0)["recovered"] == [one, three, four]
    assert the_report(runforge, "check", 0)["findings"] == []


@pytest.mark.parametrize("field", ["run_id", "created_at", "label_column", "preset_id", "name"])
def test_a_changed_field_is_found(field: str, runforge: Call, filled: Path) -> None:
    def change(entries: list[Any]) -> None:
        value = entries[0][field]
        entries[0][field] = value.translate(str.maketrans("0ae", "1bo"))
        assert entries[0][field] != value

    edit(filled, change)
    assert runforge("index", "check").code == 1


def test_an_entry_has_the_tags_of_its_run_or_lacks_them(runforge: Call, filled: Path) -> None:
    trained = runforge(*TRAIN, "--tag", "a", "--tag", "b")
    assert trained.code == 0
    assert [entry["tags"] for entry in entries_of(filled)] == [[], [], [], [], ["a", "b"]]
    run_id = ids_of(filled)[-1]
    for query in (["--tag", "a"], ["--where", "tag~B"]):
        assert runforge("runs", "--json", *query).json["runs"][0]["run_id"] == run_id
    # As an older version left it.
    edit(filled, lambda entries: [entry.pop("tags") for entry in entries])
    assert runforge("index", "check").code == 0
    assert "/tags" not in runforge("verify", run_id, "--json").out
    assert [each["run_id"] for each in runforge("runs", "--json", "--tag", "a").json["runs"]] == [
        run_id
    ]
    edit(filled, lambda entries: entries[-1].update(tags=["b", "a"]))
    report = the_report(runforge, "check", 1)
    assert [item["pointer"] for item in report["findings"]] == ["/runs/4/tags"]
    assert "/runs/4/tags" in runforge("verify", run_id, "--json").out


@pytest.mark.parametrize("name", ["v0.2.2.1", "v0.3.3", "v0.3.6", "legacy-root"])
def test_stores_of_older_clients_are_completed(name: str, runforge: Call, workspace: Path) -> None:
    shutil.copytree(VECTORS / name, workspace, dirs_exist_ok=True)
    before = {path: path.read_bytes() for path in workspace.rglob("*.json")}
    indexed = [path for path in before if path.name == "index.json"]
    assert runforge("index", "check").code == (0 if indexed else 1)
    report = the_report(runforge, "rebuild", 0)
    assert len(report["recovered"]) == (0 if indexed else report["counts"]["scanned"])
    assert report["counts"]["scanned"] == (2 if name == "v0.3.6" else 1)
    assert runforge("index", "check").code == 0
    assert {path: path.read_bytes() for path in before} == before
    if name == "legacy-root":
        index = workspace / ".ml/outputs/index.json"
        index.unlink()
        report = the_report(runforge, "rebuild", 0, "--store", ".ml")
        assert (report["index"], len(report["recovered"])) == (".ml/outputs/index.json", 1)
        assert json.loads(index.read_bytes())["runs"][0]["run_dir"].startswith(".ml/runs/")


CORRUPT = {
    "empty": b"",
    "zeros": b"\0" * 4096,
    "not UTF-8": b'{"schema_version": "index.v1", "runs": ["\xff"]}',
    "a list": b"[]\n",
    "no runs": b'{"schema_version": "index.v1"}',
    "a key twice": b'{"schema_version": "index.v1", "runs": [], "runs": []}',
    "an entry without id": b'{"schema_version": "index.v1", "runs": [{"name": "x"}]}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("damage", [*CORRUPT, "cut off"])
def test_a_corrupt_index_is_kept_aside_and_made_anew(
    damage: str, runforge: Call, filled: Path
) -> None:
    sound = index_of(filled).read_bytes()
    corrupt = CORRUPT.get(damage, sound[: len(sound) // 2])
    index_of(filled).write_bytes(corrupt)
    report = the_report(runforge, "check", 1)
    assert [item["kind"] for item in report["findings"]] == ["index_unreadable"]
    assert report["findings"][0]["path"] == ".runforge/index.json"
    assert index_of(filled).read_bytes() == corrupt
    for suffix in ("", "-2", "-3"):
        index_of(filled).write_bytes(corrupt)
        aside = f".runforge/index.json.corrupt-20260201T120000Z{suffix}"
        report = the_report(runforge, "rebuild", 0)
        assert (report["kept_aside"], len(report["recovered"])) == (aside, 4)
        assert ((filled / aside).read_bytes(), index_of(filled).read_bytes()) == (corrupt, sound)
    assert the_report(runforge, "rebuild", 0).get("kept_aside") is None
    index_of(filled).write_bytes(corrupt)
    text = runforge("index", "rebuild")
    assert "index.json.corrupt-20260201T120000Z-4" in text.out
    assert max(len(line) for line in text.out.splitlines()) <= 80
    assert len(list((filled / ".runforge").glob("index.json.corrupt-*"))) == 4


def test_an_index_of_a_newer_version_is_left_alone(runforge: Call, filled: Path) -> None:
    newer = b'{"schema_version": "index.v2", "shards": ["a"]}'
    index_of(filled).write_bytes(newer)
    result = runforge("index", "rebuild", "--json")
    assert (result.code, result.json["error"]["code"]) == (2, "DOCUMENT_VERSION_UNSUPPORTED")
    assert runforge("index", "check").code == 1
    assert index_of(filled).read_bytes() == newer
    assert not list((filled / ".runforge").glob("index.json.corrupt-*"))


def test_an_index_that_is_a_link_leads_nowhere(runforge: Call, filled: Path) -> None:
    sound = index_of(filled).read_bytes()
    target = filled / "elsewhere.json"
    index_of(filled).rename(target)
    index_of(filled).symlink_to(target)
    report = the_report(runforge, "rebuild", 0)
    assert (filled / report["kept_aside"]).readlink() == target
    assert not index_of(filled).is_symlink()
    assert index_of(filled).read_bytes() == target.read_bytes() == sound


@pytest.mark.parametrize("linked", [".runforge", ".runforge/runs"])
def test_a_store_behind_a_link_is_refused(linked: str, runforge: Call, filled: Path) -> None:
    (filled / linked).rename(filled / "elsewhere")
    (filled / linked).symlink_to(filled / "elsewhere", target_is_directory=True)
    for command in ("rebuild", "check"):
        result = runforge("index", command, "--json")
        assert (result.code, result.json["error"]["code"]) == (2, "FILE_UNSAFE")


def test_what_is_no_run_is_skipped_with_the_reason(runforge: Call, filled: Path) -> None:
    runs, copied = filled / ".runforge/runs", folder_of(filled, 0)
    (runs / "20260101-000000-0000000a").symlink_to(copied, target_is_directory=True)
    (runs / "a\nb\x1b[31m").mkdir()
    (runs / "notes.txt").write_text("mine")
    shutil.copytree(copied, runs / f"{copied.name}-copy")
    before = index_of(filled).read_bytes()
    report = the_report(runforge, "rebuild", 0)
    skipped = {item["name"]: item["reason"] for item in report["skipped"]}
    assert skipped == {
        "20260101-000000-0000000a": "It is a symbolic link, which could lead anywhere.",
        "a\nb\x1b[31m": "Its name cannot be a run id.",
        "notes.txt": "It is not a folder.",
        f"{copied.name}-copy": f"Its documents are those of the run `{copied.name}`.",
    }
    assert index_of(filled).read_bytes() == before
    assert the_report(runforge, "check", 0)["counts"]["skipped"] == 4
    text = runforge("index", "rebuild").out
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert max(len(line) for line in text.splitlines()) <= 80


def test_a_name_that_is_not_text_is_reported_as_one(runforge: Call, filled: Path) -> None:
    try:
        os.mkdir(os.fsencode(filled / ".runforge/runs") + b"/\xff")  # noqa: PTH102 - bytes
    except OSError:
        pytest.skip("the file system takes text only")
    assert the_report(runforge, "check", 0)["skipped"][0]["name"] == "\\xff"


def a_pipe(folder: Path) -> None:
    (folder / "result.json").unlink()
    os.mkfifo(folder / "result.json")


def a_link(folder: Path) -> None:
    (folder / "result.json").rename(folder / "elsewhere.json")
    (folder / "result.json").symlink_to(folder / "elsewhere.json")


def huge(folder: Path) -> None:
    os.truncate(folder / "result.json", 2**30)


def deep(folder: Path) -> None:
    (folder / "run.json").write_bytes(b'{"a":' * 100_000)


def half(folder: Path) -> None:
    data = (folder / "run.json").read_bytes()
    (folder / "run.json").write_bytes(data[: len(data) // 2])


def of_two_runs(folder: Path) -> None:
    result = json.loads((folder / "result.json").read_bytes())
    (folder / "result.json").write_text(json.dumps({**result, "run_id": "another"}))


@pytest.mark.parametrize("harm", [a_pipe, a_link, huge, deep, half, of_two_runs])
def test_a_folder_that_cannot_be_read_is_named(
    harm: Callable[[Path], None], runforge: Call, filled: Path
) -> None:
    one, folder = ids_of(filled)[0], folder_of(filled, 0)
    harm(folder)
    report = the_report(runforge, "check", 1)
    [finding] = report["findings"]
    assert (finding["kind"], finding["path"]) == ("folder_unreadable", f".runforge/runs/{one}")
    index_of(filled).unlink()
    report = the_report(runforge, "rebuild", 0)
    assert (len(report["recovered"]), [item["name"] for item in report["skipped"]]) == (3, [one])
    assert one not in ids_of(filled)


def test_a_run_in_a_folder_of_its_own_name_is_kept_and_found(runforge: Call, filled: Path) -> None:
    one = ids_of(filled)[0]
    asked_for = filled / ".runforge/runs/mine"
    folder_of(filled, 0).rename(asked_for)
    index_of(filled).unlink()
    assert the_report(runforge, "rebuild", 0)["recovered"][0] == one
    assert entries_of(filled)[0]["run_dir"] == ".runforge/runs/mine"
    assert runforge("index", "check").code == 0
    asked_for.rename(filled / "elsewhere")
    edit(filled, lambda entries: entries[0].update(run_dir="elsewhere"))
    assert the_report(runforge, "check", 0)["already_indexed"][0] == one
    edit(filled, lambda entries: entries[0].update(run_dir="../../etc"))
    assert the_report(runforge, "check", 1)["missing_folders"] == [one]


def test_a_run_in_progress_is_distinguished_from_a_killed_one(runforge: Call, filled: Path) -> None:
    before = index_of(filled).read_bytes()
    prepared = filled / ".runforge/runs/20270101-000000-0000000a"
    prepared.mkdir()
    shutil.copyfile(folder_of(filled, 0) / "request.json", prepared / "request.json")
    with training(filled) as (process, folder):
        for command in ("check", "rebuild"):
            report = the_report(runforge, command, 0)
            assert (report["running"], report["interrupted"]) == ([folder.name], [])
            assert report["incomplete"] == [prepared.name]
        process.send_signal(signal.SIGKILL)
        process.wait()
        for command in ("check", "rebuild"):
            report = the_report(runforge, command, 0)
            assert (report["running"], report["interrupted"]) == ([], [folder.name])
    assert index_of(filled).read_bytes() == before
    assert folder.name in runforge("index", "rebuild").out


def test_a_run_that_was_killed_before_its_result_is_interrupted(
    runforge: Call, filled: Path
) -> None:
    one, folder = ids_of(filled)[0], folder_of(filled, 0)
    (folder / "result.json").unlink()
    (folder / "manifest.json").unlink()
    [finding] = the_report(runforge, "check", 1)["findings"]
    assert (finding["kind"], finding["pointer"]) == ("entry_disagrees", "/runs/0")
    for torn in (None, b"", b'{"version": 1, "run'):
        if torn is not None:
            (folder / "result.json").write_bytes(torn)
        index_of(filled).unlink()
        report = the_report(runforge, "rebuild", 0)
        assert (report["interrupted"], one in ids_of(filled)) == ([one], False)
        assert runforge("index", "check").code == 0


def test_a_folder_is_held_by_one_and_let_go(tmp_path: Path) -> None:
    assert is_held(tmp_path) is False
    with holding(tmp_path):
        assert is_held(tmp_path) is True
    assert is_held(tmp_path) is False
    assert list(tmp_path.iterdir()) == []
    assert is_held(tmp_path / "gone") is None


def test_a_workspace_without_a_store_is_left_alone(runforge: Call, workspace: Path) -> None:
    before = sorted(workspace.iterdir())
    for command in ("check", "rebuild"):
        refused = runforge("index", command, "--json")
        assert (refused.code, refused.json["error"]["code"]) == (3, "STORE_NOT_FOUND")
    assert sorted(workspace.iterdir()) == before


def test_the_index_needs_no_numeric_library(filled: Path) -> None:
    program = (
        "import sys\n"
        "from runforge_cli.shell.app import cli\n"
        "cli.main(['index', 'rebuild'], standalone_mode=False)\n"
        "cli.main(['index', 'check'], standalone_mode=False)\n"
        "heavy = {'numpy', 'sklearn', 'pandas', 'pyarrow', 'scipy', 'joblib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def many_runs(workspace: Path, count: int) -> list[str]:
    """Copy a real run ``count`` times, each with an id of its own, and empty the index."""
    source = folder_of(workspace, 0)
    files = {
        path.relative_to(source): path.read_bytes()
        for path in source.rglob("*")
        if path.suffix in (".json", ".jsonl")
    }
    ids = [f"20270101-0000{number:02d}-{number:08x}" for number in range(count)]
    for run_id in ids:
        for path, data in files.items():
            place = source.with_name(run_id) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data.replace(source.name.encode(), run_id.encode()))
    index_of(workspace).unlink()
    return ids


APPEND = """
import sys
from pathlib import Path
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import describe
from runforge_contracts.store.run import Run
from runforge_engine.store.run_folders import append_entry
store = StoreLayout(Path.cwd())
for run_id in sys.argv[1:]:
    append_entry(store, describe(Run(store.run_folder(run_id)), store))
"""


def test_rebuilds_beside_appends_lose_nothing(filled: Path) -> None:
    everything = ids_of(filled)
    added = many_runs(filled, 40)
    everything += added
    rebuild = (sys.executable, "-m", "runforge_cli", "index", "rebuild", "--quiet")
    calls = [
        rebuild,
        (sys.executable, "-c", APPEND, *added[:20]),
        rebuild,
        (sys.executable, "-c", APPEND, *added[:19:-1]),
        rebuild,
    ]
    processes = [subprocess.Popen(call, stdout=subprocess.DEVNULL) for call in calls]
    longest = 0
    while any(process.poll() is None for process in processes):
        if index_of(filled).exists():
            # Never torn, and never shorter than it was.
            assert len(ids_of(filled)) >= longest
            longest = len(ids_of(filled))
    assert [process.wait() for process in processes] == [0] * 5
    assert sorted(ids_of(filled)) == sorted(everything)


def test_two_rebuilds_of_a_corrupt_index_agree(filled: Path) -> None:
    everything = ids_of(filled)
    everything += many_runs(filled, 20)
    index_of(filled).write_bytes(b"torn")
    call = (sys.executable, "-m", "runforge_cli", "index", "rebuild", "--json")
    processes = [subprocess.Popen(call, stdout=subprocess.PIPE) for _ in range(3)]
    reports = [json.loads(process.communicate()[0])["stores"][0] for process in processes]
    assert sorted(ids_of(filled)) == sorted(everything)
    assert [len(report["recovered"]) for report in reports].count(24) == 1
    assert sum("kept_aside" in report for report in reports) == 1
    [aside] = (filled / ".runforge").glob("index.json.corrupt-*")
    assert aside.read_bytes() == b"torn"


def test_a_rebuild_that_cannot_write_leaves_the_index(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = StoreLayout(filled)
    entry = describe(Run(folder_of(filled, 0)), store)
    index_of(filled).write_text(json.dumps({"schema_version": "index.v1", "runs": [entry]}))
    before = index_of(filled).read_bytes()
    program = (
        "import resource\n"
        "from runforge_cli.__main__ import guard\n"
        "from runforge_cli.shell.app import cli\n"
        "import runforge_engine.store.index_repair, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "call = lambda: cli.main(['index', 'rebuild'], standalone_mode=False)\n"
        "raise SystemExit(guard(call, json=False))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "STORE_NOT_WRITABLE" in done.stderr) == (1, True)
    assert index_of(filled).read_bytes() == before
    assert [path.name for path in (filled / ".runforge").iterdir() if "tmp" in path.name] == []
    assert len(rebuild_index(store).recovered) == 3
