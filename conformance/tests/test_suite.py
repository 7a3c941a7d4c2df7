"""The suite is whole: cases, requirements, vectors, and the words for what is found."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

import jsonschema
import pytest
import runforge_contracts.invariants
from clients import suite
from independent import BEYOND_SCHEMAS, REGISTRY, SCHEMAS
from runforge_conformance import suite as own
from runforge_conformance import vectors
from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance.vectors import (
    all_cases,
    input_bytes,
    parse_file,
    requirements,
    suffix_of,
)
from runforge_contracts.errors import ErrorCode, RunForgeError


def test_nothing_is_wrong_with_the_suite() -> None:
    done = suite("check")
    assert done.returncode == 0, done.stderr
    assert "0 faults" in done.stdout


def test_every_requirement_has_cases_or_a_reason() -> None:
    used = {case.requirement for case in all_cases()} | words_of_the_facts()
    for requirement in requirements().values():
        assert (requirement.id in used) is not bool(requirement.unchecked), requirement.id


def words_of_the_facts() -> set[str]:
    """Return every text constant of the code that finds facts."""
    found = set()
    folder = Path(str(runforge_contracts.invariants.__path__[0]))
    for path in [*folder.glob("*.py"), Path(own.__file__).with_name("judging.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_rule_that_a_fact_names_is_a_requirement() -> None:
    areas = {identifier.partition(".")[0] for identifier in requirements()}
    files = {"run.json", "result.json", "metrics.json", "index.json"}
    rules = {
        word
        for word in words_of_the_facts()
        if word.count(".") == 1
        and word.partition(".")[0] in areas
        and " " not in word
        and not word.endswith(".")
    } - files
    named = {word for word in rules if not word[-1].isdigit() and not word.endswith("schema")}
    assert named - requirements().keys() <= {"input.json"}
    for code in ErrorCode:
        if code.startswith(("JSON_", "YAML_")):
            assert code.lower().replace("_", "-").replace("-", ".", 1) in requirements()


@pytest.mark.parametrize("name", sorted({case.document for case in all_cases() if case.document}))
def test_a_second_validator_agrees_with_every_expectation(name: str) -> None:
    """Ajv is the third: it is what the TypeScript client validates with."""
    independent = jsonschema.Draft202012Validator(SCHEMAS[name], registry=REGISTRY)
    cases = [case for case in all_cases() if case.op == "read" and case.document == name]
    assert len(cases) > 10
    for case in cases:
        valid = is_valid(case, independent)
        if case.requirement not in BEYOND_SCHEMAS:
            assert valid is (case.expect.outcome == "accepted"), case.id


def is_valid(case: Case, validator: jsonschema.Draft202012Validator) -> bool:
    assert case.input
    try:
        document = parse_file(input_bytes(case.input), f"input{suffix_of(case.document or None)}")
    except RunForgeError:
        return False  # refused for its text
    # A newer result is held to what version 1 says of it.
    newer = isinstance(document, dict) and case.document == "result.v1"
    if newer and isinstance(document.get("version"), int) and document["version"] > 1:
        document = {**document, "version": 1}
    return bool(validator.is_valid(document))


def test_changes_of_the_vectors_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(vectors.vectors_folder(), tmp_path / "vectors")
    monkeypatch.setattr(own, "vectors_folder", lambda: tmp_path / "vectors")
    assert own.faults() == []
    (tmp_path / "vectors/request.v1.min.json").write_text("{}")
    (tmp_path / "vectors/new.json").write_text("{}")
    (tmp_path / "vectors/raw/request.v1/nan.json").unlink()
    assert len(own.faults()) == 4


def test_requirements_are_frozen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(own._REQUIREMENTS, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "v1.json"
    path.write_text(path.read_text().replace('"core"', '"recommended"', 1))
    monkeypatch.setattr(own, "_REQUIREMENTS", tmp_path)
    assert own.faults() == ["v1.json: the requirements of contract v1 are frozen, and have changed"]


def test_export_writes_every_case_as_plain_files(tmp_path: Path) -> None:
    done = suite("export", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    for case in all_cases():
        folder = tmp_path / "out" / case.id
        assert json.loads((folder / "case.json").read_bytes())["id"] == case.id
        assert len(list(folder.glob("input.*"))) == bool(case.input)
        if case.op in ("edit", "roundtrip", "write") and case.expect.outcome == "accepted":
            assert (folder / "expected.json").exists()
    again = suite("export", tmp_path / "out")
    assert again.returncode == 2
    assert "not empty" in again.stderr


def test_cases_can_be_listed() -> None:
    done = suite("list", "--role", "store")
    assert "stores/list/legacy-root" in done.stdout
    assert done.stdout.endswith("26 cases\n")
    listed = json.loads(suite("list", "--only", "stores/trace/*", "--json").stdout)
    assert [case["op"] for case in listed] == ["trace"] * 5
