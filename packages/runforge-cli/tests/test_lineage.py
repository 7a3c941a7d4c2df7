"""The lineage of runs: what a run repeats, what repeats it, and what changed each time."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import TRAIN, Call
from runforge_contracts.errors import RunForgeError
from runforge_contracts.lineage.run_family import MOST, RunFamilies, is_in, repeated_by
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.validation import validate
from runforge_engine import Store


@pytest.fixture
def chain(runforge: Call, workspace: Path) -> list[str]:
    """Return the ids of three runs, each of which repeats the one before with a change."""
    ids = [runforge(*TRAIN, "--json").json["run_id"]]
    for change in (["--param", "C=0.5"], ["--exclude", "body_mass_g"]):
        ids.append(runforge("rerun", ids[-1], *change, "--json").json["run_id"])
    return ids


def index_of(workspace: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((workspace / ".runforge/index.json").read_bytes())
    return document


def traced(runforge: Call, what: str) -> dict[str, Any]:
    result = runforge("trace", what, "--json")
    assert result.code == 0, result.out
    validate(result.json, "trace.v1")
    return dict(result.json)


def test_a_run_is_shown_with_what_it_repeats_and_what_repeats_it(
    runforge: Call, workspace: Path, chain: list[str]
) -> None:
    first, second, third = chain
    entries = index_of(workspace)["runs"]
    assert [entry.get("rerun_from") for entry in entries] == [None, first, second]
    shown = runforge("show", second).out
    assert f"repeats      {first}\n" in shown
    assert f"repeated by  {third}\n" in shown
    document = runforge("show", second, "--json").json
    assert (document["repeats"], document["repeated_by"]) == (first, [third])
    ends = [runforge("show", run_id, "--json").json for run_id in (first, third)]
    assert "repeats" not in ends[0]
    assert "repeated_by" not in ends[1]
    assert runforge("verify", "--all", "--json").code == 0
    listed = runforge("runs", "--where", f"repeats={first}", "--columns", "run,repeats", "--json")
    assert [run["run_id"] for run in listed.json["runs"]] == [second]


def test_a_run_is_shown_without_the_code_for_servers_and_sweeps(
    workspace: Path, chain: list[str]
) -> None:
    program = (
        "import sys\n"
        "from runforge_cli.shell.app import cli\n"
        "assert cli.main(sys.argv[1:], standalone_mode=False) == 0\n"
        "late = {'dataclasses', 'msgspec', 'runforge_cli.render.differences'}\n"
        "late |= {'runforge_contracts.index.kept_index', 'runforge_contracts.sweeps.groups'}\n"
        "assert not late & set(sys.modules), late & set(sys.modules)\n"
    )
    words = ["--workspace", str(workspace), "show", chain[1][:-1]]
    shown = subprocess.run(
        [sys.executable, "-c", program, *words], check=True, capture_output=True, text=True
    ).stdout
    assert f"repeated by  {chain[2]}\n" in shown


def test_the_lineage_has_every_step_with_what_changed(
    runforge: Call, workspace: Path, chain: list[str]
) -> None:
    _, second, third = chain
    for what in (second, "latest", second[:-2], f".runforge/runs/{second}"):
        document = traced(runforge, what)
        assert document["run_id"] == (third if what == "latest" else second)
        assert [run["run_id"] for run in document["runs"]] == chain
        changes = [run.get("changes") for run in document["runs"]]
        assert changes == [None, "C 1.0 → 0.5", "exclude_columns +body_mass_g"]
    text = runforge("trace", second).out
    assert text.startswith(f"Run {second}: 1 ancestor, 1 descendant\n")
    for line in (f"└ {second} *", f"  └ {third} ", "C 1.0 → 0.5", "exclude_columns +body_mass_g"):
        assert line in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_runs_of_a_dataset_have_their_lineage(
    runforge: Call, workspace: Path, chain: list[str]
) -> None:
    found = {run["run_id"]: run for run in traced(runforge, "penguins.csv")["runs"]}
    assert found[chain[1]]["repeated_by"] == [chain[2]]
    assert "changes" not in found[chain[1]]


def test_python_and_the_reports_have_the_lineage(
    runforge: Call, workspace: Path, chain: list[str]
) -> None:
    run = Store(workspace).run(chain[1])
    assert run.parent is not None
    assert (run.parent.id, [child.id for child in run.children]) == (chain[0], [chain[2]])
    assert run.parent.parent is None
    assert runforge("report", chain[1], "--no-model", "-o", "report.md").code == 0
    report = (workspace / "report.md").read_text()
    assert f"* Repeats: {chain[0]}\n* Repeated by: {chain[2]}\n" in report


def test_a_parent_that_is_gone_is_known_by_its_id(
    runforge: Call, workspace: Path, chain: list[str], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / ".runforge/runs").mkdir(parents=True)
    for run_id in chain[1:]:
        shutil.copytree(workspace / ".runforge/runs" / run_id, other / ".runforge/runs" / run_id)
    there = ("--workspace", str(other))
    assert f"{chain[0]} (not in this store)" in runforge("show", chain[1], *there).out
    text = runforge("trace", chain[2], *there).out
    assert text.startswith(f"Run {chain[2]}: 2 ancestors, 0 descendants\n")
    assert "not in this store" in text
    document = runforge("trace", chain[2], *there, "--json").json
    assert [run["run_id"] for run in document["runs"]] == chain[1:]
    assert Store(other).run(chain[1]).parent is None


def test_older_entries_are_completed_from_the_runs(
    runforge: Call, workspace: Path, chain: list[str]
) -> None:
    document = index_of(workspace)
    for entry in document["runs"]:
        for name in ("seed", "hyperparameters", "rerun_from"):
            entry.pop(name, None)
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (workspace / ".runforge/index.json").write_text(text)
    assert [run["run_id"] for run in traced(runforge, chain[0])["runs"]] == chain
    assert runforge("show", chain[0], "--json").json["repeated_by"] == [chain[1]]
    assert runforge("verify", chain[1]).code == 0


def test_an_entry_that_has_its_settings_must_have_its_parent(
    runforge: Call, workspace: Path, chain: list[str]
) -> None:
    document = index_of(workspace)
    del document["runs"][1]["rerun_from"]
    (workspace / ".runforge/index.json").write_text(json.dumps(document))
    found = runforge("verify", chain[1], "--json")
    assert found.code != 0
    assert "/runs/1/rerun_from" in json.dumps(found.json)


def listed(parents: dict[int, str], workspace: Path) -> StoreLayout:
    """Return a store whose index lists runs without folders, of which some repeat another."""
    store = StoreLayout(workspace, ".runforge")
    store.runs.mkdir(parents=True)
    runs = [
        {
            "run_id": f"20260201-120000-{number:08x}",
            "created_at": "2026-02-01T12:00:00Z",
            "status": "succeeded",
            "run_dir": f".runforge/runs/20260201-120000-{number:08x}",
            "seed": 1,
            **({"rerun_from": parents[number]} if number in parents else {}),
        }
        for number in range(max(parents) + 1)
    ]
    document = {"schema_version": "index.v1", "runs": runs}
    store.index.write_text(json.dumps(document, indent=2) + "\n")
    return store


def test_circles_and_runs_that_name_themselves_end(tmp_path: Path, runforge: Call) -> None:
    parents = {0: 2, 1: 0, 2: 1, 3: 3, 4: 1}
    named = {number: f"20260201-120000-{parent:08x}" for number, parent in parents.items()}
    store = listed(named, tmp_path / "hostile")
    families = RunFamilies([store])
    for number in range(5):
        run_id = f"20260201-120000-{number:08x}"
        family = families.family(run_id, ({"run_id": run_id}, store))
        ids = [relative.run_id for relative in family.runs]
        assert len(ids) == len(set(ids))
        assert run_id in ids
        assert run_id not in repeated_by(run_id, [store])
    assert not is_in("20260201-120000-000000ff", [store])


def test_of_very_many_descendants_some_are_left_out(tmp_path: Path) -> None:
    first = "20260201-120000-00000000"
    store = listed(dict.fromkeys(range(1, MOST + 11), first), tmp_path / "wide")
    families = RunFamilies([store])
    family = families.family(first, ({"run_id": first}, store))
    assert (len(family.runs), family.left_out) == (MOST + 1, 10)
    assert len(families.repeated_by(first)) == MOST + 10


def test_what_is_neither_file_nor_digest_nor_run_is_refused(
    runforge: Call, workspace: Path, chain: list[str]
) -> None:
    found = runforge("trace", "nothing", "--json")
    assert (found.code, found.json["error"]["code"]) == (3, "FILE_NOT_FOUND")
    assert runforge("trace", "abc", "--json").json["error"]["code"] == "USAGE_INVALID"
    with pytest.raises(RunForgeError):
        Store(workspace).run("nothing")


def test_runs_are_found_by_their_aliases(runforge: Call, workspace: Path, chain: list[str]) -> None:
    for name in ("production", "shown"):
        assert runforge("alias", name, chain[1]).code == 0
    assert runforge("alias", "older", chain[0]).code == 0
    for condition in ("alias=production", "alias~prod", "aliases=shown"):
        found = runforge("runs", "--where", condition, "--json").json["runs"]
        assert [run["run_id"] for run in found] == [chain[1]]
    assert "aliases" not in runforge("runs", "--where", "alias!=older", "--json").json["runs"][0]
    table = runforge("runs", "--columns", "run,alias").out.splitlines()
    assert table[2].split(maxsplit=1) == [chain[1], "production, shown"]
    assert table[0].split() == ["run", "alias"]


def test_several_aliases_leave_room_for_the_other_columns(
    runforge: Call, workspace: Path, chain: list[str]
) -> None:
    for name in ("production", "staging-of-the-next-one", "shown-to-everybody"):
        assert runforge("alias", name, chain[1]).code == 0
    lines = runforge("runs").out.splitlines()
    assert "created" in lines[0]
    assert max(map(len, lines)) <= 80


def test_what_is_not_there_is_named_with_what_to_do(
    runforge: Call, workspace: Path, chain: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = runforge("experiment", "run", "--param", "a=1", "--json").json["error"]
    assert "Did you mean `--set`?" in unknown["message"]
    beside = workspace / "beside"
    shutil.copytree(workspace / ".runforge/runs" / chain[0], beside / chain[0])
    shutil.rmtree(workspace / ".runforge")
    monkeypatch.chdir(beside)
    refused = runforge("verify", chain[0], "--json").json["error"]
    assert refused["hint"].startswith(f"`./{chain[0]}` is a run folder")
    assert runforge("verify", f"./{chain[0]}", "--json", "--without-dataset").code == 0


@pytest.mark.parametrize("commit", ["abc123", "r1234 (svn)", "null"])
def test_a_commit_of_another_program_need_not_be_named_in_full(
    runforge: Call, workspace: Path, commit: str
) -> None:
    folder = workspace / "runs/run-2026-02-01-001"
    folder.mkdir(parents=True)
    config = f"run_id: {folder.name}\nexperiment: e\nmodel: m\ndataset: d\nseed: 1\n"
    (folder / "config.yaml").write_text(f"{config}code:\n  commit: {commit}\n")
    traced = runforge("trace", folder.name, "--json")
    assert traced.code == 0
    assert [run.get("git") for run in traced.json["runs"]] == [None]
