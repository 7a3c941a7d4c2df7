"""Build the provenance statement of a run: in-toto Statement v1 with the SLSA v1 predicate.

The statement is stored in the run folder as ``provenance.intoto.json``. It is written after all
other files but before the manifest: its subjects are all files of the run except itself and the
manifest, and the manifest then lists the statement like every other file. This avoids circular
references: the statement covers the files, the manifest covers both, the signature covers all.

**The build type** ``https://runforge.dev/buildtypes/train/v1`` defines a statement as a function of
the run's documents and files, so that anyone can rebuild it and compare:

========================  ==========================================================================
``externalParameters``    ``request.json``, complete: what the user requested
``internalParameters``    ``effective_config`` of ``result.json``, with the seed; ``profile`` if one
                          was used; ``environment``: interpreter, platform and numeric libraries
``resolvedDependencies``  the dataset and its recipe (``file:`` URI, SHA-256 of their bytes), the
                          Git commit of the workspace (``gitCommit``; uncommitted changes by their
                          digest), and every package that can change a bit of the model
                          (``pkg:pypi``)
``builder``               the engine and its version, on the machine that ran it
``metadata``              the run id, and when the run started and finished
``byproducts``            the logs
========================  ==========================================================================

Values that the documents do not contain are absent. A dataset in the workspace has a ``file:`` URI
without a root, relative to the workspace; one outside it has an absolute URI. The author of the
statement also controls the machine that trains: that is SLSA build level 1, and signing with the
author's own key does not raise the level.

Source: in-toto attestation framework v1, "Statement" and "ResourceDescriptor"; SLSA v1.0,
"Provenance"; package-url specification, type ``pypi``; RFC 3986 and RFC 8089.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote as percent_encode

from runforge_contracts.codec.strict_json import encode_json_line, in_form
from runforge_contracts.store import layout
from runforge_contracts.store.run import Run

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://runforge.dev/buildtypes/train/v1"
BUILDER = "https://runforge.dev/builders/local/v1"

#: Files that a statement cannot cover: itself, and the manifest, which contains its digest.
_NOT_SUBJECTS = frozenset({layout.STATEMENT, layout.MANIFEST})
_MEDIA_TYPES = {layout.TRAIN_LOG: "text/plain", layout.EVENTS: "application/jsonl"}


def statement_of(
    run: Run,
    files: Mapping[str, Mapping[str, Any]],
) -> bytes:
    """Return the statement of a finished run as the bytes of its file.

    Parameters
    ----------
    run
        The run, with ``result.json`` and, if they exist, ``request.json`` and
        ``run.json``.
    files
        The files of the run with their digests, ``{path: {"sha256": ..., ...}}``, as in a
        manifest; the statement itself and the manifest are ignored.

    Raises
    ------
    RunForgeError
        If one of the three documents exists but cannot be read.
    """
    request = run.document(layout.REQUEST)
    statement = build_statement(
        run_id=run.id,
        # As it is recorded, nulls included.
        request={} if request is None else request.raw,
        run=run.record or {},
        result=run.result or {},
        files=files,
    )
    # Same output as `encode_json`, but much faster: verifying a store rebuilds its statements.
    return in_form(encode_json_line(statement))


def build_statement(
    *,
    run_id: str,
    request: Mapping[str, Any],
    run: Mapping[str, Any],
    result: Mapping[str, Any],
    files: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the statement for the raw documents of a run.

    A failed run has no ``run.json``; its result contains the provenance.
    """
    provenance = run.get("provenance") or result.get("provenance") or {}
    return {
        "_type": STATEMENT_TYPE,
        "subject": [_file(name, files) for name in sorted(files) if name not in _NOT_SUBJECTS],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": request,
                "internalParameters": _internal_parameters(run, result, provenance),
                "resolvedDependencies": [
                    *_dataset(request, run, result),
                    *_code(provenance.get("git")),
                    *_packages(provenance.get("packages", {})),
                ],
            },
            "runDetails": {
                "builder": _builder(run, provenance),
                "metadata": _metadata(run_id, result),
                "byproducts": [
                    {**_file(name, files), "mediaType": media_type}
                    for name, media_type in _MEDIA_TYPES.items()
                    if name in files
                ],
            },
        },
    }


def _file(name: str, files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": files[name]["sha256"]}}


def _internal_parameters(
    run: Mapping[str, Any], result: Mapping[str, Any], provenance: Mapping[str, Any]
) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    if "effective_config" in result:
        parameters["effective_config"] = result["effective_config"]
    if "profile_name" in run:
        parameters["profile"] = {
            "name": run["profile_name"],
            "version": run["profile_version"],
            "expanded_parameters_hash": run["expanded_parameters_hash"],
        }
    environment = {
        part: provenance[part] for part in ("python", "platform", "numerics") if part in provenance
    }
    if environment:
        parameters["environment"] = environment
    return parameters


def _dataset(
    request: Mapping[str, Any], run: Mapping[str, Any], result: Mapping[str, Any]
) -> list[dict[str, Any]]:
    used = run.get("dataset") or result.get("effective_config", {}).get("dataset") or {}
    path = used.get("path") or request.get("dataset", {}).get("path")
    if path is None:
        return []
    descriptor: dict[str, Any] = {"name": "dataset", "uri": _file_uri(path)}
    if "fingerprint_sha256" in used:
        descriptor["digest"] = {"sha256": used["fingerprint_sha256"]}
    return [descriptor, *_recipe(request, used)]


def _recipe(request: Mapping[str, Any], used: Mapping[str, Any]) -> list[dict[str, Any]]:
    # A run that names its dataset and no recipe applied none, whatever the request says.
    path = used.get("recipe") if used else request.get("dataset", {}).get("recipe")
    if path is None:
        return []
    descriptor: dict[str, Any] = {"name": "recipe", "uri": _file_uri(path)}
    if "recipe_sha256" in used:
        descriptor["digest"] = {"sha256": used["recipe_sha256"]}
    return [descriptor]


def _file_uri(path: str) -> str:
    """Return the URI of a dataset's recorded path, which has forward slashes on every system."""
    if re.match("[A-Za-z]:/", path):
        path = f"/{path}"
    authority = "//" if path.startswith("/") and not path.startswith("//") else ""
    return f"file:{authority}{percent_encode(path, safe='/:')}"


def _code(git: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    if git is None:
        return []
    descriptor: dict[str, Any] = {"name": "workspace", "digest": {"gitCommit": git["commit"]}}
    uncommitted = {name: value for name, value in git.items() if name != "commit"}
    return [{**descriptor, "annotations": uncommitted}]


def _packages(packages: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "uri": package_url(name, version)}
        for name, version in sorted(packages.items())
    ]


def package_url(name: str, version: str) -> str:
    """Return the package URL of a release on the Python Package Index."""
    normalized = percent_encode(re.sub("[-_.]+", "-", name).lower(), safe="")
    return f"pkg:pypi/{normalized}@{percent_encode(version, safe='')}"


def _builder(run: Mapping[str, Any], provenance: Mapping[str, Any]) -> dict[str, Any]:
    version = run.get("runforge_version") or provenance.get("packages", {}).get("runforge-engine")
    return {"id": BUILDER, **({"version": {"runforge-engine": version}} if version else {})}


def _metadata(run_id: str, result: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"invocationId": run_id}
    for name, source in (("startedOn", "started_at"), ("finishedOn", "finished_at")):
        if source in result:
            metadata[name] = result[source]
    return metadata
