"""Sign run folders and check signatures, offline, in the OpenSSF Model Signing format.

The signature of a run is stored in its store as ``signatures/RUN_ID.sig``, that of an evaluation as
``signatures/EVALUATION_ID.sig``, and that of any other folder beside it as ``FOLDER.sig``: a run
folder is complete once its manifest is written, and signing does not change it. A signature covers
every file, including the manifest. It also contains the head of the store's index
(:mod:`runforge_engine.store.index_chain`), so that a tail cut off the index is detected as long as
one later signature remains, and the origin of that index, so that the signature is known in another
store as one that says nothing of the index there.

``model_signing verify key FOLDER --signature SIGNATURE --public_key KEY`` accepts the signatures
made here, and signatures made by ``model_signing sign key`` are accepted here. This module is
stricter than that program, which ignores Git's files: every file that the signature does not cover
is rejected, and so is every item that is neither a file nor a folder.

Source: OpenSSF Model Signing v1.0.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, Location, NotFoundError, Problem, RunForgeError
from runforge_contracts.fs.files import read_file, write_file, writing
from runforge_contracts.store.evaluations import is_evaluation_id
from runforge_contracts.store.layout import SIGNATURE_SUFFIX, StoreLayout

from runforge_engine.provenance.folder_digest import FolderDigests, digest_folder
from runforge_engine.provenance.keys import (
    fingerprint,
    load_private_key,
    load_public_keys,
    passphrase_from_environment,
)
from runforge_engine.provenance.sigstore_bundle import (
    MAX_BYTES,
    Bundle,
    SignedContent,
    decode_bundle,
    decode_payload,
    encode_bundle,
    encode_payload,
    signed_bytes,
)
from runforge_engine.store.index_chain import IndexHead

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey

    from runforge_engine.provenance.keys import TrustedKeys

#: Names of the folders in a store that contain only runs, and only evaluations.
_RUNS, _EVALUATIONS = "runs", "evaluations"


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """A valid signature: the folder is unchanged since the owner of the key signed it."""

    path: Path
    #: Fingerprint of the key that made it.
    key: str
    #: The signed content; all of it is present, without additional files.
    content: SignedContent


@dataclass(frozen=True, slots=True)
class ClaimedSignature:
    """A signature that matches its folder but was not checked against a key."""

    path: Path
    #: Fingerprint of the key that it names; empty in older signatures.
    key: str
    content: SignedContent


def signature_path(folder: Path) -> Path:
    """Return the default path of the signature of ``folder``.

    The ``runs`` folder of a store contains only runs, so the signatures are in a separate folder
    beside it, with those of evaluations.
    """
    folder = _absolute(folder)
    if folder.parent.name == _RUNS or (
        folder.parent.name == _EVALUATIONS and is_evaluation_id(folder.name)
    ):
        root = folder.parent.parent
        return StoreLayout(root.parent, root.name).signature(folder.name)
    return folder.with_name(f"{folder.name}{SIGNATURE_SUFFIX}")


def signatures_of(store: StoreLayout) -> dict[str, Path]:
    """Return the signatures in a store by the id of the run or evaluation, which may be missing.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` if their folder is a symbolic link or not a folder.
    """
    refuse_detour(store.signatures)
    found = sorted(store.signatures.glob(f"*{SIGNATURE_SUFFIX}"))
    return {path.name.removesuffix(SIGNATURE_SUFFIX): path for path in found}


def sign_folder(
    folder: Path,
    private_key: Path,
    *,
    index_head: IndexHead | None = None,
    alias_head: IndexHead | None = None,
    removal_head: IndexHead | None = None,
    origin: str | None = None,
    passphrase: Callable[[], str | None] = passphrase_from_environment,
    signature: Path | None = None,
    replace: bool = False,
    found: FolderDigests | None = None,
) -> Path:
    """Sign every file of a folder, and return the path of the signature.

    Parameters
    ----------
    folder
        The run folder; it is not changed.
    private_key
        A PEM file.
    index_head
        The head of the store's index, to be included in the signature.
    alias_head
        The head of the history of the store's aliases, likewise.
    removal_head
        The head of the record of the store's removed runs, likewise.
    origin
        The origin of the index, likewise.
    passphrase
        Called for the passphrase, only if the key is encrypted.
    signature
        Path for the signature, instead of :func:`signature_path`; not inside the folder.
    replace
        Whether to replace an existing signature.
    found
        Digests to sign, if the folder was already read: they describe the folder at that time,
        even if it has changed since.

    Raises
    ------
    RunForgeError
        ``KEY_INVALID``; ``FILE_UNSAFE`` if the folder contains more than files and folders;
        ``USAGE_INVALID`` if it contains no file, and for a signature that exists or would be inside
        the folder; ``FILE_NOT_FOUND``, ``FILE_UNREADABLE``, ``STORE_NOT_WRITABLE``.
    """
    folder = _absolute(folder)
    target = signature_path(folder) if signature is None else _absolute(signature)
    _check_target(target, folder, replace=replace)
    key = load_private_key(private_key, passphrase)
    if found is None:
        found = digest_folder(folder)
    _check_signable(folder, found)
    payload = encode_payload(
        SignedContent(
            folder.name,
            found.files,
            index_head,
            alias_head=alias_head,
            origin=origin,
            removal_head=removal_head,
        )
    )
    public_key = key.public_key()
    bundle = Bundle(
        payload, key.sign(signed_bytes(payload), _algorithm(public_key)), fingerprint(public_key)
    )
    if signature is None:
        _make_place(target.parent)
    write_file(target, encode_bundle(bundle))
    return target


def read_signature(signature: Path, public_key: TrustedKeys) -> SignedContent:
    """Return the content that the owner of a key signed, without reading the folder.

    Parameters
    ----------
    signature
        The file of the signature.
    public_key
        A PEM file from a trusted source, or the key that was read from one; or several of them,
        any of which may have signed.

    Raises
    ------
    RunForgeError
        ``SIGNATURE_NOT_FOUND``; ``SIGNATURE_INVALID`` for another key, and for a signature that
        is not valid or not in the format; ``FILE_UNSAFE`` for a symbolic link;
        ``KEY_INVALID``; ``FILE_NOT_FOUND``, ``FILE_UNREADABLE``.
    """
    return _authenticated(signature, load_public_keys(public_key))[0]


def verify_signature(
    folder: Path,
    public_key: TrustedKeys,
    *,
    signature: Path | None = None,
    found: FolderDigests | None = None,
) -> VerifiedSignature:
    """Check that a folder is exactly what the owner of a key signed.

    Parameters
    ----------
    folder
        The run folder, under any name.
    public_key
        A PEM file from a trusted source, or the key that was read from one; or several of them,
        any of which may have signed.
    signature
        Path of the signature, if it is not :func:`signature_path`.
    found
        Digests of the folder, if it was already read.

    Raises
    ------
    RunForgeError
        The errors of :func:`read_signature`, and ``SIGNATURE_INVALID`` with a problem for each
        file that has changed, is missing, or is not covered.
    """
    folder = _absolute(folder)
    path = signature_path(folder) if signature is None else _absolute(signature)
    content, key = _authenticated(path, load_public_keys(public_key))
    _compare(folder, path, content, found)
    return VerifiedSignature(path, fingerprint(key), content)


def read_claim(signature: Path) -> ClaimedSignature:
    """Return the content of a signature without checking it against a key.

    Raises
    ------
    RunForgeError
        ``SIGNATURE_NOT_FOUND``; ``SIGNATURE_INVALID`` for one that is invalid with any key;
        ``FILE_UNSAFE`` for a symbolic link; ``FILE_UNREADABLE``.
    """
    with _naming(signature):
        bundle = _read_bundle(signature)
        return ClaimedSignature(signature, bundle.key, decode_payload(bundle.payload))


def compare_claim(folder: Path, found: FolderDigests | None = None) -> ClaimedSignature:
    """Check that the signature of a folder matches its content; the signer is not verified.

    ``found`` contains the digests of the folder, if it was already read.

    Raises
    ------
    RunForgeError
        The errors of :func:`read_claim`, and ``SIGNATURE_INVALID`` with a problem for each file
        that has changed, is missing, or is not covered.
    """
    folder = _absolute(folder)
    claim = read_claim(signature_path(folder))
    _compare(folder, claim.path, claim.content, found)
    return claim


def signed_origin(folder: Path) -> str | None:
    """Return the origin of the index with which a folder was signed; None if nothing says it.

    Only a signature that matches the folder counts; the signer is not verified.
    """
    try:
        return compare_claim(folder).content.origin
    except RunForgeError:
        return None


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - keeps links


def _check_target(target: Path, folder: Path, *, replace: bool) -> None:
    if target.is_relative_to(folder):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "A signature does not go into the folder that it covers.",
            hint=f"Without a place of its own it goes to {quote(signature_path(folder), 200)}.",
            path=str(target),
        )
    if not replace and os.path.lexists(target):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"There is a signature {quote(target, 200)} already.",
            hint="`runforge verify` checks it; `runforge sign --replace` puts a new one there.",
            path=str(target),
        )


def _check_signable(folder: Path, found: FolderDigests) -> None:
    if found.irregular:
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(folder, 200)} holds more than files and folders, which cannot be signed.",
            path=str(folder),
            problems=list(_irregular(found)),
        )
    if not found.files:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"There is no file to sign in {quote(folder, 200)}.",
            path=str(folder),
        )


def _algorithm(key: EllipticCurvePublicKey) -> ECDSA:
    """Return the signature algorithm that the format prescribes for the key's curve."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

    by_size = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
    return ECDSA(by_size[key.curve.key_size])


def refuse_detour(folder: Path) -> None:
    """Raise ``FILE_UNSAFE`` if the folder of a store's signatures is a link or not a folder."""
    if folder.is_symlink():
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(folder, 200)} is a symbolic link, which could lead anywhere.",
            hint="Signatures lie in the store itself: put a folder in the place of the link.",
            path=str(folder),
        )
    if os.path.lexists(folder) and not folder.is_dir():
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE, f"{quote(folder, 200)} is not a folder.", path=str(folder)
        )


def _make_place(folder: Path) -> None:
    refuse_detour(folder)
    with writing(folder):
        folder.mkdir(exist_ok=True)


def _authenticated(
    path: Path, keys: Sequence[EllipticCurvePublicKey]
) -> tuple[SignedContent, EllipticCurvePublicKey]:
    """Return what is signed, and which of the keys signed it."""
    with _naming(path):
        bundle = _read_bundle(path)
        candidates = [key for key in keys if bundle.key in ("", fingerprint(key))]
        if not candidates:
            known = " or ".join(quote(fingerprint(key), 64) for key in keys)
            raise RunForgeError(
                ErrorCode.SIGNATURE_INVALID,
                f"The signature was made with another key: {quote(bundle.key, 64)}, not {known}.",
                hint="Ask the signer for their public key; `--public-key` may be given for each.",
            )
        for key in candidates[:-1]:
            with contextlib.suppress(RunForgeError):
                return _signed_content(bundle, key), key
        return _signed_content(bundle, candidates[-1]), candidates[-1]


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Add the path of the signature to every error."""
    try:
        yield
    except RunForgeError as error:
        raise RunForgeError(error.code, error.message, hint=error.hint, path=str(path)) from None


def _read_bundle(path: Path) -> Bundle:
    try:
        data = read_file(path, max_bytes=MAX_BYTES, too_large=ErrorCode.SIGNATURE_INVALID)
    except NotFoundError:
        raise RunForgeError(
            ErrorCode.SIGNATURE_NOT_FOUND,
            f"There is no signature {quote(path, 200)}.",
            hint="`runforge sign` makes one.",
        ) from None
    return decode_bundle(data)


def _signed_content(bundle: Bundle, key: EllipticCurvePublicKey) -> SignedContent:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(bundle.signature, signed_bytes(bundle.payload), _algorithm(key))
    except InvalidSignature:
        raise RunForgeError(
            ErrorCode.SIGNATURE_INVALID,
            "The signature is invalid: it, or what it signs, was changed"
            f"{'' if bundle.key else ', or another key made it'}.",
            hint="Get the signature from its source again.",
        ) from None
    return decode_payload(bundle.payload)


def _compare(
    folder: Path, signature: Path, content: SignedContent, found: FolderDigests | None
) -> None:
    """Raise ``SIGNATURE_INVALID`` if the folder differs from what was signed."""
    if found is None:
        found = digest_folder(folder)
    if signature.is_relative_to(folder):
        # The signature itself cannot be covered; other programs put it in the folder.
        found.files.pop(signature.relative_to(folder).as_posix(), None)
    problems = list(_differences(content, found))
    if problems:
        raise RunForgeError(
            ErrorCode.SIGNATURE_INVALID,
            f"{quote(folder, 200)} is not as it was signed:"
            f" {len(problems)} {'difference' if len(problems) == 1 else 'differences'}.",
            hint="Get the folder from its source again, or find out who changed it.",
            path=str(folder),
            problems=problems,
        )


def _differences(content: SignedContent, found: FolderDigests) -> Iterable[Problem]:
    """Yield the differences between a folder and the signed content, each with its path."""
    yield from _irregular(found)
    for name in sorted({*content.files, *found.files} - set(found.irregular)):
        signed, present = content.files.get(name), found.files.get(name)
        if present is None:
            yield _problem(name, "is missing.")
        elif signed is None:
            left_out = any(PurePosixPath(name).is_relative_to(path) for path in content.ignored)
            yield _problem(
                name, "was left out by the signer." if left_out else "was not there when signed."
            )
        elif signed != present:
            yield _problem(name, "has changed.")


def _irregular(found: FolderDigests) -> Iterable[Problem]:
    for name, kind in sorted(found.irregular.items()):
        yield _problem(name, f"is {kind}.")


def _problem(name: str, what: str) -> Problem:
    return Problem(f"{quote(name, 200)} {what}", Location(path=printable(name)))
