"""The tables of the specification's chapters on stores, runs and events agree with the code."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from runforge_contracts.codec.strict_json import canonical_json
from runforge_contracts.diagnostics import DiagnosticCode
from runforge_contracts.invariants import event_invariants
from runforge_contracts.run_ids import run_id_candidates
from runforge_contracts.schemas import load_schema
from runforge_contracts.store import layout
from runforge_contracts.store.run import RUN_VERSIONS
from runforge_engine.pipeline.run_writer import _ARTIFACT_TYPES
from specification import ROOT, read_pages, read_specification

PAGES = read_pages()
SECTIONS = {section.number: section for section in read_specification(PAGES).sections}
VECTORS = ROOT / "docs/test-vectors"
RUNS = VECTORS / "runs/v0.4.0/.runforge"
CODE = re.compile(r"`([^`]+)`")


def rows(number: str) -> list[list[str]]:
    """Return the cells of all tables of a section, without their headings."""
    section = SECTIONS[number]
    text = PAGES[section.page].partition(f"\n## {number} ")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert lines, f"section {number} has no table"
    found = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        is_rule = set(line) <= set("|-")
        if not is_rule and not (following and set(following) <= set("|-")):
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def codes(cell: str) -> list[str]:
    return CODE.findall(cell)


def modules(*folders: str) -> Iterator[ast.Module]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield ast.parse(path.read_text("utf-8"))


def calls(name: str) -> Iterator[tuple[set[str], set[str]]]:
    """Yield the codes that a call of `diagnostic` may have, and the names of its details."""
    for module in modules("packages/runforge-engine/src", "packages/runforge-cli/src"):
        for function in ast.walk(module):
            if not isinstance(function, ast.FunctionDef):
                continue
            named = {
                node.attr
                for node in ast.walk(function)
                if isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "DiagnosticCode"
            }
            for node in ast.walk(function):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                    continue
                if node.func.id == name:
                    first = node.args[0]
                    own = {first.attr} if isinstance(first, ast.Attribute) else named
                    yield own, {keyword.arg for keyword in node.keywords if keyword.arg}


def test_every_diagnostic_code_is_listed_with_its_severity() -> None:
    listed = {codes(row[0])[0]: row[1] for row in rows("15.4")}
    assert listed == {code.value: code.severity for code in DiagnosticCode}


def test_the_details_of_diagnostics_are_those_that_the_code_gives() -> None:
    given: dict[str, set[str]] = {code.value: set() for code in DiagnosticCode}
    made = set()
    for names, details in calls("diagnostic"):
        made |= names
        for name in names:
            given[name] |= details
    for row in rows("15.4"):
        (code,) = codes(row[0])
        shown = set(codes(re.sub(r"\([^)]*\)", "", row[3])))
        assert shown == given[code], code
        assert (code in made) is not row[2].startswith("none now"), code


def test_every_fact_of_check_run_is_listed() -> None:
    known = {item.id for item in read_specification(PAGES).requirements}
    facts = {
        node.value
        for module in modules("packages/runforge-contracts/src/runforge_contracts/invariants")
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and node.value in known
    }
    facts = {name for name in facts if not name.startswith(("experiment.", "yaml."))}
    listed = {name for row in rows("5.9") for name in codes(row[0])}
    assert {name for name in facts if not name.endswith(".schema")} <= listed
    assert listed - {"json.*", "*.schema"} <= known


def test_every_event_is_listed_with_its_fields() -> None:
    schema = load_schema("events.v1")
    required = {name: set() for name in schema["properties"]["event"]["enum"]}
    for rule in schema["allOf"]:
        name = rule["if"]["properties"]["event"]["const"]
        required[name] = set(rule["then"]["required"])
    listed = {codes(row[0])[0]: set(codes(row[2])) for row in rows("15.1")}
    assert listed == required


def test_the_order_of_events_is_that_of_the_check() -> None:
    listed = {codes(row[0])[0]: codes(row[1]) for row in rows("15.2")}
    assert listed["succeeded"] == [*event_invariants._ORDER]
    assert {status: names[-1] for status, names in listed.items()} == event_invariants._LAST


def test_every_file_of_a_run_is_listed() -> None:
    listed = {name for row in rows("5.2") for name in codes(row[0])}
    files = {
        value
        for name, value in vars(layout).items()
        if name.isupper() and isinstance(value, str) and "." in value and not value.startswith(".")
    }
    of_experiments = {layout.CONFIG, layout.SYSTEM, layout.JOURNAL, layout.LOGS, layout.LOG_COPY}
    others = {layout.PLAN, layout.GROUP, layout.EVALUATION, layout.ALIASES, layout.MERGES}
    others |= {layout.BUNDLE, layout.REMOVALS}
    assert files - of_experiments - others <= listed


def test_every_version_of_the_record_is_listed() -> None:
    assert [codes(row[0])[0] for row in rows("8.1")] == [*RUN_VERSIONS[::-1]]


def test_the_fields_of_the_record_are_listed_with_their_version() -> None:
    first: dict[str, str] = {}
    needed: dict[str, str] = {}
    for version in RUN_VERSIONS[::-1]:
        schema = load_schema(version)
        for name in schema["properties"]:
            first.setdefault(name, version.removeprefix("run.v"))
        for name in schema["required"]:
            needed.setdefault(name, version.removeprefix("run.v"))
    listed: dict[str, tuple[str, str]] = {}
    for row in rows("8.2"):
        for field in codes(row[0]):
            name = field.partition(".")[0]
            since, _, later = row[1].partition("; ")
            demanded = (
                (later or since).removesuffix(" (required)") if "(required)" in row[1] else ""
            )
            # What came later into an object that was there stands in a later row.
            listed.setdefault(name, (since.removesuffix(" (required)"), demanded))
    assert listed == {name: (first[name], needed.get(name, "")) for name in first}


@pytest.mark.parametrize(
    ("number", "schema", "part"),
    [
        ("6.2", "request.v1", None),
        ("7.1", "result.v1", None),
        ("9.1", "metrics.phase2", None),
        ("9.2", "metrics.v1", None),
        ("5.5", "index.v1", "IndexEntry"),
    ],
)
def test_every_field_of_a_document_is_listed(number: str, schema: str, part: str | None) -> None:
    root = load_schema(schema)
    fields = root["$defs"][part]["properties"] if part else root["properties"]
    listed = {name.partition(".")[0] for row in rows(number) for name in codes(row[0])}
    assert {*fields} <= listed


def test_the_artifact_types_are_those_of_the_schema() -> None:
    listed = {name: {*codes(row[1])} for row in rows("7.6") for name in codes(row[0])}
    item = load_schema("result.v1")["$defs"]["ResultArtifact"]
    assert {*listed} == {*item["properties"]["type"]["enum"]}
    written = {file: kind for kind, files in listed.items() for file in files}
    assert written == dict(_ARTIFACT_TYPES)


def test_the_profiles_of_metrics_are_those_of_the_schema() -> None:
    listed = [codes(row[0])[0] for row in rows("9.3")]
    common = json.loads((ROOT / "schemas/common.v1.json").read_bytes())
    assert sorted(listed) == sorted(common["$defs"]["MetricsProfile"]["enum"])


def test_the_example_of_a_run_id_can_be_computed() -> None:
    entry = index_entries()[1]
    run_id, fingerprint = entry["run_id"], entry["dataset_fingerprint_sha256"]
    request = json.loads((RUNS / "runs" / run_id / "request.json").read_bytes())
    text = canonical_json(request) + b"\n" + fingerprint.encode("ascii")
    assert run_id[16:] == hashlib.sha256(text).hexdigest()[:8]
    assert [run_id] == [*islice(run_id_candidates(entry["created_at"], request, fingerprint), 1)]
    section = PAGES["store"].partition("\n## 5.3 ")[2].partition("\n## ")[0]
    assert f"`{run_id}`" in section
    assert f"`{fingerprint}`" in section


def test_the_example_of_the_index_chain_can_be_computed() -> None:
    link, entries = bytes(32), index_entries()
    for entry in entries:
        link = hashlib.sha256(link + canonical_json(entry)).digest()
    section = PAGES["store"].partition("\n## 5.5 ")[2].partition("\n## ")[0]
    assert f"is {len(entries)} and `{link.hex()}`" in " ".join(section.split())


def index_entries() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((RUNS / "index.json").read_bytes())["runs"]
    return entries


def test_a_table_is_read_without_its_heading() -> None:
    assert rows("7.2")[0][0] == "`succeeded`"
    assert len(rows("7.2")) == 3
