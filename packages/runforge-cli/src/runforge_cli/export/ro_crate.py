"""Write a run as an RO-Crate: its files with a description in JSON-LD, as a Process Run Crate.

The files of the run are in the folder ``run`` of the crate, byte for byte; the training is an
action that used the dataset and the hyperparameters, and resulted in the files. The dataset itself
is not included: it is described by its name and digest.

Source: RO-Crate 1.1; Process Run Crate 0.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote as percent_encode

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.run import Run

from runforge_cli.export.mlflow_record import Record, record_of
from runforge_cli.export.shared_run import SharedRun, is_one_license
from runforge_cli.report.report_input import file_name

#: The description, and the folder with the files of the run.
METADATA, FOLDER = "ro-crate-metadata.json", "run/"
_CRATE = "https://w3id.org/ro/crate/1.1"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_HOME = "https://github.com/runforge/runforge"
_ACTION, _DATASET, _AUTHOR = "#training", "#dataset", "#author"
#: A crate must state a license, or in words how it may be used.
_NO_LICENSE = "No license was stated. Ask who trained the model before you use it."
#: Files that the training had before it began; the others are its results.
_INPUTS = frozenset({layout.REQUEST, layout.CONFIG})
_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
}


def crate_members(shared: SharedRun) -> dict[str, bytes | Path]:
    """Return the content of each file of the crate of a run, or the file that has it.

    Raises
    ------
    RunForgeError
        ``VERIFICATION_FAILED`` if the run has not finished; what reading its documents raises.
    """
    record = record_of(shared.folder, shared.place)
    if record is None:
        raise RunForgeError(
            ErrorCode.VERIFICATION_FAILED,
            f"The run {quote(shared.folder.id)} has not finished, so it is not exported.",
            hint="Other clients may leave runs that never end.",
            path=str(shared.folder.path),
        )
    members: dict[str, bytes | Path] = {
        FOLDER + name: shared.folder.path / name for name in sorted(shared.digests)
    }
    return {METADATA: encode_json(_metadata(shared, record)), **members}


def _metadata(shared: SharedRun, record: Record) -> dict[str, Any]:
    files = sorted(shared.digests)
    software = f"{_HOME}#{record.facts.get('version', 'runforge')}"
    parameters = list(_parameters(record))
    data = [_dataset(record)] if record.dataset is not None else []
    license_ = _license(shared.license)
    graph: list[dict[str, Any]] = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": _CRATE},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": record.name,
            "description": f"The run {record.run_id} of RunForge, with all of its files.",
            **_moment("datePublished", record.finished_at),
            "conformsTo": {"@id": _PROFILE},
            "hasPart": [{"@id": _reference(name)} for name in files],
            "mentions": {"@id": _ACTION},
            "license": {"@id": license_["@id"]} if license_ else _NO_LICENSE,
            **({"keywords": ", ".join(record.tags)} if record.tags else {}),
        },
        {
            "@id": _PROFILE,
            "@type": "CreativeWork",
            "name": "Process Run Crate",
            "version": "0.5",
        },
        *(_file(shared, name) for name in files),
        _action(record, software, shared, [*data, *parameters]),
        {
            "@id": software,
            "@type": "SoftwareApplication",
            "name": "RunForge",
            "url": _HOME,
            "softwareVersion": record.facts.get("version", "not recorded"),
            **_requirements(shared),
        },
        *data,
        *parameters,
    ]
    if license_:
        graph.append(license_)
    if shared.author:
        graph.append({"@id": _AUTHOR, "@type": "Person", "name": shared.author})
    return {"@context": f"{_CRATE}/context", "@graph": [_compact(entity) for entity in graph]}


def _compact(entity: dict[str, Any]) -> dict[str, Any]:
    """Return an entity as the specification recommends: one value is not in an array."""
    return {
        name: value[0] if isinstance(value, list) and len(value) == 1 else value
        for name, value in entity.items()
        if value != []
    }


def _moment(name: str, milliseconds: int | None) -> dict[str, str]:
    if milliseconds is None:
        return {}
    return {name: datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")}


def _license(text: str | None) -> dict[str, str]:
    if text is None:
        return {}
    address = f"https://spdx.org/licenses/{text}" if is_one_license(text) else "#license"
    return {"@id": address, "@type": "CreativeWork", "name": text, "description": "SPDX license"}


def _reference(name: str) -> str:
    """Return the relative URI of a file of the run."""
    return percent_encode(FOLDER + name)


def _file(shared: SharedRun, name: str) -> dict[str, Any]:
    size = (shared.folder.path / name).stat().st_size
    media_type = _MEDIA_TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")
    return {
        "@id": _reference(name),
        "@type": "File",
        "name": name,
        "contentSize": str(size),
        "encodingFormat": media_type,
        "sha256": shared.digests[name],
    }


def _action(
    record: Record, software: str, shared: SharedRun, used: list[dict[str, Any]]
) -> dict[str, Any]:
    files = sorted(shared.digests)
    inputs = [_reference(name) for name in files if name in _INPUTS]
    outputs = [_reference(name) for name in files if name not in _INPUTS]
    succeeded = record.status == "succeeded"
    error = record.facts.get("error") or f"The run is {record.status}."
    return {
        "@id": _ACTION,
        "@type": "CreateAction",
        "name": f"Training of {record.name}",
        "description": f"The run {record.run_id}: {record.status}.",
        "instrument": {"@id": software},
        "object": [{"@id": item} for item in [*(each["@id"] for each in used), *inputs]],
        "result": [{"@id": item} for item in outputs],
        "actionStatus": f"http://schema.org/{'Completed' if succeeded else 'Failed'}ActionStatus",
        **_moment("startTime", record.started_at),
        **_moment("endTime", record.finished_at),
        **({} if succeeded else {"error": error}),
        **({"agent": {"@id": _AUTHOR}} if shared.author else {}),
    }


def _requirements(shared: SharedRun) -> dict[str, list[str]]:
    """Return the recorded packages of a trained run."""
    if not isinstance(shared.folder, Run):
        return {}
    documents = (shared.folder.record or {}, shared.folder.result or {})
    provenance: Mapping[str, Any] = next(
        (document["provenance"] for document in documents if "provenance" in document), {}
    )
    packages = provenance.get("packages") or {}
    names = [f"{name} {version}" for name, version in sorted(packages.items())]
    return {"softwareRequirements": names} if names else {}


def _dataset(record: Record) -> dict[str, Any]:
    assert record.dataset is not None  # noqa: S101 - the caller has looked
    return {
        "@id": _DATASET,
        "@type": "CreativeWork",
        "name": file_name(record.dataset.path) or "dataset",
        "sha256": record.dataset.sha256,
        "identifier": f"sha256:{record.dataset.sha256}",
    }


def _parameters(record: Record) -> Iterator[dict[str, Any]]:
    for number, (name, value) in enumerate(sorted(record.params.items()), 1):
        if name != "dataset" and value is not None:
            shown = value if isinstance(value, int | float) else str(value)
            yield {
                "@id": f"#parameter-{number}",
                "@type": "PropertyValue",
                "name": name,
                "value": shown,
            }
