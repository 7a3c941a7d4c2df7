"""Bring the run of a bundle into a store, or into a folder of its own.

Everything is verified in a temporary folder before anything is written. The folder of the run is
complete before it is renamed to its place, so a process that is killed leaves a whole run or none,
and calling it again adds what is missing.

Source: specification, section 22.3.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from msgspec import UNSET
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, NotFoundError, RunForgeError
from runforge_contracts.fs.files import digest_file, writing
from runforge_contracts.invariants.store_invariants import differences
from runforge_contracts.run_ids import parse_experiment_run_id
from runforge_contracts.store.layout import (
    BUNDLE,
    SIGNATURE_SUFFIX,
    ExperimentLayout,
    Place,
    StoreLayout,
)
from runforge_contracts.store.reading import StoreIndex, read_store_index
from runforge_contracts.store.removals import other_than_removed, read_removals
from runforge_contracts.types import BundleReportV1

from runforge_engine import __version__
from runforge_engine.bundles.bundle_contents import dataset_of, problems_of, refuse_unverified
from runforge_engine.bundles.bundle_reader import OpenBundle
from runforge_engine.bundles.new_output import already_exists
from runforge_engine.data.kept_datasets import DATASET_ENDINGS, DATASETS
from runforge_engine.experiment.run.allocate import check_place
from runforge_engine.provenance.folder_digest import digest_folder
from runforge_engine.provenance.signatures import read_claim, refuse_detour
from runforge_engine.removing.removal_writer import append_removals, record_of_folder
from runforge_engine.store.incoming import (
    copy_file,
    copy_files,
    copy_folder,
    copy_new,
    remove_left,
    rename_whole,
    staging_folder,
)
from runforge_engine.store.index_lock import refuse_linked_folders
from runforge_engine.store.run_folders import append_entry, prepare_store
from runforge_engine.store.scan import look_at

Outcome = Literal["unbundled", "completed", "present"]


def unbundle(bundle: OpenBundle, store: StoreLayout) -> BundleReportV1:
    """Bring the run of a bundle into a store, or among the runs of experiments beside it.

    A run that is there with the same bytes stays; its signature, its entry in the index and its
    dataset are added where they are missing.

    Parameters
    ----------
    bundle
        The open bundle.
    store
        The store; the run of an experiment goes into the folder of runs of its workspace.

    Raises
    ------
    RunForgeError
        ``VERIFICATION_FAILED`` for a run that does not verify; ``RUN_ID_TAKEN`` if the place has
        another run with this id; ``SIGNATURE_INVALID`` for a signature that does not name the store
        in which it was made; ``INDEX_INVALID``; ``FILE_UNSAFE`` where the place is a symbolic link;
        ``STORE_BUSY``, ``STORE_NOT_WRITABLE``.
    """
    refuse_unverified(bundle.verification, "it is not unpacked", bundle.path)
    document = bundle.document
    place: Place = store if document.run_kind == "run" else ExperimentLayout(store.workspace)
    target = place.run_folder(document.run_id)
    entry: dict[str, Any] | None = None
    if isinstance(place, StoreLayout):
        refuse_linked_folders(place)
        refuse_detour(place.signatures)
        entry = _entry(bundle, place, target)
    else:
        _check_experiment(bundle, place)
    line = read_removals(store).current.get(document.run_id)
    if line is not None:
        _refuse_other_than_removed(bundle, store, line)
    is_there = os.path.lexists(target)
    if is_there:
        _refuse_other(bundle, target)
        remove_left(place.root, target.name)
    else:
        _write_run(bundle, place, target)
    added = False
    if bundle.signature is not None:
        added |= _write_signature(bundle.signature, store)
    if entry is not None:
        append_entry(store, entry)
        added = True
    dataset = None
    if bundle.dataset is not None:
        dataset, is_new = _place_dataset(bundle, bundle.dataset, store)
        added |= is_new
    if line is not None:
        restored = record_of_folder(store, document.run_id, target)
        archive = {"name": bundle.path.name, "sha256": bundle.digest.sha256}
        created_by = f"runforge-engine@{__version__}"
        append_removals(store, [restored], "restored", created_by=created_by, archive=archive)
        added = True
    outcome: Outcome = "completed" if added else "present"
    shown = None if dataset is None else store.relative(dataset)
    return _report(bundle, outcome if is_there else "unbundled", store.relative(target), shown)


def unpack(bundle: OpenBundle, folder: Path) -> BundleReportV1:
    """Write the run of a bundle, its signature, its dataset and ``bundle.json`` into a new folder.

    Raises
    ------
    RunForgeError
        ``VERIFICATION_FAILED`` for a run that does not verify; ``USAGE_INVALID`` if the folder
        exists; ``STORE_NOT_WRITABLE``.
    """
    refuse_unverified(bundle.verification, "it is not unpacked", bundle.path)
    folder = folder.absolute()
    if os.path.lexists(folder):
        raise already_exists(folder)
    target = folder / bundle.document.run_id
    with staging_folder(folder.parent, folder.name) as staging:
        copy_files(bundle.run.path, staging / target.name, bundle.run_files)
        beside = {bundle.temporary / BUNDLE: BUNDLE}
        if bundle.signature is not None:
            beside[bundle.signature] = f"{target.name}{SIGNATURE_SUFFIX}"
        if bundle.dataset is not None:
            beside[bundle.dataset] = str(bundle.document.dataset)
        for source, name in beside.items():
            copy_file(source, staging / name)
        rename_whole(staging, folder)
    dataset = None if bundle.dataset is None else folder / str(bundle.document.dataset)
    shown = None if dataset is None else dataset.as_posix()
    return _report(bundle, "unbundled", target.as_posix(), shown)


def _report(
    bundle: OpenBundle, outcome: Outcome, run_dir: str, dataset: str | None
) -> BundleReportV1:
    document = bundle.document
    verdicts = {check.name: check.outcome for check in bundle.verification.checks}
    passed = verdicts.get("signature") == "passed"
    return BundleReportV1(
        schema_version="bundle_report.v1",
        outcome=outcome,
        bundle=str(bundle.path),
        run_kind=document.run_kind,
        run_id=document.run_id,
        run_dir=run_dir,
        files=len(bundle.run_files),
        bytes=bundle.digest.bytes,
        sha256=bundle.digest.sha256,
        signature="none" if not document.signed else "valid" if passed else "not checked",
        origin=document.origin,
        key=document.key,
        dataset=dataset or UNSET,
    )


def _check_experiment(bundle: OpenBundle, place: ExperimentLayout) -> None:
    run_id = bundle.document.run_id
    if parse_experiment_run_id(run_id) is None:
        raise RunForgeError(
            ErrorCode.RUN_ID_INVALID,
            f"{quote(run_id)} is not the id of an experiment's run.",
            hint="`runforge unbundle --to DIR` unpacks it into a folder of its own.",
            path=str(bundle.path),
        )
    check_place(place.workspace)


def _entry(bundle: OpenBundle, store: StoreLayout, target: Path) -> dict[str, Any] | None:
    """Return the entry of the run for the index; None if the index has it.

    Raises ``RUN_ID_TAKEN`` if the entry that is there is of another run.
    """
    found = look_at(bundle.run.path, store)
    if found.state != "finished":
        raise RunForgeError(
            ErrorCode.VERIFICATION_FAILED,
            f"The run {quote(bundle.document.run_id)} has no result.",
            path=str(bundle.path),
        )
    entry = {**found.entry, "run_dir": store.relative(target)}
    index = read_store_index(store)
    for known in () if index is None else index.entries:
        if known["run_id"] == entry["run_id"]:
            if [path for path, _, _ in differences(known, entry) if path != ("run_dir",)]:
                raise _taken(bundle, store, "The index lists another run with this id.", ())
            return None
    origin = _origin(bundle, index)
    return entry if origin is None else {**entry, "origin": origin}


def _origin(bundle: OpenBundle, index: StoreIndex | None) -> str | None:
    """Return the origin for the entry of the run; None if it is that of this index."""
    if bundle.signature is not None:
        content = read_claim(bundle.signature).content
        if content.index_head is not None and content.origin is None:
            raise RunForgeError(
                ErrorCode.SIGNATURE_INVALID,
                "The signature does not name the store in which it was made, so it would contradict"
                " the index of this one.",
                hint="Sign the run again with `runforge sign --replace`, or unpack it with"
                " `runforge unbundle --to DIR`.",
                path=str(bundle.path),
            )
    origin = bundle.document.origin
    return None if origin is UNSET or (index and origin == index.origin) else origin


def _refuse_other(bundle: OpenBundle, target: Path) -> None:
    """Raise ``RUN_ID_TAKEN`` unless a folder has exactly the files of the run."""
    found, wanted = digest_folder(target), bundle.run_files
    names = {*found.files, *wanted, *found.irregular}
    differing = sorted(name for name in names if found.files.get(name) != wanted.get(name))
    if differing:
        place = target.parent
        raise _taken(bundle, place, "Its files differ from those of the bundle.", differing)


def _refuse_other_than_removed(
    bundle: OpenBundle, store: StoreLayout, line: dict[str, Any]
) -> None:
    """Raise ``RUN_ID_TAKEN`` unless the run that was removed had exactly the files of the run."""
    differing = other_than_removed(line, bundle.run_files)
    if differing:
        why = f"The run with this id that was {line['action']} had other files."
        raise _taken(bundle, store, why, differing)


def _taken(bundle: OpenBundle, place: Path | StoreLayout, why: str, names: Any) -> RunForgeError:
    root = place.root if isinstance(place, StoreLayout) else place
    return RunForgeError(
        ErrorCode.RUN_ID_TAKEN,
        f"{quote(root, 200)} has a run {quote(bundle.document.run_id)} already. {why}",
        hint="Nothing was changed; `runforge unbundle --to DIR` unpacks it into a folder of its"
        " own.",
        path=str(root),
        problems=problems_of((f"{quote(name)} differs.", Location(path=name)) for name in names),
    )


def _write_run(bundle: OpenBundle, place: Place, target: Path) -> None:
    """Copy the run beside its place, and rename it when it is complete and on the disk."""
    if isinstance(place, StoreLayout):
        prepare_store(place)
    else:
        with writing(place.runs):
            place.runs.mkdir(exist_ok=True)
    copy_folder(bundle.run.path, target, bundle.run_files, place.root)


def _write_signature(signature: Path, store: StoreLayout) -> bool:
    """Add the signature of the run unless the store has one; return whether it was added."""
    target = store.signatures / signature.name
    if os.path.lexists(target):
        return False
    with writing(target):
        store.signatures.mkdir(exist_ok=True)
    return copy_new(signature, target)


def _place_dataset(bundle: OpenBundle, dataset: Path, store: StoreLayout) -> tuple[Path, bool]:
    """Return where the dataset is in the workspace, and whether it was written there.

    That is its recorded path if nothing is there, or its bytes. A path that a program might run or
    read for itself, or that leads out of the workspace, is not written: the dataset then goes among
    those of the store, as a file named by its digest.
    """
    recorded, sha256 = dataset_of(bundle.run)
    assert recorded is not None  # noqa: S101 - the bundle was verified
    for target in _targets(recorded, store, str(sha256)):
        try:
            if digest_file(target).sha256 == sha256:
                return target, False
            continue
        except NotFoundError:
            pass
        except RunForgeError:
            continue
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        if copy_new(dataset, target):
            return target, True
    raise RunForgeError(
        ErrorCode.STORE_NOT_WRITABLE,
        f"The dataset {quote(recorded, 200)} cannot be written: other files have its names.",
        hint="The run itself is complete; `runforge unbundle --to DIR` unpacks the dataset.",
        path=recorded,
    )


def _targets(recorded: str, store: StoreLayout, sha256: str) -> Iterator[Path]:
    path = PurePosixPath(recorded)
    ending = next((end for end in DATASET_ENDINGS if path.name.lower().endswith(end)), None)
    plain = not path.is_absolute() and not any(part.startswith(".") for part in path.parts)
    if ending is not None and plain and "\\" not in recorded and ":" not in recorded:
        target = store.workspace / path
        if not _leads_away(target.parent, store.workspace):
            yield target
    yield store.root / DATASETS / f"{sha256}{ending or '.csv'}"


def _leads_away(folder: Path, workspace: Path) -> bool:
    """Return whether a link, or a file in place of a folder, is on the way to a folder."""
    while folder != workspace:
        if folder.is_symlink() or (os.path.lexists(folder) and not folder.is_dir()):
            return True
        folder = folder.parent
    return False
