"""Checks of the suite itself: its cases, its requirements, and the files that they use."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runforge_conformance import __version__
from runforge_conformance.suite_schemas import mistake
from runforge_conformance.vectors import (
    CONTRACT,
    ROLE_OF,
    requirements,
    topics,
    vectors_folder,
)

_REQUIREMENTS = Path(__file__).parent / "requirements"


def faults() -> list[str]:
    """Return the problems of the suite, one line each."""
    return [*_case_faults(), *_requirement_faults(), *_file_faults()]


def _case_faults() -> Iterator[str]:
    known = requirements()
    cases = [case for topic in topics() for case in topic.cases]
    for topic in topics():
        raw = json.loads((vectors_folder() / topic.file).read_bytes())
        wrong = mistake(raw, "cases.v1")
        if wrong:
            yield f"{topic.file}: {wrong}"
        prefix = topic.file.removeprefix("cases/").removesuffix(".json") + "/"
        for case in topic.cases:
            if not case.id.startswith(prefix):
                yield f"{topic.file}: {case.id} does not begin with {prefix}"
            if case.requirement not in known:
                yield f"{case.id}: there is no requirement {case.requirement}"
    for case_id, count in Counter(case.id for case in cases).items():
        if count > 1:
            yield f"{case_id}: {count} cases have this id"


def _requirement_faults() -> Iterator[str]:
    path = _REQUIREMENTS / f"v{CONTRACT}.json"
    wrong = mistake(json.loads(path.read_bytes()), "requirements.v1")
    if wrong:
        yield f"{path.name}: {wrong}"
    frozen = (_REQUIREMENTS / f"v{CONTRACT}.sha256").read_text("ascii").strip()
    if requirements_digest() != frozen:
        yield f"{path.name}: the requirements of contract v{CONTRACT} are frozen, and have changed"


def requirements_digest() -> str:
    """Return the digest of the requirements: of their ids, levels, roles and descriptions."""
    path = _REQUIREMENTS / f"v{CONTRACT}.json"
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _file_faults() -> Iterator[str]:
    path = vectors_folder() / "manifest.json"
    recorded = json.loads(path.read_bytes())
    actual = manifest()
    for file in sorted(recorded["files"].keys() | actual["files"].keys()):
        if recorded["files"].get(file) != actual["files"].get(file):
            yield f"{file}: it is not the file of manifest.json"
    if recorded != actual:
        yield "manifest.json: it does not follow from the vectors"


def manifest() -> dict[str, Any]:
    """Return the manifest of the vectors: every file with its digest, and every case."""
    folder, known = vectors_folder(), requirements()
    files = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).as_posix()
        if path.is_file() and place not in ("manifest.json", "README.md"):
            data = path.read_bytes()
            files[place] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    cases = [
        {
            "id": case.id,
            "file": topic.file,
            "requirement": case.requirement,
            "level": known[case.requirement].level,
            "role": ROLE_OF[case.op],
        }
        for topic in topics()
        for case in topic.cases
        if case.requirement in known  # unknown ones are reported separately
    ]
    return {
        "schema_version": "conformance_vectors.v1",
        "suite": __version__,
        "contract": CONTRACT,
        "files": files,
        "cases": cases,
    }
