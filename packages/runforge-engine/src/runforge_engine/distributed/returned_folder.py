"""A run folder that a worker sent: received apart from the store, checked, then written into it.

The files arrive in a temporary folder. Nothing of them is in the store before all checks passed:
only names that the contract has, the digests of the manifest, the rules of a run folder, and the
values that are known here: run id, request, dataset, configuration, code and environment. What
cannot be known here, the model and its metrics, is the worker's word.

Source: specification, sections 4.8, 5.2, 5.4 and 14.1.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import MAX_BYTES
from runforge_contracts.comparison.environment_difference import environment_fields
from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.finding import same
from runforge_contracts.invariants.run_invariants import check_folder, open_folder
from runforge_contracts.store import layout
from runforge_contracts.types import FileDigest

from runforge_engine.modeling.configuration import Configuration
from runforge_engine.pipeline.run_writer import RunWriter
from runforge_engine.provenance.slsa import statement_of
from runforge_engine.store.run_folders import sync_run

#: The files that a run of this version may have; everything else is refused before it is written.
FILES = frozenset(
    {
        *(layout.REQUEST, layout.RUN, layout.RESULT, layout.METRICS, layout.METRICS_V1),
        *(layout.DIAGNOSTICS, layout.MANIFEST, layout.STATEMENT, layout.EVENTS, layout.TRAIN_LOG),
        *(layout.MODEL, layout.FEATURE_IMPORTANCE, layout.LINEAR_COEFFICIENTS),
        *(layout.INTERPRETABILITY_INDEX, layout.RECIPE),
    }
)
#: Written last, in this order.
_LAST = (layout.MANIFEST, layout.RESULT)
#: Most problems that the message about a refused folder shows.
_SHOWN = 3


class ReturnedFolderError(Exception):
    """A folder that a worker sent is refused; the message has the first problems."""

    def __init__(self, problems: list[str]) -> None:
        more = len(problems) - _SHOWN
        shown = " ".join(problems[:_SHOWN]) + (f" And {more} more problems." if more > 0 else "")
        super().__init__(shown)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class SentRun:
    """What is known here of a run that a worker executes."""

    run_id: str
    #: ``request.json`` as it is recorded.
    request: bytes
    configuration: Configuration
    dataset_sha256: str
    #: None without a recipe.
    recipe_sha256: str | None
    #: ``python``, ``packages``, ``platform`` and ``numerics`` of the worker, as it reported them.
    environment: Mapping[str, Any]
    #: ``provenance.git`` of the workspace; None outside a repository.
    git: Mapping[str, Any] | None
    #: ``created_by`` of the request.
    client: str
    #: Whether the name of the worker's machine is left out of the record.
    private: bool


class FolderReceiver:
    """A temporary folder into which the files of one run are written as they arrive.

    Parameters
    ----------
    parent
        A temporary folder of this process.
    run_id
        The id of the run, and the name of the folder.
    """

    def __init__(self, parent: Path, run_id: str) -> None:
        self.path = parent / run_id
        self.path.mkdir(parents=True)
        self._sizes: dict[str, int] = {}

    def announce(self, sizes: Mapping[str, int]) -> None:
        """Accept the names and sizes of the files that are about to come.

        Raises
        ------
        ReturnedFolderError
            For a name that is not one of :data:`FILES`, or a document that is too large.
        """
        problems = [
            f"A file {quote(str(name))} is not one of a run." for name in sizes.keys() - FILES
        ]
        problems += [
            f"{name} has {size:,} bytes."
            for name, size in sizes.items()
            if size < 0 or (size > MAX_BYTES and name not in (layout.MODEL, layout.TRAIN_LOG))
        ]
        if problems:
            raise ReturnedFolderError(problems)
        self._sizes = dict(sizes)
        for name in sizes:
            path = self.path / name
            path.parent.mkdir(exist_ok=True)
            path.open("xb").close()

    def add(self, name: str, data: bytes) -> None:
        """Append ``data`` to a file that was announced.

        Raises
        ------
        ReturnedFolderError
            If the file was not announced, or becomes larger than it was announced.
        """
        if name not in self._sizes:
            raise ReturnedFolderError([f"The file {quote(str(name))} was not announced."])
        with (self.path / name).open("ab") as file:
            if file.tell() + len(data) > self._sizes[name]:
                raise ReturnedFolderError([f"{name} is larger than it was announced."])
            file.write(data)

    def size(self, name: str) -> int:
        """Return how many bytes of a file have arrived."""
        return (self.path / name).stat().st_size


def check_returned(folder: Path, sent: SentRun) -> CheckedRun:
    """Check a folder that a worker sent, and return it as it was read.

    Raises
    ------
    ReturnedFolderError
        If a rule of run folders is broken, or it is not the run that was asked for.
    """
    run = open_folder(folder, in_store=True)
    problems = [finding.message for finding in check_folder(run)]
    if not problems:
        problems = list(_problems(run, sent))
    if problems:
        raise ReturnedFolderError(problems)
    return run


def _problems(run: CheckedRun, sent: SentRun) -> Iterator[str]:
    """Yield where a valid run folder is not that of the run that was asked for."""
    for name in (layout.MANIFEST, layout.RESULT, layout.DIAGNOSTICS, layout.STATEMENT):
        if name not in run.files:
            yield f"There is no {name}."
            return
    if run.texts.get(layout.REQUEST) != sent.request:
        yield "request.json is not the request that was sent."
    for name, document in run.documents.items():
        found = document.content.get("run_id", sent.run_id)
        if found != sent.run_id:
            yield f"{name} is of the run {quote(str(found))}, not of {quote(sent.run_id)}."
    result, record = run.result or {}, run.record
    if result.get("status") == "succeeded" and record is None:
        yield "The run succeeded without a run.json."
    yield from _configuration_problems(result, record, sent)
    provenance = (record or result).get("provenance")
    if provenance is not None:
        yield from _provenance_problems(provenance, sent)
    digests = {name: digest._asdict() for name, digest in run.files.items()}
    if run.text(layout.STATEMENT) != statement_of(run, digests):
        yield f"{layout.STATEMENT} does not match the documents."


def _configuration_problems(
    result: Mapping[str, Any], record: Mapping[str, Any] | None, sent: SentRun
) -> Iterator[str]:
    used = result.get("effective_config", {})
    configuration = sent.configuration
    values = {item.name: item.value for item in configuration.hyperparameters}
    pairs = [
        ("model.family", configuration.family, used.get("model", {}).get("family")),
        ("model.hyperparameters", values, used.get("model", {}).get("hyperparameters")),
        ("seed", configuration.seed, used.get("seed")),
        (
            "dataset.fingerprint_sha256",
            sent.dataset_sha256,
            used.get("dataset", {}).get("fingerprint_sha256"),
        ),
        ("recipe", sent.recipe_sha256, used.get("dataset", {}).get("recipe_sha256")),
    ]
    if record is not None:
        recorded = {item["name"]: item["value"] for item in record["hyperparameters"]}
        pairs += [
            (
                "dataset.fingerprint_sha256",
                sent.dataset_sha256,
                record["dataset"]["fingerprint_sha256"],
            ),
            ("recipe", sent.recipe_sha256, record["dataset"].get("recipe_sha256")),
            ("hyperparameters", values, recorded),
        ]
    for name, expected, found in pairs:
        if not same(expected, found):
            yield f"The worker used another {name} than the request asks for."


def _provenance_problems(provenance: Mapping[str, Any], sent: SentRun) -> Iterator[str]:
    expected = environment_fields(sent.environment)
    if sent.private:
        expected.pop("platform.host", None)
    found = environment_fields(provenance)
    for name in sorted({*expected, *found}):
        if expected.get(name) != found.get(name):
            yield f"The run was made with another {name} than the worker reported before."
    if provenance.get("git") != sent.git:
        yield "The run records another state of the code than that of the workspace."
    if provenance.get("client") != sent.client:
        yield "The run records another client than the one that asked for it."


def adopt(run: CheckedRun, writer: RunWriter) -> None:
    """Write the files of a checked folder into the claimed one, as a run here writes its own.

    The request is there already. The result comes last, and the folder is durable when this
    returns. Raises ``STORE_NOT_WRITABLE``.
    """
    digests = {
        name: FileDigest(sha256=digest.sha256, bytes=digest.bytes)
        for name, digest in run.files.items()
    }
    names = sorted(run.files.keys() - {layout.REQUEST, *_LAST})
    for name in (*names, *_LAST):
        if name == layout.RESULT:
            sync_run(writer.folder, writer.unsynced)
        # The bytes that were checked; where only their digest was kept, they are compared again.
        data = run.texts.get(name)
        if data is None:
            data = read_file(run.path / name, max_bytes=digests[name].bytes)
            if not _has_digest(data, digests[name]):
                raise ReturnedFolderError([f"{name} changed after it had been checked."])
        writer.write_bytes(name, data, sha256=digests[name].sha256)
    for name in (layout.RUN, layout.RESULT):
        writer.documents[name] = run.documents.get(name)
    sync_run(writer.folder)


def _has_digest(data: bytes, digest: FileDigest) -> bool:
    import hashlib

    return len(data) == digest.bytes and hashlib.sha256(data).hexdigest() == digest.sha256


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Turn an error of reading the folder that a worker sent into a refusal of it."""
    try:
        yield
    except RunForgeError as error:
        raise ReturnedFolderError([error.message]) from error
