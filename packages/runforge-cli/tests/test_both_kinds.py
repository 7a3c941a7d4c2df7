"""Runs of experiments beside trained ones: listed, shown, compared, reported and exported."""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import html5lib
import pytest
from calls import Call
from markdown_it import MarkdownIt
from real_experiments import HOSTILE, LINES, SCRIPT, Repository, at_work
from runforge_contracts.codec.strict_yaml import load_yaml
from runforge_contracts.invariants.experiment_invariants import open_experiment_run
from runforge_contracts.validation import validate

NEWEST_FIRST = (
    *("bridged", "bridge", "killed", "broken", "hostile", "faster", "first", "trained"),
    "other tool",
)
STATUS = {
    "bridged": "succeeded",
    "bridge": "succeeded",
    "killed": "interrupted",
    "broken": "failed",
    "hostile": "failed",
    "faster": "succeeded",
    "first": "succeeded",
    "trained": "succeeded",
    "other tool": "unknown",
}


def newest_first(repository: Repository, found: list[str]) -> list[str]:
    """Return the ids of all runs as they are to be listed.

    Those that began in the same second, as on a fast machine, stand as they are found.
    """

    def began(run_id: str) -> str:
        if not run_id.startswith("run-"):
            return run_id.replace("-", "")[:14]
        config = load_yaml(repository.root / "runs" / run_id / "config.yaml")
        return re.sub(r"\D", "", config.get("started_at", ""))[:14]

    ids = [repository.ids[name] for name in NEWEST_FIRST]
    seconds = {run_id: began(run_id) for run_id in ids}
    assert list(seconds.values()) == sorted(seconds.values(), reverse=True)
    first_found = sorted(ids, key=found.index)
    return sorted(first_found, key=seconds.__getitem__, reverse=True)


def column(text: str, number: int) -> list[str]:
    return [line.split()[number] for line in text.splitlines()[1:]]


# Listing


def test_both_kinds_are_one_list_by_time(
    runforge: Call, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    shown = runforge("runs").out
    ids = newest_first(repository, column(shown, 0))
    assert column(shown, 0) == ids
    kinds = ["experiment" if run_id.startswith("run-") else "trained" for run_id in ids]
    assert column(shown, 1) == kinds
    names = {run_id: name for name, run_id in repository.ids.items()}
    assert column(shown, 2) == [STATUS[names[run_id]] for run_id in ids]
    assert column(runforge("runs", "--limit", "3").out, 0)[:3] == ids[:3]
    assert "6 more; use --limit 9 to show all." in runforge("runs", "--limit", "3").out
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, runforge("runs").out.splitlines())) <= 80
    assert "kind" not in runforge("runs", "--store", ".runforge").out
    assert column(runforge("runs", "--store", ".runforge").out, 0) == [
        repository.ids["bridged"],
        repository.ids["trained"],
    ]


def test_the_kinds_are_two_lists_for_programs(runforge: Call, repository: Repository) -> None:
    document = runforge("runs", "--json").json
    validate(document, "index.v1")
    ids = repository.ids
    assert [entry["run_id"] for entry in document["runs"]] == [ids["bridged"], ids["trained"]]
    experiments = {entry["run_id"]: entry for entry in document["experiments"]}
    assert len(experiments) == 7
    first = experiments[ids["first"]]
    assert (first["name"], first["model_family"], first["dataset"]) == (
        "exp train",
        "tiny:v1",
        "penguins.csv",
    )
    metrics = json.loads((repository.folder("first") / "metrics.json").read_bytes())["summary"]
    assert first["summary"]["final_metrics"] == metrics
    assert len(first["dataset_fingerprint_sha256"]) == 64
    for name, status in STATUS.items():
        if ids[name] in experiments:
            entry = experiments[ids[name]]
            assert (entry.get("status") or entry["state"]) == status
    assert "experiments" not in runforge("runs", "--json", "--store", ".runforge").json


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--status", "failed"), ["broken", "hostile"]),
        (("--status", "interrupted"), ["killed"]),
        (("--model", "tiny:v1"), ["killed", "broken", "faster", "first"]),
        (("--model", "runforge/random_forest"), ["bridge"]),
        (("--tag", SCRIPT), ["hostile"]),
        (("--dataset", "penguins.csv", "--sort", "val_loss"), ["faster", "first"]),
        (("--sort", "val_loss", "--limit", "2"), ["faster", "first"]),
        (("--sort", LINES, "--limit", "1"), ["hostile"]),
    ],
    ids=str,
)
def test_filters_and_orders_are_for_both(
    options: tuple[str, ...], names: list[str], runforge: Call, repository: Repository
) -> None:
    found = runforge("runs", "--csv", *options).out
    rows = list(csv.DictReader(io.StringIO(found, newline="")))
    ids = [repository.ids[name] for name in names]
    assert [row["run_id"] for row in rows][: len(ids)] == ids


def test_a_repository_without_trained_runs_is_a_workspace(
    runforge: Call, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(repository.root / ".runforge")
    (repository.root / "deeper/still").mkdir(parents=True)
    monkeypatch.chdir(repository.root / "deeper/still")
    assert runforge("show").out.startswith(f"Run {repository.ids['bridge']}: succeeded")
    assert "kind" not in runforge("runs").out.splitlines()[0]
    assert sum(word.startswith("run-") for word in column(runforge("runs").out, 0)) == 7
    assert not (repository.root / ".runforge").exists()


def test_trained_runs_alone_need_no_yaml(repository: Repository) -> None:
    shutil.rmtree(repository.root / "runs")
    program = "import sys; sys.argv[0] = 'runforge'; from runforge_cli.__main__ import main; "
    program += "import atexit; atexit.register(lambda: print('yaml' in sys.modules)); main()"
    for arguments in (("runs",), ("runs", "--sort", "accuracy"), ("runs", "--json")):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "False"


def test_the_newest_page_reads_the_newest_folders_alone(
    runforge: Call, repository: Repository
) -> None:
    config = repository.root / "runs/run-2026-01-01-001/config.yaml"
    config.unlink()
    os.mkfifo(config)  # to read it would take for ever
    assert len(column(runforge("runs", "--limit", "3").out, 0)) >= 3
    config.unlink()
    config.write_text("run_id: [", "utf-8")
    assert column(runforge("runs", "--columns", "run,status").out, 1)[-1] == "unreadable"


def test_runs_are_completed_by_their_ids(repository: Repository) -> None:
    environment = {
        **os.environ,
        "_RUNFORGE_COMPLETE": "bash_complete",
        "COMP_WORDS": "runforge show run-",
        "COMP_CWORD": "2",
    }
    program = "from runforge_cli.shell.app import cli; cli(prog_name='runforge')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    offered = [line.partition(",")[2] for line in done.stdout.splitlines()]
    assert sorted(offered) == sorted(i for i in repository.ids.values() if i.startswith("run-"))


# One run


def test_a_run_is_shown_on_one_screen(runforge: Call, repository: Repository) -> None:
    shown = runforge("show", repository.ids["faster"]).out
    assert shown.startswith(f"Run {repository.ids['faster']}: succeeded\n")
    assert max(map(len, shown.splitlines())) <= 80
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    for line in (
        "experiment exp train",
        "notes fast",
        "script train.py",
        "training.rate 0.5 (for this run only)",
        "training.optimizer sgd",
        "seed 3",
        "model tiny:v1",
        "rate 0.5",
        "artifacts/model/weights.bin 700 bytes a82087423a13…",
        "experiment file train.yaml",
    ):
        assert line in lines, line
    assert any(line.startswith("dataset penguins.csv (sha256 f204db2c753b…)") for line in lines)
    assert any(line.startswith("accuracy 1.0000") for line in lines)
    [curve] = [line for line in lines if line.startswith("loss ")]
    assert "█" in curve
    assert curve.endswith("40 values from 0.6065")
    assert f"repeat it runforge experiment run --experiment runs/{repository.ids['faster']}" in (
        " ".join(" ".join(lines).split())
    )


def test_why_a_run_did_not_succeed_is_shown(runforge: Call, repository: Repository) -> None:
    broken = runforge("show", repository.ids["broken"])
    assert broken.code == 0
    assert "error" in broken.out
    assert "[JSON_" in broken.out
    assert "Problems\n" in broken.out
    assert f"runforge experiment check {repository.ids['broken']}" in broken.out
    document = runforge("show", repository.ids["broken"], "--json").json
    assert (document["kind"], document["status"]) == ("experiment", "failed")
    assert document["problems"][0]["path"].endswith("metrics.json")
    assert "metrics" not in document
    assert document["config"]["failure"]["message"]
    killed = runforge("show", repository.ids["killed"]).out
    assert "The process ended before it could record the result." in killed
    other = runforge("show", repository.ids["other tool"]).out
    assert "The run does not record how it ended." in other
    hostile = runforge("show", repository.ids["hostile"]).out
    assert "User code ended with the exit code 3" in hostile.replace("\n", " ").replace("  ", " ")
    assert "End of the log" in hostile


def test_a_run_in_progress_shows_its_metrics_so_far(runforge: Call, repository: Repository) -> None:
    with at_work(repository.root) as (_, folder):
        shown = runforge("show").out
        assert shown.startswith(f"Run {folder.name}: running\n")
        assert "0.5000 so far" in shown
        assert f"runforge cancel {folder.name}" in shown
        assert column(runforge("runs", "--status", "running").out, 0) == [folder.name]


@pytest.mark.parametrize(
    "reference", ["run-2026-01", "runs/run-2026-01-01-001", "./runs/run-2026-01-01-001"]
)
def test_a_run_is_named_as_trained_ones_are(
    reference: str, runforge: Call, repository: Repository
) -> None:
    assert runforge("show", reference, "--json").json["run_id"] == "run-2026-01-01-001"
    error = runforge("show", "run-", "--json").json["error"]
    assert error["code"] == "RUN_AMBIGUOUS"
    assert runforge("show", "run-9", "--json").json["error"]["code"] == "RUN_NOT_FOUND"


def test_an_experiment_names_all_of_its_runs(runforge: Call, repository: Repository) -> None:
    config = "experiment: tree\nmodel: m\ndataset: d\nstatus: succeeded\n"
    for number in (1, 2):
        folder = repository.root / f"runs/run-2026-03-01-00{number}"
        folder.mkdir()
        (folder / "config.yaml").write_text(f"run_id: {folder.name}\n{config}", "utf-8")
        if number == 1:
            alone = runforge("show", "tree")
            assert (alone.code, "`tree` is an experiment, whose run is" in alone.err) == (3, True)
            assert "hint: `name:tree` is its newest run." in alone.err
    for command in ("show", "report"):
        several = runforge(command, "tree")
        assert several.code == 2
        assert "error[RUN_AMBIGUOUS]: 2 runs have the name `tree`:" in several.err
        assert "hint: `name:tree` is the newest of them." in several.err
    assert runforge("show", "name:tree", "--json").json["run_id"] == "run-2026-03-01-002"


def test_the_latest_is_the_newest_of_both_kinds(runforge: Call, repository: Repository) -> None:
    latest = runforge("show", "--json").json["run_id"]
    assert latest in (repository.ids["bridged"], repository.ids["bridge"])
    folder = repository.root / "runs/run-2099-01-01-001"
    shutil.copytree(repository.folder("other tool"), folder)
    # Its day lies ahead, and its files are older: another clock does not decide.
    assert runforge("show", "--json").json["run_id"] == latest
    for path in (folder, *folder.rglob("*")):
        os.utime(path)
    assert runforge("show", "--json").json["run_id"] == folder.name


NEEDS_A_TRAINED_RUN = (
    ("metrics",),
    ("importance",),
    ("coefficients",),
    ("interpretability",),
    ("reproduce",),
    ("rerun",),
    ("sign", "--key", "key.pem"),
    ("inspect-artifact",),
)


@pytest.mark.parametrize("command", NEEDS_A_TRAINED_RUN, ids=lambda command: command[0])
def test_a_command_for_trained_runs_says_what_to_use_instead(
    command: tuple[str, ...], runforge: Call, repository: Repository
) -> None:
    name, *options = command
    result = runforge(name, repository.ids["first"], *options, "--json")
    error = result.json["error"]
    assert (result.code, error["code"]) == (2, "USAGE_INVALID")
    assert "is an experiment run" in error["message"]
    assert repository.ids["first"] in error["hint"]
    bridged = runforge(name, repository.ids["bridge"], *options, "--json").json["error"]
    assert (
        bridged["hint"]
        == f"The experiment trained the run `{repository.ids['bridged']}`; name that one."
    )


def test_no_model_is_loaded_from_an_experiment(runforge: Call, repository: Repository) -> None:
    result = runforge("predict", repository.ids["bridge"], "penguins.csv", "--json")
    assert (result.code, result.json["error"]["code"]) == (2, "USAGE_INVALID")


# Several runs


def test_two_experiments_are_compared(runforge: Call, repository: Repository) -> None:
    ids = repository.ids
    document = runforge("diff", ids["first"], ids["faster"], "--json").json
    validate(document, "comparison.v1")
    assert [run["kind"] for run in document["runs"]] == ["experiment", "experiment"]
    fields = {field["name"]: field for field in document["configuration"]}
    assert [entry["value"] for entry in fields["training.rate"]["values"]] == [0.1, 0.5]
    assert fields["training.optimizer"]["agreement"] == "equal"
    [conclusion] = document["conclusions"]
    assert (conclusion["results"], conclusion["reasons"]) == ("different", ["configuration"])
    metrics = {metric["name"]: metric for metric in document["metrics"]}
    assert metrics["val_loss"]["lower_is_better"]
    assert metrics["val_loss"]["values"][1]["verdict"] == "better"
    assert [field["agreement"] for field in document["artifacts"]] == ["equal"]
    shown = runforge("diff", ids["first"], ids["faster"]).out
    assert "`training.rate` and `rate` differ" in " ".join(shown.split())


def test_an_experiment_is_compared_with_the_run_that_it_had_trained(
    runforge: Call, repository: Repository
) -> None:
    ids = repository.ids
    document = runforge("diff", ids["bridge"], ids["bridged"], "--json").json
    validate(document, "comparison.v1")
    [conclusion] = document["conclusions"]
    assert conclusion["text"] == "The same model with the same metrics."
    assert (conclusion["results"], conclusion["model"]) == ("equal", "equal")
    unlike = runforge("diff", ids["first"], ids["trained"], "--json").json
    validate(unlike, "comparison.v1")
    nothing = runforge("diff", ids["hostile"], ids["trained"], "--json").json["conclusions"][0]
    assert nothing["results"] == "unknown"
    assert "no metric in common" in nothing["text"]


def test_what_cannot_be_read_is_reported_and_the_rest_compared(
    runforge: Call, repository: Repository
) -> None:
    result = runforge("diff", repository.ids["broken"], repository.ids["first"])
    assert result.code == 0
    assert result.err.startswith("warning: ")
    assert "The first run failed (`JSON_" in result.out


@pytest.fixture
def report(runforge: Call, repository: Repository) -> Any:
    """Return a function that writes a report on runs by what is special about them."""

    def make(*names: str, form: str = "html") -> str:
        target = repository.root / f"out.{form}"
        ids = [repository.ids[name] for name in names]
        result = runforge("report", *ids, "-o", str(target), "--force")
        assert result.code == 0, result.err
        return target.read_text("utf-8")

    return make


SVG = "{http://www.w3.org/2000/svg}"


def curves(figure: Any) -> list[Any]:
    """Return the lines of a plot."""
    found: list[Any] = figure.findall(f".//{SVG}svg[@class='plot']/{SVG}path")
    return found


def test_a_report_draws_the_histories(report: Any) -> None:
    page = report("first")
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    figures = tree.findall(".//figure")
    titles = [figure.find(".//strong").text for figure in figures]
    assert titles == ["loss", "val_loss"]
    for figure in figures:
        assert len(curves(figure)) == 1
        assert "40 values from" in figure.find(f".//{SVG}desc").text
        assert figure.find(".//details") is not None
    assert "default-src &#x27;none&#x27;" in page
    written = report("first", form="md")
    assert "**loss** – 40 values from 0.9048 to 0.0183" in written
    assert "| `rate` | `0.1` |" in written


def test_a_report_lays_curves_over_each_other(report: Any, repository: Repository) -> None:
    page = report("first", "faster", "trained")
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    [compared] = [
        section
        for section in tree.iter("section")
        if "".join(section.find("*").itertext()) == "Curves compared"
    ]
    for figure in compared.findall(".//figure"):
        assert len(curves(figure)) == 2
        assert [code.text for code in figure.findall(".//ul/li/code")] == ["A", "B"]
    assert f"Run C: {repository.ids['trained']}" in page


@pytest.mark.parametrize("name", ["hostile", "broken", "killed", "other tool", "bridge"])
@pytest.mark.parametrize("form", ["html", "md"])
def test_whatever_a_run_is_called_a_report_is_text(name: str, form: str, report: Any) -> None:
    page = report(name, form=form)
    harmless(page.replace("\n", ""))
    if form == "html":
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
        assert not list(tree.iter("script")) + list(tree.iter("b")) + list(tree.iter("i"))
    else:
        tokens = MarkdownIt("commonmark", {"linkify": True}).enable("table").parse(page)
        kinds = {item.type for token in tokens for item in (token, *(token.children or ()))}
        assert not kinds & {"html_block", "html_inline", "link_open", "image"}
        assert [t.tag for t in tokens if t.type == "heading_open"].count("h1") == 1


def harmless(text: str) -> None:
    """Assert that a string has no control characters and does not change the text direction."""
    assert not {unicodedata.category(character) for character in text} & {"Cc", "Cf", "Co", "Cs"}


@pytest.mark.parametrize("command", ["runs", "show", "diff", "verify", "check"])
def test_whatever_a_run_is_called_a_terminal_is_safe(
    command: str, runforge: Call, repository: Repository
) -> None:
    ids = repository.ids
    calls = {
        "runs": ("runs",),
        "show": ("show", ids["hostile"]),
        "diff": ("diff", ids["hostile"], ids["first"]),
        "verify": ("verify", ids["hostile"]),
        "check": ("experiment", "check", ids["hostile"]),
    }
    result = runforge(*calls[command])
    harmless((result.out + result.err).replace("\n", ""))
    assert max(map(len, result.out.splitlines())) <= 80


# Ways out


def test_tables_have_both_kinds_and_every_value(runforge: Call, repository: Repository) -> None:
    reported = runforge("export", "--to", "csv", "-o", "tables", "--json").json
    assert len(reported["exported"]) == 9

    def rows(name: str) -> list[dict[str, str]]:
        text = (repository.root / "tables" / name).read_bytes().decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))

    listed = [row["run_id"] for row in rows("runs.csv")]
    assert listed == newest_first(repository, listed)
    assert {row["run_id"]: row["status"] for row in rows("runs.csv")} == {
        repository.ids[name]: status for name, status in STATUS.items()
    }
    recorded = json.loads((repository.folder("first") / "metrics.json").read_bytes())["history"]
    found = [row for row in rows("history.csv") if row["run_id"] == repository.ids["first"]]
    assert [(row["metric"], float(row["step"]), float(row["value"])) for row in found] == [
        (name, point["step"], point["value"]) for name in recorded for point in recorded[name]
    ]
    hostile = [row for row in rows("history.csv") if row["run_id"] == repository.ids["hostile"]]
    assert {row["metric"] for row in hostile} == set(HOSTILE)


def test_configured_values_of_experiments_are_columns_conditions_and_an_order(
    runforge: Call, repository: Repository
) -> None:
    name = "training.rate"
    rows = runforge("runs", "--where", f"{name}>0", "--columns", f"run,{name}", "--csv").out
    values = dict(line.split(",") for line in rows.splitlines()[1:])
    assert values[repository.ids["faster"]] == "0.5"
    assert values[repository.ids["first"]] == "0.1"
    found = runforge("runs", "--where", f"{name}=0.5", "--columns", "run", "--csv").out
    assert found.split() == ["run", repository.ids["faster"]]
    ordered = runforge("runs", "--sort", f"-{name}", "--columns", "run", "--csv").out
    assert ordered.split()[1] == repository.ids["faster"]


def test_a_metric_may_have_the_name_of_a_column(runforge: Call, repository: Repository) -> None:
    path = repository.folder("other tool") / "metrics.json"
    values = {"status": 1.0, "run": 2.0, "name": 3.0, "kind": 4.0, "metric.name": 5.0}
    path.write_text(json.dumps({"summary": values}), "utf-8")
    shown = runforge("runs", "--sort", "metric.status", "--limit", "1").out.splitlines()
    assert shown[1].split()[:3] == ["run-2026-01-01-001", "unknown", "1.0000"]
    found = runforge("runs", "--csv", "--sort", "metric.run", "--limit", "1").out
    [row] = csv.DictReader(io.StringIO(found, newline=""))
    assert (row["run_id"], row["status"], row["kind"]) == (
        path.parent.name,
        "unknown",
        "experiment",
    )
    assert (row["metric.status"], row["metric.run"], row["metric.name"]) == ("1.0", "2.0", "3.0")
    assert (row["metric.kind"], row["metric.metric.name"]) == ("4.0", "5.0")


def test_nothing_is_written_among_the_runs(runforge: Call, repository: Repository) -> None:
    before = sorted(repository.root.rglob("*"))
    for arguments in (
        ("report", repository.ids["first"], "-o", "runs/report.html"),
        ("export", "--to", "csv", "-o", "runs/tables"),
        ("export", "--to", "csv", "-o", str(repository.folder("first") / "artifacts")),
    ):
        result = runforge(*arguments, "--json")
        assert (result.code, result.json["error"]["code"]) == (2, "USAGE_INVALID")
    assert sorted(repository.root.rglob("*")) == before


def verified(runforge: Call, *arguments: str) -> tuple[int, dict[str, str]]:
    """Return the exit code, and the verdict on the files of each run of an experiment."""
    result = runforge("verify", *arguments, "--json")
    validate(result.json, "verification.v1")
    return result.code, {
        run["run_id"]: run["checks"][0]["verdict"]
        for run in result.json["runs"]
        if run["run_id"].startswith("run-")
    }


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder, for which it is enough to be able to read it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def test_no_lock_and_no_edited_status_hides_a_run_that_ended(
    runforge: Call, repository: Repository
) -> None:
    first, other = repository.ids["first"], repository.ids["other tool"]
    config = repository.root / "runs" / first / "config.yaml"
    text = config.read_text()
    config.chmod(0o644)
    config.write_text(text.replace("status: succeeded", "status: running"))
    assert config.read_text() != text
    with locked(config.parent), locked(repository.root / "runs" / other):
        _, found = verified(runforge, "--all")
        assert (found[first], found[other]) == ("changed", "not checked")
        assert verified(runforge, other) == (7, {other: "not checked"})
        assert verified(runforge, first) == (1, {first: "changed"})


def test_a_key_vouches_for_no_run_of_an_experiment(runforge: Call, repository: Repository) -> None:
    assert runforge("keygen").code == 0
    for name in ("hostile", "broken", "killed"):
        shutil.rmtree(repository.root / "runs" / repository.ids[name])
    # Nothing vouches for the run of another tool.
    assert runforge("verify", "--all").code == 7
    # After the whole store is removed, no signature is left.
    shutil.rmtree(repository.root / ".runforge")
    result = runforge("verify", "--all", "--public-key", "runforge.key.pub", "--json")
    assert result.code == 1
    assert {item["rule"] for run in result.json["runs"] for item in run["findings"]} == {
        "signature.exists"
    }


def test_each_file_of_an_experiment_is_opened_once(runforge: Call, repository: Repository) -> None:
    run = repository.root / "runs" / repository.ids["first"]
    # The journal is looked at line by line, and its digest is of the same bytes.
    (run / "metrics.jsonl").write_bytes(b"no entry\n" * 100 + b"{}" * 2**20 + b"\nthe end")
    paths = Counter[str]()
    real = os.open

    def counting(path: Any, *arguments: Any, **options: Any) -> int:
        paths[os.fspath(path)] += 1
        return real(path, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", counting)
        found = open_experiment_run(run)
    expected = {str(path): 1 for path in run.rglob("*") if path.is_file()}
    assert {path: paths[path] for path in expected} == expected
    data = (run / "metrics.jsonl").read_bytes()
    assert found.files["metrics.jsonl"] == (hashlib.sha256(data).hexdigest(), len(data))
    assert [line.number for line in found.invalid_lines] == list(range(1, 21))
