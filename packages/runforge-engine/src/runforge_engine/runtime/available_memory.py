"""Find out how much memory is available, to refuse datasets that are too large before reading them.

The limits are those of the machine, of control groups and of the process; a variable overrides
them. Where the system does not report how much memory is free, nothing is refused.

Source: proc(5), ``/proc/meminfo``; Linux kernel documentation, "Control Group v2" and "Memory
Resource Controller"; getrlimit(2).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

#: Replaces the memory that the system reports as free, such as ``12G``; 0 disables the check.
VARIABLE = "RUNFORGE_MEMORY_LIMIT"

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
#: The kernel's value for no limit: the largest number of pages.
_UNLIMITED = 2**60


def free_memory(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> int | None:
    """Return how many bytes this process can still take without swapping, or None if not known.

    Parameters
    ----------
    environment
        May contain ``RUNFORGE_MEMORY_LIMIT``.
    root
        Where the system's files are.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` where the variable is set to something else than a size.
    """
    text = environment.get(VARIABLE)
    if text is not None:
        return _stated(text)
    return min((*_of_machine(root), *_of_groups(root), *_of_process(root)), default=None)


def size_text(size: float) -> str:
    """Return a number of bytes for display."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit in ("bytes", "KiB", "MiB") else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} TiB"


def _stated(text: str) -> int | None:
    parts = re.fullmatch(r"([0-9]{1,15})\s*([KMGT]?)(?:i?B)?", text.strip(), re.ASCII | re.I)
    if parts is None:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{VARIABLE} is {quote(text)}, which is not a size.",
            hint=f"Such as `{VARIABLE}=12G`; 0 lets every dataset pass.",
        )
    return int(parts[1]) * _UNITS[parts[2].upper()] or None


def _of_machine(root: Path) -> Iterator[int]:
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024


def _of_groups(root: Path) -> Iterator[int]:
    """Yield the memory left in each control group of the process."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            base = root / "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        # Within a container its own group is the root, regardless of the path.
        group = base / path.lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(base):
                yield from _of_group(folder, *names)


def _of_group(folder: Path, limit: str, usage: str, cache: str) -> Iterator[int]:
    allowed, used = _number(folder / limit), _number(folder / usage)
    if allowed is None or used is None or allowed > _UNLIMITED:
        return
    # The kernel reclaims the inactive file cache first.
    kept = [
        line.split()[1] for line in _lines(folder / "memory.stat") if line.split()[:1] == [cache]
    ]
    yield max(allowed - used + sum(map(int, kept)), 0)


def _of_process(root: Path) -> Iterator[int]:
    if sys.platform == "win32":
        yield from ()
    else:
        import resource

        allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
        if allowed == resource.RLIM_INFINITY:
            return
        for line in _lines(root / "proc/self/statm"):
            yield max(allowed - int(line.split()[0]) * resource.getpagesize(), 0)


def _number(path: Path) -> int | None:
    for line in _lines(path):
        return int(line) if line.strip().isdigit() else None
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii", "replace").splitlines()
    except OSError:
        return []
