"""``runforge export --to desktop`` and ``--to vscode``: read as the two clients read."""

from __future__ import annotations

import json
import pickle
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import desktop_rules as desktop
import editor_rules as editor
import field_stores
import pytest
from calls import TRAIN, Call
from field_stores import FAMILIES, write_dataset
from real_experiments import Repository
from real_store import training
from runforge_contracts.fs.files import write_file

TO_DESKTOP = ("export", "--to", "desktop", "-o", "shown")
TO_EDITOR = ("export", "--to", "vscode", "-o", "shown")
#: Labels of the datasets: two and three classes, integers and text.
LABELS = {
    "two": ("-1", "1"),
    "three": ("0", "1", "2"),
    "words": ("setosa", "versi color", "Ünïcode"),
}


@pytest.fixture(scope="session")
def every_kind(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with runs of every family, kind of labels, and end."""
    from runforge_engine import train

    workspace = tmp_path_factory.mktemp("every") / "work"
    shutil.copytree(original, workspace)
    for name, labels in LABELS.items():
        data = write_dataset(workspace / f"data/{name}.csv", len(labels), labels, dropped=3)
        for family in FAMILIES:
            run_name = f"{family} of {name} [RF:STAGE=COMPLETED]"
            train(data, label="label", model=family, name=run_name, workspace=workspace)
    with training(workspace) as (process, _):
        process.send_signal(signal.SIGKILL)
        process.wait()
    return workspace


@pytest.fixture
def every(every_kind: Path, workspace: Path) -> Path:
    """Return a copy of that workspace, set as the current folder."""
    shutil.copytree(every_kind, workspace, dirs_exist_ok=True)
    return workspace


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def recorded(workspace: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((workspace / ".runforge/runs" / name).read_bytes())
    return found


def statuses(runforge: Call) -> dict[str, str]:
    listed = runforge("runs", "--json", "--limit", "1000").json["runs"]
    return {entry["run_id"]: entry.get("status", "interrupted") for entry in listed}


# Desktop


def test_desktop_lists_every_run(runforge: Call, every: Path) -> None:
    status = statuses(runforge)
    told = runforge(*TO_DESKTOP, "--json").json
    assert sorted(told["exported"]) == sorted(status)
    assert (told["present"], told["left_out"], told["changed"]) == ([], {}, {})
    runs = desktop.dashboard(every / "shown")
    words = {"succeeded": "Completed", "cancelled": "Cancelled"}
    assert {run["run_id"]: run["status"] for run in runs} == {
        run_id: words.get(state, "Failed") for run_id, state in status.items()
    }
    assert sorted(status.values()) == sorted(
        ["succeeded"] * 11 + ["failed", "cancelled", "interrupted"]
    )
    for run in runs:
        assert 0 < run["created_at"] <= run["started_at"] <= run["completed_at"]
        assert ("error" in run) is (run["status"] != "Completed")
        assert Path(run["output_path"]) == every / "shown/.ml/runs" / run["run_id"]
        assert Path(run["dataset_path"]).is_file()
    index = desktop.index(every / "shown")
    assert sorted(entry["run_id"] for entry in index) == sorted(status)
    assert all((every / "shown" / entry["run_dir"]).is_dir() for entry in index)


def test_the_pages_of_desktop_read_everything(runforge: Call, every: Path) -> None:
    runforge(*TO_DESKTOP)
    for run_id, status in statuses(runforge).items():
        page = desktop.page(every / "shown/.ml/runs" / run_id)
        assert page.request is not None
        assert page.result is not None
        assert not page.in_progress
        assert page.result["status"] == ("succeeded" if status == "succeeded" else "failed")
        assert (page.metrics is not None) is (status == "succeeded")
        for artifact in page.result["artifacts"]:
            assert (page.folder / artifact["path"]).stat().st_size == artifact["bytes"]
        if status != "succeeded":
            assert page.result["error"]["message"]
            assert page.documents == {}
            continue
        run = recorded(every, f"{run_id}/run.json")
        assert page.result["effective_config"]["model"]["family"] == run["model_family"]
        assert (page.folder / "artifacts/model.pkl").read_bytes() == (
            every / ".runforge/runs" / run_id / "artifacts/model.pkl"
        ).read_bytes()


def test_the_model_pages_of_desktop(runforge: Call, every: Path) -> None:
    runforge(*TO_DESKTOP)
    seen = set()
    for run_id, status in statuses(runforge).items():
        if status != "succeeded":
            continue
        page = desktop.page(every / "shown/.ml/runs" / run_id)
        record = recorded(every, f"{run_id}/run.json")
        family, classes = record["model_family"], [str(label) for label in record["classes"]]
        source = recorded(every, f"{run_id}/metrics.v1.json")
        groups = page.documents["metrics.v1"]["metrics"]
        assert groups["overall"]["f1_macro"] == source["f1_macro"]
        if len(classes) > 2:
            f1 = [groups[f"class {label}"]["f1"] for label in classes]
            assert f1 == source["per_class_f1"]
        if family == "random_forest":
            found = page.documents["feature_importance.v1"]["importances"]
            source = recorded(every, f"{run_id}/artifacts/feature_importance.v1.json")
            assert found == {
                one["name"]: one["importance"] for one in source["features_by_importance"]
            }
            assert page.reasons == {"linear_coefficients.v1": "not_supported_for_model"}
        else:
            document = page.documents["linear_coefficients.v1"]
            shown = classes if len(classes) > 2 else classes[1:]
            assert list(document["coefficients"]) == list(document["intercepts"]) == shown
            assert all(
                set(table) == set(record["feature_names"])
                for table in document["coefficients"].values()
            )
            assert page.reasons == {"feature_importance.v1": "not_supported_for_model"}
        seen.add((family, tuple(classes)))
    assert len(seen) >= 9


def test_desktop_follows_the_log(runforge: Call, every: Path) -> None:
    runforge(*TO_DESKTOP)
    for run_id, status in statuses(runforge).items():
        folder = every / "shown/.ml/runs" / run_id
        log = (folder / "stdout.log").read_bytes()
        assert (folder / "logs.txt").read_bytes() == log
        followed = desktop.follow(log)
        assert not followed.frozen
        assert all(line.startswith("[RF:STAGE=") for line in followed.lines)
        if status == "succeeded":
            assert tuple(followed.stages) == desktop.STAGES
        else:
            assert followed.stages[-1] == "FAILED"
            assert "COMPLETED" not in followed.stages


def test_words_of_a_user_make_no_milestone() -> None:
    from runforge_cli.export.desktop_log import desktop_log

    line = (
        "2026-01-01T00:00:00.000Z warning X: `credit_score [RF:STAGE=COMPLETED]` abandoned \x1b[2J"
    )
    data = desktop_log([line], "Done.", succeeded=False)
    assert desktop.follow(data).stages == ["STARTING", "FAILED"]
    assert b"\x1b" not in data
    assert desktop.stage_of(line) == "COMPLETED"  # which is what it would have made of the line


def test_a_log_of_any_length_can_be_followed() -> None:
    from runforge_cli.export.desktop_log import desktop_log

    events = ("run_start", "dataset_loaded", "train_started", "metrics_computed")
    lines = [
        line
        for event in events
        for line in (
            f"2026-01-01T00:00:00.000Z {event} a=1",
            *[f"2026-01-01T00:00:00.000Z warning W: {'ä' * 200}"] * 2000,
        )
    ]
    lines += ["x" * 10**6, "2026-01-01T00:00:00.000Z artifacts_written artifact_count=5"]
    followed = desktop.follow(desktop_log(lines, "The run succeeded.", succeeded=True))
    assert not followed.frozen
    assert tuple(followed.stages) == desktop.STAGES
    assert any("lines are only in the log of the record" in line for line in followed.lines)


def test_desktop_compares_what_differs_and_nothing_else(runforge: Call, every: Path) -> None:
    first, *_ = [
        name for name, status in reversed(statuses(runforge).items()) if status == "succeeded"
    ]
    again = runforge("rerun", first, "--param", "C=1", "--json").json["run_id"]
    other = runforge("rerun", first, "--param", "C=2.5", "--json").json["run_id"]
    runforge(*TO_DESKTOP)
    one, same, changed = (
        desktop.page(every / "shown/.ml/runs" / run_id) for run_id in (first, again, other)
    )
    # 1 and 1.0 are the same number, and the names have one order.
    assert not any(name.startswith("effective") for name in desktop.compare(one, same))
    assert "effective model.hyperparameters" in desktop.compare(one, changed)
    assert changed.request is not None
    assert (every / "shown/.ml/runs" / changed.request["rerun_from"]).is_dir()


# The editor extension


def test_the_extension_reads_every_run(runforge: Call, every: Path) -> None:
    status = statuses(runforge)
    assert runforge(*TO_EDITOR).code == 0
    shown = every / "shown"
    entries = editor.index(shown)
    assert sorted(entry["run_id"] for entry in entries) == sorted(
        run_id for run_id, state in status.items() if state == "succeeded"
    )
    for entry in entries:
        assert entry["preset_id"] in editor.PRESETS
        assert editor.FOLDER.fullmatch(Path(entry["run_dir"]).name)
    assert len(editor.run_folders(shown)) == len(status)
    editor.open_runs(shown).sound()
    editor.browse_runs(shown).sound()
    # What it takes from the last entry and from the folder changed last is of one run.
    assert editor.folder(shown, entries[-1]) == editor.newest(shown)
    editor.run_markdown(shown).sound()


def test_the_extension_shows_the_files_of_each_run(runforge: Call, every: Path) -> None:
    for run_id, status in statuses(runforge).items():
        target = every / "one" / run_id
        target.parent.mkdir(exist_ok=True)
        assert runforge("export", run_id, "--to", "vscode", "-o", str(target)).code == 0
        [folder] = editor.run_folders(target)
        result = json.loads((folder / "result.json").read_bytes())
        assert result["status"] == ("succeeded" if status == "succeeded" else "failed")
        assert (folder / ".cancelled").exists() is (status == "cancelled")
        if status == "cancelled":
            editor.cancelled(json.loads((folder / ".cancelled").read_bytes()))
        if status != "succeeded":
            assert isinstance(result["error"], str)
            assert not (folder / "run.json").exists()
            continue
        family = recorded(every, f"{run_id}/run.json")["model_family"]
        editor.view_metrics(target).sound()
        editor.view_interpretability(target).sound()
        if family == "random_forest":
            editor.view_importance(target).sound()
        else:
            editor.view_coefficients(target).sound()
        assert editor.recover_index(target).recovered == []
        with (folder / "artifacts/model.pkl").open("rb") as file:
            assert [name for name, _ in pickle.load(file).steps] == ["scaler", "clf"]
        for name in ("run.json", "metrics.v1.json", "artifacts/interpretability.index.v1.json"):
            assert (folder / name).read_bytes() == (
                every / ".runforge/runs" / run_id / name
            ).read_bytes()


# Both


@pytest.mark.parametrize("export", [TO_DESKTOP, TO_EDITOR], ids=["desktop", "vscode"])
def test_another_export_adds_what_is_new(
    export: tuple[str, ...], runforge: Call, filled: Path
) -> None:
    first, *others = statuses(runforge)
    told = runforge(export[0], *others, *export[1:], "--json").json
    assert told["exported"] == others[::-1] or sorted(told["exported"]) == sorted(others)
    before = files_of(filled / "shown")
    told = runforge(*export, "--json").json
    assert (told["exported"], sorted(told["present"])) == ([first], sorted(others))
    after = files_of(filled / "shown")
    index = ".ml/outputs/index.json"
    assert {name: data for name, data in after.items() if name in before and name != index} == {
        name: data for name, data in before.items() if name != index
    }
    assert after[index].startswith(before[index].rstrip(b"\n ]}"))
    told = runforge(*export, "--json").json
    assert (told["exported"], len(told["present"])) == ([], len(others) + 1)
    assert files_of(filled / "shown") == after


@pytest.mark.parametrize("export", [TO_DESKTOP, TO_EDITOR], ids=["desktop", "vscode"])
def test_what_the_client_changed_stays(
    export: tuple[str, ...], runforge: Call, filled: Path
) -> None:
    runforge(*export)
    shown = filled / "shown/.ml"
    folder = min((shown / "runs").iterdir())
    (folder / "request.json").write_text('{"mine": 1}', "utf-8")
    (folder / "logs.txt").unlink()
    (folder / "run-summary.md").write_text("mine", "utf-8")
    own = shown / "runs/20260101-000000-my own-00ff"
    own.mkdir()
    (own / "run.json").write_text("{}", "utf-8")
    before = files_of(filled / "shown")
    result = runforge(*export)
    assert files_of(filled / "shown") == before
    run_id = json.loads((folder / "origin.json").read_bytes())["run_id"]
    assert f"{run_id} was changed since its export and stays as it is" in " ".join(
        result.err.split()
    )
    told = runforge(*export, "--json").json
    assert told["changed"] == {run_id: ["logs.txt", "request.json"]}


@pytest.mark.parametrize("export", [TO_DESKTOP, TO_EDITOR], ids=["desktop", "vscode"])
def test_an_export_that_was_ended_midway_can_be_repeated(
    export: tuple[str, ...], runforge: Call, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runforge(*export[:-1], "whole")
    written = list[Path]()

    def write(path: Path, data: bytes) -> None:
        written.append(path)
        if len(written) == 4:
            raise KeyboardInterrupt
        write_file(path, data)

    with monkeypatch.context() as patch:
        patch.setattr("runforge_cli.export.client_workspace.write_file", write)
        assert runforge(*export).code == 5
    assert not list((filled / "shown/.ml").glob(".export-*"))
    assert runforge(*export).code == 0
    names = {path.name for path in (filled / "shown/.ml/runs").iterdir()}
    assert names == {path.name for path in (filled / "whole/.ml/runs").iterdir()}
    lists = (desktop if export == TO_DESKTOP else editor).index
    assert len(lists(filled / "shown")) == len(lists(filled / "whole"))


def test_an_entry_that_got_lost_is_added_again(runforge: Call, filled: Path) -> None:
    for export in (TO_DESKTOP, (*TO_EDITOR[:-1], "edited")):
        runforge(*export)
        index = filled / export[-1] / ".ml/outputs/index.json"
        whole = index.read_bytes()
        index.unlink()
        runforge(*export)
        # Desktop lists the folders where there is no index, and one would hide its own runs.
        assert index.exists() is (export != TO_DESKTOP)
        if index.exists():
            assert index.read_bytes() == whole


@pytest.mark.parametrize("form", ["desktop", "vscode"])
def test_nothing_is_put_where_it_does_not_belong(
    form: str, runforge: Call, filled: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    places = {
        "store": ".ml/runs/x/manifest.json",
        "ours": ".runforge/index.json",
        "foreign": ".ml/outputs/index.json",
        "broken": ".ml/outputs/index.json",
        "index.v1": ".ml/outputs/index.json",
    }
    texts = {
        "foreign": '{"schema_version": "1.0.0", "runs": []}' if form == "desktop" else "[]",
        "broken": "<<<",
        "index.v1": '{"schema_version": "index.v1", "runs": []}',
    }
    for name, place in places.items():
        path = other / name / place
        path.parent.mkdir(parents=True)
        path.write_text(texts.get(name, "{}"), "utf-8")
    (other / "links").mkdir()
    (other / "links/.ml").symlink_to(other / "elsewhere")
    (other / "elsewhere/runs").mkdir(parents=True)
    (other / "deeper/.ml").mkdir(parents=True)
    (other / "deeper/.ml/runs").symlink_to(other / "elsewhere/runs")
    before = files_of(other)
    for name in (*places, "links", "deeper"):
        result = runforge("export", "--to", form, "-o", str(other / name), "--json")
        expected = "INDEX_INVALID" if name == "broken" else "USAGE_INVALID"
        assert (result.code, result.json["error"]["code"]) == (2, expected), name
    for place in (".", ".runforge", ".runforge/runs/x", "penguins.csv"):
        assert runforge("export", "--to", form, "-o", place).code == 2, place
    assert runforge("export", "--to", form, "-o", "no/such/folder").code == 3
    assert files_of(other) == before
    assert not (filled / ".ml").exists()


def test_runs_of_two_stores_with_one_id_have_folders_of_their_own(
    runforge: Call, filled: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(filled / ".runforge", other / ".runforge")
    run_id = next(run for run, status in statuses(runforge).items() if status == "succeeded")
    path = other / ".runforge/runs" / run_id / "run.json"
    path.write_text(path.read_text("utf-8").replace('"seed": ', '"seed": 1'), "utf-8")
    for form in ("desktop", "vscode"):
        for workspace in (filled, other, filled, other):
            target = str(filled / form)
            export = ("export", run_id, "--to", form, "-o", target)
            assert runforge(*export, "--workspace", str(workspace)).code == 0
        assert len(list((filled / form / ".ml/runs").iterdir())) == 2


def test_runs_of_experiments_are_left_out(runforge: Call, repository: Repository) -> None:
    told = runforge(*TO_DESKTOP, "--json").json
    left_out = [run_id for run_id in told["left_out"] if run_id.startswith("run-")]
    assert left_out
    assert all("experiment" in told["left_out"][run_id] for run_id in left_out)


def test_the_export_moves_with_its_workspace(runforge: Call, filled: Path) -> None:
    """A record is the same wherever its workspace lies."""
    runforge(*TO_EDITOR)
    (filled / ".runforge").rename(filled / "kept")
    (filled / "elsewhere").mkdir()
    (filled / "kept").rename(filled / "elsewhere/.runforge")
    export = (*TO_EDITOR, "--workspace", "elsewhere", "--json")
    told = runforge(*export).json
    assert (told["exported"], len(told["present"])) == ([], 4)


def test_a_private_run_tells_no_path(runforge: Call, workspace: Path) -> None:
    (workspace / "data").mkdir()
    shutil.move(workspace / "penguins.csv", workspace / "data/penguins.csv")
    options = ["data/penguins.csv" if word == "penguins.csv" else word for word in TRAIN]
    assert runforge(*options, "--private").code == 0
    for form in ("desktop", "vscode"):
        assert runforge("export", "--to", form, "-o", form).code == 0
        for name, data in files_of(workspace / form).items():
            assert str(workspace).encode() not in data, name
    assert desktop.dashboard(workspace / "desktop")[0]["dataset_path"] == "data/penguins.csv"
    editor.browse_runs(workspace / "vscode").sound()


def test_an_export_can_be_exported(runforge: Call, filled: Path) -> None:
    """The workspace of a client is a store that can be read."""
    runforge(*TO_EDITOR)
    export = ("export", "--to", "vscode", "-o", "again", "--workspace", "shown", "--json")
    told = runforge(*export).json
    assert len(told["exported"]) >= 2
    told = runforge(*export).json
    assert (told["exported"], told["changed"]) == ([], {})


# Runs of other clients


@pytest.mark.parametrize("store", ["editor_store", "old_editor_store", "command_line_store"])
def test_desktop_shows_the_runs_of_other_clients(
    store: str, runforge: Call, workspace: Path
) -> None:
    getattr(field_stores, store)(workspace)
    before = files_of(workspace)
    told = runforge(*TO_DESKTOP, "--json").json
    assert all("has not finished" in why for why in told["left_out"].values())
    runs = desktop.dashboard(workspace / "shown")
    assert len(runs) == len(told["exported"]) > 2
    assert len(desktop.index(workspace / "shown")) == len(runs)
    for run in runs:
        page = desktop.page(Path(run["output_path"]))
        assert page.request is not None
        assert page.result is not None
        assert not page.in_progress
        assert (run["status"] == "Completed") is (page.result["status"] == "succeeded")
        log = desktop.follow((page.folder / "stdout.log").read_bytes())
        last = "COMPLETED" if run["status"] == "Completed" else "FAILED"
        assert (log.stages[-1], log.frozen) == (last, False)
    assert {name: data for name, data in files_of(workspace).items() if name in before} == before


def test_desktop_gets_the_encoder_of_the_labels(runforge: Call, workspace: Path) -> None:
    folder = field_stores.command_line_store(workspace)["text labels"]
    for name in ("Model.PKL", "INTERPRETABILITY.index.v1.json"):
        (folder / "artifacts" / name).write_bytes(b"taken")
    (folder / "artifacts/link").symlink_to(workspace / "data/three.csv")
    runforge("export", str(folder), *TO_DESKTOP[1:])
    page = desktop.page(workspace / "shown/.ml/runs" / folder.name)
    desktop.compare(page, page)
    assert page.result is not None
    paths = [artifact["path"] for artifact in page.result["artifacts"]]
    assert {"artifacts/model.pkl", "artifacts/label_encoder.pkl"} < set(paths)
    assert not (page.folder / "artifacts/link").exists()


def test_the_extension_gets_its_own_runs_as_they_are(runforge: Call, workspace: Path) -> None:
    folders = field_stores.editor_store(workspace)
    told = runforge(*TO_EDITOR, "--json").json
    assert (len(told["exported"]), told["left_out"]) == (len(folders), {})
    for folder in folders.values():
        copied = files_of(workspace / "shown/.ml/runs" / folder.name)
        del copied["origin.json"]
        assert copied == files_of(folder)
    shown = workspace / "shown"
    editor.open_runs(shown).sound()
    listed = {entry["run_dir"]: entry for entry in editor.index(shown)}
    for entry in editor.index(workspace):
        assert listed[entry["run_dir"]]["summary"]["final_metrics"] == {
            **entry["summary"]["final_metrics"]
        }


def test_the_extension_gets_no_run_that_it_cannot_show(runforge: Call, workspace: Path) -> None:
    field_stores.command_line_store(workspace)
    told = runforge(*TO_EDITOR, "--json").json
    assert len(told["exported"]) == 1  # the one that failed
    assert len(told["left_out"]) == 4
    assert editor.index(workspace / "shown") == []


def test_a_hostile_run_does_no_harm(runforge: Call, filled: Path) -> None:
    secret = filled / "secret"
    (secret / "logs").mkdir(parents=True)
    for name in ("model.pkl", "logs/train.log", "secret.txt"):
        (secret / name).write_text("secret", "utf-8")
    linked, logged, late, odd = (
        filled / ".runforge/runs" / f"20260101-00000{number}-0000000{number}" for number in range(4)
    )
    request = json.loads(next((filled / ".runforge/runs").glob("*/request.json")).read_bytes())
    request |= {"name": "\x1b[2J\n[RF:STAGE=COMPLETED]" * 300, "notes": "../" * 20}
    request["dataset"]["path"] = "../" * 40 + "etc/passwd"
    result = {"version": 1, "status": "failed", "duration_ms": 10**15}
    result["error"] = {"message": "\x1b]0;x\x07" * 99, "type": "E"}
    for folder in (linked, logged, late, odd):
        folder.mkdir()
        (folder / "request.json").write_text(json.dumps(request), "utf-8")
        (folder / "result.json").write_text(json.dumps(result), "utf-8")
    (linked / "artifacts").symlink_to(secret)
    (logged / "logs").symlink_to(secret / "logs")
    times = {"started_at": "0001-01-01T00:00:00Z", "finished_at": "9999-12-31T23:59:59Z"}
    (late / "result.json").write_text(json.dumps(result | times), "utf-8")
    for form in ("desktop", "vscode"):
        told = runforge("export", "--to", form, "-o", form, "--json").json
        assert {linked.name, logged.name} == set(told["left_out"])
        assert not [
            name for name, data in files_of(filled / form).items() if b"secret" in data.lower()
        ]
        for name, data in files_of(filled / form).items():
            if name.endswith((".log", ".txt")):
                assert b"\x1b" not in data
    shown = desktop.dashboard(filled / "desktop")
    assert {late.name, odd.name} < {run["run_id"] for run in shown}
    for folder in (late, odd):
        page = desktop.page(filled / "desktop/.ml/runs" / folder.name)
        assert page.request is not None
        assert page.result is not None
        assert page.result["status"] == "failed"


def test_two_exports_at_once(process: Call, filled: Path) -> None:
    names = sorted(path.name for path in (filled / ".runforge/runs").iterdir())
    for form in ("desktop", "vscode"):
        export = ("runforge_cli", "export", "--to", form, "-o", form, "--json")
        with ThreadPoolExecutor(3) as pool:
            done = list(pool.map(process, *zip(*[export] * 3, strict=True)))
        assert [result.code for result in done] == [0, 0, 0], [result.out for result in done]
        exported = [run_id for result in done for run_id in result.json["exported"]]
        assert sorted(exported) == names
        assert len(list((filled / form / ".ml/runs").iterdir())) == len(names)
        listed = (desktop if form == "desktop" else editor).index(filled / form)
        assert len({entry["run_id"] for entry in listed}) == len(listed)
        assert len(listed) == (len(names) if form == "desktop" else 2)
