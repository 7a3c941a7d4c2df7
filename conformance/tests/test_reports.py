"""Reports say what was found, to programs and to people; expected failures are strict."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from clients import CLIENTS, PYTHON, suite
from markdown_it import MarkdownIt
from runforge_conformance.suite_schemas import mistake

BROKEN = CLIENTS / "broken/documents"


def run(tmp_path: Path, name: str, *options: object, only: str = "request.v1/edit/*") -> Path:
    folder = tmp_path / "report"
    client = PYTHON if name == "sound" else BROKEN / f"{name}.py"
    suite("run", "--only", only, "--report", folder, *options, "--", sys.executable, client)
    return folder


def test_the_report_follows_its_schema(tmp_path: Path) -> None:
    for name in ("sound", "edits_too_much", "prints_garbage", "crashes"):
        report = json.loads((run(tmp_path, name) / "report.json").read_bytes())
        assert mistake(report, "report.v1") is None
        assert report["client"]["language"] == "Python"
        assert len(report["results"]) == 18
    assert report["verdict"] == "not conformant"


def test_junit_shows_failures_with_their_requirement(tmp_path: Path) -> None:
    root = ET.parse(run(tmp_path, "edits_too_much") / "junit.xml").getroot()
    cases = root.findall("testsuite/testcase")
    assert len(cases) == 18
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert "/edited_by" in str(failure.text)
    (suite_,) = root.findall("testsuite")
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
    only = "request.v1/edit/rename"
    done = suite("run", "--only", only, "--report", folder, "--", sys.executable, client)
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert "\x1b" not in (folder / "summary.md").read_text()
    assert ET.parse(folder / "junit.xml").getroot().find("testsuite/testcase/failure") is not None


def test_the_summary_names_requirements_and_cases(tmp_path: Path) -> None:
    folder = run(tmp_path, "edits_too_much")
    text = (folder / "summary.md").read_text()
    assert "**Not conformant** with RunForge contract v1." in text
    assert "| `editor.edit` | core |" in text
    assert "### `request.v1/edit/rename`: failed" in text
    assert suite("summary", folder / "report.json").stdout == text
    assert suite("summary", folder / "badge.json").returncode == 2
    assert suite("summary", folder / "junit.xml").returncode == 2
    assert suite("summary", folder / "nowhere.json").returncode == 2


@pytest.mark.parametrize(("name", "colour"), [("sound", "brightgreen"), ("edits_too_much", "red")])
def test_the_badge_has_the_verdict(name: str, colour: str, tmp_path: Path) -> None:
    badge = json.loads((run(tmp_path, name) / "badge.json").read_bytes())
    assert badge["schemaVersion"] == 1
    assert badge["color"] == colour


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


@pytest.mark.parametrize("line", ["request.v1/*", "request.v1/*  #", "a  # x\na  # y"])
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
    only = "request.v1/edit/rename"
    done = suite("run", "--only", only, "--report", folder, "--", sys.executable, client)
    assert done.returncode == 1, done.stderr
    assert "\x1b" not in done.stdout
    text = (folder / "summary.md").read_text("utf-8")
    assert text.startswith("# Conformance: \\<img src=x")
    tokens = MarkdownIt("gfm-like", {"html": True}).parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in [*tokens, *inline]}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "s_open", "em_open"}
    headings = [token.map for token in tokens if token.type == "heading_open" and token.tag == "h1"]
    assert len(headings) == 1
    failure = ET.parse(folder / "junit.xml").getroot().find("testsuite/testcase/failure")
    assert failure is not None
    assert "<img src=x" in str(failure.text)  # plain text: nothing of Markdown's
