"""Names of files in a bundle or an archive: refused where some system reads one as another name.

Source: specification, section 22.3.
"""

from __future__ import annotations

import unicodedata

from runforge_contracts.display import quote
from runforge_contracts.system.file_names import is_alias

#: Longest name of a member, in bytes.
MAX_NAME = 4096
#: Longest part of a name, in bytes: no usual file system has longer ones.
MAX_PART = 255
#: Most parts of a name: folders are made and removed one in another.
MAX_DEPTH = 100


def name_problem(name: str) -> str | None:
    """Return why a file cannot have a name, as a sentence without its end; None if it can."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return f"{quote(name)} leads out of the file, or names none"
    strange = any(char < " " or char == "\x7f" for char in name) or "\\" in name
    if strange or any(map(is_alias, parts)):
        return f"{quote(name)} is a name that some system takes for another one"
    if len(parts) > MAX_DEPTH:
        return f"{quote(name, 200)} lies in more than {MAX_DEPTH - 1} folders"
    if any(len(part.encode("utf-8", "surrogatepass")) > MAX_PART for part in parts):
        return f"{quote(name, 200)} has a part of more than {MAX_PART} bytes"
    return None


class MemberNames:
    """The names in one file so far, any two of which must name different files on every system."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._folders: set[str] = set()

    def add(self, name: str) -> str | None:
        """Add a name; return why the others exclude it, as a sentence without its end."""
        key = _folded(name)
        if key in self._files:
            return f"{quote(name)} and {quote(self._files[key])} are one name on some systems"
        if key in self._folders:
            return f"{quote(name)} is both a file and a folder"
        self._files[key] = name
        while "/" in key:
            key = key.rpartition("/")[0]
            if key in self._files:
                return f"{quote(self._files[key])} is both a file and a folder"
            self._folders.add(key)
        return None


def _folded(name: str) -> str:
    """Return what is the same for names that are one name on a system that ignores case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
