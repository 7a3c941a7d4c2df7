"""Sound clients pass everything; broken ones fail exactly what they are known to fail."""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from clients import CLIENTS, COMMAND, PYTHON, ROLES_OF_BROKEN, report_on, requirements_in
from runforge_conformance._generated.protocol_v1 import Answer
from runforge_conformance._generated.report_v1 import ReportV1
from runforge_conformance.judging import judge
from runforge_conformance.runner import LEVELS, prepare, question
from runforge_conformance.suite_report import FINE, failures
from runforge_conformance.variation import twin, varied
from runforge_conformance.vectors import all_cases, requirements, vectors_folder

#: Clients that break documents, by name: what they are known to fail.
BY_NAME = {path.stem: path for path in sorted((CLIENTS / "broken/documents").glob("*.xfail"))}
#: One case that shows the fault of an executor that trains for real.
TRAINING = {
    "indexes_elsewhere": ("runs/complete/linear-svc", "index.complete"),
    "litters": ("runs/complete/linear-svc", "files.untouched"),
    "never_the_same": ("runs/determinism/linear-svc", "executor.deterministic"),
    "rewrites_the_index": ("runs/store/after-others", "index.append-only"),
}
#: Faulty runs, by folder: the requirement that each one breaks.
FAULTS = {
    fault["folder"]: fault["requirement"]
    for fault in json.loads((vectors_folder() / "runs/faulty/faults.json").read_bytes())
}


def test_the_python_client_passes_through_the_pipe() -> None:
    report = report_on(PYTHON, strict=True)
    assert report.verdict == "conformant"
    assert set(report.counts) == {"passed", "skipped"}
    assert report.counts["passed"] > 1500


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("python_harness", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", [None, *range(3)])
def test_the_python_client_passes_in_process(seed: int | None, tmp_path: Path) -> None:
    """As the cases are published, and as they vary."""
    client = load(PYTHON).Client()
    mine = [case for case in all_cases() if case.op in ("read", "roundtrip", "edit", "write")]
    if seed is not None:
        made = [(varied(case, seed), twin(case, seed)) for case in mine]
        mine = [case for cases in made for case in cases if case is not None]
    for number, case in enumerate(mine, start=1):
        place = prepare(case, tmp_path / str(number))
        answer = client.answer(question(case, place, number))
        typed = msgspec.convert({"seq": number, **answer}, Answer)
        assert judge(case, typed, place) == [], case.id


def test_the_command_passes_as_store() -> None:
    report = report_on(COMMAND, roles=["store"], strict=True)
    assert report.verdict == "partial"
    assert not list(failures(report))
    assert report.counts == {"passed": 26}


@pytest.mark.parametrize("case", ["runs/complete/random-forest", "runs/data/ragged"])
def test_the_command_passes_as_executor(case: str) -> None:
    """Hold two cases here; `make conformance` runs all of them."""
    assert report_on(COMMAND, only=[case], strict=True).counts == {"passed": 1}


@functools.cache
def report_of(name: str) -> ReportV1:
    """Return the report on a broken client, or on one that makes a faulty run."""
    runs = CLIENTS / "broken/runs"
    if name in ROLES_OF_BROKEN:
        path = runs / f"{name}.py"
        return report_on(path, roles=ROLES_OF_BROKEN[name], xfail=path.with_suffix(".xfail"))
    if name in TRAINING:
        return report_on(runs / f"{name}.py", only=[TRAINING[name][0]])
    if name in BY_NAME:
        return report_on(BY_NAME[name].with_suffix(".py"), xfail=BY_NAME[name])
    return report_on(runs / "faulty_run.py", name, only=["runs/complete/linear-svc"])


def one_quick(names: Iterable[str]) -> list[Any]:
    """Return names as parameters; all but the first take their time."""
    first, *others = names
    return [first, *(pytest.param(name, marks=pytest.mark.slow) for name in others)]


@pytest.mark.parametrize("name", [*one_quick(BY_NAME), *one_quick(ROLES_OF_BROKEN)])
def test_a_broken_client_fails_exactly_what_is_listed(name: str) -> None:
    report = report_of(name)
    unexpected = [
        (result.case, result.outcome)
        for result in report.results
        if (result.outcome not in FINE) is not bool(result.expected_failure)
    ]
    assert unexpected == []
    assert report.unmatched_xfails == []
    assert any(result.outcome not in FINE for result in report.results)


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("one_line", "strict"),
        ("wrong_pointer", "strict"),
        ("no_error_codes", "strict"),
        ("no_error_message", "recommended"),
        ("never_warns", "core"),
        ("loses_values", "core"),
    ],
)
def test_form_codes_and_places_are_not_core(name: str, level: str) -> None:
    path = BY_NAME[name].with_suffix(".py")
    only = ["request.v1/form/*", "request.v1/text/*", "result.v1/error/*", "request.v1/lists/*"]
    broken = {result.level for result in failures(report_on(path, only=only))}
    assert min(broken, key=LEVELS.index) == level


@pytest.mark.parametrize("folder", one_quick(FAULTS))
def test_an_executor_that_makes_a_faulty_run_is_found_out(folder: str) -> None:
    assert FAULTS[folder] in requirements_in(report_of(folder))


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINING)
def test_an_executor_that_spoils_a_real_run_is_found_out(name: str) -> None:
    assert TRAINING[name][1] in requirements_in(report_of(name))


@pytest.mark.slow
def test_every_requirement_is_broken_by_a_client() -> None:
    """What no broken client breaks, no case may really check."""
    names = [*BY_NAME, *ROLES_OF_BROKEN, *TRAINING, *FAULTS]
    broken = set().union(*(requirements_in(report_of(name)) for name in names))
    checked = {item.id for item in requirements().values() if not item.unchecked}
    assert broken <= requirements().keys()
    # No operation makes a run of an experiment; test_invariants.py has a fault for each of these.
    checked -= {name for name in checked if name.startswith("experiment.")}
    # Nor does any execute a plan; test_group_invariants.py has a fault for each of these.
    checked -= {"group.plan", "group.runs", "group.summary"}
    # Nor does any evaluate a model; test_evaluations.py has a fault for each of these.
    checked -= {name for name in checked if name.startswith("evaluation.")} - {"evaluation.schema"}
    assert checked - broken == {
        "run.additive",  # every version keeps the fields of the one before by its schema
        "run.no-links",  # the vectors hold no links; see test_invariants.py
        "run.readable",  # nor files that cannot be read
        "view.same",  # no operation makes a view; test_views.py changes one
    }
