"""Write an evaluation into a store: its folder appears as a whole, or not at all.

Source: specification, sections 21.1 and 21.2.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import write_file, writing
from runforge_contracts.schemas import in_schema_order
from runforge_contracts.store import layout
from runforge_contracts.store.evaluations import (
    RecordedEvaluation,
    content_digest,
    evaluation_id_candidates,
)
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.system.system_files import sync_folder
from runforge_contracts.validation import validate

from runforge_engine.runtime.clock import read_clock
from runforge_engine.store.index_lock import refuse_linked_folders

_SCHEMA = "evaluation.v1"


def write_evaluation(
    store: StoreLayout, body: dict[str, Any], created_by: str
) -> RecordedEvaluation:
    """Give an evaluation an id, write it, and return it.

    Parameters
    ----------
    store
        The store; an evaluation has runs, so it exists.
    body
        The members of ``evaluation.v1`` that do not depend on the id and the time.
    created_by
        The client, as ``<client>@<version>``.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_WRITABLE``; ``FILE_UNSAFE`` where the store or the folder of the evaluations is
        a symbolic link.
    """
    clock = read_clock()
    _prepare(store)
    ids = evaluation_id_candidates(
        clock.instant(), body["run_id"], body["model"]["sha256"], body["dataset"]["sha256"]
    )
    for evaluation_id in ids:
        folder = store.evaluation_folder(evaluation_id)
        if os.path.lexists(folder):
            continue
        raw = {
            "version": 1,
            "kind": "evaluation",
            "evaluation_id": evaluation_id,
            "created_at": clock.now(),
            "created_by": created_by,
            **body,
        }
        raw["content_sha256"] = content_digest(raw)
        raw = in_schema_order(raw, _SCHEMA)
        validate(raw, _SCHEMA)
        if _write(folder, encode_json(raw)):
            return RecordedEvaluation(folder)
    raise AssertionError("candidates never end")


def _prepare(store: StoreLayout) -> None:
    refuse_linked_folders(store)
    if store.evaluations.is_symlink():
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(store.evaluations, 200)} is a symbolic link, which could lead anywhere.",
            hint="Put a folder in the place of the link.",
            path=str(store.evaluations),
        )
    with writing(store.evaluations):
        store.evaluations.mkdir(parents=True, exist_ok=True)


def _write(folder: Path, data: bytes) -> bool:
    """Write the only file of a folder; return False if the folder has appeared meanwhile."""
    unfinished = folder.with_name(f".{folder.name}.{os.urandom(8).hex()}.tmp")
    with writing(folder):
        unfinished.mkdir()
        try:
            write_file(unfinished / layout.EVALUATION, data)
            unfinished.rename(folder)
        except BaseException as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            if isinstance(error, OSError) and error.errno in (errno.EEXIST, errno.ENOTEMPTY):
                return False
            raise
        with contextlib.suppress(OSError):  # The evaluation is there; its name may be lost.
            sync_folder(folder.parent)
    return True
