"""The page of clients has what reports and runs say, and takes no report that says less."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import clients_page
import pytest
from clients_page import InvalidReportError, add, field_rows, page, read_report
from conformance_guide import parts, run
from runforge_contracts.codec.strict_json import encode_json, parse_json

NAMES = {path.stem for path in clients_page.REPORTS.glob("*.json")}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the report of a whole run of the guide's first client, which fails much."""
    folder = tmp_path_factory.mktemp("client")
    for name, text in parts("python")[0].files.items():
        (folder / name).write_text(text, "utf-8")
    run("runforge-conformance run --report . -- python harness.py || test $? = 1", folder)
    found: dict[str, Any] = parse_json((folder / "report.json").read_bytes())
    return found


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder in the place of the reports of the page."""
    folder = tmp_path / "reports"
    monkeypatch.setattr(clients_page, "REPORTS", folder)
    return folder


def added(report: dict[str, Any], folder: Path) -> Path:
    path = folder / "report.json"
    path.write_bytes(encode_json(report))
    return add(read_report(path), path)


def test_the_page_is_current() -> None:
    assert clients_page.PAGE.read_text("utf-8") == page()


def test_our_own_clients_are_on_it() -> None:
    assert {"runforge-contracts", "runforge-typescript", "go-client", "runforge"} <= NAMES
    for name in NAMES:
        report = read_report(clients_page.REPORTS / f"{name}.json")
        assert report.verdict == "conformant"
        assert not report.results
        assert f"{report.levels.core.asked} of {report.levels.core.asked}" in page()


def test_a_report_gives_a_row(report: dict[str, Any], reports: Path, tmp_path: Path) -> None:
    file = added(report, tmp_path)
    assert file == reports / "my-client.json"
    kept = json.loads(file.read_bytes())
    assert "command" not in kept
    assert sys.executable not in file.read_text("utf-8")
    assert {result["outcome"] for result in kept["results"]} <= {"failed", "errored", "crashed"}
    core = report["levels"]["core"]
    assert 0 < core["passed"] < core["asked"]
    row = next(line for line in page().splitlines() if "my-client" in line)
    assert f"| {core['passed']} of {core['asked']} |" in row
    assert "| reader of request.v1 |" in row
    assert "| not conformant |" in row


def test_a_run_with_another_seed_changes_nothing(
    report: dict[str, Any], reports: Path, tmp_path: Path
) -> None:
    content = added(report, tmp_path).read_bytes()
    again = {**report, "seed": report["seed"] + 1, "seconds": report["seconds"] + 1}
    assert added(again, tmp_path).read_bytes() == content
    other = {**report, "client": {**report["client"], "version": "1.1"}}
    assert added(other, tmp_path).read_bytes() != content
    assert len(list(reports.iterdir())) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"verdict": "partial"}, "partial"),
        ({"filters": {"roles": ["reader"]}}, "partial"),
        ({"verdict": "protocol broken"}, "could not be tested"),
        ({"client": None}, "not a report"),
        ({"results": []}, "lacks cases"),
        ({"counts": {"passed": 9999}}, "counts are not those"),
        ({"schema_version": "other"}, "not a report"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_a_report_that_shows_less_is_refused(
    report: dict[str, Any], reports: Path, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidReportError, match=reason):
        added({**report, **change}, tmp_path)
    assert not reports.exists()


def test_levels_that_the_results_do_not_give_are_refused(
    report: dict[str, Any], reports: Path, tmp_path: Path
) -> None:
    core = report["levels"]["core"]
    levels = {**report["levels"], "core": {**core, "passed": core["asked"]}}
    with pytest.raises(InvalidReportError, match="core counts"):
        added({**report, "levels": levels}, tmp_path)
    assert not reports.exists()


def test_released_clients_are_judged_by_their_runs() -> None:
    rows = {row.split(" |")[0]: row for row in field_rows()}
    extension = rows["| **Editor extension** 1.2.1"]
    for requirement in ("request.schema", "result.schema", "run.id"):
        assert f"`{requirement}`" in extension
    assert "`result.schema`" not in rows["| **Desktop command line** 0.3.0"]
    assert rows["| records of RunForge 0.4.0"].endswith("| – | – | – |")
