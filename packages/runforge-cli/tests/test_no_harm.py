"""No command changes a file of another client, in any form of its store."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from calls import Call
from field_stores import (
    Training,
    append_entry,
    command_line_store,
    desktop_store,
    editor_run,
    editor_store,
    engine_entry,
    engine_train,
    finish_editor_folder,
    old_editor_store,
    prepare_editor_folder,
    write_dataset,
)
from runforge_cli.shell.app import COMMANDS
from runforge_contracts.store.layout import LEGACY_STORE, StoreLayout
from runforge_contracts.store.run import Run
from runforge_engine.store.editor_index import append_foreign_entries
from runforge_engine.store.run_view import editor_entry, write_view
from tracking_stores import Run as TrackedRun
from tracking_stores import write_files

INDEXES = (".ml/outputs/index.json", ".runforge/index.json")
#: Where commands may add files.
ADDED = (".runforge/", ".ml/", "out/", "runs/", "experiments/")
TRAIN = ("train", "data/three.csv", "--label", "label", "--param", "max_iter=20")


def desktop(workspace: Path) -> None:
    """Runs of Desktop, and the dataset that they name."""
    write_dataset(workspace / "data/three.csv")
    desktop_store(workspace)


def views(workspace: Path) -> None:
    """A run of the extension's own engine, to which two of ours are added, with views of them."""
    write_dataset(workspace / "data/three.csv")
    editor_run(workspace, workspace / "data/three.csv", Training(name="own"))


def touched(workspace: Path) -> None:
    """An index that was ours, and to which the extension's engine appended."""
    write_dataset(workspace / "data/three.csv")


def compact(workspace: Path) -> None:
    """The extension's index as another program would write it: on one line, with more members."""
    dataset = write_dataset(workspace / "data/three.csv")
    folder = editor_run(workspace, dataset, Training(name="one"))
    path = workspace / INDEXES[0]
    [entry] = json.loads(path.read_text("utf-8"))["runs"]
    more = {**entry, "note": "ä\u2028\u00e9]}", "extra": [[], {"a": 1.0}]}
    index = {"runs": [more], "schema_version": "1.0.0", "more": {"runs": [1, 2.50, []]}}
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(index, ensure_ascii=False).encode())
    assert folder.is_dir()


def unreadable(workspace: Path) -> None:
    """The extension's index with entries that cannot be read, beside one that can."""
    dataset = write_dataset(workspace / "data/three.csv")
    editor_run(workspace, dataset, Training(name="one"))
    path = workspace / INDEXES[0]
    index = json.loads(path.read_text("utf-8"))
    [entry] = index["runs"]
    index["runs"] = [
        {**entry, "run_dir": "../elsewhere"},
        {**entry, "run_id": "20260120-080000-00000001", "run_dir": "/etc"},
        {"run_id": 5},
        {},
        entry,
    ]
    path.write_text(json.dumps(index, indent=4) + "\n\n", "utf-8")


STORES: dict[str, Callable[[Path], object]] = {
    "extension 1.2.1": editor_store,
    "extension 0.4.3": old_editor_store,
    "Desktop": desktop,
    "command line 0.3.0": command_line_store,
    "views": views,
    "touched": touched,
    "compact": compact,
    "unreadable": unreadable,
}


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives a store, made once."""
    made: dict[str, Path] = {}

    def store(kind: str) -> Path:
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp("store")
            STORES[kind](made[kind])
        return made[kind]

    return store


@pytest.fixture(params=STORES)
def field(
    request: pytest.FixtureRequest,
    stores: Callable[[str], Path],
    workspace: Path,
    runforge: Call,
) -> Path:
    """Return a workspace with a store of another client, set as the current folder."""
    kind: str = request.param
    shutil.copytree(stores(kind), workspace, dirs_exist_ok=True)
    if kind == "views":
        for number in range(2):
            make_view(workspace, runforge, number)
    if kind == "touched":
        assert runforge(*TRAIN, "--store", ".ml").code == 0
        folder = prepare_editor_folder(workspace, Training(name="theirs"), random="00bb")
        record = engine_train(workspace / "data/three.csv", folder, Training(name="theirs"))
        append_entry(workspace, engine_entry(workspace, folder, record))
        finish_editor_folder(folder)
    return workspace


def make_view(workspace: Path, runforge: Call, number: int) -> tuple[Path, Path]:
    """Train, and make a view of the run as an editor's folder has it; return record and view."""
    folder = prepare_editor_folder(
        workspace, Training(name=f"view {number}"), random=f"00c{number}"
    )
    done = runforge(*TRAIN, "--seed", str(number), "--store", ".runforge", "--json")
    assert done.code == 0
    record = Run(workspace / done.json["run_dir"])
    write_view(record, folder)
    append_foreign_entries(StoreLayout(workspace, LEGACY_STORE), [editor_entry(record, folder)])
    finish_editor_folder(folder)
    return record.path, folder


def contents(workspace: Path) -> dict[str, tuple[bytes, int]]:
    """Return the bytes and the modes of all files and folders."""
    found = {}
    for path in workspace.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        found[path.relative_to(workspace).as_posix()] = data, path.lstat().st_mode
    return found


def is_inserted(before: bytes, after: bytes) -> bool:
    """Return whether ``after`` is ``before`` with bytes inserted at one place."""
    common = 0
    while common < len(before) and before[common] == after[common]:
        common += 1
    rest = len(before) - common
    return len(after) >= len(before) and after[len(after) - rest :] == before[common:]


def assert_unharmed(
    before: dict[str, tuple[bytes, int]], workspace: Path, *, may_add: bool
) -> None:
    """Check that everything is as it was, but for entries behind the last one of an index."""
    after = contents(workspace)
    assert before.keys() <= after.keys()
    for name, (data, mode) in before.items():
        if name in INDEXES and may_add:
            assert is_inserted(data, after[name][0]), name
            assert mode == after[name][1], name
            old, new = (entries_of(text) for text in (data, after[name][0]))
            assert new[: len(old)] == old
        else:
            assert after[name] == (data, mode), name
    new_names = after.keys() - before.keys()
    if may_add:
        assert all(f"{name}/".startswith(ADDED) for name in new_names), new_names
        assert not [name for name in new_names if "corrupt" in name]
    else:
        assert new_names == set()


def entries_of(text: bytes) -> list[object]:
    index = json.loads(text.decode("utf-8-sig"))
    return list(index) if isinstance(index, list) else list(index["runs"])


def references(workspace: Path) -> list[str]:
    """Return a few runs, by path, and the one that is the latest."""
    found = sorted(workspace.glob(".ml/runs/*")) + sorted(workspace.glob(".runforge/runs/*"))
    chosen = [*found[:1], *found[-1:]]
    return ["latest", *dict.fromkeys(path.relative_to(workspace).as_posix() for path in chosen)]


def reading(workspace: Path) -> Iterator[tuple[str, ...]]:
    """Yield calls that add nothing."""
    runs = references(workspace)
    yield from (("runs",), ("runs", "--json"), ("runs", "--csv"), ("runs", "--sort", "accuracy"))
    yield from (("runs", "--store", ".ml"), ("runs", "--status", "failed"), ("browse",))
    yield from (("verify", "--all"), ("verify", "--all", "--json", "--store", ".ml"))
    yield ("verify", "--all", "--quick")
    yield from (("index", "check"), ("index", "check", "--store", ".ml", "--json"))
    yield from (("trace", "data/three.csv"), ("inspect", "data/three.csv", "--label", "label"))
    yield from (("schema", "list"), ("experiment", "check"), ("cancel", "--store", ".ml", runs[-1]))
    yield ("sweep", "data/three.csv", "--label", "label", "--seeds", "1..2", "--dry-run")
    yield ("diff", *runs[-2:])
    yield ("validate", *(name for name in INDEXES if (workspace / name).exists()))
    for run in runs:
        for command in ("show", "metrics", "importance", "coefficients"):
            yield (command, run)
        for command in ("interpretability", "diagnostics", "verify", "cancel"):
            yield (command, run)
        yield ("show", run, "--json")
        yield ("verify", Path(run).name)
    yield ("reproduce", runs[1])
    yield ("sweep", "list")
    yield ("sweep", "show", "latest")
    for run in runs[1:]:
        model = workspace / run / "artifacts/model.pkl"
        yield ("predict", run, "data/three.csv")
        if model.exists():
            yield ("inspect-artifact", str(model))
            yield ("trace", str(model))


def writing(workspace: Path) -> Iterator[tuple[str, ...]]:
    """Yield calls that add runs, entries, signatures, or files in ``out``."""
    runs = references(workspace)
    (workspace / "out").mkdir()
    yield ("keygen", "--out", "out/key")
    yield (*TRAIN, "--store", ".ml")
    yield TRAIN
    yield ("prepare", "data/three.csv", "--label", "label", "-o", "out/table.csv")
    yield ("train", "data/none.csv", "--label", "label", "--store", ".ml")
    yield ("train", "data/three.csv", "--label", "sepal_length", "--store", ".ml")
    yield ("index", "rebuild")
    yield ("index", "rebuild", "--store", ".ml")
    yield ("store", "merge", ".", "--dry-run")
    yield ("store", "forget", "latest", "--because", "x", "--dry-run")
    yield ("store", "tidy", "--dry-run")
    yield ("store", "archive", "latest", "--to", "out/archive", "--dry-run")
    yield ("store", "restore", "out/archive")
    yield ("store", "move", "out/disk", "--dry-run")
    write_files(workspace / "out", [TrackedRun("83af8e5234584a6491ce1ea182f3ad2c")])
    yield ("import", "mlflow", "out", "--dry-run")
    yield ("import", "mlflow", "out")
    yield ("alias", "production", runs[0])
    yield ("alias", "production", "--remove")
    for run in runs:
        yield ("sign", run, "--key", "out/key")
        bundle = f"out/{Path(run).name}.rfz"
        yield ("bundle", run, "-o", bundle)
        yield ("unbundle", bundle, "--store", ".ml")
        yield ("rerun", run, "--store", ".ml")
        yield ("evaluate", run, "data/three.csv", "--unverified")
        yield ("report", run, "-o", f"out/{Path(run).name}.html", "--force")
        yield ("export", run, "--to", "csv", "-o", f"out/csv-{Path(run).name}")
        for form in ("model-card", "cyclonedx", "ro-crate", "skops", "onnx"):
            yield ("export", run, "--to", form, "-o", f"out/{form}-{Path(run).name}")
        yield ("run", f"{run}/request.json", "--store", ".ml")
    yield ("export", "--to", "mlflow", "-o", "out/mlflow")
    yield ("sweep", *TRAIN[1:], "--grid", "C=0.5,1", "--jobs", "1", "--store", ".ml")
    yield ("editor-python", "--help")
    yield ("serve", "--help")
    yield ("ui", "--help")
    yield ("experiment", "run", "--help")


def test_every_command_is_called(workspace: Path) -> None:
    (workspace / ".ml/runs/a").mkdir(parents=True)
    called = {call[0] for call in (*reading(workspace), *writing(workspace))}
    assert called | {"inspect-artifact"} == set(COMMANDS)


def test_reading_commands_change_and_add_nothing(field: Path, runforge: Call) -> None:
    before = contents(field)
    for call in reading(field):
        done = runforge(*call)
        assert done.code != 4, (call, done.err)
        assert "Traceback" not in done.err, call
        assert_unharmed(before, field, may_add=False)


def test_writing_commands_keep_what_is_there(
    field: Path, runforge: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNFORGE_KEY_PASSPHRASE", "correct horse")
    before = contents(field)
    for call in writing(field):
        done = runforge(*call)
        assert done.code != 4, (call, done.err)
        assert "Traceback" not in done.err, call
        assert_unharmed(before, field, may_add=True)


@pytest.mark.parametrize("store", [".ml", ".runforge"])
def test_a_run_is_added_in_the_form_of_the_index(field: Path, store: str, runforge: Call) -> None:
    index = field / (INDEXES[0] if store == ".ml" else INDEXES[1])
    before = entries_of(index.read_bytes()) if index.exists() else []
    done = runforge(*TRAIN, "--store", store, "--seed", "99", "--json")
    assert done.code == 0, done.err
    new = entries_of(index.read_bytes())
    assert new[:-1] == before
    added = new[-1]
    assert isinstance(added, dict)
    run_dir, run_id = done.json["run_dir"], done.json["run_id"]
    is_first = before and set(before[0]) == {
        *("run_id", "created_at", "dataset_fingerprint_sha256", "label_column"),
        *("run_dir", "model_pkl"),
    }
    assert added["run_dir"] == (f"runs/{run_id}/run.json" if is_first else run_dir)
    assert added["run_id"] == run_id
    assert runforge("show", "latest", "--store", store, "--json").json["run_dir"] == run_dir
    assert runforge("verify", run_id, "--store", store).code == 0
    assert runforge("index", "rebuild", "--store", store).code == 0
    assert runforge("trace", str(field / run_dir / "artifacts/model.pkl")).code == 0
    shown = runforge("runs", "--json", "--store", store, "--limit", "100").json["runs"]
    assert run_dir in [entry["run_dir"] for entry in shown]


def test_a_rebuild_adds_what_their_client_can_show(
    workspace: Path, runforge: Call, stores: Callable[[str], Path]
) -> None:
    shutil.copytree(stores("extension 1.2.1"), workspace, dirs_exist_ok=True)
    index = workspace / INDEXES[0]
    before = entries_of(index.read_bytes())
    [report] = runforge("index", "rebuild", "--json").json["stores"]
    [orphan] = workspace.glob(".ml/runs/*orphan*")
    record = json.loads((orphan / "run.json").read_bytes())
    assert report["recovered"] == [record["run_id"]]
    *old, added = entries_of(index.read_bytes())
    assert old == before
    assert isinstance(added, dict)
    assert added["run_dir"] == orphan.relative_to(workspace).as_posix()
    assert added["model_pkl"] == f"{added['run_dir']}/artifacts/model.pkl"
    # Failed and cancelled runs have no model, and the extension fails on an entry without one.
    assert {entry["status"] for entry in (*old, added)} == {"succeeded"}
    written = index.read_bytes()
    assert runforge("index", "rebuild").code == 0
    assert runforge("index", "check").code == 0
    assert index.read_bytes() == written


@pytest.mark.parametrize("version", ["1.1.0", "2.0", "index.v2"])
def test_an_index_of_an_unknown_version_is_left_alone(
    version: str, workspace: Path, runforge: Call
) -> None:
    dataset = write_dataset(workspace / "data/three.csv")
    editor_run(workspace, dataset, Training(name="one"))
    index = workspace / INDEXES[0]
    index.write_bytes(index.read_bytes().replace(b'"1.0.0"', f'"{version}"'.encode()))
    before = contents(workspace)
    done = runforge("index", "rebuild")
    assert done.code == 2
    assert "DOCUMENT_VERSION_UNSUPPORTED" in done.err
    del before[".ml/outputs/index.json"]
    assert_unharmed(before, workspace, may_add=True)
    assert version.encode() in index.read_bytes()


def test_no_command_writes_through_a_linked_folder_of_the_index(
    workspace: Path, runforge: Call
) -> None:
    write_dataset(workspace / "data/three.csv")
    (workspace / ".ml/runs").mkdir(parents=True)
    (workspace / "elsewhere").mkdir()
    (workspace / ".ml/outputs").symlink_to(workspace / "elsewhere")
    for call in ((*TRAIN, "--store", ".ml"), ("index", "rebuild", "--store", ".ml")):
        done = runforge(*call)
        assert "FILE_UNSAFE" in done.err, call
        assert not any((workspace / "elsewhere").iterdir())
        assert not any((workspace / ".ml/runs").iterdir())


def test_no_message_tells_to_edit_a_record(field: Path, runforge: Call) -> None:
    for call in (("verify", "--all"), ("index", "check"), ("index", "rebuild"), ("runs",)):
        done = runforge(*call)
        assert " edit " not in done.out + done.err
        assert "elsewhere and call" not in done.out, call
