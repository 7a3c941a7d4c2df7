"""Read the state of the Git repository around a workspace: the commit and the uncommitted changes.

**The digest of the uncommitted state** (``diff_sha256``) is defined on files, not on the output of
``git diff``, which changes with versions and settings of Git. It is the SHA-256, in lowercase hex,
of one record for each path that ``git status`` reports as changed or untracked (not ignored),
sorted by the bytes of the path:

    MODE SPACE CONTENT SPACE PATH NUL

``PATH`` is relative to the root of the repository, as bytes, with ``/``. ``MODE`` and ``CONTENT``
describe the item at that path in the working tree:

==========  ================================================================================
``100644``  a file: the SHA-256 of its bytes, in lowercase hex
``100755``  a file that its owner may execute: the same
``120000``  a symbolic link: the SHA-256 of its target
``160000``  a submodule, or a repository inside this one: its commit and, where it has
            uncommitted changes itself, ``+`` and its own ``diff_sha256``; ``-`` if it has no
            commit
``000000``  missing, or an item that Git would not store: ``-``
==========  ================================================================================

So the digest depends on the commit and the files alone: adding a file to the index does not change
it. At most 256 MiB are read in total. A file that would exceed the rest of this limit, or that
cannot be read, is not read; its ``CONTENT`` is ``size:`` and its size in bytes. Such files are
counted.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from runforge_contracts.system.system_files import READING, open_without_link

from runforge_engine.provenance.git import Git, GitUnavailableError

#: Maximum number of bytes of changed files read for the digest, per repository.
CONTENT_LIMIT = 256 * 1024 * 1024
#: Time limit for all Git commands together, in seconds.
TIME_LIMIT = 30.0

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class WorktreeState:
    """The commit that is checked out, and whether and how the files differ from it."""

    #: Full object name of the commit that is checked out.
    commit: str
    #: Whether a tracked file has changed or an untracked file is not ignored.
    dirty: bool
    #: Digest of the uncommitted state, as defined in the module docstring; None if there is none.
    diff_sha256: str | None = None
    #: Number of changed files that the digest covers by size only.
    unread_files: int = 0


def read_git_state(workspace: Path, *outputs: str) -> WorktreeState | None:
    """Return the state of the repository that contains the workspace.

    Parameters
    ----------
    workspace
        The folder of the run; the state is that of the whole repository around it.
    outputs
        Names of folders in the workspace that are excluded, such as the store's: the output of a
        run does not change its inputs.

    Returns
    -------
    WorktreeState or None
        None outside a repository, and in a bare one.

    Raises
    ------
    GitUnavailableError
        If there is a repository but it has no commit or is broken, or if Git is missing, refuses or
        takes too long.
    """
    folder = Path(os.path.realpath(workspace))
    parents = (folder, *folder.parents)
    nearest = next((parent for parent in parents if os.path.lexists(parent / ".git")), None)
    if nearest is None:
        return None
    git = Git(TIME_LIMIT)
    root = git.root_of(folder)
    if root != nearest and not git.can_read(nearest / ".git"):
        # Git ignores it, and reports on a repository further up, if there is one.
        raise GitUnavailableError("the `.git` there is no repository that Git can read.")
    if root is None or not folder.is_relative_to(root):
        return None
    inside = folder.relative_to(root)
    state = _read_state(
        git,
        root,
        tuple(os.fsencode(Path(os.path.normpath(inside / name)).as_posix()) for name in outputs),
    )
    if state is None:
        raise GitUnavailableError("the repository has no commit at its HEAD.")
    return state


def _read_state(git: Git, root: Path, outputs: tuple[bytes, ...] = ()) -> WorktreeState | None:
    settings = git.harmless_filters(root)
    commit, changed = git.changes(root, settings)
    if commit is None:
        return None
    nested = {path: _read_nested(git, root, path) for path in git.submodules(root)}
    changed |= {path for path, state in nested.items() if state is not None and state.dirty}
    for output in outputs:
        changed = {
            path for path in changed if path != output and not path.startswith(output + b"/")
        }
    if not changed:
        return WorktreeState(commit, dirty=False)
    digest = hashlib.sha256()
    reader = _FileReader()
    unread = 0
    for path in sorted(changed):
        if _is_repository(_join(root, path)):
            state = nested[path] if path in nested else _read_nested(git, root, path)
            mode, content = "160000", _describe_nested(state)
            unread += 0 if state is None else state.unread_files
        else:
            mode, content = reader.describe(_join(root, path))
        digest.update(f"{mode} {content} ".encode("ascii") + path + b"\0")
    return WorktreeState(commit, True, digest.hexdigest(), unread + reader.unread)


def _join(root: Path, path: bytes) -> Path:
    return root / os.fsdecode(path)


def _is_repository(folder: Path) -> bool:
    return not folder.is_symlink() and os.path.lexists(folder / ".git")


def _read_nested(git: Git, root: Path, path: bytes) -> WorktreeState | None:
    folder = _join(root, path)
    # With a broken `.git`, Git would report on the repository further up.
    if not _is_repository(folder) or git.root_of(folder) != folder:
        return None
    return _read_state(git, folder)


def _describe_nested(state: WorktreeState | None) -> str:
    if state is None:
        return "-"
    return state.commit if state.diff_sha256 is None else f"{state.commit}+{state.diff_sha256}"


class _FileReader:
    """Describe changed files for the digest, reading up to a limit of bytes in total."""

    def __init__(self) -> None:
        self._remaining = CONTENT_LIMIT
        #: Number of files described by size only.
        self.unread = 0

    def describe(self, path: Path) -> tuple[str, str]:
        """Return the mode and the content of the record of one path, which may be of any type."""
        try:
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                target = os.fsencode(os.readlink(path))  # noqa: PTH115 - a Path is normalized
                return "120000", hashlib.sha256(target).hexdigest()
        except OSError:
            return "000000", "-"
        if not stat.S_ISREG(status.st_mode):
            return "000000", "-"
        mode = "100755" if status.st_mode & stat.S_IXUSR else "100644"
        content = self._digest(path, status.st_size)
        if content is None:
            self.unread += 1
            return mode, f"size:{status.st_size}"
        return mode, content

    def _digest(self, path: Path, size: int) -> str | None:
        if size > self._remaining:
            return None
        digest = hashlib.sha256()
        length = 0
        try:
            # If the file was replaced meanwhile, the new item is neither followed nor waited for.
            with open(path, "rb", opener=_open_plainly) as file:
                while chunk := file.read(_CHUNK):
                    length += len(chunk)
                    if length > self._remaining:
                        return None
                    digest.update(chunk)
        except OSError:
            return None
        self._remaining -= length
        return digest.hexdigest()


def _open_plainly(path: str, flags: int) -> int:
    return open_without_link(path, flags | READING)
