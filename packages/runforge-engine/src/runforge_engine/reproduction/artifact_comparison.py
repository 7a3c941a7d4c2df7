"""Compare the files of a run with those of its reproduction: bytes, content, numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.errors import NotFoundError, RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.store import layout
from runforge_contracts.store.run import Run

from runforge_engine.model_file.model_inspection import inspect_model
from runforge_engine.reproduction.reproduction_findings import (
    ABSENT,
    TOLERANCE,
    UncheckedPart,
    ValueDifference,
)

#: Every file that depends only on the data and the configuration of a training.
COMPARED = (
    layout.MODEL,
    layout.METRICS,
    layout.METRICS_V1,
    layout.FEATURE_IMPORTANCE,
    layout.LINEAR_COEFFICIENTS,
    layout.INTERPRETABILITY_INDEX,
)
#: Fields of the run record that describe the outcome.
_FACTS = (
    "num_samples",
    "num_features",
    "dropped_rows_missing_values",
    "classes",
    "feature_names",
    "split",
    "metrics",
)
#: Members of documents that are not compared, because they do not describe the results.
_OCCASION = frozenset({"runforge_version"})


@dataclass(frozen=True, slots=True)
class ComparedArtifact:
    """The digests of one file: in the record, in the run folder and in the new run."""

    path: str
    recorded: str | None
    found: str | None
    rebuilt: str | None

    @property
    def identical(self) -> bool:
        """Return whether all known digests of the run equal the new one."""
        known = {self.recorded, self.found} - {None}
        return known == {self.rebuilt}

    def to_dict(self) -> dict[str, Any]:
        """Return the check as a JSON object of the document."""
        return {
            "path": self.path,
            **_digests(self.recorded, self.found, self.rebuilt),
            "identical": self.identical,
        }


@dataclass(frozen=True, slots=True)
class ComparedContent:
    """Digests of the content of the model."""

    recorded: str | None = None
    found: str | None = None
    rebuilt: str | None = None
    #: Whether the new model has the same content as the run's, even if its bytes differ.
    identical: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the check as a JSON object of the document."""
        return {
            **_digests(self.recorded, self.found, self.rebuilt),
            "identical": self.identical,
        }


@dataclass(slots=True)
class ArtifactComparison:
    """The result of comparing two run folders."""

    artifacts: list[ComparedArtifact] = field(default_factory=list)
    content: ComparedContent = field(default_factory=ComparedContent)
    differences: list[ValueDifference] = field(default_factory=list)
    not_checked: list[UncheckedPart] = field(default_factory=list)
    #: Whether everything but the model is equal, with numbers within the tolerance.
    agrees: bool = True
    #: The same, but comparing coefficients and importances by name, in any order.
    agrees_by_name: bool = True


def compare_folders(run: Run, rebuilt: Run) -> ArtifactComparison:
    """Compare two runs with readable records, except for their environments."""
    result = ArtifactComparison()
    ours, theirs = run.record or {}, rebuilt.record or {}
    for name in _FACTS:
        found = list(_leaves(ours.get(name, ABSENT), theirs.get(name, ABSENT), ("run.json", name)))
        result.differences += found
        if any(not _close(item) for item in found):
            result.agrees = result.agrees_by_name = False
    digests = ours.get("artifact_digests", {})
    made = theirs["artifact_digests"]
    for path in COMPARED:
        recorded = digests.get(path, {}).get("sha256")
        found_digest = _digest_of(run.path / path, path, result)
        if recorded is None and found_digest is None and path not in made:
            continue
        check = ComparedArtifact(path, recorded, found_digest, made.get(path, {}).get("sha256"))
        result.artifacts.append(check)
        if found_digest is None and recorded is not None:
            why = "The file is gone from the run; only its recorded digest could be compared."
            result.not_checked.append(UncheckedPart(path, why))
        if path == layout.MODEL:
            result.content = _content(run.path / path, rebuilt.path / path, ours, check, result)
        elif not check.identical:
            _compare_documents(run, rebuilt, check, result)
    return result


def _digests(recorded: str | None, found: str | None, rebuilt: str | None) -> dict[str, str]:
    named = {"recorded_sha256": recorded, "found_sha256": found, "rebuilt_sha256": rebuilt}
    return {name: value for name, value in named.items() if value is not None}


def _digest_of(file: Path, path: str, result: ArtifactComparison) -> str | None:
    try:
        return digest_file(file).sha256
    except NotFoundError:
        return None
    except RunForgeError as error:
        result.not_checked.append(UncheckedPart(path, error.message))
        return None


def _content(
    found: Path,
    rebuilt: Path,
    record: dict[str, Any],
    check: ComparedArtifact,
    result: ArtifactComparison,
) -> ComparedContent:
    recorded = record.get("model_content_sha256")
    anew = inspect_model(rebuilt).content_sha256
    if check.found == check.rebuilt:
        return ComparedContent(recorded, anew, anew, recorded in (None, anew))
    if check.found is None:
        return ComparedContent(recorded, None, anew, recorded is not None and recorded == anew)
    inspection = inspect_model(found)
    if inspection.content_sha256 is None:
        first = next((item.message for item in inspection.findings if item.severity == "error"), "")
        why = f"The model of the run is not what RunForge writes. {first}".strip()
        result.not_checked.append(UncheckedPart("content", why))
        return ComparedContent(recorded, None, anew)
    same = inspection.content_sha256 == anew and recorded in (None, anew)
    return ComparedContent(recorded, inspection.content_sha256, anew, same)


def _compare_documents(
    run: Run, rebuilt: Run, check: ComparedArtifact, result: ArtifactComparison
) -> None:
    """Compare two documents value by value if their bytes differ."""
    path = check.path
    if check.found is None or check.rebuilt is None:
        result.agrees = result.agrees_by_name = False
        if check.found is not None or check.recorded is not None:
            return
        result.differences.append(ValueDifference(path, ABSENT, "a new file"))
        return
    try:
        ours = run.content(path) or {}
    except RunForgeError as error:
        result.not_checked.append(UncheckedPart(path, error.message))
        result.agrees = result.agrees_by_name = False
        return
    theirs = rebuilt.content(path) or {}
    found = list(_leaves(_lasting(ours), _lasting(theirs), (path,)))
    result.differences += found
    if any(not _close(item) for item in found):
        result.agrees = False
    by_name = _leaves(_by_name(ours), _by_name(theirs), (path,))
    if any(not _close(item) for item in by_name):
        result.agrees_by_name = False


def _lasting(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in _OCCASION}


def _by_name(document: dict[str, Any]) -> Any:
    """Return a document with ranked values keyed by name, as ranks of close values may swap."""
    if document.get("schema_version") == "linear_coefficients.v1":
        return {
            "coefficients": {
                str(group["class"]): {
                    item["name"]: item["coefficient"] for item in group["features"]
                }
                for group in document["coefficients_by_class"]
            },
            "intercepts": {
                str(item["class"]): item["intercept"] for item in document["intercepts"]
            },
        }
    if document.get("schema_version") == "feature_importance.v1":
        return {item["name"]: item["importance"] for item in document["features_by_importance"]}
    if document.get("schema_version") == "interpretability.index.v1":
        return sorted(document["available_artifacts"])
    return _lasting(document)


def _leaves(left: Any, right: Any, place: tuple[str, ...]) -> Iterator[ValueDifference]:
    """Yield the differing values, with their file and JSON Pointer."""
    if isinstance(left, dict) and isinstance(right, dict):
        for name in dict.fromkeys([*left, *right]):
            yield from _leaves(left.get(name, ABSENT), right.get(name, ABSENT), (*place, name))
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, pair in enumerate(zip(left, right, strict=True)):
            yield from _leaves(*pair, (*place, str(index)))
    elif left != right or isinstance(left, bool) != isinstance(right, bool):
        yield ValueDifference(f"{place[0]}#{format_pointer(place[1:])}", left, right)


def _close(item: ValueDifference) -> bool:
    """Return whether a difference is within the rounding tolerance."""
    distance = item.difference
    if distance is None or (isinstance(item.recorded, int) and isinstance(item.here, int)):
        return False
    return math.isfinite(distance) and distance <= TOLERANCE * max(1.0, abs(item.recorded))
