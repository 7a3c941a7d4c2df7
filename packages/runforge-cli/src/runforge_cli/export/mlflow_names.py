"""Unique names that MLflow accepts: letters, digits and a few other characters."""

from __future__ import annotations

import hashlib
import posixpath
import re

#: Characters that MLflow does not accept in names on every system.
_OTHER = re.compile(r"[^\w./ -]")
#: Maximum length of the name of a metric, a parameter or a tag.
_LONGEST = 250


class Names:
    """The MLflow names of the metrics, the parameters or the tags of a run."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        #: The original names of those that were changed, by their MLflow names.
        self.changed: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """Return the MLflow name for ``name``, unchanged if possible."""
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
    """Return a name that MLflow accepts and that is not a relative path."""
    text = _OTHER.sub("_", name)
    if text != posixpath.normpath(text) or text.startswith(("/", "..", " ")) or text == ".":
        text = "_" + text.replace("/", "_").lstrip(". ")
    if len(text) > _LONGEST:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        text = f"{text[: _LONGEST - 9]}_{digest}"
    return text
