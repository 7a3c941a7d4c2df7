"""Small files in the user's cache folder, which only save time: any of them may be missing.

Source: XDG Base Directory Specification, ``XDG_CACHE_HOME``.
"""

from __future__ import annotations

import os
from contextlib import suppress


def cache_file(name: str) -> str | None:
    """Return the path of a file in the cache; None where there is no cache."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    if not root.startswith("/"):  # as the specification has it
        root = os.path.expanduser("~/.cache")  # noqa: PTH111 - pathlib costs start-up time
    return f"{root}/runforge/{name}" if root.startswith("/") else None


def write_cached(path: str, content: bytes) -> None:
    """Replace a file in the cache as a whole, for its owner alone; nothing where that fails."""
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120
        try:
            with open(temporary, "xb", opener=_for_owner) as file:
                file.write(content)
            os.replace(temporary, path)  # noqa: PTH105
        except OSError:
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
    except OSError:
        return


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
