"""A hash chain over JSON values: one digest for a list of them, in order.

``h(0)`` is 32 zero bytes, and ``h(n)`` is the SHA-256 of ``h(n-1)`` followed by the canonical JSON
of value ``n`` (RFC 8785, so that any language can compute it).

Source: specification, section 14.3; RFC 8785.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runforge_contracts.codec.strict_json import canonical_json


def chain_digests(values: Iterable[Mapping[str, Any]], start: str = "0" * 64) -> list[str]:
    """Return the digest of the chain before the first value and after each, in lowercase hex.

    ``start`` is the digest over the values before these, if there are any.
    """
    import hashlib  # late: most commands that list or show runs need no digest

    link = bytes.fromhex(start)
    found = [link.hex()]
    for value in values:
        link = hashlib.sha256(link + canonical_json(value)).digest()
        found.append(link.hex())
    return found
