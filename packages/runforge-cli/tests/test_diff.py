"""``runforge diff``: what differs between real runs, older ones and those that did not succeed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, TRAIN, Call
from real_store import start, training
from runforge_cli.render.differences import comparison_lines, letters_of
from runforge_contracts.validation import validate
from syrupy.assertion import SnapshotAssertion

VECTORS = ROOT / "docs/test-vectors/runs"
HOSTILE = 'a"><script>alert(1)</script>\x1b[31m\n\u202e|`*_<b>'


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return real runs by what is special about them; all are in one workspace."""
    workspace = tmp_path_factory.mktemp("diff")
    shutil.copyfile(ROOT / "examples/penguins.csv", workspace / "penguins.csv")
    runs = workspace / ".runforge/runs"

    def train(*options: str, code: int = 0) -> Path:
        before = set(runs.glob("*"))
        assert start(workspace, *TRAIN, *options).wait() == code
        return next(iter(set(runs.glob("*")) - before))

    found = {
        "first": train("--name", "first"),
        "again": train("--name", "again"),
        "weaker": train("--param", "C=0.01"),
        "seed": train("--seed", "7"),
        "forest": train("--model", "random_forest", "--preset", "fast"),
        "trees": train("--model", "random_forest", "--preset", "fast", "--seed", "1"),
        "svc": train("--model", "linear_svc"),
        "fewer": train("--exclude", "body_mass_g"),
    }
    before = set(runs.glob("*"))
    assert start(workspace, "train", "penguins.csv", "--label", "species").wait() == 1
    found["failed"] = next(iter(set(runs.glob("*")) - before))
    with training(workspace) as (process, folder):
        process.terminate()
        assert process.wait() == 5
    return {**found, "cancelled": folder}


def compared(runforge: Call, *folders: Path) -> Any:
    result = runforge("diff", *map(str, folders), "--json")
    assert result.code == 0, result.err
    validate(result.json, "comparison.v1")
    return result.json


def field(comparison: Any, group: str, name: str) -> Any:
    return next(item for item in comparison[group] if item["name"] == name)


def test_a_repeated_run_is_the_same(runforge: Call, trained: dict[str, Path]) -> None:
    comparison = compared(runforge, trained["first"], trained["again"])
    (conclusion,) = comparison["conclusions"]
    assert (conclusion["results"], conclusion["model"]) == ("equal", "equal")
    assert conclusion["same_validation_rows"] is True
    assert conclusion["reasons"] == []
    assert conclusion["text"] == "The same model with the same metrics."
    assert comparison["weights"][0]["moved"] == []
    out = runforge("diff", str(trained["first"]), str(trained["again"])).out
    assert "\n  equal: " in out
    assert "different" not in out


def test_another_hyperparameter_is_named_with_its_source(
    runforge: Call, trained: dict[str, Path]
) -> None:
    comparison = compared(runforge, trained["first"], trained["weaker"])
    assert field(comparison, "hyperparameters", "C") == {
        "name": "C",
        "agreement": "different",
        "values": [{"value": 1, "source": "model_default"}, {"value": 0.01, "source": "cli"}],
    }
    (conclusion,) = comparison["conclusions"]
    assert conclusion["results"] == "different"
    assert conclusion["reasons"] == ["configuration"]
    assert "because `C` differs." in conclusion["text"]
    moved = comparison["weights"][0]["moved"]
    distances = [item["movement"] for item in moved]
    assert distances == sorted(distances, reverse=True)
    first = moved[0]
    assert first["values"][1]["delta"] == first["values"][1]["value"] - first["values"][0]["value"]
    out = runforge("diff", str(trained["first"]), str(trained["weaker"])).out
    assert "1.0 (model default)  0.01 (command line)" in out


def test_metrics_on_other_rows_are_not_taken_for_comparable(
    runforge: Call, trained: dict[str, Path]
) -> None:
    comparison = compared(runforge, trained["weaker"], trained["seed"])
    (conclusion,) = comparison["conclusions"]
    assert conclusion["same_validation_rows"] is False
    assert "not measured on the same rows" in conclusion["text"]


def test_three_families_are_compared_but_not_their_weights(
    runforge: Call, trained: dict[str, Path]
) -> None:
    names = ("first", "forest", "svc")
    comparison = compared(runforge, *(trained[name] for name in names))
    assert comparison["weights"] == []
    assert [len(metric["values"]) for metric in comparison["metrics"]] == [3] * 13
    for conclusion in comparison["conclusions"]:
        assert conclusion["reasons"] == ["configuration"]
    # What only one family has is not a difference of values.
    assert field(comparison, "hyperparameters", "n_estimators")["agreement"] == "incomplete"


def test_importances_that_moved_are_shown_for_forests(
    runforge: Call, trained: dict[str, Path]
) -> None:
    comparison = compared(runforge, trained["first"], trained["forest"], trained["trees"])
    (weights,) = comparison["weights"]
    assert weights["kind"] == "feature_importance"
    assert weights["against"] == trained["forest"].name
    assert all(item["values"][0] == {} for item in weights["moved"])
    assert len(weights["moved"]) == 4


def test_a_feature_that_a_run_lacks_is_reported(runforge: Call, trained: dict[str, Path]) -> None:
    comparison = compared(runforge, trained["first"], trained["fewer"])
    assert field(comparison, "data", "feature_names")["agreement"] == "different"
    lost = [w for w in comparison["weights"][0]["moved"] if w["feature"] == "body_mass_g"]
    assert {entry["class"] for entry in lost} == {"Adelie", "Chinstrap", "Gentoo"}
    assert all(entry["values"][1] == {} for entry in lost)
    out = runforge("diff", str(trained["first"]), str(trained["fewer"])).out
    assert "with body_mass_g" in out
    assert "without body_mass_g" in out


def test_runs_without_results_are_compared_by_what_they_record(
    runforge: Call, trained: dict[str, Path]
) -> None:
    comparison = compared(runforge, trained["first"], trained["failed"], trained["cancelled"])
    failed, cancelled = comparison["conclusions"]
    assert (failed["results"], cancelled["results"]) == ("unknown", "unknown")
    assert "failed (`FEATURE_NOT_NUMERIC`)" in failed["text"]
    assert "was cancelled" in cancelled["text"]
    assert comparison["runs"][1]["error"]["code"] == "FEATURE_NOT_NUMERIC"
    assert field(comparison, "environment", "packages.numpy")["agreement"] == "equal"
    both = compared(runforge, trained["failed"], trained["cancelled"])["conclusions"][0]["text"]
    assert both.startswith("The first run failed (`FEATURE_NOT_NUMERIC`). This run was cancelled.")


def test_an_interrupted_run_is_compared(
    runforge: Call, trained: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "20260101-000000-0badcafe"
    folder.mkdir()
    shutil.copyfile(trained["first"] / "request.json", folder / "request.json")
    comparison = compared(runforge, trained["first"], folder)
    assert comparison["runs"][1]["status"] == "incomplete"
    assert "has no results yet" in comparison["conclusions"][0]["text"]


@pytest.mark.parametrize(
    "names",
    [
        ("v0.2.2.1/*/runs/2024*", "v0.4.0/*/runs/20260223*"),
        ("v0.3.3/*/runs/2024*", "v0.3.6/*/runs/20260115*"),
        ("v0.4.0/*/runs/20260223*", "v0.4.0/*/runs/20260224*", "v0.4.0/*/runs/20260301*"),
        ("v0.3.6/*/runs/20260116*", "v0.3.6/*/runs/20260115*", "v0.4.0/*/runs/20260302*"),
    ],
    ids=["oldest", "older", "three", "coefficients"],
)
def test_recorded_runs_of_every_version_are_shown(
    names: tuple[str, ...], runforge: Call, snapshot: SnapshotAssertion
) -> None:
    folders = [next(VECTORS.glob(name)) for name in names]
    compared(runforge, *folders)
    result = runforge("diff", *map(str, folders))
    assert result.code == 0
    assert result.out == snapshot


@pytest.mark.parametrize("terminal", [40, 60, 80, 132])
def test_every_line_fits_the_terminal(
    terminal: int, runforge: Call, trained: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(terminal))
    out = runforge("diff", *(str(folder) for folder in trained.values())).out
    assert max(map(len, out.splitlines())) <= terminal


@pytest.mark.parametrize("terminal", [40, 80])
def test_hostile_names_harm_neither_terminal_nor_json(
    terminal: int, runforge: Call, trained: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(terminal))
    comparison = compared(runforge, trained["first"], trained["weaker"], trained["failed"])

    def poison(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: poison(item) for key, item in value.items()}
        if isinstance(value, list):
            return [poison(item) for item in value]
        return value + HOSTILE if isinstance(value, str) else value

    poisoned = poison(comparison)
    for entry, original in zip(poisoned["weights"], comparison["weights"], strict=True):
        entry["kind"] = original["kind"]
    for group in ("configuration", "hyperparameters", "data", "environment", "metrics"):
        for entry, original in zip(poisoned[group], comparison[group], strict=True):
            entry["agreement"] = original["agreement"]
            for value in entry["values"]:
                value["verdict"] = "worse"
    lines = list(comparison_lines(poisoned))
    assert "script" in " ".join(lines)
    assert max(map(len, lines)) <= terminal
    for line in lines:
        assert not any(unicodedata.category(c) in ("Cc", "Cf") for c in line), line


def test_two_runs_are_needed_and_each_once(runforge: Call, trained: dict[str, Path]) -> None:
    first = str(trained["first"])
    for arguments in ((), (first,), (first, first)):
        result = runforge("diff", *arguments, "--json")
        assert result.code == 2
        assert result.json["error"]["code"] == "USAGE_INVALID"
    assert runforge("diff", first, "20990101-000000-00000000").code == 3


def test_a_copied_run_is_distinguished_from_its_original(
    runforge: Call, trained: dict[str, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere" / trained["first"].name
    shutil.copytree(trained["first"], copy)
    out = runforge("diff", str(trained["first"]), str(copy)).out
    assert "elsewhere" in "".join(out.split())
    assert "The same model with the same metrics." in out


def test_a_commit_counts_only_where_nothing_else_differs(
    runforge: Call, trained: dict[str, Path], tmp_path: Path
) -> None:
    def with_commit(source: str, commit: str) -> Path:
        folder = tmp_path / f"{source}-{commit[0]}"
        shutil.copytree(trained[source], folder)
        run = json.loads((folder / "run.json").read_bytes())
        run["provenance"]["git"] = {"commit": commit, "dirty": False}
        (folder / "run.json").write_text(json.dumps(run), "utf-8")
        return folder

    one, two = with_commit("first", "a" * 40), with_commit("first", "b" * 40)
    three = with_commit("weaker", "c" * 40)
    second, third = compared(runforge, one, two, three)["conclusions"]
    assert second["reasons"] == ["code"]
    assert second["text"].startswith("The same model with the same metrics, although")
    assert third["reasons"] == ["configuration"]


def test_different_results_without_a_recorded_reason_are_said_to_be_so(
    runforge: Call, trained: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "20260101-000000-0badcafe"
    shutil.copytree(trained["first"], folder)
    run = json.loads((folder / "run.json").read_bytes())
    run["artifact_digests"]["artifacts/model.pkl"]["sha256"] = "0" * 64
    run.pop("model_content_sha256", None)
    (folder / "run.json").write_text(json.dumps(run), "utf-8")
    (conclusion,) = compared(runforge, trained["first"], folder)["conclusions"]
    assert conclusion["reasons"] == ["unrecorded"]
    assert "no recorded field explains why" in conclusion["text"]


def test_an_unreadable_document_is_an_error(
    runforge: Call, trained: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "20260101-000000-0badcafe"
    shutil.copytree(trained["first"], folder)
    (folder / "metrics.v1.json").write_text("{", "utf-8")
    result = runforge("diff", str(trained["first"]), str(folder), "--json")
    assert (result.code, result.json["error"]["code"]) == (2, "JSON_INVALID")


def test_better_and_worse_are_coloured_on_a_terminal(
    runforge: Call, trained: dict[str, Path]
) -> None:
    comparison = compared(runforge, trained["first"], trained["weaker"])
    assert "\x1b[31mworse\x1b[0m" in "\n".join(comparison_lines(comparison, colored=True))
    assert "\x1b" not in "\n".join(comparison_lines(comparison))


def test_runs_are_named_by_letters() -> None:
    assert letters_of(3) == ["A", "B", "C"]
    assert letters_of(703)[25:28] == ["Z", "AA", "AB"]
    assert letters_of(703)[-1] == "AAA"


def test_comparing_loads_no_numeric_library(trained: dict[str, Path]) -> None:
    script = (
        "import sys; from runforge_cli.shell.app import cli;"
        "cli.main(['diff', *sys.argv[1:]], standalone_mode=False);"
        "assert not {'numpy', 'sklearn', 'pandas', 'pyarrow'} & set(sys.modules)"
    )
    arguments = [str(trained["first"]), str(trained["forest"])]
    subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True)
