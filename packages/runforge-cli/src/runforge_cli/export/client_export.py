"""Export runs as a workspace of another client: of Desktop, or of the editor extension."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.display import printable
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import open_file, write_file, writing
from runforge_contracts.fs.folders import list_folder, walk_folder
from runforge_contracts.run_ids import started
from runforge_contracts.store import layout
from runforge_contracts.store.run import RUN_VERSIONS, Run
from runforge_contracts.system.system_files import sync_file
from runforge_engine.store.run_view import editor_entry, write_view

from runforge_cli.export.client_record import ClientRecord, client_record
from runforge_cli.export.client_workspace import Added, ClientWorkspace
from runforge_cli.export.desktop_documents import (
    index_entry,
    interpretability,
    phase2_metrics,
    request_document,
    result_document,
    run_manifest,
)
from runforge_cli.export.desktop_log import desktop_log
from runforge_cli.export.editor_documents import (
    cancelled_marker,
    editor_folder,
    editor_preset_id,
    editor_request,
    editor_result,
)
from runforge_cli.export.mlflow_record import ExportOutcome
from runforge_cli.listing.run_list import ListedRun
from runforge_cli.shell.output_paths import make_folder

#: Documents in the clients' own forms: such a run is copied as it is.
_DESKTOP_RUN, _EDITOR_REQUEST = "field.desktop_run.v1", "field.editor_request.v1"
#: The forms of ``run.json`` that the extension reads.
_EDITOR_RUNS = (*RUN_VERSIONS, "field.editor_run.v0.2.2.1")
_MODEL = layout.MODEL.rpartition("/")[2]
_EXPERIMENT = "It is the run of an experiment; this client shows trained runs only."
_TAKEN = "The folder has another run with this id."


def export_desktop(folder: Path, runs: Sequence[ListedRun]) -> ExportOutcome:
    """Add runs to a workspace that Desktop shows, oldest first.

    Parameters
    ----------
    folder
        The workspace; created if it is missing.
    runs
        The runs. Those that have not finished, or cannot be read, are skipped.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` or ``INDEX_INVALID`` if runs cannot be added to the folder;
        ``STORE_NOT_WRITABLE``, ``STORE_BUSY``.
    """
    return _export(folder, runs, _add_to_desktop, as_list=True)


def export_vscode(folder: Path, runs: Sequence[ListedRun]) -> ExportOutcome:
    """Add runs to a workspace for the editor extension; as :func:`export_desktop` otherwise.

    Only runs that succeeded are listed there, as the extension does. They come last, because it
    shows the files of the folder that was changed last.
    """
    return _export(folder, runs, _add_to_editor, as_list=False)


class _Added(NamedTuple):
    """A run in the client's workspace, and its entry of the index."""

    place: Added | None
    entry: dict[str, Any] | None = None


def _export(
    folder: Path,
    runs: Sequence[ListedRun],
    add: Callable[[ClientWorkspace, ClientRecord], _Added],
    *,
    as_list: bool,
) -> ExportOutcome:
    workspace = ClientWorkspace(folder, as_list=as_list)
    make_folder(folder)
    workspace.prepare()
    changed: dict[str, list[str]] = {}
    outcome = ExportOutcome(changed=changed)
    entries = []

    def order(listed: ListedRun) -> tuple[bool, str]:
        return not as_list and listed.status == "succeeded", started(listed.entry)

    try:
        for listed in sorted(runs, key=order):
            run_id = listed.entry["run_id"]
            try:
                run = listed.folder()
                if not isinstance(run, Run):
                    outcome.left_out[run_id] = _EXPERIMENT
                    continue
                record = client_record(run, listed.store)
                if record is None:
                    outcome.left_out[run_id] = "The run has not finished."
                    continue
                added = add(workspace, record)
            except RunForgeError as error:
                if error.code is ErrorCode.STORE_NOT_WRITABLE:
                    raise  # The other runs would fail, too.
                outcome.left_out[run_id] = error.message
                continue
            if added.place is None:
                outcome.left_out[run_id] = _TAKEN
                continue
            if added.entry is not None:
                entries.append(added.entry)
            (outcome.exported if added.place.new else outcome.present).append(run_id)
            if added.place.changed:
                changed[run_id] = list(added.place.changed)
    finally:
        workspace.list(entries)
    return outcome


def _add_to_desktop(workspace: ClientWorkspace, record: ClientRecord) -> _Added:
    def write(folder: Path, target: Path) -> None:
        if record.form(layout.RUN) == _DESKTOP_RUN:
            copy_folder(record.run.path, folder)
            return
        # Desktop opens this folder.
        place = f".ml/runs/{target.name}" if record.private else str(target)
        artifacts = folder / layout.ARTIFACTS
        with writing(artifacts):
            artifacts.mkdir()
        documents = interpretability(record) if record.succeeded else {}
        metrics = phase2_metrics(record)
        if metrics is not None:
            documents[layout.METRICS] = metrics
        encoded = {path: encode_json(document) for path, document in documents.items()}
        sizes = {path: len(data) for path, data in encoded.items()}
        if record.succeeded:
            sizes |= _copy_artifacts(record.run.path / layout.ARTIFACTS, artifacts)
        ending = record.error[0] if record.error else "The run succeeded."
        log = desktop_log(record.lines(), ending, succeeded=record.succeeded)
        encoded |= {
            "stdout.log": log,
            "logs.txt": log,
            # Desktop draws the losses of epochs here, which these models do not have.
            "metrics.jsonl": b"",
            layout.REQUEST: encode_json(request_document(record)),
            layout.RESULT: encode_json(result_document(record, dict(sorted(sizes.items())))),
            layout.RUN: encode_json(run_manifest(record, place)),
        }
        for path, data in encoded.items():
            write_file(folder / path, data)

    added = workspace.add(record.run, record.run.id, _origin(record), write)
    entry = None if added is None else index_entry(record, added.folder.name)
    return _Added(added, entry)


def _add_to_editor(workspace: ClientWorkspace, record: ClientRecord) -> _Added:
    own = record.form(layout.REQUEST) == _EDITOR_REQUEST
    if record.succeeded and record.form(layout.RUN) not in _EDITOR_RUNS:
        raise RunForgeError(
            ErrorCode.DOCUMENT_INVALID, "It has no run.json in a form that the extension reads."
        )

    def write(folder: Path, target: Path) -> None:
        if own:
            copy_folder(record.run.path, folder)
            return
        if record.succeeded:
            write_view(record.run, folder)
        else:
            with writing(folder):
                (folder / layout.ARTIFACTS).mkdir()
        lines = [printable(line) + "\n" for line in record.lines()]
        documents = {
            layout.REQUEST: editor_request(record, target.name),
            layout.RESULT: editor_result(record, target.name),
        }
        if record.status == "cancelled":
            documents[layout.CANCELLED_MARKER] = cancelled_marker(record, target.name)
        for path, document in documents.items():
            write_file(folder / path, encode_json(document))
        write_file(folder / layout.LOGS, "".join(lines).encode("utf-8"))

    name = record.run.path.name if own else editor_folder(record)
    added = workspace.add(record.run, name, _origin(record), write)
    if added is None or not record.succeeded:
        return _Added(added)
    entry = editor_entry(record.run, added.folder)
    return _Added(added, {**entry, "preset_id": editor_preset_id(record)})


def _copy_artifacts(source: Path, target: Path) -> dict[str, int]:
    """Copy the artifacts that have no form of their own in Desktop; return the size of each.

    Desktop cannot compare runs with two artifacts whose names differ in case alone.
    """
    sizes: dict[str, int] = {}
    taken = {layout.INTERPRETABILITY_INDEX, layout.FEATURE_IMPORTANCE, layout.LINEAR_COEFFICIENTS}
    taken.add(f"{layout.ARTIFACTS}/{layout.METRICS_V1}")
    # The model comes first: nothing takes its name.
    for entry in sorted(list_folder(source), key=lambda entry: entry.name != _MODEL):
        path = f"{layout.ARTIFACTS}/{entry.name}"
        if path.lower() in taken or not entry.is_file(follow_symlinks=False):
            continue
        copy_file(Path(entry.path), target / entry.name)
        taken.add(path.lower())
        sizes[path] = (target / entry.name).stat().st_size
    return sizes


def _origin(record: ClientRecord) -> str:
    """Return the path of the record; of a private run, without what identifies the machine."""
    path = Path(os.path.realpath(record.run.path))
    return "/".join(path.parts[-3:]) if record.private else str(path)


def copy_folder(source: Path, target: Path) -> None:
    """Copy the regular files of a folder, without links."""
    for item in walk_folder(source):
        if item.kind == "folder":
            with writing(target / item.place):
                (target / item.place).mkdir(parents=True, exist_ok=True)
        elif item.kind == "file":
            with writing(target / item.place):
                (target / item.place).parent.mkdir(parents=True, exist_ok=True)
            copy_file(item.path, target / item.place)


def copy_file(source: Path, target: Path) -> bool:
    """Copy a regular file; return False if there is none."""
    try:
        file = open_file(source)
    except NotFoundError:
        return False
    with file, writing(target), target.open("xb") as copy:
        shutil.copyfileobj(file, copy, 2**20)
        copy.flush()
        sync_file(copy.fileno())
    return True
