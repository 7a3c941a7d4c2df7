"""Dask distributed, an optional package: imported when it is used, and kept from the terminal."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.runtime.extras import install_extra


def import_distributed() -> Any:
    """Return the module ``distributed``, which takes about a second to import.

    Raises
    ------
    RunForgeError
        ``EXTRA_MISSING`` if it is not installed.
    """
    try:
        import distributed
    except ImportError as missing:
        raise RunForgeError(
            ErrorCode.EXTRA_MISSING,
            f"Runs on a cluster need Dask distributed, which cannot be imported: {missing}.",
            hint=f"Install it with `{install_extra('runforge-engine', 'dask')}`, also on the"
            " workers.",
        ) from None
    return distributed


@contextlib.contextmanager
def quiet_logs() -> Iterator[None]:
    """Keep what Dask logs about lost connections off the terminal: RunForge reports them itself."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client", "asyncio")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
