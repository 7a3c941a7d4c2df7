"""What forgotten runs leave in a store: evaluations, and copies of their datasets and recipes.

Source: specification, section 25.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from msgspec import UNSET
from runforge_contracts.display import quote_some
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.store import layout
from runforge_contracts.store.evaluations import RecordedEvaluation, evaluations_by_run
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.types import RemovalItem

from runforge_engine.preparation.given_recipe import RECIPES
from runforge_engine.provenance.folder_digest import digest_folder
from runforge_engine.removing.dataset_users import DatasetUsers, kept_copies


@dataclass(frozen=True, slots=True)
class Remain:
    """An evaluation of forgotten runs, or the copy of a dataset or recipe that they used."""

    what: Literal["dataset", "recipe", "evaluation"]
    #: The file of the copy, or the folder of the evaluation.
    path: Path
    #: ``{"sha256": ..., "bytes": ...}`` by path in the store.
    files: dict[str, dict[str, Any]]
    #: The forgotten runs that it is of; none if it is of no run that is known.
    run_ids: tuple[str, ...]
    #: Ids of what uses a copy.
    used_by: tuple[str, ...] = ()
    #: Whether only evaluations of the forgotten runs use it.
    only_evaluations: bool = False
    #: Why it cannot be removed.
    problem: str | None = None

    @property
    def is_free(self) -> bool:
        """Whether it can be removed."""
        return not self.used_by and self.problem is None

    def to_item(self, store: StoreLayout, *, removed: bool) -> RemovalItem:
        """Return what the report says of it."""
        is_evaluation = self.what == "evaluation"
        return RemovalItem(
            what=self.what,
            path=store.relative(self.path),
            outcome="removed" if removed else "kept",
            id=self.run_ids[0] if self.run_ids else UNSET,
            evaluation_id=self.path.name if is_evaluation else UNSET,
            files=len(self.files),
            bytes=sum(item["bytes"] for item in self.files.values()),
            used_by=list(self.used_by) or UNSET,
            message=UNSET if removed else self._why,
        )

    @property
    def _why(self) -> str:
        if self.problem is not None:
            return self.problem
        if self.what == "evaluation":
            return f"of the run {self.run_ids[0]}"
        if not self.used_by:
            return "no other run uses it" if self.run_ids else "no run uses it"
        verb = "uses" if len(self.used_by) == 1 else "use"
        only = "only " * self.only_evaluations
        return f"{only}{quote_some(list(self.used_by))} {verb} it"


def remains_of(
    store: StoreLayout,
    runs: Mapping[str, set[str]],
    *,
    with_evaluations: bool,
    every_copy: bool = False,
) -> list[Remain]:
    """Return what runs leave in their store, the evaluations first.

    Parameters
    ----------
    store
        The store of the runs.
    runs
        The digests of the datasets and recipes of each run that was, or is being, forgotten.
    with_evaluations
        Whether their evaluations go as well, and use no dataset any more.
    every_copy
        Whether to return copies that nothing uses and no known run used, too, and no copy that
        something else uses.

    Raises
    ------
    RunForgeError
        ``FILE_UNREADABLE`` for a folder of the store; ``DOCUMENT_INVALID``, ``INDEX_INVALID``.
    """
    by_run = evaluations_by_run([store])
    evaluations = {run_id: by_run[run_id] for run_id in runs if run_id in by_run}
    found = [_evaluation(one, run_id) for run_id, all_ in evaluations.items() for one in all_]
    digests = {
        run_id: own | {one.record["dataset"]["sha256"] for one in evaluations.get(run_id, ())}
        for run_id, own in runs.items()
    }
    copies = kept_copies(store, None if every_copy else set().union(*digests.values()))
    if not copies:
        return found
    own = {one.path.name for one in found}
    going = {one.path.name for one in found if with_evaluations and one.is_free}
    users = DatasetUsers(store, frozenset({*runs, *going}))
    for path, digest in copies.items():
        used_by = users.of(digest)
        others = [name for name in used_by if name not in own]
        if every_copy and others:
            continue
        size = path.stat().st_size
        found.append(
            Remain(
                "recipe" if path.parent.name == RECIPES else "dataset",
                path,
                {path.relative_to(store.root).as_posix(): {"sha256": digest, "bytes": size}},
                tuple(run_id for run_id, used in digests.items() if digest in used),
                tuple(used_by),
                bool(used_by) and not others,
            )
        )
    return found


def _evaluation(evaluation: RecordedEvaluation, run_id: str) -> Remain:
    path, problem = evaluation.path, None
    file = path / layout.EVALUATION
    try:
        found = digest_folder(path)
        if found.irregular or set(found.files) != {layout.EVALUATION}:
            problem = "it has more than its document"
        digest = digest_file(file)
    except RunForgeError as error:
        return Remain("evaluation", path, {}, (run_id,), problem=error.message)
    name = f"{path.parent.name}/{path.name}/{file.name}"
    files = {name: {"sha256": digest.sha256, "bytes": file.stat().st_size}}
    return Remain("evaluation", path, files, (run_id,), problem=problem)
