"""Names of files that not every system takes as they are.

Source: Microsoft, "Naming Files, Paths, and Namespaces".
"""

from __future__ import annotations

import re

#: Names of devices, with any ending: opening one of them reads or writes no file.
_DEVICES = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\N{SUPERSCRIPT ONE}\N{SUPERSCRIPT TWO}"
    r"\N{SUPERSCRIPT THREE}]) *([.:].*)?",
    re.IGNORECASE | re.DOTALL,
)


def is_alias(name: str) -> bool:
    """Return whether Windows takes the name of a file or folder for that of another one.

    ``con.txt`` is the terminal there, ``a.`` and ``a `` are ``a``, and ``a:b`` is a part of ``a``.

    Parameters
    ----------
    name
        One part of a path.
    """
    trimmed = name.rstrip(". ") != name and name not in (".", "..")
    return trimmed or ":" in name or _DEVICES.fullmatch(name) is not None
