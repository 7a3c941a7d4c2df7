"""Write the document or the crate of one run, under a name that is free."""

from __future__ import annotations

import os
from pathlib import Path

from runforge_contracts.system.system_files import sync_file
from runforge_engine.bundles.new_output import new_output, refuse_changed

from runforge_cli.export.shared_run import SharedRun


def export_run(form: str, target: Path, shared: SharedRun) -> None:
    """Write one run in a format to the new file or folder ``target``.

    Parameters
    ----------
    form
        ``model-card``, ``cyclonedx`` or ``ro-crate``.
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
    with new_output(target) as unfinished, unfinished.open("xb") as file:
        file.write(data)
        file.flush()
        sync_file(file.fileno())


def _write_crate(target: Path, shared: SharedRun) -> None:
    from runforge_engine.bundles.zip_archive import write_archive_file

    from runforge_cli.export.ro_crate import FOLDER, crate_members

    members = crate_members(shared)
    expected = {FOLDER + name: sha256 for name, sha256 in shared.digests.items()}

    if target.suffix.lower() == ".zip":
        with new_output(target) as unfinished:
            refuse_changed(expected, write_archive_file(unfinished, members), "exported")
    else:
        with new_output(target, _rename_folder) as unfinished:
            unfinished.mkdir()
            written = {
                name: _write_member(unfinished / name, data) for name, data in members.items()
            }
            refuse_changed(expected, written, "exported")


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
