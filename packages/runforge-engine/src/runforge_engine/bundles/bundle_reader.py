"""Open a bundle: its files are unpacked into a temporary folder, and all of them are checked.

Source: specification, section 22.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from msgspec import UNSET
from runforge_contracts.codec.strict_json import MAX_BYTES as MAX_JSON
from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, Location, RunForgeError
from runforge_contracts.fs.files import FileDigest, writing
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.layout import BUNDLE, SIGNATURE_SUFFIX
from runforge_contracts.store.run import Run
from runforge_contracts.types import BundleV1

from runforge_engine.bundles.bundle_contents import (
    DATASET_FOLDER,
    PUBLIC_KEY,
    RUN_FOLDER,
    SIGNATURE,
    AnyRun,
    dataset_name,
    dataset_of,
    named_key,
    problems_of,
)
from runforge_engine.bundles.zip_archive import Archive
from runforge_engine.experiment.record.experiment_verification import verify_experiment_run
from runforge_engine.provenance.keys import fingerprint, load_public_key, load_public_keys
from runforge_engine.provenance.signatures import read_claim, read_signature
from runforge_engine.provenance.sigstore_bundle import MAX_BYTES as MAX_SIGNATURE
from runforge_engine.runtime.temporary_folder import temporary_folder
from runforge_engine.verification.check_result import Check, CheckVerdict
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.verify_run import RunVerification, verify_run

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from runforge_engine.provenance.keys import TrustedKeys

_MAX_KEY = 2**16
#: Folder of the temporary folder that has the folder of the run, which may have any name.
_RUNS = "run"


@dataclass(frozen=True, slots=True)
class OpenBundle:
    """A bundle whose files are in a temporary folder, with the digests that it states."""

    path: Path
    document: BundleV1
    #: SHA-256 and size of the bundle.
    digest: FileDigest
    #: The temporary folder: a folder with the id of the run, its signature beside it.
    temporary: Path
    run: AnyRun
    #: The signature of the run.
    signature: Path | None
    #: The dataset of the run.
    dataset: Path | None
    #: All checks of the run, with the dataset in the bundle.
    verification: RunVerification

    @property
    def recorded_dataset(self) -> str | None:
        """The path of the dataset that the run recorded."""
        return dataset_of(self.run)[0]

    @property
    def run_files(self) -> dict[str, str]:
        """SHA-256 of every file of the run, by path in its folder."""
        return {
            name.removeprefix(RUN_FOLDER): digest.sha256
            for name, digest in self.document.files.items()
            if name.startswith(RUN_FOLDER)
        }


@contextmanager
def opened_bundle(
    path: Path, workspace: Path, public_key: TrustedKeys | None = None
) -> Iterator[OpenBundle]:
    """Unpack a bundle into a temporary folder for as long as the context lasts, and verify its run.

    A run that does not verify is no error: :attr:`OpenBundle.verification` says so.

    Parameters
    ----------
    path
        The bundle.
    workspace
        The folder that shown paths are relative to.
    public_key
        A PEM file from a trusted source, the key that was read from one, or several of these; the
        run must then have a valid signature of a matching private key.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_INVALID`` for a file that is not a bundle; ``FILE_UNSAFE`` for one that contains
        what no bundle needs; ``VERIFICATION_FAILED`` where a file differs from ``bundle.json``, or
        the bundle contradicts itself; ``KEY_INVALID``, ``FILE_NOT_FOUND``, ``FILE_UNREADABLE``.
    """
    keys = load_public_keys(public_key)
    with temporary_folder() as temporary:
        yield _open(path, temporary, workspace, keys)


def _open(
    path: Path, temporary: Path, workspace: Path, keys: Sequence[EllipticCurvePublicKey]
) -> OpenBundle:
    with Archive(path) as archive:
        document = _document(archive, temporary)
        _check_members(archive, document)
        _extract(archive, document, temporary)
        digest = archive.digest()
    folder = temporary / _RUNS / document.run_id
    run: AnyRun = Run(folder) if document.run_kind == "run" else ExperimentRun(folder)
    signature = folder.with_name(f"{folder.name}{SIGNATURE_SUFFIX}") if document.signed else None
    if signature is not None:
        _check_signature(path, document, signature, temporary / PUBLIC_KEY)
    around = Surroundings(None, workspace, keys)
    found = (
        verify_run(folder, around, with_dataset=False)
        if isinstance(run, Run)
        else verify_experiment_run(
            folder, folder.parent, with_dataset=False, demand_signature=bool(keys)
        )
    )
    if found.run_id != document.run_id:
        raise _contradiction(
            path, f"its run is {quote(found.run_id)}, not {quote(document.run_id)}"
        )
    dataset = None if document.dataset is UNSET else temporary / document.dataset
    checks = [check for check in found.checks if check.name != "signature"]
    checks += [_dataset(run, document), *found.checks[len(checks) :]]
    shown = path.absolute()
    place = shown.relative_to(workspace) if shown.is_relative_to(workspace) else shown
    verification = replace(found, run_dir=place.as_posix(), checks=tuple(checks))
    return OpenBundle(path, document, digest, temporary, run, signature, dataset, verification)


def _document(archive: Archive, temporary: Path) -> BundleV1:
    """Return what the bundle says that it contains, and write that into the temporary folder."""
    if BUNDLE not in archive.members:
        raise RunForgeError(
            ErrorCode.DOCUMENT_INVALID,
            f"{quote(archive.path, 200)} is not a bundle: it has no {BUNDLE}.",
            hint="`runforge bundle RUN` writes one.",
            path=str(archive.path),
        )
    content = _small(archive, BUNDLE, MAX_JSON)
    document = Document.parse(content, BundleV1, path=Path(BUNDLE)).view
    with writing(temporary):
        (temporary / BUNDLE).write_bytes(content)
    return document


def _small(archive: Archive, name: str, limit: int) -> bytes:
    """Return the content of a member that is read into memory."""
    if archive.members[name].size > limit:
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(name)} has more than the {limit:,} bytes that are read.",
            path=str(archive.path),
        )
    content = BytesIO()
    archive.extract(name, content)
    return content.getvalue()


def _check_members(archive: Archive, document: BundleV1) -> None:
    """Check that the bundle has exactly the files that it lists, and only those of a bundle."""
    listed, there = document.files.keys(), archive.members.keys() - {BUNDLE}
    if listed != there:
        problems = [(f"{quote(name)} is not in the bundle.", name) for name in listed - there]
        problems += [(f"{quote(name)} is not listed.", name) for name in there - listed]
        raise RunForgeError(
            ErrorCode.VERIFICATION_FAILED,
            f"{quote(archive.path, 200)} does not have the files that its {BUNDLE} lists.",
            hint="Get the file from its source again.",
            path=str(archive.path),
            problems=problems_of((text, Location(path=name)) for text, name in sorted(problems)),
        )
    known = {PUBLIC_KEY} if document.signed else set()
    known |= {SIGNATURE} if document.signed else set()
    if document.dataset is not UNSET:
        known.add(document.dataset)
    others = {name for name in listed if not name.startswith(RUN_FOLDER)}
    dataset = PurePosixPath(document.dataset or DATASET_FOLDER)
    misplaced = document.dataset is not UNSET and dataset.parent.name != DATASET_FOLDER[:-1]
    if misplaced or others - known or known - {PUBLIC_KEY} - others or others == listed:
        raise _contradiction(archive.path, f"its {BUNDLE} and its files are of different things")
    for name, limit in ((SIGNATURE, MAX_SIGNATURE), (PUBLIC_KEY, _MAX_KEY)):
        if name in listed:
            _small(archive, name, limit)


def _extract(archive: Archive, document: BundleV1, temporary: Path) -> None:
    """Write every file of the bundle into the temporary folder, and compare its digest."""
    differing = []
    for name, expected in document.files.items():
        if name == SIGNATURE:
            target = temporary / _RUNS / f"{document.run_id}{SIGNATURE_SUFFIX}"
        elif name.startswith(RUN_FOLDER):
            target = temporary / _RUNS / document.run_id / name.removeprefix(RUN_FOLDER)
        else:
            target = temporary / name
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                found = archive.extract(name, file)
        if (found.sha256, found.bytes) != (expected.sha256, expected.bytes):
            differing.append(name)
    if differing:
        raise RunForgeError(
            ErrorCode.VERIFICATION_FAILED,
            f"{quote(archive.path, 200)} was changed: {len(differing):,} of its files differ from"
            f" the digests in its {BUNDLE}.",
            hint="Get the file from its source again.",
            path=str(archive.path),
            problems=problems_of(
                (f"{quote(name)} has changed.", Location(path=name)) for name in differing
            ),
        )


def _check_signature(path: Path, document: BundleV1, signature: Path, public_key: Path) -> None:
    """Check that what ``bundle.json`` says of the signature is what the signature says."""
    claim = read_claim(signature)
    if document.key != named_key(claim.key):
        raise _contradiction(path, "its signature names another key than its bundle.json")
    origin = claim.content.origin
    if origin is not None and document.origin != origin:
        raise _contradiction(path, "its signature names another origin than its bundle.json")
    if public_key.exists():
        included = load_public_key(public_key)
        if claim.key not in ("", fingerprint(included)):
            raise _contradiction(path, "its public key is not that of its signature")
        read_signature(signature, included)


def _dataset(run: AnyRun, document: BundleV1) -> Check:
    """Compare the dataset in the bundle with the digest that the run recorded."""
    if document.dataset is UNSET:
        message = "the bundle does not include it"
        return Check.not_checked("dataset", CheckVerdict.NOT_CHECKED, message)
    try:
        recorded, sha256 = dataset_of(run)
    except RunForgeError:
        recorded = sha256 = None  # The document that cannot be read is a finding of its own.
    found, shown = document.files[document.dataset].sha256, quote(document.dataset, 200)
    if recorded is None or found != sha256 or document.dataset != dataset_name(recorded):
        message = f"{shown} is not the dataset of the run"
        sentence = f"The dataset {shown} is not the one that the run recorded."
        finding = Finding("dataset.same", sentence, document.dataset, None, sha256, found)
        return Check.failed("dataset", CheckVerdict.CHANGED, message, (finding,))
    return Check.passed("dataset", CheckVerdict.SAME, f"{shown} has the bytes that were trained on")


def _contradiction(path: Path, reason: str) -> RunForgeError:
    return RunForgeError(
        ErrorCode.VERIFICATION_FAILED,
        f"{quote(path, 200)} contradicts itself: {reason}.",
        hint="Get the file from its source again.",
        path=str(path),
    )
