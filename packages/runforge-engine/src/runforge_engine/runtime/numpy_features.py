"""Find the processor features for which the installed numpy has loops to choose from.

Only numpy itself knows them, and it chooses its loops while it is being imported; by then it is too
late to disable any. So another process imports numpy and reports the list, once for each installed
numpy: the answer is cached in the user's cache folder, by the identity of numpy's extension module.

Source: numpy, "CPU/SIMD optimizations".
"""

from __future__ import annotations

import os
import re
import sys

from runforge_engine.runtime.user_cache import cache_file, write_cached

#: Imports the numpy in a folder, in a process that has only the standard library beside it.
_QUESTION = """\
import sys
sys.path.insert(0, sys.argv[1])
from numpy._core._multiarray_umath import __cpu_dispatch__
print(*__cpu_dispatch__)
"""
_NAMES = re.compile(r"[A-Z0-9_ ]{0,4000}\n")
#: Seconds after which a numpy that cannot be imported is given up.
_PATIENCE = 60


def dispatched_features() -> list[str]:
    """Return the names of the features, as this numpy spells them.

    Naming a feature that this numpy does not choose at run time is a warning, and naming one that
    it was built to require makes its import fail, so the list must be this numpy's own. It is empty
    where numpy is missing or cannot be imported.
    """
    found = _extension_module()
    if found is None:
        return []
    site, extension = found
    cache = _cache_file(extension)
    names = _cached(cache)
    if names is None:
        names = _ask(site)
        if names is not None and cache is not None:
            write_cached(cache, names.encode("ascii"))
    return (names or "").split()


def _extension_module() -> tuple[str, str] | None:
    """Return the folder that numpy is installed in, and the path of its extension module."""
    from importlib.machinery import EXTENSION_SUFFIXES, PathFinder

    spec = PathFinder.find_spec("numpy")
    for folder in (spec and spec.submodule_search_locations) or ():
        for suffix in EXTENSION_SUFFIXES:
            path = f"{folder}/_core/_multiarray_umath{suffix}"
            if os.access(path, os.R_OK):
                return os.path.dirname(os.path.abspath(folder)), path  # noqa: PTH100, PTH120
    return None


def _cache_file(extension: str) -> str | None:
    """Return the path of the answer for an extension module; None where there is no cache."""
    try:
        status = os.stat(extension)  # noqa: PTH116
    except OSError:
        return None
    identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    name = "-".join(f"{number:x}" for number in identity)
    return cache_file(f"numpy-{name}.txt")


def _cached(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        with open(path, encoding="ascii") as file:  # noqa: PTH123
            text = file.read(4096)
    except (OSError, ValueError):
        return None
    return text if _NAMES.fullmatch(text) else None


def _ask(site: str) -> str | None:
    """Return the names that the numpy in ``site`` reports; None where it reports none."""
    import subprocess

    if not sys.executable:
        return None
    variables = {key: value for key, value in os.environ.items() if not key.startswith("NPY_")}
    try:
        answer = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _QUESTION, site],
            env={**variables, "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
        names = answer.stdout.decode("ascii")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return names if answer.returncode == 0 and _NAMES.fullmatch(names) else None
