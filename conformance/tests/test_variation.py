"""Inputs vary from a seed, and what the case asks about stays."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from clients import CLIENTS, PYTHON, SEED, report_on
from independent import BEYOND_SCHEMAS, REGISTRY, SCHEMAS
from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance.case_selection import select
from runforge_conformance.runner import Runner
from runforge_conformance.variation import twin, twin_first, varied
from runforge_conformance.vectors import (
    ROLE_OF,
    all_cases,
    expected_document,
    input_bytes,
    input_document,
    make_workspace,
)
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.run_invariants import check_run

CASES = [case for case in all_cases() if ROLE_OF[case.op] in ("reader", "editor", "writer")]
#: Every role with every document that it has cases of.
ASKED = sorted({(ROLE_OF[case.op], str(case.document)) for case in CASES})


def document_of(case: Case) -> Any:
    """Return the document that a client reads or writes; None if it is none."""
    if case.op == "write":
        return case.params and case.params.fields
    assert case.input
    try:
        return input_document(case.input, case.document or None)
    except RunForgeError:
        return None


def is_raw(case: Case) -> bool:
    return bool(case.input and case.input.file and case.input.file.startswith("raw/"))


def size(value: Any) -> Counter[str]:
    """Return how many values of each JSON type there are, at every depth."""
    found = Counter([type(value).__name__])
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            found += size(item)
    return found


def test_the_seed_alone_decides_what_varies() -> None:
    for case in CASES[::7]:
        assert varied(case, 1) == varied(case, 1)
        assert twin(case, 1) == twin(case, 1)
        assert (twin(case, 1) is None) is (twin(case, 2) is None)
    assert any(varied(case, 1) != varied(case, 2) for case in CASES)
    assert len({twin_first(case, 1) for case in CASES}) == 2


def test_byte_exact_inputs_stay() -> None:
    raw = [case for case in CASES if is_raw(case)]
    assert len(raw) > 100
    assert all(varied(case, SEED) == case for case in raw)


def test_what_varies_keeps_its_shape() -> None:
    for case in CASES:
        before, after = document_of(case), document_of(varied(case, SEED))
        if is_raw(case) or not isinstance(before, dict):
            continue
        assert isinstance(after, dict), case.id
        more = size(after) - size(before)
        less = size(before) - size(after)
        assert not less, case.id
        # One unknown field is added at most.
        assert more.total() <= 3, case.id


@pytest.mark.parametrize("name", sorted({str(case.document) for case in CASES}))
def test_a_second_validator_agrees_with_what_is_made(name: str) -> None:
    independent = jsonschema.Draft202012Validator(SCHEMAS[name], registry=REGISTRY)
    for case in CASES:
        if case.document != name or case.requirement in BEYOND_SCHEMAS or case.op == "edit":
            continue
        for made in (varied(case, SEED), twin(case, SEED)):
            if made is None or is_raw(made) or made.expect.outcome == "either":
                continue
            document = document_of(made)
            if made.params and made.params.not_computable:
                continue
            accepted = made.expect.outcome == "accepted"
            if accepted and name == "result.v1":
                document["version"] = 1  # a newer one is held to what version 1 says of it
            assert independent.is_valid(document) is accepted, made.id


def test_every_document_varies_in_every_role() -> None:
    """In the view or in what is to be saved; a reader is also asked for what it must refuse."""
    differs, twins = set(), set()
    for case in CASES:
        place = (ROLE_OF[case.op], str(case.document))
        if twin(case, SEED) is not None:
            twins.add((*place, case.expect.outcome))
        if case.expect.outcome != "accepted":
            continue
        new = varied(case, SEED)
        if case.op == "read":
            if new.expect.view != case.expect.view or new.input != case.input:
                differs.add(place)
        elif expected_document(new) != expected_document(case):
            differs.add(place)
    assert differs == set(ASKED)
    assert {(role, name) for role, name, outcome in twins if outcome == "accepted"} == set(ASKED)
    assert {
        (role, name) for role, name, outcome in twins if outcome == "rejected" and role != "editor"
    } == {place for place in ASKED if place[0] != "editor"}


def test_a_client_that_answers_by_case_id_fails_in_every_role_and_document() -> None:
    path = CLIENTS / "broken/documents/answers_by_case_id.py"
    report = report_on(path, only=["*/vectors/*", "*/preserve/*", "*/write/*"], seed=None)
    role_of = {case.id: (ROLE_OF[case.op], str(case.document)) for case in CASES}
    failed = {
        role_of[result.case]
        for result in report.results
        if result.outcome == "failed" and result.level == "core"
    }
    assert failed == {role_of[result.case] for result in report.results}
    assert {role for role, _ in failed} == {"reader", "editor", "writer"}


def test_a_failing_case_fails_again_with_its_seed_alone(tmp_path: Path) -> None:
    body = f"""
import sys
sys.path.insert(0, {str(PYTHON.parent)!r})
from harness import Client, serve
class Broken(Client):
    def save(self, document, message):
        if "e" in document.raw.get("name", ""):
            document = document.of(document.view)
        return super().save(document, message)
serve(Broken())
"""
    (tmp_path / "client.py").write_text(body)
    command = [sys.executable, str(tmp_path / "client.py")]
    runner = Runner(command)
    first = runner.run(select(all_cases(), None, None, ["request.v1/*"]))
    assert first.seed == runner.seed
    failed = [result for result in first.results if result.outcome == "failed"]
    assert failed
    for result in failed[:3]:
        again = Runner(command, seed=first.seed)
        (found,) = again.run(select(all_cases(), None, None, [result.case])).results
        assert msgspec.structs.replace(found, seconds=result.seconds) == result


def test_the_runs_of_a_store_have_other_ids_in_the_same_order(tmp_path: Path) -> None:
    stores = [case for case in all_cases() if ROLE_OF[case.op] == "store"]
    for case in stores:
        made = varied(case, SEED)
        assert made.ids
        assert all(old != new for old, new in made.ids.items())
        make_workspace(made, tmp_path / case.id)
        names = {path.name for path in (tmp_path / case.id).rglob("*")}
        assert not names & made.ids.keys()
        assert sorted(made.ids.values()) == [made.ids[old] for old in sorted(made.ids)]
        for run in (tmp_path / case.id).glob("*/runs/*/manifest.json"):
            rules = {item.rule for item in check_run(run.parent)}
            assert "manifest.digests" not in rules, case.id
    report = report_on(CLIENTS / "broken/runs/lists_by_case_id.py", roles=["store"], seed=None)
    assert report.counts["failed"] > len(stores) - 5


def test_runs_without_a_seed_differ() -> None:
    assert len({Runner(["true"]).seed for _ in range(20)}) > 1


def test_text_of_a_case_is_its_input() -> None:
    case = next(case for case in CASES if case.op == "read" and not is_raw(case))
    made = varied(case, SEED)
    assert made.input
    assert input_bytes(made.input).decode("utf-8") == made.input.text
