"""Zstandard (RFC 8878), which is in the standard library from Python 3.14 on."""

from __future__ import annotations

import sys
from types import ModuleType

from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.runtime.extras import install_extra


def import_zstd() -> ModuleType:
    """Return ``compression.zstd``, or the package that has the same for older Pythons.

    Raises
    ------
    RunForgeError
        ``EXTRA_MISSING`` if neither is there.
    """
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError as missing:
        raise RunForgeError(
            ErrorCode.EXTRA_MISSING,
            f"Archives in one file need Zstandard, which cannot be imported: {missing}.",
            hint=f"Install it with `{install_extra('runforge-engine', 'archive')}`, or name a"
            " folder for the archive.",
        ) from None
    return zstd
