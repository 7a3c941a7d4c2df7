"""Find what uses the copies of datasets and recipes in a store: runs, evaluations and sweeps.

Source: specification, section 25.7.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.store.evaluations import list_evaluations
from runforge_contracts.store.experiment_list import newest_experiments
from runforge_contracts.store.layout import ExperimentLayout, StoreLayout, stores_in
from runforge_contracts.store.moved_store import is_stray_link
from runforge_contracts.store.reading import describe, read_store_index, run_names
from runforge_contracts.store.removals import read_removals
from runforge_contracts.store.run import Run
from runforge_contracts.sweeps.groups import Group, groups_by_id

from runforge_engine.data.kept_datasets import DATASET_ENDINGS, DATASETS
from runforge_engine.preparation.given_recipe import RECIPES

#: Statuses of a group whose members are all there.
ENDED = frozenset({"succeeded", "failed", "canceled"})
#: The folders for copies, with the names in each: the digest of the bytes, and an ending.
COPIES = {
    DATASETS: re.compile(rf"([0-9a-f]{{64}})(?:{'|'.join(map(re.escape, DATASET_ENDINGS))})"),
    RECIPES: re.compile(r"([0-9a-f]{64})\.json"),
}
#: An id, and the digests of the datasets and recipes that it uses; None if they cannot be read.
_Use = tuple[str, set[str] | None]


class DatasetUsers:
    """What uses each dataset and recipe in the stores of a workspace; forgotten runs use none.

    What cannot be read may use any. An archived run does not use what went into its archive with
    it, nor its recipe, of which it has a copy of its own.

    Parameters
    ----------
    store
        The store that keeps the copies; the others of its workspace are read, too.
    without
        Ids that do not count: runs that are being forgotten, and what goes with them.
    """

    def __init__(self, store: StoreLayout, without: frozenset[str] = frozenset()) -> None:
        self._by_digest: dict[str, list[str]] = {}
        self._unknown: list[str] = []
        for name, digests in _uses(store, bool(_copies_in(store, RECIPES))):
            if name in without:
                continue
            if digests is None:
                self._unknown.append(name)
            for digest in digests or ():
                self._by_digest.setdefault(digest, []).append(name)

    def of(self, digest: str) -> list[str]:
        """Return the ids of what uses, or may use, a dataset or a recipe."""
        return [*self._by_digest.get(digest, ()), *self._unknown]


def kept_copies(store: StoreLayout, only: Collection[str] | None = None) -> dict[Path, str]:
    """Return the copies of datasets and recipes that a store keeps, with their digests.

    A symbolic link is not followed, and what has another name or other bytes is left out.

    Parameters
    ----------
    store
        The store.
    only
        The digests that are looked for; all by default.
    """
    return {
        path: digest
        for folder in COPIES
        for path, digest in _copies_in(store, folder).items()
        if (only is None or digest in only) and has_digest(path, digest)
    }


def _copies_in(store: StoreLayout, name: str) -> dict[Path, str]:
    """Return what is named as a copy in a folder of a store, with the digest in the name."""
    folder = store.root / name
    if is_stray_link(store.root) or folder.is_symlink() or not folder.is_dir():
        return {}
    named = {path: digest_in(path) for path in sorted(folder.iterdir())}
    return {path: digest for path, digest in named.items() if digest is not None}


def has_digest(path: Path, sha256: str) -> bool:
    """Return whether a path is that of a regular file with a digest, and not a link."""
    try:
        return not path.is_symlink() and digest_file(path).sha256 == sha256
    except RunForgeError:
        return False


def digest_in(path: Path) -> str | None:
    """Return the digest in the path of a copy, by its name and that of its folder; else None."""
    names = COPIES.get(path.parent.name)
    match = None if names is None else names.fullmatch(path.name)
    return None if match is None else match[1]


def digests_of(entry: Mapping[str, Any], request: Mapping[str, Any] | None = None) -> set[str]:
    """Return the digests of the dataset and the recipe of a run.

    The dataset is known by the entry, or by the path in the request, which alone names a recipe.
    """
    recorded = entry.get("dataset_fingerprint_sha256")
    if isinstance(recorded, str):
        return {recorded} | _digest_at(request, "recipe")
    return _digests_at(request)


def _digests_at(request: Mapping[str, Any] | None) -> set[str]:
    """Return the digests in the paths of dataset and recipe of a request, where they have any."""
    return _digest_at(request, "path") | _digest_at(request, "recipe")


def _digest_at(request: Mapping[str, Any] | None, member: str) -> set[str]:
    dataset = (request or {}).get("dataset")
    path = dataset.get(member) if isinstance(dataset, dict) else None
    digest = digest_in(Path(path)) if isinstance(path, str) else None
    return set() if digest is None else {digest}


def _uses(store: StoreLayout, with_recipes: bool) -> Iterator[_Use]:
    for layout in dict.fromkeys((store, *stores_in(store.workspace))):
        for read in (partial(_runs, with_recipes=with_recipes), _evaluations, _sweeps):
            try:
                yield from list(read(layout))
            except RunForgeError:
                yield layout.name, None
    experiments = ExperimentLayout(store.workspace)
    try:
        for entry in newest_experiments(experiments).entries:
            unreadable = entry.get("state") == "unreadable"
            yield entry["run_id"], None if unreadable else digests_of(entry)
    except RunForgeError:
        yield experiments.relative(experiments.runs), None


def _runs(store: StoreLayout, *, with_recipes: bool) -> Iterator[_Use]:
    """Yield the runs of a store that were not forgotten: those of archives can be restored.

    The requests are read only for recipes, and for datasets that the index does not have.
    """
    current = read_removals(store).current
    index = read_store_index(store)
    entries = [] if index is None else index.distinct()
    known = store.known_names(entries) | {entry["run_id"] for entry in entries}
    for entry in entries:
        line = current.get(entry["run_id"])
        if line is None:
            folder = store.workspace / entry["run_dir"]
            yield entry["run_id"], _of_folder(entry, folder, with_recipes)
        elif line["action"] == "archived":
            yield entry["run_id"], digests_of(entry) - _gone(line)
    for name in run_names(store):
        if name not in known and name not in current:
            path = store.run_folder(name)
            try:
                yield name, _of_folder(describe(Run(path), store), path, with_recipes)
            except RunForgeError:
                yield name, None
    for run_id, line in current.items():
        if line["action"] == "archived" and run_id not in known:
            yield run_id, digests_of(line.get("listed", {})) - _gone(line)


def _gone(line: Mapping[str, Any]) -> set[str]:
    """Return the digests of the copies that went with a removed run."""
    return {item["sha256"] for item in line.get("also", {}).values()}


def _of_folder(entry: Mapping[str, Any], folder: Path, with_recipes: bool) -> set[str] | None:
    found = digests_of(entry)
    if (found and not with_recipes) or folder.is_symlink() or not folder.is_dir():
        return found
    try:
        return found | digests_of(entry, Run(folder).request)
    except RunForgeError:
        return None


def _evaluations(store: StoreLayout) -> Iterator[_Use]:
    for evaluation in list_evaluations(store):
        try:
            yield evaluation.id, {evaluation.record["dataset"]["sha256"]}
        except RunForgeError:
            yield evaluation.id, None


def _sweeps(store: StoreLayout) -> Iterator[_Use]:
    """Yield the sweeps whose members are not all there."""
    for group in groups_by_id(store):
        try:
            if group.status not in ENDED:
                yield group.id, _of_plan(group)
        except RunForgeError:
            yield group.id, None


def _of_plan(group: Group) -> set[str]:
    plan = group.plan
    return set() if plan is None else _digests_at(plan.content["base_request"])
