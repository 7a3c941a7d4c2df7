"""Reports say what was found, to programs and to people; expected failures are strict."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest
from clients import CLIENTS, PYTHON, report_on, suite
from markdown_it import MarkdownIt
from outcomes import outcome_of, result
from runforge_conformance._generated.report_v1 import Filters, Finding, ReportV1, Result
from runforge_conformance.junit_report import junit
from runforge_conformance.markdown_report import markdown
from runforge_conformance.report_files import badge, write_reports
from runforge_conformance.suite_report import has_failed, headline, make_report, no_badge
from runforge_conformance.suite_schemas import mistake
from runforge_conformance.terminal_report import terminal_report
from runforge_conformance.vectors import all_cases
from runforge_conformance.xfail import ExpectedFailures

BROKEN = CLIENTS / "broken/documents"
RENAME, NESTED = "request.v1/edit/rename", "request.v1/edit/nested"
MISSING = "request.v1/boundaries/required-version/root"
LOST = Finding(requirement="editor.edit", message="It is lost.", expected="a", found=None)
FORM = Finding(requirement="json.form", message="output.json is on one line.", file="output.json")
CODE = Finding(requirement="errors.code", message="The error has another code.", found="X")
ACCEPTED = Finding(requirement="request.schema", message="It must be rejected.")


def failed(case: str, *problems: Finding) -> dict[str, Result]:
    return {case: result(case, "failed", *problems)}


def report_of(
    failing: dict[str, Result] | None = None,
    expected: dict[str, str] | None = None,
    filters: Filters | None = None,
    **declared: object,
) -> ReportV1:
    outcome = outcome_of(failing=failing, **declared)  # type: ignore[arg-type]
    command = ["node", "my harness.js"]
    return make_report(outcome, ExpectedFailures(expected or {}), filters=filters, command=command)


def run(tmp_path: Path, name: str, *options: object, only: str = "request.v1/edit/*") -> Path:
    folder = tmp_path / "report"
    client = PYTHON if name == "sound" else BROKEN / f"{name}.py"
    suite("run", "--only", only, "--report", folder, *options, "--", sys.executable, client)
    return folder


def test_the_report_follows_its_schema(tmp_path: Path) -> None:
    for name in ("sound", "edits_too_much", "crashes"):
        report = json.loads((run(tmp_path, name, "--seed", "5") / "report.json").read_bytes())
        assert mistake(report, "report.v1") is None
        assert report["client"]["language"] == "Python"
        assert report["filters"] == {"only": ["request.v1/edit/*"]}
        assert report["seed"] == 5
        assert report["protocol"] == 1
        assert len(report["results"]) == 18
    for outcome in ("skipped", "not-asked", "not-run", "timed-out", "protocol-error"):
        made = report_of({RENAME: result(RENAME, outcome, LOST)})
        assert mistake(msgspec.to_builtins(made), "report.v1") is None


@pytest.mark.parametrize(
    ("failing", "expected", "filters", "verdict", "fails"),
    [
        ({}, {}, None, "conformant", False),
        (failed(RENAME, LOST), {}, None, "not conformant", True),
        (failed(RENAME, LOST, FORM), {}, None, "not conformant", True),
        (failed(RENAME, FORM), {}, None, "conformant", False),
        (failed(MISSING, CODE), {}, None, "conformant", False),
        ({RENAME: result(RENAME, "crashed", LOST)}, {}, None, "not conformant", True),
        ({RENAME: result(RENAME, "not-run", LOST)}, {}, None, "not conformant", True),
        ({RENAME: result(RENAME, "not-asked", LOST)}, {}, None, "conformant", False),
        ({RENAME: result(RENAME, "protocol-error", LOST)}, {}, None, "protocol broken", True),
        # A list of one's own failures makes no client conformant, but its pipeline passes.
        (failed(RENAME, LOST), {RENAME: "later"}, None, "not conformant", False),
        (failed(RENAME, LOST), {"[editor.edit]": "later"}, None, "not conformant", False),
        (failed(RENAME, FORM), {RENAME: "tabs"}, None, "conformant", False),
        ({}, {RENAME: "no longer true"}, None, "conformant", True),
        ({}, {"request.v1/edits/*": "a slip"}, None, "conformant", True),
        # A part of the cases is no proof.
        ({}, {}, Filters(only=["*"]), "partial", False),
        ({}, {}, Filters(level="core"), "partial", False),
        ({}, {}, Filters(roles=["reader"]), "partial", False),
        (failed(RENAME, LOST), {}, Filters(only=["*"]), "not conformant", True),
        (failed(RENAME, LOST), {RENAME: "later"}, Filters(only=["*"]), "not conformant", False),
    ],
)
def test_the_verdict(
    failing: dict[str, Result],
    expected: dict[str, str],
    filters: Filters | None,
    verdict: str,
    fails: bool,
) -> None:
    report = report_of(failing, expected, filters)
    assert report.verdict == verdict
    assert has_failed(report) is fails


def test_a_run_of_some_cases_is_partial_whatever_was_asked_for() -> None:
    outcome = outcome_of(cases=all_cases()[:-1])
    assert make_report(outcome, ExpectedFailures()).verdict == "partial"


def test_the_headline_names_roles_documents_levels_and_expected_failures() -> None:
    failing = {**failed(RENAME, LOST), **failed(NESTED, FORM)}
    sound, report = report_of(), report_of(failing, {RENAME: "later"})
    core, strict = sound.levels.core.asked, sound.levels.strict.asked
    others = sound.levels.recommended.asked
    assert sound.levels.core.passed == core
    assert headline(report) == (
        f"reader and editor of request.v1, core {core - 1} of {core},"
        f" recommended {others} of {others}, strict {strict - 2} of {strict}, 1 expected failure"
    )
    assert report.levels.core.expected_failures == 1
    two = report_of(documents=["request.v1", "result.v1"], roles=["store", "reader"])
    assert headline(two).startswith("reader of 2 documents, store, core ")
    assert headline(report_of(documents=None)).startswith("reader and editor of all ")
    only = report_of(filters=Filters(roles=["editor"], level="core"))
    assert headline(only).startswith("editor of request.v1, core ")


def test_a_case_passes_a_level_if_nothing_as_important_is_broken() -> None:
    sound = report_of().levels
    by_form = report_of(failed(RENAME, FORM)).levels
    assert (by_form.core, by_form.strict.passed) == (sound.core, sound.strict.passed - 1)
    # The code of a refusal that did not happen is not right.
    accepted = report_of(failed(MISSING, ACCEPTED)).levels
    assert accepted.core.passed == sound.core.passed - 1
    assert accepted.strict.passed == sound.strict.passed - 1
    # Nor is the form of a document that was never written.
    crashed = report_of({RENAME: result(RENAME, "crashed", LOST)}).levels
    assert crashed.strict.passed == sound.strict.passed - 1
    assert crashed.core.asked == sound.core.asked


def test_nothing_to_ask_is_no_proof() -> None:
    report = report_of(documents=[])
    assert report.verdict == "not conformant"
    assert "declares no documents (`documents: []`)" in str(report.problem)
    assert has_failed(report)
    assert report_of(documents=[], roles=["reader", "store"]).verdict == "conformant"
    assert headline(report_of(documents=[], roles=["reader", "store"])).startswith(
        "reader of no documents, store, core "
    )
    elsewhere = make_report(
        outcome_of(roles=["store"], cases=all_cases()[:1]),
        ExpectedFailures(),
        filters=Filters(only=["request.v1/*"]),
    )
    assert str(elsewhere.problem) == "No case that --only 'request.v1/*' selects is for a store."
    assert has_failed(elsewhere)


def test_declared_documents_without_cases_are_named_and_not_counted() -> None:
    report = report_of(roles=["reader"], documents=["request.v1", "comparison.v1"])
    assert report.without_cases == ["comparison.v1"]
    assert headline(report).startswith("reader of request.v1, core ")
    assert "no case for: comparison.v1" in terminal_report(report)
    assert "* No case for: `comparison.v1`" in markdown(report)


def test_cases_that_were_not_asked_are_counted_with_the_reason() -> None:
    why = Finding(requirement="editor.edit", message="The client declares no `cancel`.")
    report = report_of({case: result(case, "not-asked", why) for case in (RENAME, NESTED)})
    assert report.levels.core.asked == report_of().levels.core.asked - 2
    assert headline(report).endswith("2 not asked")
    assert "not asked (2): The client declares no `cancel`." in terminal_report(report)
    assert "* Not asked (2): The client declares no \\`cancel\\`." in markdown(report)
    root = ET.fromstring(junit(report))
    (case,) = root.findall("testsuite/testcase[skipped]")
    assert case.attrib["name"] == "not asked (2)"


@pytest.mark.parametrize(
    "failing",
    [
        {},
        {**failed(RENAME, LOST), **failed(NESTED, FORM)},
        {RENAME: result(RENAME, "not-asked", LOST), NESTED: result(NESTED, "crashed", LOST)},
    ],
)
@pytest.mark.parametrize("expected", [{}, {RENAME: "later", "request.v1/edits/*": "a slip"}])
def test_the_counts_of_junit_agree_with_its_cases(
    failing: dict[str, Result], expected: dict[str, str]
) -> None:
    report = report_of(failing, expected)
    root = ET.fromstring(junit(report))
    for element in (root, *root):
        cases = list(element.iter("testcase"))
        assert element.attrib["tests"] == str(len(cases))
        for count, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert element.attrib[count] == str(sum(case.find(kind) is not None for case in cases))
    listed = [case.attrib["name"] for case in root.iter("testcase")]
    asked = [item.case for item in report.results if item.outcome not in ("skipped", "not-asked")]
    assert [name for name in listed if "/" in name and " " not in name] == asked
    assert (int(root.attrib["failures"]) > 0) is has_failed(report)
    properties = {item.attrib["name"]: item.attrib["value"] for item in root.iter("property")}
    assert properties["seed"] == "7"
    assert properties["cases of other roles and documents"] == str(report.counts["skipped"])


def test_junit_shows_failures_with_their_requirement(tmp_path: Path) -> None:
    root = ET.parse(run(tmp_path, "edits_too_much") / "junit.xml").getroot()
    (suite_,) = root.findall("testsuite[@name='request.v1']")
    assert len(suite_.findall("testcase")) == 18
    failure = suite_.find("testcase/failure")
    assert failure is not None
    assert "/edited_by" in str(failure.text)
    assert "Repeat: runforge-conformance run --seed " in str(failure.text)
    assert suite_.attrib["failures"] == "18"


def test_junit_can_hold_what_xml_cannot(tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text(
        f"import sys; sys.path.insert(0, {str(PYTHON.parent)!r})\n"
        "from harness import Client, serve\n"
        "class Broken(Client):\n"
        "    def answer(self, message):\n"
        "        return {'outcome': 'errored', 'context': {'a': '\\x00\\x1b[31m]]>'}}\n"
        "serve(Broken())\n"
    )
    folder = tmp_path / "report"
    done = suite("run", "--only", RENAME, "--report", folder, "--", sys.executable, client)
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert "\x1b" not in (folder / "summary.md").read_text()
    assert ET.parse(folder / "junit.xml").getroot().find("testsuite/testcase/failure") is not None


def test_a_crash_shows_all_that_the_client_said_last(tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text(
        f"import sys; sys.path.insert(0, {str(PYTHON.parent)!r})\n"
        "from harness import Client, serve\n"
        "class Broken(Client):\n"
        "    def edit(self, message):\n"
        "        for line in range(100):\n"
        "            print(f'\\x1b[2Jline {line}\\tend', file=sys.stderr)\n"
        "        sys.exit(7)\n"
        "serve(Broken())\n"
    )
    report = report_on(client, only=["request.v1/edit/*"])
    kept = [item for item in report.results if item.stderr]
    assert len(kept) == 5, "a client that crashes everywhere does not fill the report"
    assert mistake(msgspec.to_builtins(report), "report.v1") is None
    for text in (terminal_report(report), markdown(report), junit(report).decode()):
        words = " ".join(text.split())
        for number in range(100):
            assert f"\\x1b[2Jline {number} end" in words
        assert "\x1b" not in text


def test_a_crash_shows_what_its_own_client_said(tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text(
        f"import sys; sys.path.insert(0, {str(PYTHON.parent)!r})\n"
        "from harness import Client, serve\n"
        "class Broken(Client):\n"
        "    def edit(self, message):\n"
        "        if message['case'].endswith('/rename'):\n"
        "            print('a word', file=sys.stderr)\n"
        "        sys.exit(7)\n"
        "serve(Broken())\n"
    )
    first, second = report_on(client, only=[RENAME, NESTED]).results
    assert first.stderr == "a word\n"
    assert second.stderr is msgspec.UNSET
    assert "It said" not in second.problems[0].message


def test_the_summary_names_requirements_and_cases(tmp_path: Path) -> None:
    folder = run(tmp_path, "edits_too_much")
    text = (folder / "summary.md").read_text()
    assert "**Not conformant**: reader, editor and writer of " in text
    assert "* Partial run: `--only 'request.v1/edit/*'`" in text
    assert "/docs/specification/versions.md#editor.edit) | core | 15 |" in text
    assert "### `request.v1/edit/rename`: failed" in text
    assert suite("summary", folder / "report.json").stdout == text
    assert suite("summary", folder / "junit.xml").returncode == 2
    assert suite("summary", folder / "nowhere.json").returncode == 2
    (folder / "badge.json").write_text('{"schemaVersion": 1}')
    assert suite("summary", folder / "badge.json").returncode == 2


def test_a_requirement_is_shown_with_two_examples_and_not_with_all() -> None:
    edits = [case.id for case in all_cases() if case.id.startswith("request.v1/edit/")]
    texts = [case.id for case in all_cases() if case.id.startswith("request.v1/preserve/")]
    report = report_of({case: result(case, "failed", LOST) for case in edits + texts})
    page, text = markdown(report), terminal_report(report)
    assert [line for line in page.splitlines() if line.startswith("### ")] == [
        f"### `{edits[0]}`: failed",
        f"### `{texts[0]}`: failed",
    ]
    assert f"{len(edits + texts) - 2} more are in `report.json`." in page
    assert text.count("repeat:") == 1
    assert f"editor.edit (core): {len(edits + texts)} cases" in text


def test_core_comes_before_strict_and_what_was_not_run_comes_last() -> None:
    report = report_of(
        {
            **failed(NESTED, FORM),
            **failed(MISSING, ACCEPTED),
            RENAME: result(RENAME, "not-run", LOST),
        }
    )
    text = terminal_report(report)
    titles = ["request.schema (core): 1 case", "json.form (strict): 1 case", "The run ended before"]
    assert sorted(titles, key=text.index) == titles


@pytest.mark.parametrize(
    ("failing", "colour"),
    [({}, "brightgreen"), (failed(RENAME, FORM), "brightgreen"), (failed(RENAME, LOST), "red")],
)
def test_the_badge_of_a_whole_run_has_the_verdict_and_the_counts(
    failing: dict[str, Result], colour: str, tmp_path: Path
) -> None:
    report = report_of(failing)
    write_reports(report, tmp_path)
    made = json.loads((tmp_path / "badge.json").read_bytes())
    assert made["schemaVersion"] == 1
    assert made["color"] == colour
    core = report.levels.core
    assert made["message"].startswith(
        f"{report.verdict}: reader and editor of request.v1, core {core.passed}/{core.asked},"
    )


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (report_of(filters=Filters(only=["*"])), "the run was partial"),
        (report_of(filters=Filters(level="core")), "the run was partial"),
        (report_of(failed(RENAME, LOST), filters=Filters(roles=["editor"])), "the run was partial"),
        (
            report_of(failed(RENAME, LOST), {RENAME: "later"}),
            "a core requirement is among the expected failures",
        ),
        (
            report_of({RENAME: result(RENAME, "protocol-error", LOST)}),
            "the client could not be tested",
        ),
    ],
)
def test_no_badge_is_earned_by_less(report: ReportV1, why: str, tmp_path: Path) -> None:
    (tmp_path / "badge.json").write_text("a badge of an earlier run")
    write_reports(report, tmp_path)
    assert badge(report) is None
    assert not (tmp_path / "badge.json").exists()
    assert no_badge(report) == why
    assert f"no badge: {why}" in terminal_report(report)
    assert f"* No badge: {why}" in (tmp_path / "summary.md").read_text("utf-8")


def test_an_expected_failure_of_house_rules_keeps_the_badge() -> None:
    report = report_of(failed(RENAME, FORM), {RENAME: "tabs"})
    assert badge(report) is not None
    assert "1 expected failure" in badge(report)["message"]  # type: ignore[index]


def verdict(tmp_path: Path, name: str, xfail: str) -> tuple[int, str]:
    path = tmp_path / "expected.xfail"
    path.write_text(xfail)
    client = PYTHON if name == "sound" else BROKEN / f"{name}.py"
    only = ["--only", "request.v1/edit/*", "--only", "request.v1/lists/*"]
    done = suite("run", *only, "--xfail", path, "--", sys.executable, client)
    return done.returncode, done.stdout + done.stderr


def test_expected_failures_are_strict(tmp_path: Path) -> None:
    assert verdict(tmp_path, "edits_too_much", "request.v1/edit/*  # known\n")[0] == 0
    assert verdict(tmp_path, "edits_too_much", "request.v1/edit/r*  # known\n")[0] == 1
    status, text = verdict(tmp_path, "sound", "request.v1/edit/rename  # known\n")
    assert status == 1
    assert "passed, though expected to fail: request.v1/edit/rename" in text
    status, text = verdict(tmp_path, "crashes", "request.v1/edit/re*  # known\n")
    assert status == 1, "a pattern may not cover cases that pass"


def test_a_requirement_may_be_expected_to_fail(tmp_path: Path) -> None:
    assert (
        verdict(
            tmp_path,
            "edits_too_much",
            "[editor.edit]  # known\n[editor.preserve-unknown]  # x\n[editor.null-absent]  # y\n",
        )[0]
        == 0
    )
    assert verdict(tmp_path, "edits_too_much", "[editor.edit]  # known\n")[0] == 1
    assert verdict(tmp_path, "crashes", "[editor.edit]  # known\n")[0] == 1


def test_a_typo_does_not_match_another_case(tmp_path: Path) -> None:
    status, text = verdict(tmp_path, "sound", "request.v1/edits/*  # a slip\n")
    assert status == 1
    assert "no failing case matches" in text


def test_entries_for_cases_that_were_not_run_are_left_alone(tmp_path: Path) -> None:
    assert verdict(tmp_path, "sound", "result.v1/*  # another time\n")[0] == 0


@pytest.mark.parametrize(
    "line", ["request.v1/*", "request.v1/*  #", "a  # x\na  # y", "a  # TODO: why", "a  # todo"]
)
def test_an_expected_failure_has_one_reason(line: str, tmp_path: Path) -> None:
    status, text = verdict(tmp_path, "sound", f"# comment\n\n{line}\n")
    assert status == 2
    assert "USAGE_INVALID" in text


#: What a client may send in any of its texts.
HOSTILE = (
    "<img src=x onerror=alert(1)> [a](javascript:alert(1)) ![b](https://a.example/b.png)"
    " https://c.example www.d.example e@f.example @everyone | `g` | **h** _i_ ~~j~~ &lt; $k$"
    "\n# l\n\n* m\n\x1b[31m\u202e"
)


def test_what_a_client_says_is_text_in_the_summary(tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text(
        f"import sys; sys.path.insert(0, {str(PYTHON.parent)!r})\n"
        "from harness import Client, serve\n"
        f"HOSTILE = {HOSTILE!r}\n"
        "class Broken(Client):\n"
        "    client = dict(name=HOSTILE, version=HOSTILE, language=HOSTILE)\n"
        "    started = {**Client.started, 'client': client}\n"
        "    def answer(self, message):\n"
        "        error = {'code': HOSTILE, 'message': HOSTILE, 'path': HOSTILE}\n"
        "        return {'outcome': 'rejected', 'error': error}\n"
        "serve(Broken())\n"
    )
    folder = tmp_path / "report"
    done = suite("run", "--only", RENAME, "--report", folder, "--", sys.executable, client)
    assert done.returncode == 1, done.stderr
    assert "\x1b" not in done.stdout
    text = (folder / "summary.md").read_text("utf-8")
    assert text.startswith("# Conformance: \\<img src=x")
    tokens = MarkdownIt("gfm-like", {"html": True}).parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in [*tokens, *inline]}
    assert not kinds & {"html_block", "html_inline", "image", "s_open", "em_open"}
    links = {str(token.attrs["href"]) for token in inline if token.type == "link_open"}
    ours = "https://github.com/runforge/runforge/blob/"
    assert links
    assert all(link.startswith(ours) for link in links)
    headings = [token.map for token in tokens if token.type == "heading_open" and token.tag == "h1"]
    assert len(headings) == 1
    failure = ET.parse(folder / "junit.xml").getroot().find("testsuite/testcase/failure")
    assert failure is not None
    assert "<img src=x" in str(failure.text)  # plain text: nothing of Markdown's
