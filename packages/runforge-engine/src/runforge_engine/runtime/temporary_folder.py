"""A folder for what is unpacked, which is removed whenever an interrupt comes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that only its user can read, for as long as the context lasts.

    The functions of the module tempfile leave it behind where an exception is raised between its
    making and their return.
    """
    # Nobody else has a name of so many digits, so what bears it is ours to remove.
    folder = Path(tempfile.gettempdir()).resolve() / f"runforge-{token_hex(16)}"
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
