"""Read and create signing keys: elliptic curve keys in PEM files.

New keys are on the curve P-256. The private key is stored in PKCS #8, encrypted if there is a
passphrase, in a file that only its owner can read; the public key is stored beside it with the
suffix ``.pub``. No network is used.

Source: OpenSSF Model Signing v1.0 (keys on P-256, P-384 and P-521); RFC 7468 (PEM); RFC 5958
(PKCS #8).
"""

from __future__ import annotations

import hashlib
import os
import shlex
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import open_file, read_all, reading, writing
from runforge_contracts.system.system_files import has_permissions, sync_file, sync_folder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import (
        EllipticCurvePrivateKey,
        EllipticCurvePublicKey,
    )
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    #: A PEM file from a trusted source, the key that was read from one, or several of these.
    TrustedKeys = Path | EllipticCurvePublicKey | Sequence[Path | EllipticCurvePublicKey]

#: Environment variable that contains the passphrase.
PASSPHRASE_VARIABLE = "RUNFORGE_KEY_PASSPHRASE"  # noqa: S105 - a name, not a secret
#: The curves of the format, by their names in the library.
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The files of a new key."""

    private_key: Path
    public_key: Path
    #: SHA-256 of the public file's bytes, in lowercase hex; signatures name the key by it.
    fingerprint: str


def passphrase_from_environment() -> str | None:
    """Return the passphrase from the environment; None if it is missing or empty."""
    return os.environ.get(PASSPHRASE_VARIABLE) or None


def exposure_of(path: Path) -> Diagnostic | None:
    """Return a warning if a private key can be read by users other than its owner.

    Parameters
    ----------
    path
        A file that was read as a key; a symbolic link is followed. On systems with other kinds of
        permissions there is no warning.
    """
    if not has_permissions():
        return None
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    if not mode & 0o077:
        return None
    return diagnostic(
        DiagnosticCode.KEY_EXPOSED,
        f"The private key {quote(path, 200)} is open to others than its owner: its mode is"
        f" {mode:04o}.",
        path=str(path),
        mode=f"{mode:04o}",
        hint=f"chmod 600 {shlex.quote(str(path))}",
    )


def generate_key(path: Path, *, passphrase: str | None = None) -> KeyPair:
    """Create a new key: write the private key to ``path`` and the public key beside it.

    Parameters
    ----------
    path
        File for the private key; the public key goes to the same name with the suffix ``.pub``.
    passphrase
        Encrypts the private key; if None, the key is stored unencrypted.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if one of the files exists: a key is never overwritten;
        ``KEY_INVALID`` for a passphrase that cannot be used; ``STORE_NOT_WRITABLE``.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        KeySerializationEncryption,
        NoEncryption,
        PrivateFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1())
    try:
        encryption: KeySerializationEncryption = (
            NoEncryption() if passphrase is None else BestAvailableEncryption(_encode(passphrase))
        )
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    except ValueError:
        raise RunForgeError(
            ErrorCode.KEY_INVALID,
            "The passphrase cannot be used.",
            hint="Take one of 1 to 1023 bytes.",
        ) from None
    public = _public_place(path)
    _write_exclusively(path, private, mode=0o600)
    try:
        _write_exclusively(public, public_pem(key.public_key()), mode=0o644)
    except BaseException:
        path.unlink()
        raise
    return KeyPair(path, public, fingerprint(key.public_key()))


def check_free(path: Path) -> None:
    """Raise ``USAGE_INVALID`` if :func:`generate_key` would have to overwrite a file."""
    for file in (path, _public_place(path)):
        if os.path.lexists(file):
            raise _taken(file)


def load_private_key(
    path: Path, passphrase: Callable[[], str | None] = passphrase_from_environment
) -> EllipticCurvePrivateKey:
    """Read a private key.

    Parameters
    ----------
    path
        A PEM file; a symbolic link is followed.
    passphrase
        Called for the passphrase, only if the key is encrypted.

    Raises
    ------
    RunForgeError
        ``KEY_INVALID`` for anything but a private key on one of the curves of the format, and for
        a missing or wrong passphrase; ``FILE_NOT_FOUND``, ``FILE_UNREADABLE``.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read_key(path)
    try:
        try:
            key = load_pem_private_key(data, None)
        except TypeError:  # raised by the library if the key is encrypted
            given = passphrase()
            if not given:
                raise _invalid(
                    path,
                    "is encrypted, and there is no passphrase",
                    f"{PASSPHRASE_VARIABLE} is empty; set it to the passphrase."
                    if os.environ.get(PASSPHRASE_VARIABLE) == ""
                    else f"Set {PASSPHRASE_VARIABLE} to its passphrase.",
                ) from None
            key = _decrypt(data, given, path)
    except (ValueError, UnsupportedAlgorithm):
        raise _invalid(path, "is not a private key in PEM", _KINDS) from None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name not in _CURVES:
        raise _invalid(path, "is a key of another kind", _KINDS)
    return key


def load_public_key(path: Path) -> EllipticCurvePublicKey:
    """Read a public key.

    Parameters
    ----------
    path
        A PEM file; a symbolic link is followed.

    Raises
    ------
    RunForgeError
        ``KEY_INVALID`` for anything but a public key on one of the curves of the format;
        ``FILE_NOT_FOUND``, ``FILE_UNREADABLE``.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = _read_key(path)
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        hint = "That is a private key: name its public one." if b"PRIVATE KEY" in data else _KINDS
        raise _invalid(path, "is not a public key in PEM", hint) from None
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name not in _CURVES:
        raise _invalid(path, "is a key of another kind", _KINDS)
    return key


def load_public_keys(given: TrustedKeys | None) -> tuple[EllipticCurvePublicKey, ...]:
    """Read the public keys any of which may have signed; none if nothing is given.

    Raises
    ------
    RunForgeError
        The errors of :func:`load_public_key`.
    """
    if given is None:
        return ()
    keys = given if isinstance(given, Sequence) else (given,)
    return tuple(load_public_key(key) if isinstance(key, Path) else key for key in keys)


def fingerprint(key: EllipticCurvePublicKey) -> str:
    """Return the SHA-256 of the key in PEM, in lowercase hex; the format names keys by it."""
    return hashlib.sha256(public_pem(key)).hexdigest()


_KINDS = f"Keys on the curves {', '.join(_CURVES.values())} are read; `runforge keygen` makes one."


def public_pem(key: EllipticCurvePublicKey) -> bytes:
    """Return the key in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _decrypt(data: bytes, passphrase: str, path: Path) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(data, _encode(passphrase))
    except ValueError:
        raise _invalid(path, "cannot be decrypted", "Check the passphrase.") from None


def _encode(passphrase: str) -> bytes:
    # Environment bytes that are not UTF-8 are decoded as surrogates; this restores them.
    return passphrase.encode("utf-8", "surrogateescape")


def _read_key(path: Path) -> bytes:
    # Where secrets are mounted, a key is often a symbolic link; the user chooses the path.
    place = path.resolve()
    with open_file(place) as file, reading(place):
        data = read_all(file, _MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise _invalid(path, "is too large for a key", _KINDS)
    return data


def _invalid(path: Path, what: str, hint: str) -> RunForgeError:
    return RunForgeError(
        ErrorCode.KEY_INVALID, f"The key {quote(path, 200)} {what}.", hint=hint, path=str(path)
    )


def _public_place(path: Path) -> Path:
    return path.with_name(f"{path.name}.pub")


def _taken(path: Path) -> RunForgeError:
    return RunForgeError(
        ErrorCode.USAGE_INVALID,
        f"There is a file {quote(path, 200)} already; a key is never overwritten.",
        hint="Choose another name.",
        path=str(path),
    )


def _write_exclusively(path: Path, data: bytes, *, mode: int) -> None:
    with writing(path):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            raise _taken(path) from None
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                sync_file(file.fileno())
            sync_folder(path.parent)
        except BaseException:
            path.unlink()
            raise
