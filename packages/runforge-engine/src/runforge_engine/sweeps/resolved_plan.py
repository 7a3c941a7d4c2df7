"""Check a plan whole: every request that it makes is resolved before the first run.

Source: specification, sections 20.4 and 20.5.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.sweeps.plan_members import PlanMember, plan_members
from runforge_contracts.types import RequestV1, SweepPlanV1

from runforge_engine.data.column_request import check_names_of_file
from runforge_engine.data.dataset_source import dataset_path
from runforge_engine.modeling.configuration import Configuration
from runforge_engine.pipeline.plan import choose_table
from runforge_engine.pipeline.request import prepare
from runforge_engine.pipeline.run_inputs import TableChoice


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


def resolve_plan(
    document: Document[SweepPlanV1],
    store: StoreLayout,
    *,
    created_at: str | None = None,
    created_by: str | None = None,
) -> ResolvedPlan:
    """Resolve every request of a plan, and find the members that would train the same.

    Nothing is written. Datasets are read only to tell whether they are the same.

    Parameters
    ----------
    document
        The plan.
    store
        The store that the runs will belong to; its workspace is the base of relative paths.
    created_at, created_by
        Time and author of the requests.

    Raises
    ------
    RunForgeError
        ``PLAN_INVALID`` with every mistake in the plan; ``DATASET_NOT_FOUND`` and other errors of
        a dataset that cannot be read.
    """
    configurations = dict[int, Configuration]()
    checked = set[TableChoice]()

    def check(member: PlanMember) -> None:
        request: Document[RequestV1] = Document(member.request, "request.v1")
        prepared = prepare(request)
        choice = choose_table(prepared, store)
        if choice not in checked:
            form = {} if choice.recipe is None else choice.recipe.content.get("source", {})
            check_names_of_file(
                *(choice.path, choice.label_column, choice.exclude_columns),
                in_python=choice.in_python,
                delimiter=form.get("delimiter", ","),
                encoding=form.get("encoding", "utf-8"),
            )
            checked.add(choice)
        configurations[member.number] = prepared.configuration

    members = [
        SweepMember(item.number, item.overrides, item.request, configurations[item.number])
        for item in plan_members(
            document, created_at=created_at, created_by=created_by, check=check
        )
    ]
    contents = _contents(dict.fromkeys(member.dataset for member in members), store)
    first_with = dict[Any, int]()
    distinct, duplicates = list[SweepMember](), list[Duplicate]()
    for member in members:
        same_as = first_with.setdefault(_key(member, contents), member.number)
        if same_as == member.number:
            distinct.append(member)
        else:
            duplicates.append(Duplicate(member.number, same_as))
    return ResolvedPlan(document, tuple(distinct), tuple(duplicates))


def fingerprint(dataset: str, store: StoreLayout) -> str:
    """Return the SHA-256 of a dataset, named as a request does.

    Raises
    ------
    RunForgeError
        ``DATASET_NOT_FOUND``; the other errors of
        :func:`~runforge_contracts.fs.files.digest_file`.
    """
    path = dataset_path(dataset, store.workspace)
    try:
        # A link to a dataset is followed, as training does.
        return digest_file(Path(os.path.realpath(path))).sha256
    except NotFoundError:
        raise RunForgeError(
            ErrorCode.DATASET_NOT_FOUND,
            f"There is no dataset {quote(path, 200)}.",
            hint="Relative paths start at the workspace.",
            path=str(path),
        ) from None


def _contents(datasets: Iterable[str], store: StoreLayout) -> dict[str, str]:
    """Return something for each dataset that equal ones share: of several, their digests."""
    names = list(datasets)
    if len(names) > 1:
        return {name: fingerprint(name, store) for name in names}
    for name in names:
        path = dataset_path(name, store.workspace)
        if not os.path.exists(path):  # noqa: PTH110 - false also for a name that is no path
            fingerprint(name, store)  # raises
    return {name: name for name in names}


def _key(member: SweepMember, contents: Mapping[str, str]) -> tuple[Any, ...]:
    """Return what decides the model that a member trains."""
    configuration = member.configuration
    dataset: dict[str, Any] = Document(member.request, "request.v1").content["dataset"]
    return (
        configuration.family,
        tuple((item.name, item.value) for item in configuration.hyperparameters),
        configuration.seed,
        contents[member.dataset],
        dataset["label_column"],
        frozenset(dataset.get("exclude_columns", ())),
    )
