"""How much memory and processor time a process may take that uses a model.

Only a process that :func:`confine` was called in is bounded; anywhere else the rest does nothing.
Where the system knows no such limits, as Windows does not, there are none.

Source: getrlimit(2).
"""

from __future__ import annotations

import math
import sys
from contextlib import suppress

from runforge_engine.runtime.available_memory import free_memory

#: Memory that is allowed on any machine: numpy and scikit-learn alone need a third of it.
_LEAST = 2**30

_confined = False


def confine() -> None:
    """Allow this process the memory that is free now, and let :func:`allow` bound its time.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_engine.runtime.available_memory.free_memory`.
    """
    global _confined
    free = free_memory()
    if sys.platform != "win32":
        import resource

        # Of the address space much is only reserved; under macOS this has no effect.
        kind = resource.RLIMIT_DATA
        _, hard = resource.getrlimit(kind)
        if free is not None:
            _set(kind, _within(max(free, _LEAST), hard), hard)
        with suppress(ValueError, OSError):
            # A process that dies on what it was given leaves no image of its memory.
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _confined = True


def allow(seconds: float | None) -> None:
    """Let this process end after so many more seconds of processor time; ``None``: let it run."""
    if sys.platform != "win32" and _confined:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        if seconds is None or not math.isfinite(seconds):
            _set(resource.RLIMIT_CPU, hard, hard)
            return
        usage = resource.getrusage(resource.RUSAGE_SELF)
        end = math.ceil(usage.ru_utime + usage.ru_stime + seconds)
        _set(resource.RLIMIT_CPU, _within(end, hard), hard)


if sys.platform != "win32":

    def _within(wanted: int, hard: int) -> int:
        import resource

        return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)

    def _set(kind: int, soft: int, hard: int) -> None:
        import resource

        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (soft, hard))


def is_lack_of_memory(error: BaseException) -> bool:
    """Report whether an exception was caused by a lack of memory.

    A native library that cannot be mapped into memory is an ``ImportError``.
    """
    if isinstance(error, MemoryError):
        return True
    signs = ("failed to map segment", "cannot allocate memory")
    return isinstance(error, ImportError) and any(sign in str(error).lower() for sign in signs)
