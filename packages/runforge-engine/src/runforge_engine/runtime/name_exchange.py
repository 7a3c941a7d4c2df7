"""Exchange two names in one step, so that there is no moment without either.

Source: renameat2(2), ``RENAME_EXCHANGE``; rename(2) of macOS, ``renamex_np``.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

_AT_FDCWD = -100
#: ``RENAME_EXCHANGE`` of Linux and ``RENAME_SWAP`` of macOS.
_EXCHANGE = 2


def exchange_names(first: Path, second: Path) -> bool:
    """Give each of two paths what the other one names; return False where the system cannot.

    Raises ``OSError``; both names are then as before.
    """
    import ctypes  # Only here: nothing else of a command needs it.

    one, two = os.fsencode(first), os.fsencode(second)
    library: Any = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        result = library.renameat2(_AT_FDCWD, one, _AT_FDCWD, two, _EXCHANGE)
    elif sys.platform == "darwin" and hasattr(library, "renamex_np"):
        result = library.renamex_np(one, two, _EXCHANGE)
    else:
        return False
    number = ctypes.get_errno()
    if result == 0:
        return True
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False  # The file system cannot.
    raise OSError(number, os.strerror(number), str(first))
