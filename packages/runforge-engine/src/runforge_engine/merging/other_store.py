"""Another store, verified as a whole, with the digests of everything in it that can be brought.

It may come from anybody: nothing in it is trusted, followed or run, and nothing in it is written.

Source: specification, section 23.1.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.fs.folders import list_folder
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.invariants.group_invariants import group_findings
from runforge_contracts.store.aliases import AliasHistory, read_aliases
from runforge_contracts.store.chained_lines import ChainedLines
from runforge_contracts.store.experiment_runs import experiment_runs
from runforge_contracts.store.layout import (
    DEFAULT_STORE,
    LEGACY_STORE,
    ExperimentLayout,
    StoreLayout,
)
from runforge_contracts.store.lookup import no_store
from runforge_contracts.store.merges import read_merges
from runforge_contracts.store.reading import StoreIndex, read_store_index
from runforge_contracts.store.removals import RemovalRecord, read_removals
from runforge_contracts.sweeps.groups import list_groups

from runforge_engine.bundles.bundle_contents import problems_of
from runforge_engine.data.kept_datasets import DATASETS
from runforge_engine.experiment.record.experiment_verification import verify_experiments
from runforge_engine.preparation.given_recipe import RECIPES
from runforge_engine.provenance.folder_digest import digest_folder
from runforge_engine.provenance.keys import load_public_keys
from runforge_engine.provenance.signatures import signatures_of
from runforge_engine.store.scan import refuse_links
from runforge_engine.verification.verify_run import RunVerification
from runforge_engine.verification.verify_store import StoreVerification, verify_store

if TYPE_CHECKING:
    from runforge_engine.provenance.keys import TrustedKeys

#: Kinds of folders that are brought.
Kind = Literal["run", "experiment", "group", "evaluation"]
#: Statuses of a group that has ended.
_ENDED = ("succeeded", "failed", "canceled", "cancelled")
#: The folders for copies of datasets and recipes, with the names in each.
_COPIES = {
    DATASETS: re.compile(r"([0-9a-f]{64})\.[0-9a-z.]{1,16}"),
    RECIPES: re.compile(r"([0-9a-f]{64})\.json"),
}


@dataclass(frozen=True, slots=True)
class OtherFolder:
    """A folder of the other store."""

    kind: Kind
    id: str
    path: Path
    #: SHA-256 of each file; None for what has not ended.
    files: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class OtherStore:
    """A store that verifies."""

    layout: StoreLayout
    index: StoreIndex | None
    merges: ChainedLines
    aliases: AliasHistory
    removals: RemovalRecord
    folders: tuple[OtherFolder, ...]
    #: SHA-256 of each copy of a dataset or a recipe, by path.
    copies: dict[Path, str]
    #: The signatures by the id of the run or the evaluation.
    signatures: dict[str, Path]


def open_other(path: Path, store: StoreLayout, public_key: TrustedKeys | None = None) -> OtherStore:
    """Verify another store and return it.

    Parameters
    ----------
    path
        Its folder, or the workspace that has it.
    store
        The store that it will be merged into.
    public_key
        A PEM file from a trusted source, the key that was read from one, or several of these: every
        run of the other store must then have a valid signature of a matching private key.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_FOUND``; ``USAGE_INVALID`` for the store itself, and for one of another name;
        ``INDEX_INVALID`` for an index in the form of another client; ``VERIFICATION_FAILED`` with
        every finding if a check fails; ``DOCUMENT_INVALID``, ``FILE_UNSAFE``, ``FILE_UNREADABLE``;
        ``KEY_INVALID``, ``FILE_NOT_FOUND`` for the key.
    """
    layout = _layout(path, store)
    refuse_links(layout.root, layout.runs, layout.groups, layout.evaluations)
    keys = load_public_keys(public_key)
    # Read before the folders: what is added meanwhile is left for the next merge.
    index = read_store_index(layout)
    if index is not None and index.is_foreign:
        raise foreign_index(layout)
    merges, aliases, signatures = read_merges(layout), read_aliases(layout), signatures_of(layout)
    removals = read_removals(layout)
    others = [*_experiments(layout), *_groups(layout)]
    found = verify_store(layout, public_key=keys, with_dataset=False)
    experiments = verify_experiments(layout.workspace, with_dataset=False)
    violations = list(_violations(found, experiments))
    violations += [("", finding) for finding in _group_findings(layout, others)]
    if violations or not found.holds:
        raise _refused(layout, violations)
    ended = {Path(run.run_dir).name for run in experiments}
    folders = [
        *_runs(found, layout),
        *(_unless(item, item.kind == "experiment" and item.id not in ended) for item in others),
    ]
    for item in others:
        if item.files is not None and digest_folder(item.path).files != item.files:
            raise _changed(item.path)
    return OtherStore(
        layout,
        index,
        merges,
        aliases,
        removals,
        tuple(folders),
        _copies(layout),
        signatures,
    )


def foreign_index(store: StoreLayout) -> RunForgeError:
    """Return the error on an index in the form of another client: it has no origins."""
    return RunForgeError(
        ErrorCode.INDEX_INVALID,
        f"The index of {quote(store.root, 200)} is in the form of another client, which cannot be"
        " merged.",
        hint="`runforge bundle` and `runforge unbundle` bring single runs.",
        path=str(store.index),
    )


def _layout(path: Path, store: StoreLayout) -> StoreLayout:
    path = Path(os.path.abspath(path))  # noqa: PTH100 - keeps links
    layout = StoreLayout(path, store.name)
    if path.name in (DEFAULT_STORE, LEGACY_STORE):
        layout = StoreLayout(path.parent, path.name)
    if not layout.root.is_dir():
        raise no_store(layout)
    if layout.name != store.name:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(layout.root, 200)} is not merged into {quote(store.name)}: the paths of its"
            " runs begin with its name.",
            hint=f"Merge it into the store {quote(layout.name)} of this workspace.",
        )
    if store.root.is_dir() and layout.root.samefile(store.root):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(layout.root, 200)} is this store itself.",
            hint="Name another store, or the folder that has it.",
        )
    return layout


def _violations(
    found: StoreVerification, experiments: list[RunVerification]
) -> Iterator[tuple[str, Finding]]:
    """Yield the findings of a store, each with the id of what it is of, and a colon."""
    for check in found.checks:
        yield from (("", finding) for finding in check.findings)
    for run in (*found.runs, *found.views, *experiments):
        for check in run.checks:
            yield from ((f"{quote(run.run_id)}: ", finding) for finding in check.findings)
    for item in found.evaluations:
        for check in item.checks:
            yield from ((f"{quote(item.evaluation_id)}: ", finding) for finding in check.findings)


def _refused(layout: StoreLayout, violations: list[tuple[str, Finding]]) -> RunForgeError:
    return RunForgeError(
        ErrorCode.VERIFICATION_FAILED,
        f"The store {quote(layout.root, 200)} does not verify, so nothing of it is merged.",
        hint="`runforge verify --all` in its workspace has the details.",
        path=str(layout.root),
        problems=problems_of(
            (what + finding.message, Location(path=finding.file, pointer=finding.pointer))
            for what, finding in violations
        ),
    )


def _changed(path: Path) -> RunForgeError:
    return RunForgeError(
        ErrorCode.VERIFICATION_FAILED,
        f"{quote(path, 200)} was changed while it was verified.",
        hint="Try again when nobody writes there.",
        path=str(path),
    )


def _runs(found: StoreVerification, layout: StoreLayout) -> Iterator[OtherFolder]:
    for run in found.runs:
        path = layout.workspace / run.run_dir
        digests = digest_folder(path) if run.digests is None else run.digests
        yield OtherFolder("run", run.run_id, path, digests.files)
    for name in (*found.interrupted, *found.running, *found.incomplete):
        yield OtherFolder("run", name, layout.run_folder(name), None)
    for item in found.evaluations:
        path = layout.evaluation_folder(item.evaluation_id)
        digests = digest_folder(path) if item.digests is None else item.digests
        yield OtherFolder("evaluation", item.evaluation_id, path, digests.files)


def _experiments(layout: StoreLayout) -> Iterator[OtherFolder]:
    if ExperimentLayout(layout.workspace).runs.is_symlink():
        return
    for path in experiment_runs(layout.workspace):
        yield OtherFolder("experiment", path.name, path, digest_folder(path).files)


def _groups(layout: StoreLayout) -> Iterator[OtherFolder]:
    for group in list_groups(layout):
        ended = (group.record or {}).get("status") in _ENDED
        files = digest_folder(group.path).files if ended else None
        yield OtherFolder("group", group.path.name, group.path, files)


def _group_findings(layout: StoreLayout, others: list[OtherFolder]) -> Iterator[Finding]:
    """Yield the violations in groups, without those that are still being written."""
    unfinished = {layout.relative(item.path) for item in others if item.files is None}
    for finding in group_findings(layout):
        if not any((finding.file or "").startswith(f"{place}/") for place in unfinished):
            yield finding


def _unless(folder: OtherFolder, unfinished: bool) -> OtherFolder:
    return OtherFolder(folder.kind, folder.id, folder.path, None) if unfinished else folder


def _copies(layout: StoreLayout) -> dict[Path, str]:
    """Return the datasets and recipes of a store that have the digest by which they are named."""
    found = dict[Path, str]()
    for folder, names in _COPIES.items():
        place = layout.root / folder
        for entry in [] if place.is_symlink() else list_folder(place):
            name = names.fullmatch(entry.name)
            if name is None or not entry.is_file(follow_symlinks=False):
                continue
            if digest_file(Path(entry.path)).sha256 == name[1]:
                found[Path(entry.path)] = name[1]
    return found
