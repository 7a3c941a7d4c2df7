"""The files of a run are those that its documents name, byte for byte.

Source: RunForge contract, "Where things live" and "Documents and versions"; result.json contract,
"Artifacts Array".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.fs.files import FileDigest
from runforge_contracts.invariants.checked_folder import Folder
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.store import layout

#: What a run of the present layout has, however it ended, and what a completed training adds.
_ALWAYS = (layout.REQUEST, layout.RESULT, layout.DIAGNOSTICS, layout.MANIFEST)
_COMPLETED = (layout.RUN, layout.METRICS, layout.METRICS_V1, layout.INTERPRETABILITY_INDEX)


def evidence_findings(folder: Folder) -> Iterator[Finding]:
    """Give what is wrong with the files of a run."""
    yield from _required(folder)
    yield from manifest_findings(folder)
    if folder.run is not None:
        digests = folder.run.get("artifact_digests", {})
        yield from _digests("run.artifact-digests", layout.RUN, "artifact_digests", digests, folder)
        yield from _pointers(folder.run, folder)
        named = set(folder.run["artifacts"].values()) if folder.is_current else set()
        for file in sorted(named - digests.keys()):
            message = (
                f"The record has the digest of every artifact that it names; {file} lacks one."
            )
            yield Finding("run.artifact-digests", message, layout.RUN, "/artifact_digests")
    for index, artifact in enumerate((folder.result or {}).get("artifacts") or ()):
        place = f"/artifacts/{index}"
        fact = folder.files.get(artifact["path"])
        rule, found = "result.artifacts", artifact["path"]
        if fact is None:
            message = "Every artifact of the list exists."
            yield Finding(rule, message, layout.RESULT, f"{place}/path", found=found)
        elif fact.bytes != artifact["bytes"]:
            message = "Every artifact has the size that the list gives."
            pointer = f"{place}/bytes"
            yield Finding(rule, message, layout.RESULT, pointer, fact.bytes, artifact["bytes"])


def _required(folder: Folder) -> Iterator[Finding]:
    if folder.is_current:
        needed = list(_ALWAYS)
        if (folder.result or {}).get("status") == "succeeded":
            needed += _COMPLETED
    elif folder.result is None or layout.RUN in folder.files:
        # Older clients wrote a request, a result and detailed metrics only from some version on.
        needed = [layout.RUN, layout.METRICS]
    else:
        needed = []
    for file in needed:
        if file not in folder.files:
            yield Finding("run.files", f"The run lacks {file}.", file)


def manifest_findings(folder: Folder) -> Iterator[Finding]:
    """Give the files that the manifest does not list, and those that are not what it lists."""
    manifest = folder.documents.get(layout.MANIFEST)
    if manifest is None:
        return
    listed = manifest["files"]
    for file in sorted(folder.files.keys() - listed.keys() - {layout.MANIFEST}):
        yield Finding("manifest.complete", f"The manifest does not list {file}.", file)
    yield from _digests("manifest.digests", layout.MANIFEST, "files", listed, folder)


def _digests(
    rule: str, document: str, member: str, digests: dict[str, Any], folder: Folder
) -> Iterator[Finding]:
    """Give the files that are missing or not what the digests say."""
    for file, expected in digests.items():
        pointer = format_pointer([member, file])
        found = folder.files.get(file)
        if found is None:
            yield Finding(rule, f"{document} names {file}, which is missing.", document, pointer)
        elif found != FileDigest(expected["sha256"], expected["bytes"]):
            message = f"{file} is not the file whose digest {document} records."
            yield Finding(rule, message, file, None, expected, found._asdict())


def _pointers(run: dict[str, Any], folder: Folder) -> Iterator[Finding]:
    """Give the paths of the record at which there is no file."""
    named = {f"/artifacts/{key}": value for key, value in run["artifacts"].items()}
    named |= {f"/{key}": value for key, value in run.items() if key.endswith("_artifact")}
    if "metrics_v1" in run:
        named["/metrics_v1/artifact_path"] = run["metrics_v1"]["artifact_path"]
    for pointer, file in named.items():
        # The shared vectors and whatever is kept in git may leave out the models themselves.
        if file not in folder.files and (pointer != "/artifacts/model_pkl" or folder.is_current):
            message = f"The record points to {file}, which is missing."
            yield Finding("run.pointers", message, layout.RUN, pointer, found=file)
