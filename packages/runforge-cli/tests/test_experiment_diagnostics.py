"""``runforge diagnostics`` of the run of an experiment."""

from __future__ import annotations

from pathlib import Path

from calls import Call
from experiments import DAY, experiment


def test_a_failure_is_a_diagnostic(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "exit 3")
    assert runforge("experiment", "run", "--experiment", file).code == 1
    run_id = f"{DAY}-001"
    document = runforge("diagnostics", run_id, "--json").json
    assert (document["run_id"], document["kind"]) == (run_id, "experiment")
    failure = document["diagnostics"][0]
    assert (failure["severity"], failure["details"]["exit_code"]) == ("error", 3)
    shown = runforge("diagnostics", run_id).out
    assert f"Diagnostics of {run_id}" in shown
    assert failure["code"] in shown


def test_a_success_has_no_error(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "true")
    assert runforge("experiment", "run", "--experiment", file).code == 0
    found = runforge("diagnostics", f"{DAY}-001", "--json").json["diagnostics"]
    assert "error" not in [item["severity"] for item in found]


def test_an_invalid_document_is_a_diagnostic(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "true")
    runforge("experiment", "run", "--experiment", file)
    run_id = f"{DAY}-001"
    [system] = workspace.rglob("system.json")
    system.write_text("{")
    found = runforge("diagnostics", run_id, "--json").json["diagnostics"]
    assert "JSON_INVALID" in [item["code"] for item in found]
