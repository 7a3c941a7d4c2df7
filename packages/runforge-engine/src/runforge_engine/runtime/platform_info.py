"""Describe the machine: operating system, C library, processor."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

_CPUINFO = "/proc/cpuinfo"


def read_cpuinfo() -> dict[str, str]:
    """Return the fields of the first processor in Linux's ``/proc/cpuinfo``.

    Returns
    -------
    dict
        Field name to value; empty where there is no such file. Only the first processor is read:
        the list is long on large machines, and the processors of one machine differ in nothing
        that is used here.
    """
    fields: dict[str, str] = {}
    try:
        with open(_CPUINFO, encoding="utf-8", errors="replace") as lines:  # noqa: PTH123 - pathlib costs start-up time
            for line in lines:
                name, colon, value = line.partition(":")
                if not colon:
                    break
                fields[name.strip()] = value.strip()
    except OSError:
        return {}
    return fields


def cpu_flags() -> frozenset[str]:
    """Return the processor's feature flags as the Linux kernel names them, empty elsewhere."""
    return frozenset(read_cpuinfo().get("flags", "").split())


def memory_size() -> int | None:
    """Return how much memory the machine has, in bytes; None if the system does not tell."""
    if sys.platform != "win32":
        with suppress(ValueError, OSError):
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def describe_platform() -> dict[str, str]:
    """Return operating system, machine, C library and processor for ``provenance.platform``.

    Returns
    -------
    dict
        ``os`` and ``machine`` always (``Linux``, ``x86_64``); ``libc`` with its version, which
        decides the last bit of ``exp`` and ``log``, and ``cpu``, the processor's model name, where
        the system tells.
    """
    import platform

    described = {"os": platform.system() or sys.platform, "machine": platform.machine()}
    libc = _libc()
    if libc:
        described["libc"] = libc
    cpu = _cpu_model()
    if cpu:
        described["cpu"] = cpu
    return {name: value for name, value in described.items() if value}


def _libc() -> str | None:
    if sys.platform == "linux":
        # platform.libc_ver() guesses from the interpreter's file; the C library knows.
        with suppress(ValueError, OSError):
            return os.confstr("CS_GNU_LIBC_VERSION")
    return None


def _cpu_model() -> str | None:
    import platform

    named = None
    if sys.platform == "darwin":
        named = _sysctl("machdep.cpu.brand_string")
    elif sys.platform == "linux":  # On ARM it has no such name.
        named = read_cpuinfo().get("model name")
    return named or platform.processor() or None


def _sysctl(name: str) -> str | None:
    import subprocess

    command = ["/usr/sbin/sysctl", "-n", name]
    try:
        result = subprocess.run(command, capture_output=True, check=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.decode("utf-8", "replace").strip() or None
