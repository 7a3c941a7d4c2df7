"""Compare the folder of a run or an evaluation with its signature.

Source: specification, section 14.5.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.finding import Finding

from runforge_engine.provenance.folder_digest import FolderDigests
from runforge_engine.provenance.keys import fingerprint
from runforge_engine.provenance.signatures import (
    ClaimedSignature,
    VerifiedSignature,
    compare_claim,
    read_claim,
    refuse_detour,
    signature_path,
    verify_signature,
)
from runforge_engine.verification.check_result import Check, CheckVerdict
from runforge_engine.verification.context import Surroundings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

Signature = VerifiedSignature | ClaimedSignature


def check_signature(
    path: Path, around: Surroundings, digests: FolderDigests | None, what: str = "run"
) -> tuple[Check, Signature | None]:
    """Return the check of the signature of a folder, and the signature if it matches.

    Parameters
    ----------
    path
        The folder, absolute.
    around
        The store, and the keys one of which made the signature if it must be a certain one.
    digests
        Digests of the files, if they were read.
    what
        What the folder is, for messages.
    """
    keys = around.public_keys
    file = signature_path(path)
    if around.store is not None and file.parent == around.store.signatures:
        try:
            refuse_detour(file.parent)
        except RunForgeError as error:
            detour = Finding("signature.no-links", error.message, around.relative(file.parent))
            return Check.failed(
                "signature", CheckVerdict.UNSAFE, "it was not checked", (detour,)
            ), None
    if not os.path.lexists(file):
        if not keys:
            return Check.not_checked("signature", CheckVerdict.NONE, ""), None
        finding = Finding(
            "signature.exists", f"The {what} has no signature.", around.relative(file)
        )
        return Check.failed("signature", CheckVerdict.NONE, "", (finding,)), None
    signature: Signature
    try:
        if not keys:
            signature = compare_claim(path, digests)
            message = f"it matches the {what}; give --public-key to verify it"
            named = {"claimed_key": signature.key} if signature.key else {}
            return Check.not_checked(
                "signature", CheckVerdict.NOT_CHECKED, message, **named
            ), signature
        signature = verify_signature(path, keys, found=digests)
    except RunForgeError as error:
        findings = tuple(_findings(error, around.relative(file)))
        return Check.failed(
            "signature",
            CheckVerdict.INVALID,
            "it was made with another key"
            if _is_of_another_key(file, keys)
            else f"it is not a valid signature of this {what}",
            findings,
        ), None
    message = f"made with the key {signature.key[:16]}…"
    return Check.passed("signature", CheckVerdict.VALID, message, key=signature.key), signature


def _is_of_another_key(file: Path, keys: Sequence[EllipticCurvePublicKey]) -> bool:
    """Return whether a signature names a key that is not one of those given."""
    try:
        claimed = read_claim(file).key
    except RunForgeError:
        return False
    return bool(keys and claimed) and claimed not in map(fingerprint, keys)


def _findings(error: RunForgeError, file: str) -> list[Finding]:
    if not error.problems:
        return [Finding("signature.holds", error.message, file)]
    return [
        Finding("signature.files", problem.message, problem.location.path)
        for problem in error.problems
    ]
