"""Write the document or the crate of one run, under a name that is free."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import rename_new, sync_folder, writing
from runforge_contracts.system.system_files import sync_file
from runforge_engine.bundles.bundle_writer import already_exists

from runforge_cli.export.shared_run import SharedRun

#: The formats of one run.
FORMATS = ("model-card", "cyclonedx", "ro-crate")


def export_run(form: str, target: Path, shared: SharedRun) -> None:
    """Write one run in a format to the new file or folder ``target``.

    Parameters
    ----------
    form
        One of :data:`FORMATS`.
    target
        What must not exist; a crate is a ZIP file where its name ends with ``.zip``.
    shared
        The run.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` if the format describes a model and there is none;
        ``VERIFICATION_FAILED`` if a file changes meanwhile; ``USAGE_INVALID`` if ``target`` exists;
        ``STORE_NOT_WRITABLE``; what reading the documents raises.
    """
    if form == "model-card":
        from runforge_cli.export.model_card import model_card

        write_new_file(target, model_card(shared))
    elif form == "cyclonedx":
        from runforge_cli.export.cyclonedx_bom import bill_of_materials

        write_new_file(target, bill_of_materials(shared))
    else:
        _write_crate(target, shared)


def write_new_file(target: Path, data: bytes) -> None:
    """Write a file that does not exist yet; it is complete or absent.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if it exists, ``STORE_NOT_WRITABLE``.
    """

    def write(unfinished: Path) -> None:
        with unfinished.open("xb") as file:
            file.write(data)
            file.flush()
            sync_file(file.fileno())

    _finish(target, write, rename_new)


def _write_crate(target: Path, shared: SharedRun) -> None:
    from runforge_engine.bundles.zip_archive import write_archive

    from runforge_cli.export.ro_crate import FOLDER, crate_members

    members = crate_members(shared)
    expected = {FOLDER + name: sha256 for name, sha256 in shared.digests.items()}

    def write_zip(unfinished: Path) -> None:
        with unfinished.open("xb") as file:
            written = write_archive(file, members)
            file.flush()
            sync_file(file.fileno())
        _check(expected, {name: digest.sha256 for name, digest in written.items()})

    def write_folder(unfinished: Path) -> None:
        unfinished.mkdir()
        written = {name: _write_member(unfinished / name, data) for name, data in members.items()}
        _check(expected, written)

    if target.suffix.lower() == ".zip":
        _finish(target, write_zip, rename_new)
    else:
        _finish(target, write_folder, _rename_folder)


def _write_member(path: Path, source: bytes | Path) -> str:
    """Write a file of a crate, and return its SHA-256."""
    import hashlib

    from runforge_engine.bundles.zip_archive import pieces_of

    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("xb") as file:
        for piece in pieces_of(source):
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _check(expected: Mapping[str, str], written: Mapping[str, str]) -> None:
    for name, sha256 in expected.items():
        if written[name] != sha256:
            raise RunForgeError(
                ErrorCode.VERIFICATION_FAILED,
                f"{quote(name)} changed while it was exported.",
                hint="Find out what changes it, and try again.",
                path=name,
            )


def _rename_folder(unfinished: Path, target: Path) -> None:
    """Give a folder its name; a folder that has appeared there meanwhile is kept if it has files.

    An empty one is replaced, and nothing is lost.
    """
    try:
        unfinished.rename(target)
    except OSError as error:
        if os.path.lexists(target):
            raise FileExistsError(str(target)) from error
        raise


def _finish(
    target: Path, write: Callable[[Path], None], rename: Callable[[Path, Path], None]
) -> None:
    """Write under a temporary name, and give the result its own name if that is still free."""
    unfinished = target.with_name(f".{target.name}.{os.urandom(8).hex()}.tmp")
    with writing(target):
        try:
            write(unfinished)
            rename(unfinished, target)
        except FileExistsError:
            raise already_exists(target) from None
        finally:
            if unfinished.is_dir() and not unfinished.is_symlink():
                shutil.rmtree(unfinished)
            with contextlib.suppress(FileNotFoundError):
                unfinished.unlink()
        sync_folder(target.parent)
