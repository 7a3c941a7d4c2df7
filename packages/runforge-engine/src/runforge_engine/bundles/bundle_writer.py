"""Write a bundle: a run that verifies, its signature, and its dataset if asked.

Source: specification, section 22.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET
from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import FileDigest as Digest
from runforge_contracts.fs.files import digest_file, read_file
from runforge_contracts.store.evaluations import evaluations_of
from runforge_contracts.store.layout import (
    BUNDLE,
    EXPERIMENT_RUNS,
    find_workspace,
    stores_in,
)
from runforge_contracts.store.run import Run
from runforge_contracts.types import BundleReportV1, BundleV1, FileDigest

from runforge_engine.bundles.bundle_contents import (
    PUBLIC_KEY,
    RUN_FOLDER,
    SIGNATURE,
    AnyRun,
    dataset_name,
    dataset_of,
    named_key,
    refuse_unverified,
)
from runforge_engine.bundles.member_names import MemberNames, name_problem
from runforge_engine.bundles.new_output import new_output, refuse_changed
from runforge_engine.bundles.zip_archive import MAX_BYTES, Archive, write_archive_file
from runforge_engine.data.kept_datasets import stores_of
from runforge_engine.experiment.record.experiment_verification import verify_experiment_run
from runforge_engine.provenance.folder_digest import digest_folder
from runforge_engine.provenance.keys import load_public_key, public_pem
from runforge_engine.provenance.signatures import signature_path
from runforge_engine.provenance.sigstore_bundle import MAX_BYTES as MAX_SIGNATURE
from runforge_engine.verification.check_result import CheckVerdict
from runforge_engine.verification.context import Surroundings, surroundings_of
from runforge_engine.verification.dataset_check import Datasets
from runforge_engine.verification.verify_run import RunVerification, verify_run


def write_bundle(
    run: AnyRun,
    target: Path,
    *,
    created_by: str,
    public_key: Path | None = None,
    with_dataset: bool = False,
) -> BundleReportV1:
    """Write a run that verifies to the new file ``target``, and return the report.

    Parameters
    ----------
    run
        A trained run or the run of an experiment, which has ended.
    target
        The bundle, which must not exist.
    created_by
        The client, such as ``runforge-cli@0.4.0``.
    public_key
        A PEM file, to be included; the run must have a signature of the matching private key.
    with_dataset
        Whether to include the dataset, whose bytes must be those that the run recorded.

    Raises
    ------
    RunForgeError
        ``VERIFICATION_FAILED`` for a run that does not verify or has not ended; ``USAGE_INVALID``
        if ``target`` exists, or the files are too large together; ``FILE_UNSAFE`` for a name that
        some system takes for another one; ``DATASET_NOT_FOUND``,
        ``DATASET_CHANGED``; ``KEY_INVALID``; ``FILE_NOT_FOUND``, ``STORE_NOT_WRITABLE``.
    """
    checked = verified_folder(run, "it is not bundled", public_key=public_key)
    members: dict[str, bytes | Path] = {
        RUN_FOLDER + name: run.path / name for name in checked.digests
    }
    expected = {RUN_FOLDER + name: sha256 for name, sha256 in checked.digests.items()}
    signature = signature_path(run.path)
    if checked.found.signature is not None:
        members[SIGNATURE] = read_file(signature, max_bytes=MAX_SIGNATURE)
    if public_key is not None:
        members[PUBLIC_KEY] = public_pem(load_public_key(public_key))
    dataset = None
    if with_dataset:
        source, sha256, dataset = _dataset(run, checked.around.workspace)
        members[dataset], expected[dataset] = source, sha256
    _check_names(run, members)
    claimed = "" if checked.found.signature is None else checked.found.signature.key
    document = BundleV1(
        schema_version="bundle.v1",
        run_kind="run" if isinstance(run, Run) else "experiment",
        run_id=checked.found.run_id,
        created_by=created_by,
        signed=checked.found.signature is not None,
        files={name: FileDigest(**_digest(members[name])._asdict()) for name in sorted(members)},
        origin=checked.origin or UNSET,
        key=named_key(claimed),
        dataset=dataset or UNSET,
    )
    size = sum(digest.bytes for digest in document.files.values())
    if size > MAX_BYTES:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The run has {size:,} bytes; a bundle has {MAX_BYTES:,} at most.",
            hint="Leave out the dataset, or copy the folder of the run and its signature.",
            path=str(run.path),
        )
    evaluations = _evaluations(run, checked)
    members[BUNDLE] = Document.of(document).encode()
    known = {name: digest.sha256 for name, digest in document.files.items()} | expected
    whole = _write(target, members, known)
    return BundleReportV1(
        schema_version="bundle_report.v1",
        outcome="bundled",
        bundle=str(target),
        run_kind=document.run_kind,
        run_id=document.run_id,
        run_dir=checked.found.run_dir,
        files=len(checked.digests),
        bytes=whole.bytes,
        sha256=whole.sha256,
        signature="none" if not document.signed else "valid" if public_key else "not checked",
        origin=document.origin,
        key=document.key,
        dataset=document.dataset,
        evaluations=evaluations or UNSET,
    )


def _evaluations(run: AnyRun, checked: VerifiedFolder) -> int:
    """Return how many evaluations of a run its workspace has."""
    if not isinstance(run, Run):
        return 0
    return len(evaluations_of(checked.found.run_id, stores_in(checked.around.workspace)))


@dataclass(frozen=True, slots=True)
class VerifiedFolder:
    """A run that was verified before it is given away."""

    found: RunVerification
    around: Surroundings
    #: SHA-256 of each file, by path in the folder.
    digests: dict[str, str]
    #: The origin of the index that the run comes from.
    origin: str | None = None


def verified_folder(run: AnyRun, refused: str, *, public_key: Path | None = None) -> VerifiedFolder:
    """Verify a run that has ended, without its dataset.

    Parameters
    ----------
    run
        A trained run or the run of an experiment.
    refused
        What is not done with a run that does not verify, such as ``it is not bundled``.
    public_key
        A PEM file; the run must have a signature of the matching private key.

    Raises
    ------
    RunForgeError
        ``VERIFICATION_FAILED``, ``KEY_INVALID``, ``FILE_NOT_FOUND``.
    """
    path = run.path.absolute()
    if isinstance(run, Run):
        around = surroundings_of(path, stores_in(find_workspace(path)), public_key)
        found = verify_run(path, around, with_dataset=False)
        if public_key is not None and _lacks_signature(found):
            raise RunForgeError(
                ErrorCode.VERIFICATION_FAILED,
                f"The run {quote(path.name)} has no signature; {refused}.",
                hint="`runforge sign RUN --key FILE` signs it; without a public key it needs no"
                " signature.",
                path=str(path),
            )
        refuse_unverified(found, refused, path)
        digests = (found.digests or digest_folder(path)).files
        return VerifiedFolder(found, around, digests, _origin(found, around))
    root = path.parents[1] if path.parent.name == EXPERIMENT_RUNS else path.parent
    found = verify_experiment_run(
        path, root, with_dataset=False, demand_signature=public_key is not None
    )
    refuse_unverified(found, refused, path)
    return VerifiedFolder(found, Surroundings(None, root), digest_folder(path).files)


def _lacks_signature(found: RunVerification) -> bool:
    """Return whether nothing but a signature is missing."""
    failed = [check for check in found.checks if check.outcome == "failed"]
    return [(check.name, check.verdict) for check in failed] == [("signature", CheckVerdict.NONE)]


def _origin(found: RunVerification, around: Surroundings) -> str | None:
    """Return the origin of the index that a run was signed with, or came from, or is in."""
    if found.signature is not None and found.signature.content.origin is not None:
        return found.signature.content.origin
    positions = around.positions.get(found.run_id)
    if around.index is None or not positions:
        return None
    origin: str | None = around.index.entries[positions[0]].get("origin")
    return origin or around.index.origin


def _dataset(run: AnyRun, workspace: Path) -> tuple[Path, str, str]:
    """Return the file with the bytes of the dataset, its SHA-256, and its name in the bundle."""
    recorded, sha256 = dataset_of(run)
    if recorded is None or sha256 is None:
        raise RunForgeError(
            ErrorCode.DATASET_NOT_FOUND,
            f"The run {quote(run.path.name)} has no digest of a dataset.",
            hint="Bundle it without --with-dataset.",
            path=str(run.path),
        )
    datasets = Datasets(workspace, stores_of(run.path, workspace))
    if (path := datasets.file(recorded, sha256)) is not None:
        return path, sha256, dataset_name(recorded)
    changed = datasets.state(recorded, sha256).sha256 is not None
    raise RunForgeError(
        ErrorCode.DATASET_CHANGED if changed else ErrorCode.DATASET_NOT_FOUND,
        f"The dataset {quote(recorded, 200)} {'has changed' if changed else 'is missing'}.",
        hint="Restore it, or bundle the run without --with-dataset.",
        path=recorded,
    )


def _check_names(run: AnyRun, names: Iterable[str]) -> None:
    """Raise ``FILE_UNSAFE`` for names that no reader of the bundle would take."""
    known = MemberNames()
    for name in sorted(names):
        problem = name_problem(name) or known.add(name)
        if problem is not None:
            raise RunForgeError(
                ErrorCode.FILE_UNSAFE,
                f"The run {quote(run.path.name)} cannot be bundled: {problem}.",
                hint="Copy the folder of the run and its signature instead."
                if name.startswith(RUN_FOLDER)
                else "Bundle it without --with-dataset.",
                path=str(run.path),
            )


def _digest(member: bytes | Path) -> Digest:
    if isinstance(member, Path):
        return digest_file(member)
    import hashlib

    return Digest(hashlib.sha256(member).hexdigest(), len(member))


def _write(target: Path, members: dict[str, bytes | Path], expected: dict[str, str]) -> Digest:
    """Write the bundle, whose files must have the expected digests."""
    with new_output(target) as unfinished:
        written = write_archive_file(unfinished, members)
        refuse_changed(expected, written, "bundled")
        # What cannot be read again, such as two names that differ by case, is not written.
        with Archive(unfinished):
            pass
    return digest_file(target)
