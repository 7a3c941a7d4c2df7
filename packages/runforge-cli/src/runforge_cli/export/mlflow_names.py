"""Names as MLflow takes them: letters, digits and a few signs, and none twice."""

from __future__ import annotations

import hashlib
import posixpath
import re

#: What MLflow takes in the name of a metric, a parameter or a tag on every system.
_OTHER = re.compile(r"[^\w./ -]")
#: Longest name of a metric, a parameter or a tag.
_LONGEST = 250


class Names:
    """The names of one kind of things of a run, each with what it is called there."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        #: What is called otherwise, by what it is called there.
        self.changed: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """Return what ``name`` is called there, the same name wherever that can be."""
        wanted = possible = _possible(name)
        count = 1
        while possible in self._taken:
            count += 1
            possible = f"{wanted[: _LONGEST - 12]}_{count}"
        self._taken.add(possible)
        if possible != name:
            self.changed[possible] = name
        return possible


def _possible(name: str) -> str:
    """Return a name that is taken, and that no path can be mistaken for."""
    text = _OTHER.sub("_", name)
    if text != posixpath.normpath(text) or text.startswith(("/", "..", " ")) or text == ".":
        text = "_" + text.replace("/", "_").lstrip(". ")
    if len(text) > _LONGEST:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        text = f"{text[: _LONGEST - 9]}_{digest}"
    return text
