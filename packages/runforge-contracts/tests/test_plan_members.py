"""Plans make the runs that the vectors give, in their order, or are refused with all reasons."""

from __future__ import annotations

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runforge_contracts import ErrorCode, RunForgeError
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import ExitCode
from runforge_contracts.invariants.finding import same
from runforge_contracts.sweeps.plan_members import (
    MAX_MEMBERS,
    member_request,
    plan_from,
    plan_members,
    read_plan,
)
from runforge_contracts.validation import MAX_PROBLEMS, validate

VECTORS = Path(__file__).parents[3] / "docs/test-vectors"
PLANS = json.loads((VECTORS / "sweeps/plans.json").read_bytes())
VALID = [entry for entry in PLANS if "members" in entry]
INVALID = [entry for entry in PLANS if "problems" in entry]
BASE = VALID[0]["plan"]["base_request"]


def grid(*parameters: tuple[str, list[Any]], **base: Any) -> dict[str, Any]:
    """Return a plan of a grid."""
    return {
        "version": 1,
        "kind": "sweep_plan",
        "base_request": {**copy.deepcopy(BASE), **base},
        "strategy": {
            "type": "grid",
            "parameters": [{"path": path, "values": values} for path, values in parameters],
        },
    }


def refused(plan: dict[str, Any]) -> RunForgeError:
    """Return the error of a plan."""
    with pytest.raises(RunForgeError) as caught:
        plan_members(plan_from(plan))
    assert caught.value.code is ErrorCode.PLAN_INVALID
    assert caught.value.exit_code is ExitCode.PLAN_INVALID
    return caught.value


def places(error: RunForgeError) -> list[str | None]:
    """Return where the problems of an error are."""
    problems = [problem.location.pointer for problem in error.problems]
    return problems or [error.location.pointer]


@pytest.mark.parametrize("entry", VALID, ids=lambda entry: entry["name"])
def test_a_plan_makes_these_members(entry: dict[str, Any]) -> None:
    before = copy.deepcopy(entry["plan"])
    members = plan_members(plan_from(entry["plan"]))
    assert [member.number for member in members] == [*range(1, len(members) + 1)]
    made = [{"overrides": member.overrides, "request": member.request} for member in members]
    assert same(made, entry["members"])
    assert entry["plan"] == before


@pytest.mark.parametrize("entry", INVALID, ids=lambda entry: entry["name"])
def test_a_plan_is_refused_at_these_places(entry: dict[str, Any], tmp_path: Path) -> None:
    assert places(refused(entry["plan"])) == entry["problems"]
    path = tmp_path / "sweep.json"
    path.write_bytes(encode_json(entry["plan"]))
    with pytest.raises(RunForgeError) as caught:
        plan_members(read_plan(path))
    assert caught.value.code is ErrorCode.PLAN_INVALID
    assert caught.value.location.path == str(path)


MESSAGES = {
    "misspelled": "The path `/modle/family` leads to no member of a request: there is no `/modle`.",
    "misspelled-deep": (
        "The path `model.hyperparameter.C` leads to no member of a request: there is no"
        " `/model/hyperparameter`."
    ),
    "bad-escape": "In a JSON Pointer, 0 or 1 follows every `~`.",
    "into-an-array": ("The path `/tags/0` leads to no member of a request: there is no `/tags/0`."),
    "same-place-twice": (
        "The paths `/model/hyperparameters/C` and `model.hyperparameters.C` set the same member."
    ),
    "inside-another": "The paths `/model` and `/model/family` set the same member.",
    "value-inside-an-object": (
        "The request of run 2 is not valid: `/dataset/label_column` is too short; expected at"
        " least 1."
    ),
    "removed-what-is-required": (
        "The request of run 2 is not valid: the document lacks the required field `preset`."
    ),
    "base-not-valid": (
        "The base request is not valid: the document lacks the required field `preset`."
    ),
    "base-in-the-way": (
        "`/model/hyperparameters` is not an object, so that `/model/hyperparameters/C` cannot be"
        " set."
    ),
    "too-many": "The plan makes 10,100 runs; at most 10,000 are possible.",
    "no-values": (
        "The document is not a valid sweep_plan.v1: `/strategy/parameters/0/values` is too short;"
        " expected at least 1."
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_an_error_says_what_is_wrong(name: str) -> None:
    (plan,) = (entry["plan"] for entry in INVALID if entry["name"] == name)
    assert refused(plan).message == f"The plan cannot be executed: {MESSAGES[name]}"


def test_a_misspelled_path_is_answered_with_the_nearest_one() -> None:
    assert refused(grid(("model.hyperparams.C", [1]))).hint == (
        "Did you mean `/model/hyperparameters`?"
    )


def test_all_problems_are_in_one_error() -> None:
    error = refused(grid(("/modle", [1]), ("/version", [2]), ("preset", ["fast"])))
    assert places(error) == ["/strategy/parameters/0/path", "/strategy/parameters/1/path"]
    assert "(2 mistakes)" in error.message


def test_a_mistake_of_many_members_is_reported_once_and_many_mistakes_are_cut_off() -> None:
    assert places(refused(grid(("seed", [-1]), ("name", [*map(str, range(50))])))) == [
        "/strategy/parameters/0/values/0"
    ]
    assert len(refused(grid(("seed", [*range(-500, 0)]))).problems) == MAX_PROBLEMS


def test_a_file_that_is_no_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    for data in (b"", b"{", b"[]", b'{"version": 1, "version": 1}', b"[" * 10_000, b'{"a": NaN}'):
        path.write_bytes(data)
        with pytest.raises(RunForgeError) as caught:
            read_plan(path)
        assert caught.value.code is ErrorCode.PLAN_INVALID
    with pytest.raises(RunForgeError) as caught:
        read_plan(tmp_path / "missing.json")
    assert caught.value.exit_code is ExitCode.NOT_FOUND


def test_time_and_author_are_those_that_are_given_or_the_nearest() -> None:
    def made(plan: dict[str, Any], **given: str) -> tuple[str, str]:
        (member,) = plan_members(plan_from(plan), **given)
        return member.request["created_at"], member.request["created_by"]

    plan = grid(("seed", [1]))
    own = (BASE["created_at"], BASE["created_by"])
    assert made(plan) == own
    assert made(plan, created_at="2026-03-01T00:00:00Z", created_by="a@1") == (
        "2026-03-01T00:00:00Z",
        "a@1",
    )
    for name in ("created_at", "created_by"):
        del plan["base_request"][name]
    plan |= {"created_at": "2026-02-02T00:00:00Z", "created_by": "b@2"}
    assert made(plan) == ("2026-02-02T00:00:00Z", "b@2")
    # Another client writes local times and any name: neither can be in a request.
    plan |= {"created_at": "2026-02-02T00:00:00.123456", "created_by": "another"}
    validate(plan_members(plan_from(plan))[0].request, "request.v1")


def test_the_request_in_a_run_folder_names_group_and_member() -> None:
    (member,) = plan_members(plan_from(grid(("seed", [1]))))
    request = member_request(member, "grp_20260201_120000_x")
    validate(request, "request.v1")
    assert (request["sweep_group_id"], request["sweep_member"]) == ("grp_20260201_120000_x", 1)
    assert "sweep_group_id" not in member.request


NAMES = st.text("Cabxy_.~/1 ", min_size=1, max_size=4)
VALUES = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(0, 1) | st.text(max_size=3)


def pointer_of(name: str) -> str:
    """Return the pointer of a hyperparameter."""
    return "/model/hyperparameters/" + name.replace("~", "~0").replace("/", "~1")


@given(st.dictionaries(NAMES, st.lists(VALUES, min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_grid_is_the_product_of_its_values(values: dict[str, list[Any]]) -> None:
    plan = grid(*((pointer_of(name), tried) for name, tried in values.items()))
    members = plan_members(plan_from(plan))
    combinations = [*itertools.product(*values.values())]
    assert [member.number for member in members] == [*range(1, len(combinations) + 1)]
    for member, combination in zip(members, combinations, strict=True):
        wanted = dict(BASE["model"]["hyperparameters"])
        for name, value in zip(values, combination, strict=True):
            wanted.pop(name, None)
            if value is not None:
                wanted[name] = value
        assert same(member.request["model"]["hyperparameters"], wanted)
        assert [*member.overrides] == [pointer_of(name) for name in values]
        unchanged = {**member.request, "model": BASE["model"]}
        assert unchanged == BASE


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=3), min_size=1, max_size=8))
def test_a_list_is_the_grid_of_each_of_its_runs(runs: list[dict[str, Any]]) -> None:
    runs = [{pointer_of(name): value for name, value in run.items()} for run in runs]
    plan = grid(("seed", [1]))
    plan["strategy"] = {"type": "list", "runs": runs}
    members = plan_members(plan_from(plan))
    assert [member.overrides for member in members] == runs
    for member, run in zip(members, runs, strict=True):
        alone = grid(*((path, [value]) for path, value in run.items())) if run else None
        request = plan_members(plan_from(alone))[0].request if alone else BASE
        assert same(member.request, request)


JSON = st.recursive(
    VALUES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["path", "values", "type", "family", "C"]), inner)
    ),
    max_leaves=6,
)
PATHS = st.sampled_from(
    ["seed", "/seed", "model.family", "/model", "/version", "", "/", "a.b", "/tags/0", "~", "/~"]
)


@given(
    st.lists(st.fixed_dictionaries({"path": PATHS | NAMES, "values": st.lists(JSON)}), max_size=3),
    JSON,
)
def test_any_plan_is_executed_or_refused(parameters: list[Any], base: Any) -> None:
    plan = grid(("seed", [1]))
    plan["strategy"]["parameters"] = parameters
    if isinstance(base, dict):
        plan["base_request"] |= base
    try:
        members = plan_members(plan_from(plan))
    except RunForgeError:
        assert None not in places(refused(plan))
        return
    for member in members:
        validate(member.request, "request.v1")


def test_the_largest_plan_is_expanded() -> None:
    plan = grid(("seed", [*range(100)]), ("/model/hyperparameters/C", [*range(1, 101)]))
    members = plan_members(plan_from(plan))
    assert len(members) == MAX_MEMBERS
    assert members[-1].overrides == {"seed": 99, "/model/hyperparameters/C": 100}
