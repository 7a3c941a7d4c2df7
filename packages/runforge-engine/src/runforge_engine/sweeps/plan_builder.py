"""Build a plan from a base request, a grid of settings and seeds, without a file.

Source: specification, sections 20.1 to 20.4.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.documents import REMOVE, Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.schemas import BASE_URL
from runforge_contracts.types import SweepPlanV1
from runforge_contracts.validation import validate

from runforge_engine.runtime.clock import read_clock
from runforge_engine.runtime.plain_values import plain

_PLAN = "sweep_plan.v1"
_HYPERPARAMETERS = "/model/hyperparameters"
#: Settings of a grid that are not hyperparameters, with their places in the request.
_PLACES = {
    "seed": "/seed",
    "preset": "/preset",
    "profile": "/profile",
    "model": "/model/family",
}
#: The most runs that one plan makes.
MOST_MEMBERS = 10_000


def new_plan(
    base_request: Mapping[str, Any],
    grid: Mapping[str, Iterable[Any]],
    *,
    created_by: str,
    seeds: Iterable[int] = (),
    name: str | None = None,
    notes: str | None = None,
    max_parallel: int | None = None,
    fail_fast: bool = False,
    stop_on_cancel: bool | None = None,
) -> Document[SweepPlanV1]:
    """Return the plan to train with every combination of the values of a grid.

    Parameters
    ----------
    base_request
        The raw request that every run starts from.
    grid
        Values by the name of a hyperparameter, ``seed``, ``preset``, ``profile``, ``model``, or
        the path of another member of the request: a JSON Pointer, or names with dots between them.
        :data:`~runforge_contracts.documents.REMOVE` as a value takes the member away, so that
        profile, preset or default apply. The last name varies fastest.
    created_by
        The client, as ``<client>@<version>``.
    seeds
        Seeds to repeat every combination with; they vary fastest.
    name, notes
        Of the group.
    max_parallel, fail_fast, stop_on_cancel
        As in the plan; absent where None.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for an empty grid, a name without a list of values, one that is given
        twice, and a plan with too many runs.
    """
    values = {_place(name): values_of(name, given) for name, given in grid.items()}
    chosen = plain(list(seeds))
    if chosen:
        if "/seed" in values or base_request.get("seed") is not None:
            raise _refused("The seeds are given twice.", "Give one seed, or a list of seeds.")
        values["/seed"] = chosen
    _check(values, grid, base_request)
    strategy: dict[str, Any] = {
        "type": "grid",
        "parameters": [
            {"path": path, "values": [_without(value) for value in given]}
            for path, given in values.items()
        ],
    }
    if any(None in given for path, given in values.items() if path.startswith(_HYPERPARAMETERS)):
        strategy = {"type": "list", "runs": _runs(values, base_request)}
    execution = {
        "max_parallel": max_parallel,
        "fail_fast": fail_fast or None,
        "stop_on_cancel": stop_on_cancel,
    }
    raw = {
        "$schema": f"{BASE_URL}{_PLAN}.json",
        "version": 1,
        "kind": "sweep_plan",
        "created_at": read_clock().now(),
        "created_by": created_by,
        "group": {"name": name, "notes": notes},
        "base_request": dict(base_request),
        "strategy": strategy,
        "execution": {key: value for key, value in execution.items() if value is not None},
    }
    validate(raw, _PLAN)
    return Document(raw, _PLAN)


def _place(name: str) -> str:
    """Return the path in the request of a name in a grid."""
    if name in _PLACES:
        return _PLACES[name]
    if name.startswith("/"):
        return name
    if "." in name:
        return format_pointer(name.split("."))
    return _HYPERPARAMETERS + format_pointer([name])


def values_of(name: str, given: Iterable[Any]) -> list[Any]:
    """Return the values of a name in a grid; a string is one value, not a list of them."""
    try:
        if isinstance(given, (str, bytes, Mapping)):
            raise TypeError
        values: list[Any] = plain(list(given))
    except TypeError:  # it has no items
        raise _refused(
            f"{quote(name)} has no list of values, but {quote(given, 60)}.",
            "Put the value into a list.",
        ) from None
    return values


def _check(
    values: Mapping[str, Sequence[Any]], grid: Mapping[str, Any], base: Mapping[str, Any]
) -> None:
    if not values:
        raise _refused("The grid is empty.", "Name a setting and its values, such as C=0.1,1.")
    if len(values) < len(grid):
        raise _refused("The grid names a setting twice.", "Name each setting once.")
    count = 1
    fixed = base.get("model", {}).get("hyperparameters") or {}
    for path, given in values.items():
        if not given:
            raise _refused(f"{quote(path)} has no values.", "Give at least one.")
        name = path.removeprefix(f"{_HYPERPARAMETERS}/")
        if name in fixed and name != path:
            raise _refused(
                f"The hyperparameter {quote(name)} is both fixed and in the grid.",
                "Leave one of the two out.",
            )
        count *= len(given)
    if count > MOST_MEMBERS:
        raise _refused(
            f"The grid makes {count:,} runs; a sweep has at most {MOST_MEMBERS:,}.",
            "Try fewer values, or make several sweeps.",
        )


def _without(value: Any) -> Any:
    """Return a value as a plan has it: null removes the member."""
    return None if value is REMOVE else value


def _runs(values: Mapping[str, Sequence[Any]], base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the runs of a grid one by one, with the hyperparameters of each as one object.

    In a plan, null takes a member away. The value none of a hyperparameter, such as a forest of
    unlimited depth, can only be given within the object.
    """
    fixed = dict(base.get("model", {}).get("hyperparameters") or {})
    runs = []
    for combination in itertools.product(*values.values()):
        run, hyperparameters = dict[str, Any](), dict(fixed)
        for path, value in zip(values, combination, strict=True):
            name = path.removeprefix(f"{_HYPERPARAMETERS}/")
            if name == path or "/" in name:
                run[path] = _without(value)
            elif value is not REMOVE:
                hyperparameters[name.replace("~1", "/").replace("~0", "~")] = value
        runs.append({_HYPERPARAMETERS: hyperparameters, **run})
    return runs


def _refused(message: str, hint: str) -> RunForgeError:
    return RunForgeError(ErrorCode.USAGE_INVALID, message, hint=hint)
