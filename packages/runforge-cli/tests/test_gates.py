"""Commands that fail where the metrics of a run are too bad."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calls import Call
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.gates import Gate, baseline_gate, judge, parse_gate, violation_of
from runforge_contracts.metrics import SUMMARY_NAMES, TRAINED_METRICS, Metric
from runforge_contracts.schemas import load_schema

TRAIN = ("train", "penguins.csv", "--label", "species", "-q")
#: Of two classes, which have a loss.
TWO = ("train", "two.csv", "--label", "species", "-q")
COLUMNS = ("--exclude", "island", "--exclude", "sex", "--exclude", "year")


@pytest.fixture
def two_classes(workspace: Path) -> None:
    """Write the penguins of two species."""
    lines = (workspace / "penguins.csv").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("Chinstrap")]
    (workspace / "two.csv").write_text("".join(kept))


@pytest.mark.usefixtures("two_classes")
def test_a_run_that_keeps_to_its_bounds_passes(runforge: Call, workspace: Path) -> None:
    done = runforge(
        *TWO, *COLUMNS, "--fail-under", "accuracy=0.5", "--fail-over", "log_loss=5", "--json"
    )
    assert done.code == 0, done.err
    gates = json.loads(done.out)["gates"]
    assert [(gate["metric"], gate["met"]) for gate in gates] == [
        ("accuracy", True),
        ("log_loss", True),
    ]
    assert (gates[0]["at_least"], gates[1]["at_most"]) == (0.5, 5.0)
    # A bound that is met exactly is kept.
    value = gates[0]["value"]
    assert runforge("show", "--fail-under", f"accuracy={value!r}").code == 0


@pytest.mark.usefixtures("two_classes")
def test_a_run_that_misses_a_bound_is_recorded_and_ends_with_8(
    runforge: Call, workspace: Path
) -> None:
    done = runforge(*TWO, *COLUMNS, "--fail-over", "log_loss=0.000001")
    assert done.code == 8
    [line] = [line for line in done.err.splitlines() if line.startswith("error")]
    assert line.startswith("error[GATE_NOT_MET]: log_loss is ")
    assert line.endswith(", above 1e-06.")
    assert "succeeded" in done.out
    again = runforge("show", "--fail-under", "f1_macro=1.1", "--fail-under", "f1_score=1.2")
    assert again.code == 8
    assert "error[GATE_NOT_MET]: 2 gates are not met." in again.err
    assert again.err.count("  - f1_") == 2
    assert runforge("show", "--json", "--fail-under", "roc_auc=2").code == 8
    misspelled = runforge("show", "--fail-under", "acuracy=0.9")
    assert (misspelled.code, misspelled.out) == (2, "")
    assert "Did you mean `accuracy`? There are accuracy, f1_macro" in misspelled.err
    made = runforge("evaluate", "latest", "two.csv", "--json").json["evaluation"]
    shown = runforge("show", made["evaluation_id"], "--fail-under", "acuracy=0.9")
    assert (shown.code, "Did you mean `accuracy`?" in shown.err) == (2, True)


def test_a_run_is_compared_with_an_earlier_one(runforge: Call, workspace: Path) -> None:
    good = runforge(*TRAIN, *COLUMNS, "--json")
    run_id = json.loads(good.out)["run_id"]
    poor = runforge(
        *TRAIN,
        *(*COLUMNS, "--exclude", "bill_length_mm", "--exclude", "flipper_length_mm"),
        *("--no-worse-than", run_id, "--json"),
    )
    assert poor.code == 8, poor.err
    [gate] = json.loads(poor.out)["gates"]
    assert gate["baseline"] == run_id
    assert gate["value"] < gate["at_least"]
    # Equal is no worse; what is newest is looked up before the new run exists.
    assert runforge("rerun", run_id, "--no-worse-than", run_id, "-q").code == 0


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("--fail-under", "accuracy", "`accuracy` is not a metric and a number."),
        ("--fail-under", "accuracy=high", "`accuracy=high` is not a metric and a number."),
        ("--fail-under", "accuracy=nan", "`accuracy=nan` is not a metric and a number."),
        ("--fail-over", "=1", "`=1` is not a metric and a number."),
        ("--fail-under", "log_loss=1", "Lower values of `log_loss` are better"),
        ("--fail-over", "accuracy=1", "Higher values of `accuracy` are better"),
    ],
)
def test_a_bound_that_is_none_is_refused_before_training(
    option: str, text: str, message: str, runforge: Call, workspace: Path
) -> None:
    done = runforge(*TRAIN, *COLUMNS, option, text)
    assert done.code == 2
    assert message in done.err
    assert "hint: " in done.err
    assert not (workspace / ".runforge").exists()


def test_an_unknown_baseline_is_refused_before_training(runforge: Call, workspace: Path) -> None:
    done = runforge(*TRAIN, *COLUMNS, "--no-worse-than", "20200101-000000-00000000")
    assert done.code == 3
    assert "RUN_NOT_FOUND" in done.err
    assert not (workspace / ".runforge").exists()
    done = runforge(*TRAIN, *COLUMNS, "--no-worse-than", "production")
    assert done.code == 3
    hint = "`runforge alias production RUN` makes the alias"
    assert hint in " ".join(done.err.split())
    assert not (workspace / ".runforge").exists()


def test_a_failed_run_is_not_judged(runforge: Call, workspace: Path) -> None:
    done = runforge("train", "penguins.csv", "--label", "species", "--fail-under", "accuracy=1")
    assert done.code == 1
    assert "GATE_NOT_MET" not in done.err
    shown = runforge("show", "--fail-under", "accuracy=0.1")
    assert shown.code == 8
    assert "The run has no metric accuracy, which must be at least 0.1." in shown.err
    refused = runforge(*TRAIN, *COLUMNS, "--no-worse-than", "latest")
    assert refused.code == 2
    assert "has no metrics to compare with" in refused.err


def test_what_is_no_number_keeps_to_no_bound() -> None:
    gates = [Gate("loss", 1.0, at_least=False), parse_gate("accuracy=0.9", at_least=True)]
    results = judge(gates, {"loss": float("nan"), "accuracy": 0.9})
    assert [result.met for result in results] == [False, True]
    assert "value" not in results[0].to_dict()
    error = violation_of(results)
    assert error is not None
    assert (error.code, error.message) == (
        ErrorCode.GATE_NOT_MET,
        "loss is not a number; it must be at most 1.",
    )


def test_the_baseline_of_a_loss_is_an_upper_bound() -> None:
    gate = baseline_gate("run-2026-02-01-001", Metric("val_loss", 0.25))
    assert gate.is_met(0.25)
    assert not gate.is_met(0.26)
    with pytest.raises(RunForgeError, match=r"above 0\.25 of `run-2026-02-01-001`"):
        raise violation_of(judge([gate], {"val_loss": 0.26})) or AssertionError


@pytest.mark.parametrize("command", [TRAIN, ("rerun", "latest"), ("evaluate", "latest", TRAIN[1])])
def test_a_metric_that_no_run_has_is_refused_before_the_work(
    command: tuple[str, ...], runforge: Call, workspace: Path
) -> None:
    assert runforge(*TRAIN, *COLUMNS).code == 0
    before = (workspace / ".runforge/index.json").read_bytes()
    options = COLUMNS if command is TRAIN else ()
    done = runforge(*command, *options, "--fail-under", "acuracy=0.9")
    assert done.code == 2
    assert "There is no metric `acuracy`." in done.err
    assert "Did you mean `accuracy`? There are accuracy, f1_macro" in done.err
    assert (workspace / ".runforge/index.json").read_bytes() == before
    assert not (workspace / ".runforge/evaluations").exists()


def test_every_metric_that_a_run_can_have_is_known() -> None:
    schema = load_schema("metrics.v1")["properties"]
    one_number = {name for name in schema if "array" not in str(schema[name].get("type"))}
    others = {"schema_version", "metrics_profile", "num_classes"}
    assert {*TRAINED_METRICS} == one_number - others | {*SUMMARY_NAMES.values()}


def test_what_is_met_is_said(runforge: Call, workspace: Path) -> None:
    assert runforge(*TRAIN, *COLUMNS).code == 0
    done = runforge("show", "--fail-under", "accuracy=0.5")
    assert "note: 1 gate met: accuracy is " in done.err
    assert ", at least 0.5\n" in done.err
    other = runforge("evaluate", "latest", "penguins.csv", "--no-worse-than", "latest")
    assert "is a value on the validation rows of that run" in other.err


def test_bounds_of_other_validation_rows_are_noted(runforge: Call, workspace: Path) -> None:
    lines = (workspace / "penguins.csv").read_text().splitlines(keepends=True)
    (workspace / "fewer.csv").write_text("".join(lines[:300]))
    assert runforge(*TRAIN, *COLUMNS, "--name", "first").code == 0
    other = ("train", "fewer.csv", "--label", "species", *COLUMNS, "--name", "other")
    text = "evaluate both on one file, and name the first evaluation in --no-worse-than"
    assert text in runforge(*other, "--no-worse-than", "first").err
    assert text in runforge("show", "first", "--no-worse-than", "other", "--json").err
    same = runforge("rerun", "first", "--param", "C=2", "--no-worse-than", "first")
    assert same.code in (0, 8)
    assert text not in same.err
    assert text not in runforge("show", "other", "--no-worse-than", "first", "-q").err
