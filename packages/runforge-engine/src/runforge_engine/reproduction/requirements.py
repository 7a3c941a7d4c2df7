"""List the packages of a run as a pip requirements file."""

from __future__ import annotations

import re
from typing import Any

from runforge_contracts.display import printable, quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.run import Run

from runforge_engine.provenance.collect import PACKAGES

#: The packages that runs record, and one that older runs recorded although no run loads it.
#: Only packages in the record are installed.
_RECORDED = frozenset({*PACKAGES, "pandas"})
#: Matches a version, and nothing that pip would interpret as an option or another line.
#: Source: PyPA specifications, "Version specifiers", appendix.
_VERSION = re.compile(
    r"(\d{1,9}!)?\d{1,9}(\.\d{1,9})*((a|b|rc)\d{1,9})?(\.post\d{1,9})?(\.dev\d{1,12})?"
    r"(\+[a-z0-9]{1,40}([._-][a-z0-9]{1,40})*)?",
    re.ASCII | re.IGNORECASE,
)


def requirements(run: Run) -> list[str]:
    """Return the lines of a requirements file with the exact versions that the run recorded.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` if the run recorded no packages, ``DOCUMENT_INVALID`` if a package
        has a name or version that is not safe to install; the errors of reading the record.
    """
    record: dict[str, Any] = run.record or {}
    packages = record.get("provenance", {}).get("packages")
    if not packages:
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The run {quote(run.id)} recorded no packages.",
            hint="It has not completed, or was written by an older version."
            " `runforge show` tells what there is.",
            path=str(run.path),
        )
    for name, version in packages.items():
        if name not in _RECORDED or not _VERSION.fullmatch(version):
            what = "no package that runs record" if name not in _RECORDED else "no version"
            raise RunForgeError(
                ErrorCode.DOCUMENT_INVALID,
                f"The record names {quote(f'{name}=={version}', 120)}, which is {what}.",
                hint="`runforge verify` tells whether the record was changed.",
                path=str(run.path),
                pointer="/provenance/packages",
            )
    lines = [f"# The packages of the run {_comment(run.id)}"]
    lines += [f"# {text}" for text in _surroundings(record["provenance"])]
    return lines + [f"{name}=={version}" for name, version in sorted(packages.items())]


def _surroundings(provenance: dict[str, Any]) -> list[str]:
    python, platform = provenance["python"], provenance["platform"]
    where = [platform[name] for name in ("os", "machine", "libc") if name in platform]
    return [
        _comment(f"Python {python['version']} ({python.get('implementation', 'unknown')})"),
        _comment(", ".join(where)),
    ]


def _comment(text: str) -> str:
    return printable(shorten(text, 100))
