"""Encode and decode signatures of the OpenSSF Model Signing format.

A signature is a Sigstore bundle: JSON with a DSSE envelope around an in-toto statement. The only
subject of the statement is the folder, with the SHA-256 of the concatenated digests of its files;
the predicate lists the files. The format requires verifiers to ignore other members of the
predicate; the head of the store's index, and the origin that tells the index from others, are
stored in such a member, ``runforge``.

The input is untrusted and is decoded strictly. A payload may be trusted only after its signature
has been verified.

Source: OpenSSF Model Signing v1.0 (predicate ``https://model_signing/signature/v1.0``, method
``files``); Sigstore bundle v0.3; DSSE protocol v1.0.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from runforge_contracts.codec.strict_json import encode_json, parse_json
from runforge_contracts.display import printable, quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.store.index_chain import IndexHead

#: Largest signature that is read, in bytes: some 80,000 files.
MAX_BYTES = 16 * 2**20

_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATE_TYPE = "https://model_signing/signature/v1.0"


@dataclass(frozen=True, slots=True)
class SignedContent:
    """The content that a signature covers."""

    #: Name of the folder when it was signed; it may have been renamed since.
    name: str
    #: SHA-256 of every file, in lowercase hex, by path relative to the folder.
    files: dict[str, str]
    #: The index of the run's store at that time.
    index_head: IndexHead | None = None
    #: Paths that the signer excluded.
    ignored: tuple[str, ...] = ()
    #: The history of the store's aliases at that time.
    alias_head: IndexHead | None = None
    #: The origin of that index, in lowercase hex; None in older signatures.
    origin: str | None = None
    #: The record of the store's removed runs at that time.
    removal_head: IndexHead | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """The decoded file of a signature; its content has not been verified."""

    payload: bytes
    #: ECDSA signature in DER.
    signature: bytes
    #: Fingerprint of the key; empty in older signatures.
    key: str


def encode_payload(content: SignedContent) -> bytes:
    """Return the statement that is signed."""
    files = sorted(content.files.items(), key=lambda item: PurePosixPath(item[0]).parts)
    predicate: dict[str, Any] = {
        "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
        "resources": [
            {"name": name, "algorithm": "sha256", "digest": digest} for name, digest in files
        ],
    }
    around = {
        "index_head": content.index_head,
        "origin": content.origin,
        "alias_head": content.alias_head,
        "removal_head": content.removal_head,
    }
    known = {name: value for name, value in around.items() if value is not None}
    if known:
        predicate["runforge"] = msgspec.to_builtins(known)
    root = _root_digest([digest for _, digest in files])
    return encode_json(
        {
            "_type": _STATEMENT_TYPE,
            "subject": [{"name": content.name, "digest": {"sha256": root}}],
            "predicateType": _PREDICATE_TYPE,
            "predicate": predicate,
        }
    )


def decode_payload(payload: bytes) -> SignedContent:
    """Decode a statement.

    Raises
    ------
    RunForgeError
        ``SIGNATURE_INVALID`` for anything that the format does not allow.
    """
    statement = _convert(_parse(payload), _Statement)
    predicate, [subject] = statement.predicate, statement.subject
    files: dict[str, str] = {}
    for resource in predicate.resources:
        if not _is_below(resource.name):
            raise _invalid(f"it names {quote(resource.name)}, which is no path in the folder")
        if resource.name in files:
            raise _invalid(f"it names the file {quote(resource.name)} twice")
        files[resource.name] = resource.digest
    if _root_digest(list(files.values())) != subject.digest.sha256:
        raise _invalid("its digest is not that of the files it lists")
    store = _RunForge() if predicate.runforge is UNSET else predicate.runforge
    return SignedContent(
        subject.name,
        files,
        store.index_head,
        tuple(predicate.serialization.ignore_paths),
        store.alias_head,
        store.origin,
        store.removal_head,
    )


def encode_bundle(bundle: Bundle) -> bytes:
    """Encode the file of a signature."""
    return encode_json(
        {
            "mediaType": _MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": bundle.key}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": base64.b64encode(bundle.payload).decode("ascii"),
                "payloadType": _PAYLOAD_TYPE,
                "signatures": [
                    {"sig": base64.b64encode(bundle.signature).decode("ascii"), "keyid": ""}
                ],
            },
        }
    )


def decode_bundle(data: bytes) -> Bundle:
    """Decode the file of a signature, without verifying the signature.

    Raises
    ------
    RunForgeError
        ``SIGNATURE_INVALID`` for anything that the format does not allow.
    """
    raw = _convert(_parse(data), _Bundle)
    envelope, [signature] = raw.envelope, raw.envelope.signatures
    return Bundle(
        _decode_base64(envelope.payload),
        _decode_base64(signature.sig),
        raw.material.public_key.hint or "",
    )


def signed_bytes(payload: bytes) -> bytes:
    """Return the bytes to sign: the payload and its type, each preceded by its length.

    Source: DSSE protocol v1.0, "PAE definition".
    """
    return b"DSSEv1 %d %b %d %b" % (
        len(_PAYLOAD_TYPE),
        _PAYLOAD_TYPE.encode("ascii"),
        len(payload),
        payload,
    )


def _invalid(reason: str, *, hint: str | None = None) -> RunForgeError:
    """Return the error for a signature that is not in the format.

    Parameters
    ----------
    reason
        The second half of a sentence.
    hint
        A suggestion for the user.
    """
    return RunForgeError(
        ErrorCode.SIGNATURE_INVALID, f"The signature cannot be accepted: {reason}.", hint=hint
    )


_Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]


class _Digest(Struct):
    sha256: _Sha256


class _Subject(Struct):
    name: str
    digest: _Digest


class _Resource(Struct):
    name: str
    algorithm: Literal["sha256"]
    digest: _Sha256


class _Serialization(Struct):
    method: Literal["files"]
    hash_type: Literal["sha256"]
    ignore_paths: list[str] = []


class _RunForge(Struct):
    index_head: IndexHead | None = None
    origin: _Sha256 | None = None
    alias_head: IndexHead | None = None
    removal_head: IndexHead | None = None


class _Predicate(Struct):
    serialization: _Serialization
    resources: Annotated[list[_Resource], Meta(min_length=1)]
    runforge: _RunForge | UnsetType = UNSET


class _Statement(Struct, rename={"type": "_type", "predicate_type": "predicateType"}):
    type: Literal["https://in-toto.io/Statement/v1"]
    predicate_type: Literal["https://model_signing/signature/v1.0"]
    subject: Annotated[list[_Subject], Meta(min_length=1, max_length=1)]
    predicate: _Predicate


class _PublicKey(Struct):
    hint: str | None = None


class _Material(Struct, rename="camel"):
    public_key: _PublicKey


class _Signature(Struct):
    sig: str


class _Envelope(Struct, rename="camel"):
    payload: str
    payload_type: Literal["application/vnd.in-toto+json"]
    # The format allows several, and verifiers differ in which one they check.
    signatures: Annotated[list[_Signature], Meta(min_length=1, max_length=1)]


class _Bundle(
    Struct,
    rename={
        "media_type": "mediaType",
        "material": "verificationMaterial",
        "envelope": "dsseEnvelope",
    },
):
    media_type: Literal["application/vnd.dev.sigstore.bundle.v0.3+json"]
    material: _Material
    envelope: _Envelope


_T = TypeVar("_T", bound=Struct)


def _convert(raw: Any, shape: type[_T]) -> _T:
    try:
        return msgspec.convert(raw, shape)
    except msgspec.ValidationError as error:
        raise _invalid(
            f"it is not in the format that is read here: {printable(shorten(str(error), 300))}",
            hint="Signatures of the OpenSSF Model Signing format 1.0 are read, over whole files,"
            " with SHA-256 and a bare key.",
        ) from None


def _parse(data: bytes) -> Any:
    try:
        return parse_json(data, max_bytes=MAX_BYTES)
    except RunForgeError as error:
        raise _invalid(error.message[0].lower() + error.message[1:].removesuffix(".")) from None


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise _invalid("a part of it is not Base64") from None


def _is_below(name: str) -> bool:
    """Return whether ``name`` is a normalized relative path that stays inside the folder."""
    path = PurePosixPath(name)
    return (
        path.as_posix() == name
        and name != "."
        and not path.is_absolute()
        and ".." not in path.parts
        and "\0" not in name
    )


def _root_digest(digests: list[str]) -> str:
    return hashlib.sha256(b"".join(bytes.fromhex(digest) for digest in digests)).hexdigest()
