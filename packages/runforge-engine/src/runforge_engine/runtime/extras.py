"""How to install what an extra of a package adds, for hints."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import requires

_EXTRA = re.compile(r"""extra\s*==\s*["']([\w-]+)["']""")


def install_extra(package: str, extra: str) -> str:
    """Return the command that installs what ``extra`` adds to an installed package.

    It names the libraries and not the extra, so that it also works where RunForge was installed
    from a clone. Extras of RunForge's own packages are resolved.
    """
    return f"python -m pip install {shlex.join(_added(package, extra))}"


def _added(package: str, extra: str) -> list[str]:
    found = []
    for line in requires(package) or ():
        name, _, marker = line.partition(";")
        if extra not in _EXTRA.findall(marker):
            continue
        own = re.fullmatch(r"(runforge-[\w-]+)\[([\w-]+)\]", name.strip())
        found += [name.strip()] if own is None else _added(*own.groups())
    return found
