"""What a person sees of ``runforge-conformance``: its texts, its exit status, and its limits."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest
from clients import CLIENTS, PYTHON, suite
from outcomes import outcome_of, result
from runforge_conformance import __main__ as command
from runforge_conformance import (
    __version__,
    case_display,
    failure_groups,
    suite_report,
    terminal_report,
)
from runforge_conformance._generated.report_v1 import Filters, Finding, ReportV1
from runforge_conformance._generated.requirements_v1 import Requirement
from runforge_conformance.junit_report import junit
from runforge_conformance.markdown_report import markdown
from runforge_conformance.suite_report import make_report
from runforge_conformance.terminal_report import WIDTH
from runforge_conformance.variation import varied
from runforge_conformance.vectors import all_cases, requirements, vectors_folder
from runforge_conformance.xfail import ExpectedFailures
from syrupy.assertion import SnapshotAssertion

BROKEN = CLIENTS / "broken/documents"
RENAME, NESTED = "request.v1/edit/rename", "request.v1/edit/nested"
MISSING, DEFAULTS = "request.v1/boundaries/required-version/root", "request.v1/view/defaults"


@pytest.fixture(autouse=True)
def _statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every requirement one sentence, so that the texts here change with the layout alone."""
    fixed = {
        name: Requirement(
            id=name,
            level=item.level,
            roles=item.roles,
            statement="A client MUST do as the sentence of the specification says: `this` | that.",
            page="versions",
            section="4.2",
        )
        for name, item in requirements().items()
    }
    for module in (command, failure_groups, suite_report, terminal_report):
        monkeypatch.setattr(module, "requirements", lambda: fixed)


def report_on(
    *, expected: dict[str, str] | None = None, filters: Filters | None = None
) -> ReportV1:
    """Return the report on a client that fails a few cases, each in another way."""
    lost = Finding(
        requirement="editor.edit",
        message="The document is not what it must be at /name.",
        file="output.json",
        pointer="/name",
        expected="renamed",
        found="Iris, regularised",
    )
    surplus = Finding(
        requirement="editor.edit",
        message="The document is not what it must be at /edited_by.",
        file="output.json",
        pointer="/edited_by",
        found="me",
    )
    form = Finding(
        requirement="json.form",
        message="output.json is indented by a tab.",
        file="output.json",
    )
    accepted = Finding(
        requirement="request.schema",
        message="It must be rejected.",
        expected="rejected",
        found="accepted",
    )
    crash = Finding(requirement="reader.view-request", message="The client ended with status 1.")
    failing = {
        RENAME: result(RENAME, "failed", lost, form),
        NESTED: result(NESTED, "failed", surplus, form),
        MISSING: result(MISSING, "failed", accepted),
        DEFAULTS: result(DEFAULTS, "crashed", crash, stderr="\x1b[31mTrace:\n\tat main\nboom\n"),
    }
    passing = ("request.v1/edit/preset", "request.v1/edit/append-tag", "metrics.v1/write/key-order")
    cases = [case for case in all_cases() if case.id in (*failing, *passing)]
    assert len(cases) == len(failing) + len(passing)
    outcome = outcome_of(documents=["request.v1", "comparison.v1"], failing=failing, cases=cases)
    xfails = ExpectedFailures(expected or {})
    return make_report(outcome, xfails, filters=filters, command=["node", "build/harness.js"])


def steady(text: str) -> str:
    """Return output without what changes with the version, the number of cases, or the seed."""
    text = text.replace(__version__, "VERSION")
    return re.sub(r"\b(core|recommended|strict) \d+ of \d+", r"\1 N of N", text)


@pytest.fixture(autouse=True)
def _as_the_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vary no input: what the seed 7 gives may change with any case."""
    for module in (case_display, failure_groups):
        monkeypatch.setattr(module, "varied", lambda case, seed: case)


def test_the_terminal_shows_failures_and_verdict(snapshot: SnapshotAssertion) -> None:
    assert steady(terminal_report.terminal_report(report_on())) == snapshot


def test_the_terminal_shows_expected_failures_and_filters(snapshot: SnapshotAssertion) -> None:
    expected = {"request.v1/edit/*": "no edits yet", MISSING: "later", DEFAULTS: "later"}
    filters = Filters(roles=["reader", "editor"], only=["request.v1/*", "metrics.v1/*"])
    report = report_on(expected=expected, filters=filters)
    assert steady(terminal_report.terminal_report(report)) == snapshot


def test_the_summary_shows_failures_and_verdict(snapshot: SnapshotAssertion) -> None:
    report = report_on(expected={MISSING: "later", "request.v1/edits/*": "a slip"})
    assert steady(markdown(report)) == snapshot


def test_junit_shows_failures_and_counts(snapshot: SnapshotAssertion) -> None:
    assert steady(junit(report_on()).decode("utf-8")) == snapshot


def test_a_line_fits_the_terminal() -> None:
    lines = terminal_report.terminal_report(report_on()).splitlines()
    assert max(map(len, lines)) <= WIDTH


def test_findings_are_shown_by_requirement(
    snapshot: SnapshotAssertion, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [
        f"{folder}/.runforge/runs/20260223-100000-e6dca325"
        for folder in ("accuracies-differ", "keys-backwards")
    ]
    faulty = vectors_folder() / "runs/faulty"
    assert command.main(["check-run", *(str(faulty / run) for run in runs)]) == 1
    assert capsys.readouterr().out.replace(f"{faulty}/", "") == snapshot
    # House rules alone leave a run conformant.
    assert command.main(["check-run", str(faulty / runs[1])]) == 0


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert command.main(["show", *arguments]) == 0
    return capsys.readouterr().out


def test_show_shows_a_case(snapshot: SnapshotAssertion, capsys: pytest.CaptureFixture[str]) -> None:
    cases = ["request.v1/edit/null-beside", MISSING]
    assert steady(shown(capsys, *cases)) == snapshot


def test_show_takes_a_pattern(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "runs/*", "request.v1/*")
    listed = [line for line in text.splitlines() if re.fullmatch(r"\S+/\S+", line)]
    assert listed == [
        case.id for case in all_cases() if case.id.startswith(("runs/", "request.v1/"))
    ]
    assert command.main(["show", "request.v1/edits/*"]) == command.Exit.USAGE


def test_show_shows_every_case(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "*")
    assert text.count("    expected:") == len(all_cases())
    assert text.isprintable() or not [c for c in text if not c.isprintable() and c != "\n"]


def test_show_shows_the_input_of_a_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(case_display, "varied", varied)
    (case,) = (case for case in all_cases() if case.id == RENAME)
    text = shown(capsys, "--seed", "3", RENAME)
    made = varied(case, 3)
    assert made.input
    for line in str(made.input.text).splitlines():
        assert line in text
    assert "the second document of this case, invalid:" in text
    assert text.count("    expected:") == 2
    assert text == shown(capsys, "--seed", "3", RENAME)
    assert text != shown(capsys, "--seed", "4", RENAME)


@pytest.mark.parametrize("option", ["--timeout", "--time-limit"])
def test_a_client_that_never_answers_start_ends_in_time(option: str, tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text("import time\ntime.sleep(600)\n")
    begun = time.monotonic()
    done = suite("run", option, "1", "--report", tmp_path / "r", "--", sys.executable, client)
    assert time.monotonic() - begun < 30
    assert done.returncode == command.Exit.PROTOCOL
    assert "protocol broken" in done.stdout
    assert not (tmp_path / "r/badge.json").exists()
    assert (tmp_path / "r/report.json").exists()


@pytest.mark.parametrize("folder", ["c", "a-long-name_" * 8])
def test_the_printed_command_repeats_the_failure(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).symlink_to(BROKEN)
    client = [sys.executable, str(tmp_path / folder / "edits_too_much.py")]
    first = suite("run", "--only", "request.v1/edit/*", "--", *client)
    text = first.stdout.replace("\\\n", "")
    (repeat, *_) = re.findall(r"^ +runforge-conformance (run --seed .+)$", text, re.MULTILINE)
    again = suite(*repeat.split())
    assert again.returncode == first.returncode == 1
    assert "request.v1/edit/rename" in again.stdout
    assert "/edited_by" in again.stdout


def test_a_list_of_failures_is_written_reviewed_and_accepted(tmp_path: Path) -> None:
    path = tmp_path / "expected.xfail"
    only = ["--only", "request.v1/edit/*", "--only", "request.v1/text/*"]
    client = ["--", sys.executable, BROKEN / "accepts_everything.py"]
    first = suite("run", *only, "--write-xfail", path, *client)
    assert first.returncode == 1
    assert "write a reason for each in place of TODO" in " ".join(first.stdout.split())
    text = path.read_text("utf-8")
    assert "[json.invalid]  # TODO: why (" in text
    # Nobody has looked at the reasons.
    refused = suite("run", *only, "--xfail", path, *client)
    assert refused.returncode == command.Exit.USAGE
    assert "has no reason but TODO" in refused.stderr
    path.write_text(re.sub("# TODO.*", "# not checked before release 2", text), "utf-8")
    accepted = suite("run", *only, "--xfail", path, *client)
    assert accepted.returncode == 0, accepted.stdout
    assert "not conformant: " in accepted.stdout
    # A list with reasons is not overwritten.
    again = suite("run", *only, "--write-xfail", path, *client)
    assert again.returncode == command.Exit.USAGE
    assert "not checked before release 2" in path.read_text("utf-8")


def test_a_list_of_failures_has_one_entry_a_requirement_or_case(tmp_path: Path) -> None:
    path = tmp_path / "expected.xfail"
    client = ["--", sys.executable, BROKEN / "edits_too_much.py"]
    suite("run", "--only", "request.v1/edit/*", "--write-xfail", path, *client)
    entries = [line.partition("  # ")[0] for line in path.read_text().splitlines()[1:]]
    # One case alone breaks the third requirement.
    assert entries == ["[editor.edit]", "[editor.preserve-unknown]", "request.v1/edit/null-beside"]


def test_no_list_is_written_of_no_failures(tmp_path: Path) -> None:
    path = tmp_path / "expected.xfail"
    client = ["--", sys.executable, PYTHON]
    done = suite("run", "--only", "request.v1/edit/rename", "--write-xfail", path, *client)
    assert done.returncode == 0
    assert "nothing failed unexpectedly" in done.stdout
    assert not path.exists()


@pytest.mark.parametrize("seed", ["-1", "x", "1.5", str(2**53)])
def test_a_seed_is_a_whole_number(seed: str) -> None:
    with pytest.raises(SystemExit) as stop:
        command.main(["run", "--seed", seed, "--", "true"])
    assert stop.value.code == command.Exit.USAGE


def test_a_client_without_documents_is_an_error(tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text(
        f"import sys; sys.path.insert(0, {str(PYTHON.parent)!r})\n"
        "from harness import Client, serve\n"
        "client = Client()\n"
        "client.started = {**client.started, 'documents': []}\n"
        "serve(client)\n"
    )
    for arguments in (["run"], ["smoke"], ["run", "--only", "request.v1/*"]):
        done = suite(*arguments, "--", sys.executable, client)
        assert done.returncode == 1
        assert "declares no documents" in done.stdout
        assert "1 passed" not in done.stdout


def test_smoke_says_how_many_cases_passed() -> None:
    done = suite("smoke", "--", sys.executable, BROKEN / "accepts_everything.py")
    assert done.returncode == 1
    assert re.search(r"^smoke: \d+ of \d+ cases passed$", done.stdout, re.MULTILINE)
    assert "badge" not in done.stdout
