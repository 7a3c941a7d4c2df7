"""Checks that the files of a run are those that its documents list, byte for byte.

Source: specification, sections 5.4, 7.6, 8.5 and 24.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.fs.files import FileDigest
from runforge_contracts.invariants.checked_folder import CheckedFolder, CheckedRun
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.store import layout

#: Files of every run in the present layout, and those that a completed training adds.
_ALWAYS = (layout.REQUEST, layout.RESULT, layout.DIAGNOSTICS, layout.MANIFEST)
_COMPLETED = (layout.RUN, layout.METRICS, layout.METRICS_V1, layout.INTERPRETABILITY_INDEX)
#: Where each path in run.json leads.
_PLACES = {
    "/artifacts/model_pkl": layout.MODEL,
    "/artifacts/metrics_v1_json": layout.METRICS_V1,
    "/artifacts/feature_importance_json": layout.FEATURE_IMPORTANCE,
    "/artifacts/linear_coefficients_json": layout.LINEAR_COEFFICIENTS,
    "/artifacts/interpretability_index_json": layout.INTERPRETABILITY_INDEX,
    "/metrics_v1/artifact_path": layout.METRICS_V1,
    "/feature_importance_artifact": layout.FEATURE_IMPORTANCE,
    "/linear_coefficients_artifact": layout.LINEAR_COEFFICIENTS,
    "/interpretability_index_artifact": layout.INTERPRETABILITY_INDEX,
}


def evidence_findings(folder: CheckedRun) -> Iterator[Finding]:
    """Yield the files of a run that are missing, unlisted or changed."""
    yield from _required(folder)
    yield from manifest_findings(folder)
    yield from _recipe(folder)
    if folder.record is not None:
        digests = folder.record.get("artifact_digests", {})
        yield from _digests("run.artifact-digests", layout.RUN, "artifact_digests", digests, folder)
        yield from _pointers(folder.record, folder)
        named = set(folder.record["artifacts"].values()) if folder.is_current else set()
        for file in sorted(named - digests.keys()):
            message = f"{layout.RUN} names the artifact {file} without its digest."
            yield Finding("run.artifact-digests", message, layout.RUN, "/artifact_digests")
    for index, artifact in enumerate((folder.result or {}).get("artifacts") or ()):
        place = f"/artifacts/{index}"
        fact = folder.files.get(artifact["path"])
        rule, found = "result.artifacts", artifact["path"]
        if fact is None:
            message = f"{quote(found)} is listed but missing."
            yield Finding(rule, message, layout.RESULT, f"{place}/path", found=found)
        elif fact.bytes != artifact["bytes"]:
            message = (
                f"{quote(found)} is listed with {artifact['bytes']} bytes; it has {fact.bytes}."
            )
            pointer = f"{place}/bytes"
            yield Finding(rule, message, layout.RESULT, pointer, fact.bytes, artifact["bytes"])


def _required(folder: CheckedRun) -> Iterator[Finding]:
    if folder.is_current:
        needed = list(_ALWAYS)
        if (folder.result or {}).get("status") == "succeeded":
            needed += _COMPLETED
    else:
        # Older clients wrote a request, a result and detailed metrics only from some version on.
        needed = [layout.RUN, layout.METRICS]
    for file in needed:
        if file not in folder.files:
            yield Finding("run.files", f"The run lacks {file}.", file)


def _recipe(folder: CheckedRun) -> Iterator[Finding]:
    """Yield the copy of a recipe that is missing, changed or not of the run."""
    config = (folder.result or {}).get("effective_config") or {}
    used = (folder.record or config).get("dataset") or {}
    expected, copy = used.get("recipe_sha256"), folder.files.get(layout.RECIPE)
    document = layout.RESULT if folder.record is None else layout.RUN
    if expected is None and copy is not None and used:
        message = f"The run has a copy of a recipe, and {document} names none."
        yield Finding("recipe.run", message, layout.RECIPE)
    elif copy is None and expected is not None and folder.record is not None:
        message = f"{document} names a recipe, of which there is no copy at {layout.RECIPE}."
        yield Finding("recipe.run", message, document, "/dataset/recipe_sha256", found=expected)
    elif copy is not None and expected is not None and copy.sha256 != expected:
        digests = f"{copy.sha256[:12]}…; {document} records {expected[:12]}…"
        message = f"{layout.RECIPE} has the SHA-256 {digests} as that of the recipe."
        yield Finding("recipe.run", message, layout.RECIPE, None, expected, copy.sha256)


def manifest_findings(folder: CheckedFolder) -> Iterator[Finding]:
    """Yield the files that the manifest does not list or whose digests differ from it."""
    manifest = folder.content(layout.MANIFEST)
    if manifest is None:
        return
    listed = manifest["files"]
    for file in sorted(folder.files.keys() - listed.keys() - {layout.MANIFEST}):
        yield Finding("manifest.complete", f"The manifest does not list {file}.", file)
    yield from _digests("manifest.digests", layout.MANIFEST, "files", listed, folder)


def _digests(
    rule: str, document: str, member: str, digests: dict[str, Any], folder: CheckedFolder
) -> Iterator[Finding]:
    """Yield the listed files that are missing or whose digests differ."""
    for file, expected in digests.items():
        pointer = format_pointer([member, file])
        found = folder.files.get(file)
        if found is None:
            yield Finding(rule, f"{document} names {file}, which is missing.", document, pointer)
        elif found != FileDigest(expected["sha256"], expected["bytes"]):
            yield Finding(
                rule,
                _digest_message(document, file, expected, found),
                file,
                None,
                expected,
                found._asdict(),
            )


def _digest_message(document: str, file: str, expected: dict[str, Any], found: FileDigest) -> str:
    if found.bytes != expected["bytes"]:
        return f"{file} has {found.bytes} bytes; {document} records {expected['bytes']}."
    digests = f"{found.sha256[:12]}…; {document} records {expected['sha256'][:12]}…"
    return f"{file} has the SHA-256 {digests}."


def _pointers(run: dict[str, Any], folder: CheckedRun) -> Iterator[Finding]:
    """Yield the paths in run.json at which there is no file, or not the one that they name."""
    named = {f"/artifacts/{key}": value for key, value in run["artifacts"].items()}
    named |= {f"/{key}": value for key, value in run.items() if key.endswith("_artifact")}
    if "metrics_v1" in run:
        named["/metrics_v1/artifact_path"] = run["metrics_v1"]["artifact_path"]
    for pointer, file in named.items():
        # The shared vectors and runs kept in Git may leave out the models themselves.
        if file not in folder.files and (pointer != "/artifacts/model_pkl" or folder.is_current):
            message = f"{layout.RUN} names {quote(file)} at {pointer}, which is missing."
            yield Finding("run.pointers", message, layout.RUN, pointer, found=file)
        elif folder.is_current and file != _PLACES.get(pointer, file):
            message = f"{layout.RUN} names {quote(file)} at {pointer}; expected {_PLACES[pointer]}."
            yield Finding("run.pointers", message, layout.RUN, pointer, _PLACES[pointer], file)
