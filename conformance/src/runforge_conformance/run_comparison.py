"""Comparison of two runs of one request whose clocks were not the same."""

from __future__ import annotations

import hashlib
import re

#: Times, durations and run ids, which hold a time: what differs where nobody stops the clock.
_CLOCK = rb"[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?"
_MOMENT = re.compile(
    rb"[0-9]{8}-[0-9]{6}(-[0-9a-f]{8})?"
    rb"|([0-9]{4}-[0-9]{2}-[0-9]{2}[T ])?" + _CLOCK + rb"(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_DURATION = re.compile(
    rb"(\"[a-z_]*(duration|seconds|elapsed|_ms)[a-z_]*\"\s*:\s*)-?[0-9.eE+-]+"
    rb"|\b[0-9]+([.][0-9]+)?\s?(ms|s|seconds)\b"
)
_DIGEST = re.compile(rb"[0-9a-f]{64}")
_SIZE = re.compile(rb"(\"bytes\"\s*:\s*)[0-9]+")
#: Suffixes of the files that may hold a time; a model holds none.
_TEXTS = (".json", ".jsonl", ".log", ".txt", ".yaml", ".md")


def without_times(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files of a run without times, and without digests and sizes of such files."""
    digests = {hashlib.sha256(data).hexdigest().encode(): name for name, data in files.items()}

    def named(found: re.Match[bytes]) -> bytes:
        name = digests.get(found[0], "")
        return name.encode() if name.endswith(_TEXTS) else found[0]

    def masked(data: bytes) -> bytes:
        data = _MOMENT.sub(b"TIME", _DIGEST.sub(named, data))
        return _SIZE.sub(rb"\g<1>0", _DURATION.sub(rb"\g<1>0", data))

    return {name: masked(data) if name.endswith(_TEXTS) else data for name, data in files.items()}
