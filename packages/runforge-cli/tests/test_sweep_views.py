"""Views of sweeps: what they show, in which order, in how much room, and of hostile documents."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path

import pytest
from calls import Call
from page_rules import check_harmless, check_plain_markdown, local, texts
from runforge_contracts.store.run import Run
from runforge_contracts.validation import validate
from runforge_engine.runtime.folder_lock import holding
from sweep_store import Sweeps, change_group, make_sweeps, sweep
from sweeping import PENGUINS
from syrupy.assertion import SnapshotAssertion

NAMES = ("one", "two", "three", "words", "failed", "listed")
HOSTILE = "\x1b]0;owned\x07<script>alert(1)</script>\u202e`|"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Sweeps:
    """Return a workspace with sweeps of every shape; nobody changes it."""
    return make_sweeps(tmp_path_factory.mktemp("sweeps"))


@pytest.fixture
def sweeps(made: Sweeps, workspace: Path) -> Sweeps:
    """Return a copy of that workspace, set as the current folder."""
    shutil.copytree(made.workspace, workspace, dirs_exist_ok=True)
    return Sweeps(workspace, made.ids)


def folder_of(sweeps: Sweeps, name: str) -> Path:
    return sweeps.workspace / ".runforge/groups" / sweeps.ids[name]


def report(runforge: Call, group: str, name: str = "out.html") -> str:
    result = runforge("report", "--group", group, "-o", name, "--force")
    assert result.code == 0, result.err
    return Path(name).read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_sweep_at_80_columns(
    name: str, sweeps: Sweeps, runforge: Call, snapshot: SnapshotAssertion
) -> None:
    shown = runforge("sweep", "show", name)
    assert shown.code == 0, shown.err
    assert max(map(len, shown.out.splitlines())) <= 80
    assert shown.out == snapshot


@pytest.mark.parametrize("columns", ["40", "60", "200"])
def test_sweeps_fit_any_terminal(
    columns: str, sweeps: Sweeps, runforge: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for name in NAMES:
        for arguments in (("sweep", "show", name), ("sweep", "list"), ("diff", name)):
            shown = runforge(*arguments)
            if shown.code == 0:
                # Ids are not broken, so that they can be copied.
                lines = [line for line in shown.out.splitlines() if "runforge " not in line]
                assert max(map(len, lines)) <= max(int(columns), 64), shown.out


def test_the_list_of_sweeps(sweeps: Sweeps, runforge: Call, snapshot: SnapshotAssertion) -> None:
    assert runforge("sweep", "list").out == snapshot
    listed = runforge("sweep", "list", "--json").json["groups"]
    assert {entry["group_id"] for entry in listed} == set(sweeps.ids.values())
    (failed,) = [entry for entry in listed if entry["name"] == "failed"]
    assert failed["counts"] == {"failed": 3}
    assert "best" not in failed
    limited = runforge("sweep", "list", "--limit", "2")
    assert limited.out.splitlines()[-1] == "4 more; use --limit 6 to show all."


def test_a_workspace_without_sweeps(workspace: Path, runforge: Call) -> None:
    assert runforge("sweep", "list").out.startswith("No sweeps yet in ")
    for arguments in (("sweep", "show"), ("report", "--group", "latest"), ("diff", "--group", "x")):
        result = runforge(*arguments, "--json")
        assert (result.code, result.json["error"]["code"]) == (3, "GROUP_NOT_FOUND")
    assert not (workspace / ".runforge").exists()


def test_the_document_has_the_metrics_of_the_runs(sweeps: Sweeps, runforge: Call) -> None:
    document = runforge("sweep", "show", "one", "--json").json
    validate(document, "group.v1")
    assert document["metric"] == "accuracy"
    assert [parameter["name"] for parameter in document["parameters"]] == ["C", "seed"]
    values = []
    for run in document["runs"]:
        recorded = Run(sweeps.workspace / run["run_dir"])
        assert run["metrics"] == recorded.metrics
        assert run["values"]["/seed"] == (recorded.request or {})["seed"]
        values.append(run["metrics"]["accuracy"])
    assert values == sorted(values, reverse=True)
    best = [run["member"] for run in document["runs"] if run["metrics"]["accuracy"] == values[0]]
    assert document["best_members"] == sorted(best)
    for setting in document["settings"]:
        own = [run for run in document["runs"] if run["member"] in setting["members"]]
        accuracies = [run["metrics"]["accuracy"] for run in own]
        assert setting["runs"] == 3
        assert setting["mean"] == pytest.approx(sum(accuracies) / 3)
        low, high = setting["interval_95"]
        assert low <= setting["mean"] <= high
        assert (setting["least"], setting["greatest"]) == (min(accuracies), max(accuracies))


def test_members_as_csv(sweeps: Sweeps, runforge: Call) -> None:
    rows = list(csv.DictReader(io.StringIO(runforge("sweep", "show", "listed", "--csv").out)))
    assert [row["member"] for row in rows] == ["1", "3", "4", "2"]
    assert [row["family"] for row in rows][1:3] == ["random_forest", "linear_svc"]
    assert rows[0]["C"] == "1"
    assert rows[1]["C"] == ""
    assert float(rows[3]["accuracy"]) < 0.9
    both = runforge("sweep", "show", "--csv", "--json")
    assert both.json["error"]["code"] == "USAGE_INVALID"


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("member", [1, 2, 3, 4, 5, 6]),
        ("max_iter", [1, 3, 5, 2, 4, 6]),
        ("C", [1, 2, 3, 4, 5, 6]),
        ("status", [1, 2, 3, 4, 5, 6]),
    ],
)
def test_members_are_sorted_by_what_is_asked(
    sort: str, order: list[int], sweeps: Sweeps, runforge: Call
) -> None:
    document = runforge("sweep", "show", "two", "--sort", sort, "--json").json
    assert [run["member"] for run in document["runs"]] == order


def test_sorting_by_a_metric_shows_it(sweeps: Sweeps, runforge: Call) -> None:
    assert "recall" in runforge("sweep", "show", "two", "--sort", "recall").out
    wrong = runforge("sweep", "show", "two", "--sort", "nothing", "--json")
    assert wrong.json["error"]["code"] == "USAGE_INVALID"
    assert "max_iter" in wrong.json["error"]["hint"]


def test_a_live_sweep_shows_its_progress(sweeps: Sweeps, runforge: Call) -> None:
    folder = folder_of(sweeps, "two")
    runs = json.loads((folder / "group.json").read_bytes())["runs"]
    for run in runs[3:]:
        shutil.rmtree(sweeps.workspace / ".runforge/runs" / run["run_id"])
        run["status"] = "pending"
        for name in ("run_id", "result_ref", "primary_metric"):
            run.pop(name)
    (sweeps.workspace / ".runforge/index.json").unlink()
    change_group(folder, status="running", runs=runs)
    with holding(folder):
        shown = runforge("sweep", "show", "two").out
        assert "grp_20260201_120000_two: running" in shown
        assert "3 of 6 done, 3 left." in shown
        assert "6 members: 3 succeeded, 3 are pending" in " ".join(shown.split())
        page = report(runforge, "two")
        assert "3 of 6 members are done" in page
        assert "pending" in texts(check_harmless(page), "td")
    shown = runforge("sweep", "show", "two").out
    assert "grp_20260201_120000_two: interrupted" in shown
    assert "runforge sweep --resume grp_20260201_120000_two" in shown


def test_a_run_that_the_record_does_not_have_yet_is_shown(sweeps: Sweeps, runforge: Call) -> None:
    folder = folder_of(sweeps, "two")
    runs = json.loads((folder / "group.json").read_bytes())["runs"]
    before = runforge("sweep", "show", "two", "--json").json["best_members"]
    for run in runs:
        run["status"] = "pending"
        for name in ("run_id", "result_ref", "primary_metric"):
            run.pop(name)
    change_group(folder, status="running", runs=runs)
    document = runforge("sweep", "show", "two", "--json").json
    assert [run["state"] for run in document["runs"]] == ["succeeded"] * 6
    assert document["best_members"] == before
    # Without the record there is the plan.
    (folder / "group.json").unlink()
    shown = runforge("sweep", "show", "two")
    assert (shown.code, "6 members, all succeeded" in shown.out) == (0, True)


def test_nothing_has_begun(sweeps: Sweeps, runforge: Call) -> None:
    folder = folder_of(sweeps, "two")
    runs = json.loads((folder / "group.json").read_bytes())["runs"]
    for run in runs:
        shutil.rmtree(sweeps.workspace / ".runforge/runs" / run["run_id"])
        run["status"] = "pending"
        for name in ("run_id", "result_ref", "primary_metric"):
            run.pop(name)
    (sweeps.workspace / ".runforge/index.json").unlink()
    change_group(folder, status="canceled", runs=runs, summary={**_EMPTY, "total": 6})
    shown = runforge("sweep", "show", "two")
    assert "6 members, all are pending" in shown.out
    check_harmless(report(runforge, "two"))
    for arguments in (("diff",), ("export", "--to", "csv", "-o", "out")):
        result = runforge(*arguments, "--group", "two", "--json")
        assert result.json["error"]["code"] == "RUN_NOT_FOUND"
    assert not Path("out").exists()


_EMPTY = {"total": 0, "succeeded": 0, "failed": 0, "canceled": 0}


def test_a_missing_run_keeps_what_the_record_has(sweeps: Sweeps, runforge: Call) -> None:
    document = runforge("sweep", "show", "two", "--json").json
    shutil.rmtree(sweeps.workspace / document["runs"][0]["run_dir"])
    again = runforge("sweep", "show", "two", "--json").json
    (first,) = [run for run in again["runs"] if run["member"] == document["runs"][0]["member"]]
    assert first["metrics"] == {"accuracy": document["runs"][0]["metrics"]["accuracy"]}
    shown = runforge("sweep", "show", "two")
    assert shown.code == 0
    assert "; 1 without its run folder" in shown.out


@pytest.mark.parametrize("name", NAMES)
def test_a_report_on_a_sweep(name: str, sweeps: Sweeps, runforge: Call) -> None:
    tree = check_harmless(report(runforge, name))
    headings = texts(tree, "h2")
    assert headings[0] == "Outcome"
    assert "Members" in headings
    assert ("Errors" in headings) == (name == "failed")
    assert ("Parameters and results" in headings) == (name != "failed")
    pictures = [e for e in tree.iter() if e.attrib.get("role") == "img"]
    identities = {e.attrib["id"]: e for e in tree.iter() if "id" in e.attrib}
    for picture in pictures:
        title, description = picture.attrib["aria-labelledby"].split()
        assert identities[title].text
        assert len(identities[description].text) > 40
    # Other drawings are hidden from screen readers, because a table has their content.
    for drawing in (e for e in tree.iter() if local(e.tag) == "svg" and e not in pictures):
        assert drawing.attrib["aria-hidden"] == "true"
    maps = [e for e in tree.iter("table") if e.attrib.get("class") == "heat"]
    assert bool(maps) == (name in ("two", "three"))
    for table in maps:
        assert all(cell.attrib.get("scope") for cell in table.iter("th"))
        assert "".join(table.find("caption").itertext())
    assert (len(pictures) > 0) == (name in ("one", "three", "listed"))
    members = [e for e in tree.iter("tr") if len(list(e)) >= 4]
    assert len(members) >= len(runforge("sweep", "show", name, "--json").json["runs"])
    markdown = report(runforge, name, "out.md")
    check_plain_markdown(markdown)


def test_the_heat_map_has_the_values(sweeps: Sweeps, runforge: Call) -> None:
    tree = check_harmless(report(runforge, "two"))
    table = next(e for e in tree.iter("table") if e.attrib.get("class") == "heat")
    (head, *rows) = list(table.iter("tr"))[1:]
    columns = ["".join(cell.itertext()) for cell in list(head)[1:]]
    found = {}
    for row in rows:
        first, *cells = list(row)
        for column, cell in zip(columns, cells, strict=True):
            found["".join(first.itertext()), column] = "".join(cell.itertext())
    document = runforge("sweep", "show", "two", "--json").json
    for run in document["runs"]:
        c, steps = run["values"].values()
        assert found[f"{c:g}", f"{steps}"] == f"{run['metrics']['accuracy']:.4f}"
    best = list(table.iter("strong"))
    assert len(best) == len(document["best_members"])


def test_a_report_in_markdown(sweeps: Sweeps, runforge: Call, snapshot: SnapshotAssertion) -> None:
    assert report(runforge, "one", "out.md") == snapshot


def test_where_the_report_on_a_sweep_is_written(sweeps: Sweeps, runforge: Call) -> None:
    done = runforge("report", "--group", "one", "--json")
    assert done.json["path"] == f"{sweeps.ids['one']}.html"
    inside = folder_of(sweeps, "one") / "report.html"
    for arguments in (
        ("--group", "one", "-o", str(inside)),
        ("--group", "one"),
        ("latest", "--group", "one"),
    ):
        result = runforge("report", *arguments, "--json")
        assert (result.code, result.json["error"]["code"]) == (2, "USAGE_INVALID")
    assert not inside.exists()


def test_members_are_compared_with_the_best(
    sweeps: Sweeps, runforge: Call, snapshot: SnapshotAssertion
) -> None:
    assert runforge("diff", "--group", "three").out == snapshot
    assert runforge("diff", sweeps.ids["three"]).out == runforge("diff", "--group", "three").out
    comparison = runforge("diff", "--group", "three", "--json").json
    validate(comparison, "comparison.v1")
    best = runforge("sweep", "show", "three", "--json").json["runs"][0]
    assert comparison["runs"][0]["run_id"] == best["run_id"]
    assert len(comparison["runs"]) == 8
    nothing = runforge("diff", "--group", "failed", "--json")
    assert nothing.json["error"]["code"] == "RUN_NOT_FOUND"


def test_the_runs_of_a_sweep_are_exported(sweeps: Sweeps, runforge: Call) -> None:
    done = runforge("export", "--group", "two", "--to", "csv", "-o", "tables", "--json")
    document = runforge("sweep", "show", "two", "--json").json
    assert sorted(done.json["exported"]) == sorted(run["run_id"] for run in document["runs"])
    table = list(csv.DictReader(io.StringIO(Path("tables/runs.csv").read_text("utf-8"))))
    assert {row["group_id"] for row in table} == {sweeps.ids["two"]}
    inside = folder_of(sweeps, "two") / "tables"
    refused = runforge("export", "--group", "two", "--to", "csv", "-o", str(inside), "--json")
    assert refused.json["error"]["code"] == "USAGE_INVALID"


def test_a_run_names_its_sweep(sweeps: Sweeps, runforge: Call) -> None:
    run = runforge("sweep", "show", "two", "--json").json["runs"][0]
    said = f"{sweeps.ids['two']}, member {run['member']}, with 5 other members"
    assert said in " ".join(runforge("show", run["run_id"]).out.split())
    runforge("report", run["run_id"], "--no-model", "-o", "run.html")
    assert said in " ".join(texts(check_harmless(Path("run.html").read_text("utf-8")), "dd"))
    shutil.rmtree(folder_of(sweeps, "two"))
    assert "not in this workspace" in " ".join(runforge("show", run["run_id"]).out.split())


def test_a_repeated_member_is_no_member(sweeps: Sweeps, runforge: Call) -> None:
    run_id = runforge("sweep", "show", "two", "--json").json["runs"][0]["run_id"]
    again = runforge("rerun", run_id, "--json").json
    request = Run(sweeps.workspace / again["run_dir"]).request or {}
    assert request["rerun_from"] == run_id
    assert not {"sweep_group_id", "sweep_member"} & request.keys()
    assert len(runforge("sweep", "show", "two", "--json").json["runs"]) == 6


def files(workspace: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(workspace)): path.read_bytes()
        for path in sorted(workspace.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def check_safe(runforge: Call, workspace: Path, group: str) -> None:
    """Check that every view shows a group safely or refuses it, and that nothing is written."""
    before = files(workspace)
    for arguments in (
        ("sweep", "show", group),
        ("sweep", "show", group, "--json"),
        ("sweep", "show", group, "--csv"),
        ("sweep", "list"),
        ("diff", "--group", group),
    ):
        result = runforge(*arguments)
        assert result.code in (0, 1, 2, 3), result.err
        assert "Traceback" not in result.err
        if not {"--json", "--csv"} & set(arguments):
            assert not {"\x1b", "\x07", "\u202e"} & set(result.out + result.err)
    assert files(workspace) == before
    result = runforge("report", "--group", group, "-o", "safe.html")
    if result.code == 0:
        check_harmless(Path("safe.html").read_text("utf-8"))
        runforge("report", "--group", group, "-o", "safe.md")
        check_plain_markdown(Path("safe.md").read_text("utf-8"))


def test_hostile_names_are_shown_as_text(sweeps: Sweeps, runforge: Call) -> None:
    folder = folder_of(sweeps, "two")
    document = json.loads((folder / "group.json").read_bytes())
    for run in document["runs"]:
        run["request_overrides"] |= {HOSTILE: HOSTILE, "other": [HOSTILE, {"a": 1e308}]}
        run["primary_metric"]["name"] = HOSTILE
    document["runs"][0]["request_overrides"][HOSTILE] = 10**300
    change_group(folder, name=HOSTILE, notes=f"a\n{HOSTILE}", runs=document["runs"])
    check_safe(runforge, sweeps.workspace, sweeps.ids["two"])
    shown = runforge("sweep", "show", sweeps.ids["two"]).out
    assert "\\x1b]0;owned\\x07<script>alert(1)</script>\\u202e" in shown


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"[]",
        b'{"version": 1, "kind": "run_group", "group_id": 7, "duplicates": [], "runs": {}}',
        b'{"version": NaN}',
        b"[" * 100_000,
        b" " * (2**26 + 1),
    ],
    ids=["cut", "list", "types", "nan", "deep", "huge"],
)
def test_invalid_documents_are_refused(text: bytes, sweeps: Sweeps, runforge: Call) -> None:
    folder = folder_of(sweeps, "two")
    (folder / "group.json").write_bytes(text)
    for arguments in (("sweep", "show"), ("report", "--group"), ("diff", "--group")):
        result = runforge(*arguments, sweeps.ids["two"], "--json")
        assert result.code in (1, 2), result.out
        assert result.json["error"]["code"] != "INTERNAL"
    listed = runforge("sweep", "list")
    assert listed.code == 0
    assert sweeps.ids["one"] in listed.out
    assert f"`{sweeps.ids['two']}` cannot be read" in listed.err
    (line,) = [line for line in listed.out.splitlines() if sweeps.ids["two"] in line]
    assert "unreadable" in line


def test_links_are_not_followed(sweeps: Sweeps, runforge: Call) -> None:
    folder = folder_of(sweeps, "two")
    away = sweeps.workspace / "elsewhere.json"
    (folder / "group.json").rename(away)
    (folder / "group.json").symlink_to(away)
    refused = runforge("sweep", "show", sweeps.ids["two"], "--json")
    assert refused.json["error"]["code"] == "FILE_UNSAFE"
    # A group whose folder is a link is none.
    linked = sweeps.workspace / ".runforge/groups/linked"
    linked.symlink_to(folder_of(sweeps, "one"), target_is_directory=True)
    assert runforge("sweep", "show", "linked", "--json").code == 3


def test_a_record_cannot_claim_the_runs_of_others(sweeps: Sweeps, runforge: Call) -> None:
    folder = folder_of(sweeps, "two")
    others = [run["run_id"] for run in runforge("sweep", "show", "one", "--json").json["runs"]]
    document = json.loads((folder / "group.json").read_bytes())
    document["runs"][0]["run_id"] = others[0]
    outside = sweeps.workspace / "outside"
    shutil.copytree(sweeps.workspace / ".runforge/runs" / document["runs"][1]["run_id"], outside)
    link = sweeps.workspace / ".runforge/runs/20260201-120000-00000000"
    link.symlink_to(outside, target_is_directory=True)
    document["runs"][1]["run_id"] = link.name
    change_group(folder, runs=document["runs"])
    runs = {
        run["member"]: run
        for run in runforge("sweep", "show", sweeps.ids["two"], "--json").json["runs"]
    }
    assert "run_dir" not in runs[1]
    assert "run_dir" not in runs[2]
    assert "run_dir" in runs[3]
    document["runs"][0]["run_id"] = "../../outside"
    change_group(folder, runs=document["runs"])
    assert runforge("sweep", "show", sweeps.ids["two"], "--json").json["error"]["code"] == (
        "DOCUMENT_INVALID"
    )


def desktop_group(sweeps: Sweeps) -> Path:
    """Write a group as the command line of Desktop does, with runs in its store."""
    workspace = sweeps.workspace
    runs = []
    found = json.loads((folder_of(sweeps, "two") / "group.json").read_bytes())["runs"]
    for number, run in enumerate(found):
        run_id = f"20260201-130000-sweep-{number:04}"
        source = workspace / ".runforge/runs" / run["run_id"]
        target = workspace / ".ml/runs" / run_id
        target.mkdir(parents=True)
        request = json.loads((source / "request.json").read_bytes())
        request |= {"created_at": "2026-02-01T13:00:00.123456", "sweep_group_id": "grp_desktop"}
        del request["sweep_member"]
        (target / "request.json").write_text(json.dumps(request), "utf-8")
        result = json.loads((source / "result.json").read_bytes())
        for name in ("run_id", "provenance"):
            result.pop(name, None)
        if number < 4:
            (target / "result.json").write_text(json.dumps(result), "utf-8")
        runs.append(
            {
                "run_id": run_id,
                "status": ("succeeded", "succeeded", "succeeded", "succeeded", "queued", "paused")[
                    number
                ],
                "request_overrides": {
                    f"model.hyperparameters.{path.rpartition('/')[2]}": value
                    for path, value in run["request_overrides"].items()
                },
                "result_ref": f".ml/runs/{run_id}/result.json",
                "primary_metric": run["primary_metric"] if number < 4 else None,
            }
        )
    folder = workspace / ".runforge/groups/grp_desktop"
    folder.mkdir(parents=True)
    (folder / "group.json").write_text(
        json.dumps(
            {
                "version": 1,
                "kind": "run_group",
                "group_id": "grp_desktop",
                "created_at": "2026-02-01T13:00:00.000001",
                "created_by": "runforge-cli@0.3.0",
                "name": "from Desktop",
                "notes": "",
                "plan_ref": "plan.json",
                "status": "paused",
                "execution": {
                    "max_parallel": 2,
                    "started_at": "2026-02-01T13:00:00.000001",
                    "finished_at": None,
                    "cancelled": False,
                },
                "runs": runs,
                "summary": {**_EMPTY, "total": 6, "best_run_id": None},
            }
        ),
        "utf-8",
    )
    return folder


def test_a_group_of_desktop_is_shown(sweeps: Sweeps, runforge: Call) -> None:
    desktop_group(sweeps)
    document = runforge("sweep", "show", "grp_desktop", "--json").json
    states = sorted(run["state"] for run in document["runs"])
    assert states.count("succeeded") == 4
    assert document["runs"][0]["run_dir"].startswith(".ml/runs/")
    assert [parameter["name"] for parameter in document["parameters"]] == ["C", "max_iter"]
    shown = runforge("sweep", "show", "grp_desktop").out
    assert "grp_desktop: paused" in shown
    assert "the command line of Desktop" in " ".join(shown.split())
    check_safe(runforge, sweeps.workspace, "grp_desktop")
    run_id = document["runs"][0]["run_id"]
    assert "grp_desktop, with 5 other members" in " ".join(runforge("show", run_id).out.split())


@pytest.mark.slow
def test_a_grid_of_200_is_readable_everywhere(workspace: Path, runforge: Call) -> None:
    steps = ",".join(map(str, (5, 10, 20, 50, 100, 200, 500, 1000)))
    grid = ("--grid", "C=0.001,0.01,0.1,1,10", "--grid", f"max_iter={steps}", "--seeds", "1..5")
    sweep(workspace, *PENGUINS, *grid)
    shown = runforge("sweep", "show").out.splitlines()
    assert max(map(len, shown)) <= 80
    assert len(shown) < 90
    assert "  180 more; use --limit 200 to show all." in shown
    whole = runforge("sweep", "show", "--limit", "200").out
    assert len(re.findall(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}$", whole, re.MULTILINE)) >= 200
    page = report(runforge, "latest")
    tree = check_harmless(page)
    assert len(page) < 250_000
    table = next(e for e in tree.iter("table") if e.attrib.get("class") == "heat")
    assert len([e for e in table.iter("td") if "class" in e.attrib]) == 40
    document = runforge("sweep", "show", "--json").json
    assert len(document["settings"]) == 40
    from runforge_engine import Store

    notebook = Store(workspace).open_sweep()._repr_html_()
    assert notebook.count("rgba(") == 40
    assert "the first 20 of 200" in notebook
