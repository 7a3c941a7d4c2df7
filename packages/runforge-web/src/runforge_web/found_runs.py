"""Find the run that an address names, and its files; nothing else of this machine is shown.

An address names a run as a command does, but never by a path. The folder must lie where its store
or the workspace has it: links are not followed, since they could lead anywhere.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote as quote_url

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import open_file, read_all, reading
from runforge_contracts.fs.folders import walk_folder
from runforge_contracts.store import layout
from runforge_contracts.store.experiment_runs import is_experiment_folder
from runforge_contracts.store.run import Run

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator, Mapping

    from runforge_cli.shell.settings import Settings
    from runforge_contracts.store.lookup import AnyRun

#: Maximum number of files that are listed, and how deep folders are entered.
MOST_FILES, _DEPTH = 2_000, 8
#: How much of the end of a file is shown as text, in bytes.
TAIL = 256 * 2**10


class RunFile(NamedTuple):
    """A file of a run."""

    #: Path in the run folder, with forward slashes.
    path: str
    bytes: int
    #: Digest that the run recorded; None if it recorded none.
    sha256: str | None


def find_shown_run(settings: Settings, reference: str) -> AnyRun:
    """Return the run that an address names.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND``, ``RUN_AMBIGUOUS``; ``FILE_UNSAFE`` if its folder is reached by a link,
        or is not the folder of a run.
    """
    if Path(reference).name != reference or set(reference) & set("/\\\0"):
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND, f"{quote(reference)} is not the name of a run."
        )
    found = settings.find_any(reference)
    if not _is_in_place(found.path, settings):
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"The folder of the run {quote(reference)} is outside the workspace or reached by a"
            " link.",
            hint="Put the folder itself into the store.",
            path=str(found.path),
        )
    if not _is_run_folder(found.path, settings):
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"The index names a folder for the run {quote(reference)} that has no document of a"
            " run, so that nothing in it is shown.",
            path=str(found.path),
        )
    return found


def _is_run_folder(folder: Path, settings: Settings) -> bool:
    """Return whether a folder is that of a run; an index can name any folder of the workspace."""
    # A run that has just begun has no document yet.
    if any(folder.parent == place.runs for place in settings.places()):
        return True
    documents = (layout.REQUEST, layout.RUN, layout.RESULT)
    return is_experiment_folder(folder) or any((folder / name).is_file() for name in documents)


def _is_in_place(folder: Path, settings: Settings) -> bool:
    """Return whether a run folder is in the workspace or its store, and no link below it."""
    # A store may itself be a link to a larger disk, which its owner made.
    roots = [settings.folder, *(place.runs for place in settings.places())]
    real = os.path.realpath(folder)
    return any(
        folder.is_relative_to(root)
        and folder != root
        and real == os.path.join(os.path.realpath(root), folder.relative_to(root))  # noqa: PTH118
        for root in roots
    )


def files_of(run: AnyRun) -> tuple[list[RunFile], bool]:
    """Return the files of a run with the digests that it recorded, and whether there are more."""
    recorded = _digests(run)
    found = list[RunFile]()
    for place, size in _sizes(run, _DEPTH):
        if len(found) == MOST_FILES:
            return found, True
        found.append(RunFile(place, size, recorded.get(place)))
    return sorted(found), False


def bytes_of(run: AnyRun) -> int:
    """Return how many bytes the files of a run have together."""
    return sum(size for _, size in _sizes(run, None))


def _sizes(run: AnyRun, max_depth: int | None) -> Iterator[tuple[str, int]]:
    for item in walk_folder(run.path, max_depth=max_depth, unreadable=lambda *_: None):
        if item.kind == "file":
            # It may just have been removed.
            with suppress(OSError):
                yield item.place, item.path.stat(follow_symlinks=False).st_size


def _digests(run: AnyRun) -> dict[str, str]:
    file = layout.MANIFEST if isinstance(run, Run) else layout.EXPERIMENT_MANIFEST
    try:
        manifest = run.content(file) or {}
    except RunForgeError:
        return {}
    return {name: item["sha256"] for name, item in manifest.get("files", {}).items()}


def open_file_of(run: AnyRun, name: str) -> io.FileIO:
    """Open a file of a run for reading.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND``; ``FILE_UNSAFE`` if it, or a folder on the way to it, is a link.
    """
    parts = name.split("/")
    if not all(parts) or {".", ".."} & {*parts} or set(name) & set("\\\0"):
        raise RunForgeError(ErrorCode.FILE_NOT_FOUND, f"The run has no file {quote(name, 200)}.")
    return open_file(run.path.joinpath(*parts), below=run.path)


def tail_of(run: AnyRun, name: str) -> tuple[list[str], bool]:
    """Return the last lines of a file of a run, and whether there are others before them.

    Raises :class:`~runforge_contracts.errors.RunForgeError` as :func:`open_file_of`.
    """
    with open_file_of(run, name) as file, reading(run.path / name):
        size = os.fstat(file.fileno()).st_size
        file.seek(max(size - TAIL, 0))
        text = read_all(file, TAIL).decode("utf-8", "backslashreplace")
    return text.splitlines(), size > TAIL


def name_in(entry: Mapping[str, Any]) -> str:
    """Return the name that a run was given; empty if it has none but its id."""
    name = entry.get("name")
    return name if isinstance(name, str) and name != entry["run_id"] else ""


def log_name(run: AnyRun) -> str:
    """Return the path of the log of a run."""
    if isinstance(run, Run):
        return layout.TRAIN_LOG
    copied = not (run.path / layout.LOGS).is_file() and (run.path / layout.LOG_COPY).is_file()
    return layout.LOG_COPY if copied else layout.LOGS


def url_segment(text: str) -> str:
    """Return a string as a part of an address, however many slashes it has."""
    return quote_url(text, safe="", errors="replace")


def run_address(run_id: str, *parts: str) -> str:
    """Return the address of a run, or of a page about it."""
    return "/".join(
        ["/runs", *(quote_url(part, safe="/", errors="replace") for part in (run_id, *parts))]
    )
