"""Clients that are hostile, or that seek a verdict that they have not earned."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec
import pytest
from clients import PYTHON, report_on, requirements_in, suite
from runforge_conformance.case_selection import select
from runforge_conformance.failure_groups import groups
from runforge_conformance.runner import LEVELS
from runforge_conformance.variation import twin, varied
from runforge_conformance.vectors import all_cases, suffix_of

CASE = "request.v1/edit/nested"
COUNTS = ("asked", "passed", "expected_failures")
HEAD = f"""
import json, os, shutil, sys
sys.path.insert(0, {str(PYTHON.parent)!r})
from harness import Client, serve
"""


#: A metric of the result that a message is about, and not the primary one.
OTHER = "json.load(open(message['input']))['summary']['metrics']['f1_score']"


def client(folder: Path, operation: str, deed: str) -> Path:
    """Return a sound client that does something else in one operation."""
    path = folder / "client.py"
    path.write_text(f"""{HEAD}
class Hostile(Client):
    def {operation}(self, message):
        {deed}
        return super().{operation}(message)
serve(Hostile())
""")
    return path


def test_a_scratch_folder_that_cannot_be_removed_costs_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").touch()
    deed = (
        "scratch = os.path.dirname(os.path.dirname(message['output']));"
        f" shutil.rmtree(scratch); os.symlink({str(victim)!r}, scratch)"
    )
    report = report_on(client(tmp_path, "edit", deed), only=[CASE])
    assert report.verdict == "not conformant"
    assert [path.name for path in victim.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("operation", "case", "deed"),
    [
        (
            "edit",
            CASE,
            "return {'outcome': 'rejected', 'error': {'code': 'X', 'message': 'y' * 7_000_000}}",
        ),
        ("edit", CASE, "return {'outcome': 'errored', 'context': {'y': 'y' * 7_000_000}}"),
        (
            "read",
            "request.v1/view/defaults",
            "return {'outcome': 'accepted', 'view': {'name': ['y' * 7_000_000]}}",
        ),
    ],
)
def test_megabytes_in_an_answer_do_not_fill_the_report(
    operation: str, case: str, deed: str, tmp_path: Path
) -> None:
    report = report_on(client(tmp_path, operation, deed), only=[case])
    assert report.verdict == "not conformant"
    assert len(msgspec.json.encode(report)) < 50_000


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        ("verdict", "conformant", "the verdict 'partial'"),
        ("counts", {"passed": 99}, "its counts"),
        ("levels", {name: dict.fromkeys(COUNTS, 7) for name in LEVELS}, "its levels"),
    ],
)
def test_an_edited_report_is_no_report(
    place: str, value: object, reason: str, tmp_path: Path
) -> None:
    suite("run", "--only", CASE, "--report", tmp_path, "--", sys.executable, PYTHON)
    path = tmp_path / "report.json"
    assert suite("summary", path).returncode == 0
    path.write_text(json.dumps({**json.loads(path.read_text()), place: value}))
    done = suite("summary", path)
    assert done.returncode == 2
    assert reason in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    ("operation", "case", "place"),
    [("edit", CASE, "output"), ("read", "request.v1/view/defaults", "input")],
)
def test_an_empty_folder_is_a_stray_too(
    operation: str, case: str, place: str, tmp_path: Path
) -> None:
    deed = f"os.makedirs(os.path.dirname(message['{place}']) + '/left/behind', exist_ok=True)"
    report = report_on(client(tmp_path, operation, deed), only=[case])
    assert report.verdict == "not conformant"
    assert "files.untouched" in requirements_in(report)


@pytest.mark.parametrize(
    ("shown", "requirement"),
    [
        (f"'primary_metric': {{'name': 'f1_score', 'value': {OTHER}}}", "result.policy"),
        ("'primary_metric': {'name': 'f1_score', 'value': 0.8}", "reader.view-result"),
        ("'duration': '300s'", "result.duration-text"),
        ("'error': {'message': '', 'type': ''}", "reader.error-shown"),
        ("'status': 'ok'", "reader.view-result"),
    ],
)
def test_a_view_breaks_the_sentence_about_the_member_that_differs(
    shown: str, requirement: str, tmp_path: Path
) -> None:
    deed = f"return {{**super().read(message), {shown}}}"
    case = "result.v1/view/succeeded"
    assert requirements_in(report_on(client(tmp_path, "read", deed), only=[case])) == {requirement}


def test_no_yaml_is_written_with_halves_of_a_character() -> None:
    astral = 0
    for case in select(all_cases(), None, None, ["tfc.*"]):
        for made in (one for seed in range(20) for one in (varied(case, seed), twin(case, seed))):
            if made and made.input and made.input.text and suffix_of(made.document) == ".yaml":
                astral += any(ord(character) > 0xFFFF for character in made.input.text)
                assert "\\ud8" not in made.input.text.lower(), case.id
    assert astral


def test_a_crash_is_reported_with_the_last_words(tmp_path: Path) -> None:
    deed = "sys.exit('found a duplicate at\\n  x: 1\\n  ^\\n')"
    (result,) = report_on(client(tmp_path, "edit", deed), only=[CASE]).results
    assert result.problems[0].message.endswith("It said: x: 1")


def test_another_document_is_not_described_by_its_case(tmp_path: Path) -> None:
    deed = "return {**super().read(message), 'model_family': 'x'}"
    report = report_on(client(tmp_path, "read", deed), only=["request.v1/[rtv]*"])
    (group,) = groups(report)
    assert any(example.is_of_twin for example in group.examples)
    first, *_ = group.chosen(1)
    assert first.description
    assert not first.is_of_twin
    assert not any(example.description for example in group.examples if example.is_of_twin)
