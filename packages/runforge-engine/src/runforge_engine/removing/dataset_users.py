"""Find what uses the copies of datasets that a store keeps: runs, evaluations and sweeps.

Source: specification, section 25.7.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
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

#: Statuses of a group whose members are all there.
ENDED = frozenset({"succeeded", "failed", "canceled"})
#: Names of copies: the digest of the bytes, and an ending.
_COPY = re.compile(rf"([0-9a-f]{{64}})(?:{'|'.join(map(re.escape, DATASET_ENDINGS))})")
#: An id, and the digests of the datasets that it uses; None if they cannot be read.
_Use = tuple[str, set[str] | None]


class DatasetUsers:
    """What uses each dataset in the stores of a workspace; runs that were forgotten do not.

    What cannot be read may use any dataset.

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
        for name, digests in _uses(store):
            if name in without:
                continue
            if digests is None:
                self._unknown.append(name)
            for digest in digests or ():
                self._by_digest.setdefault(digest, []).append(name)

    def of(self, digest: str) -> list[str]:
        """Return the ids of what uses, or may use, a dataset."""
        return [*self._by_digest.get(digest, ()), *self._unknown]


def kept_copies(store: StoreLayout, only: Collection[str] | None = None) -> dict[Path, str]:
    """Return the copies of datasets that a store keeps, with their digests.

    A symbolic link is not followed, and what has another name or other bytes is left out.

    Parameters
    ----------
    store
        The store.
    only
        The digests that are looked for; all by default.
    """
    folder = store.root / DATASETS
    if is_stray_link(store.root) or folder.is_symlink() or not folder.is_dir():
        return {}
    named = {path: digest_in(path.name) for path in sorted(folder.iterdir())}
    return {
        path: digest
        for path, digest in named.items()
        if digest is not None and (only is None or digest in only) and has_digest(path, digest)
    }


def has_digest(path: Path, sha256: str) -> bool:
    """Return whether a path is that of a regular file with a digest, and not a link."""
    try:
        return not path.is_symlink() and digest_file(path).sha256 == sha256
    except RunForgeError:
        return False


def digest_in(name: str) -> str | None:
    """Return the digest that the name of a copy has; None for another name."""
    match = _COPY.fullmatch(name)
    return None if match is None else match[1]


def digests_of(entry: Mapping[str, Any], request: Mapping[str, Any] | None = None) -> set[str]:
    """Return the digest of the dataset of a run, by its entry or by the path in its request."""
    recorded = entry.get("dataset_fingerprint_sha256")
    return {recorded} if isinstance(recorded, str) else _digest_at(request)


def _digest_at(request: Mapping[str, Any] | None) -> set[str]:
    """Return the digest in the path of the dataset of a request, if that is a copy."""
    dataset = (request or {}).get("dataset")
    path = dataset.get("path") if isinstance(dataset, dict) else None
    digest = digest_in(Path(path).name) if isinstance(path, str) else None
    return set() if digest is None else {digest}


def _uses(store: StoreLayout) -> Iterator[_Use]:
    for layout in dict.fromkeys((store, *stores_in(store.workspace))):
        for read in (_runs, _evaluations, _sweeps):
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


def _runs(store: StoreLayout) -> Iterator[_Use]:
    """Yield the runs of a store that were not forgotten: those of archives can be restored."""
    current = read_removals(store).current
    index = read_store_index(store)
    entries = [] if index is None else index.distinct()
    known = store.known_names(entries) | {entry["run_id"] for entry in entries}
    for entry in entries:
        line = current.get(entry["run_id"])
        if line is None or line["action"] == "archived":
            folder = store.workspace / entry["run_dir"]
            yield entry["run_id"], _of_folder(entry, folder)
    for name in run_names(store):
        if name not in known and name not in current:
            path = store.run_folder(name)
            try:
                yield name, _of_folder(describe(Run(path), store), path)
            except RunForgeError:
                yield name, None
    for run_id, line in current.items():
        if line["action"] == "archived" and run_id not in known:
            yield run_id, digests_of(line.get("listed", {}))


def _of_folder(entry: Mapping[str, Any], folder: Path) -> set[str] | None:
    found = digests_of(entry)
    if found or folder.is_symlink() or not folder.is_dir():
        return found
    try:
        return _digest_at(Run(folder).request)
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
    return set() if plan is None else _digest_at(plan.content["base_request"])
