"""Check a plan whole: every request that it makes is resolved before the first run.

Source: specification, sections 20.4 and 20.5.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, Problem, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.sweeps.plan_members import PlanMember, plan_members
from runforge_contracts.types import RequestV1, SweepPlanV1

from runforge_engine.data.dataset_source import dataset_path
from runforge_engine.modeling.configuration import Configuration
from runforge_engine.pipeline.request import prepare

#: How many different mistakes an error lists.
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class SweepMember:
    """One run of a plan: what it sets, its request, and the configuration of that."""

    number: int
    #: What the member sets in the base request, by the paths of the plan.
    overrides: dict[str, Any]
    #: The whole raw request.
    request: dict[str, Any]
    configuration: Configuration

    @property
    def dataset(self) -> str:
        """The dataset, as the request names it."""
        path: str = self.request["dataset"]["path"]
        return path


class Duplicate(NamedTuple):
    """A member with the configuration of an earlier one, which is run in its place."""

    number: int
    same_as: int


@dataclass(frozen=True, slots=True)
class ResolvedPlan:
    """A plan that was checked whole."""

    document: Document[SweepPlanV1]
    #: The members that are run, in the order of their numbers.
    members: tuple[SweepMember, ...]
    duplicates: tuple[Duplicate, ...]

    @property
    def name(self) -> str | None:
        """Display name of the group."""
        name: str | None = (self.document.content.get("group") or {}).get("name")
        return name

    @property
    def notes(self) -> str | None:
        """Free text on the group."""
        notes: str | None = (self.document.content.get("group") or {}).get("notes")
        return notes

    @property
    def execution(self) -> dict[str, Any]:
        """How the plan is to be executed, as far as it says so."""
        execution: dict[str, Any] = self.document.content.get("execution") or {}
        return execution

    @property
    def datasets(self) -> list[str]:
        """The datasets of the members, each once, as the requests name them."""
        return list(dict.fromkeys(member.dataset for member in self.members))


def resolve_plan(document: Document[SweepPlanV1], store: StoreLayout) -> ResolvedPlan:
    """Resolve every request of a plan, and find the members that would train the same.

    Nothing is written, and no dataset is read.

    Parameters
    ----------
    document
        The plan.
    store
        The store that the runs will belong to; its workspace is the base of relative paths.

    Raises
    ------
    RunForgeError
        ``PLAN_INVALID`` with every mistake in the plan; ``DATASET_NOT_FOUND``.
    """
    members, mistakes = list[SweepMember](), list[tuple[PlanMember, RunForgeError]]()
    for planned in plan_members(document):
        try:
            members.append(_resolve(planned, store))
        except RunForgeError as error:
            mistakes.append((planned, error))
    if mistakes:
        raise _invalid(mistakes, document.path)
    for name in dict.fromkeys(member.dataset for member in members):
        _find(dataset_path(name, store.workspace))
    first_with = dict[Any, int]()
    distinct, duplicates = list[SweepMember](), list[Duplicate]()
    for member in members:
        same_as = first_with.setdefault(_key(member, store), member.number)
        if same_as == member.number:
            distinct.append(member)
        else:
            duplicates.append(Duplicate(member.number, same_as))
    return ResolvedPlan(document, tuple(distinct), tuple(duplicates))


def _resolve(planned: PlanMember, store: StoreLayout) -> SweepMember:
    request: Document[RequestV1] = Document(planned.request, "request.v1")
    configuration = prepare(request).configuration
    dataset_path(request.content["dataset"]["path"], store.workspace)
    return SweepMember(planned.number, planned.overrides, planned.request, configuration)


def _key(member: SweepMember, store: StoreLayout) -> tuple[Any, ...]:
    """Return what decides the model that a member trains."""
    configuration = member.configuration
    dataset: dict[str, Any] = Document(member.request, "request.v1").content["dataset"]
    return (
        configuration.family,
        tuple((item.name, item.value) for item in configuration.hyperparameters),
        configuration.seed,
        os.path.realpath(dataset_path(dataset["path"], store.workspace)),
        dataset["label_column"],
        frozenset(dataset.get("exclude_columns", ())),
    )


def _find(path: Path) -> None:
    """Raise ``DATASET_NOT_FOUND`` if there is no file at ``path``."""
    try:
        found = path.is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        raise RunForgeError(
            ErrorCode.DATASET_NOT_FOUND,
            f"There is no dataset {quote(path, 200)}.",
            hint="Relative paths start at the workspace.",
            path=str(path),
        )


def _invalid(
    mistakes: Sequence[tuple[PlanMember, RunForgeError]], path: Path | None
) -> RunForgeError:
    """Return one error for all mistakes; equal ones once, with their members."""
    numbers = dict[tuple[str, str | None, str | None], list[int]]()
    for member, error in mistakes:
        for problem in error.problems or (Problem(error.message, error.location, error.hint),):
            key = problem.message, problem.location.pointer, problem.hint
            numbers.setdefault(key, []).append(member.number)
    problems = [
        Problem(f"{_runs(members)}: {message}", Problem("").location._replace(pointer=at), hint)
        for (message, at, hint), members in numbers.items()
    ]
    more = len(problems) - _MOST_PROBLEMS
    if more > 0:
        problems[_MOST_PROBLEMS:] = [Problem(f"and {more} other mistakes")]
    count = len({member.number for member, _ in mistakes})
    return RunForgeError(
        ErrorCode.PLAN_INVALID,
        f"The plan has {count} invalid run{'s' if count > 1 else ''}; nothing was run.",
        path=None if path is None else str(path),
        problems=problems,
    )


def _runs(numbers: Iterable[int]) -> str:
    """Return numbers of members as ``Runs 1-3, 7``; a long list is cut."""
    ranges = list[list[int]]()
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
    if len(texts) > 6:
        texts[6:] = ["..."]
    single = len(ranges) == 1 and ranges[0][0] == ranges[0][1]
    return ("Run " if single else "Runs ") + ", ".join(texts)
