"""Export of every case as plain files, for runners that use the vectors alone.

``DIR/<case id>/`` holds ``case.json``, ``input.json`` or ``input.yaml`` where the case has an
input, and ``expected.json`` where a document must result; ``DIR/requirements.json`` holds the
requirements and ``DIR/schemas/`` the schemas of the contract.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import write_file, writing
from runforge_contracts.schemas import schema_bytes, schema_files

from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance.vectors import (
    all_cases,
    expected_document,
    input_bytes,
    make_workspace,
    requirements,
    suffix_of,
)


def export(folder: Path) -> int:
    """Write all cases into ``folder``, which is empty or does not exist; return their number.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if the folder is not empty, ``STORE_NOT_WRITABLE`` if it is not writable.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "The folder is not empty.",
            hint="Name one that does not exist.",
            path=str(folder),
        )
    cases = all_cases()
    with writing(folder):
        for case in cases:
            target = folder / case.id
            target.mkdir(parents=True)
            _write(case, target)
        (folder / "schemas").mkdir()
        for name in schema_files():
            (folder / "schemas" / f"{name}.json").write_bytes(schema_bytes(name))
        known = [msgspec.to_builtins(requirement) for requirement in requirements().values()]
        write_file(folder / "requirements.json", encode_json(known))
    return len(cases)


def _write(case: Case, target: Path) -> None:
    (target / "case.json").write_bytes(encode_json(msgspec.to_builtins(case)))
    if case.input:
        name = f"input{suffix_of(case.document or None)}"
        (target / name).write_bytes(input_bytes(case.input))
    if case.workspace or case.files:
        make_workspace(case, target / "workspace")
    if case.op in ("write", "roundtrip", "edit") and case.expect.outcome == "accepted":
        (target / "expected.json").write_bytes(encode_json(expected_document(case)))
