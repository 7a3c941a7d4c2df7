"""Evaluations of recorded models: list them, find one, and read its document.

Nothing here writes, follows a symbolic link, or trusts a path that it finds in a document.

Source: specification, sections 21.1 and 21.2.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import canonical_json
from runforge_contracts.display import printable, quote, quote_some
from runforge_contracts.documents import DocumentFolder
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.folders import list_folder
from runforge_contracts.metrics import Metric
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summary_of

_ID = re.compile(r"eval_[0-9]{8}_[0-9]{6}_[0-9a-f]{8}")
#: How the id of every evaluation starts.
PREFIX = "eval_"
#: What rows that are left out have, by reason.
LEFT_OUT_TEXTS = {
    "missing_value": "a missing value",
    "not_a_number": "a value that is not a number",
    "out_of_range": "a number that is too large",
    "unknown_label": "a label that the model does not know",
}
#: The member that is not part of the digest.
_DIGEST = "content_sha256"


class RecordedEvaluation(DocumentFolder):
    """One evaluation in its folder; the document is read when it is first needed.

    Two evaluations are equal if they have the same folder.

    Parameters
    ----------
    path
        The folder of the evaluation.

    Source: specification, section 21.2.
    """

    schemas = {layout.EVALUATION: ("evaluation.v1",)}  # noqa: RUF012 - of the base class

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(Path(path))

    @property
    def id(self) -> str:
        """The id of the evaluation, which is the name of its folder."""
        return self.path.name

    @property
    def record(self) -> dict[str, Any]:
        """The content of ``evaluation.json``.

        Raises
        ------
        RunForgeError
            ``EVALUATION_NOT_FOUND`` if there is none; the errors of
            :meth:`~runforge_contracts.documents.Document.load`.
        """
        content = self.content(layout.EVALUATION)
        if content is None:
            raise RunForgeError(
                ErrorCode.EVALUATION_NOT_FOUND,
                f"The folder {quote(self.path, 200)} has no {layout.EVALUATION}.",
                path=str(self.path),
            )
        return content

    @property
    def run_id(self) -> str:
        """The id of the run whose model was evaluated."""
        return str(self.record["run_id"])

    @property
    def metrics(self) -> dict[str, Any]:
        """The document ``metrics.v1`` on the evaluated rows.

        Its ``f1_macro`` is ``f1_score`` in the metrics of a run, and so for precision and recall.
        """
        metrics: dict[str, Any] = self.record["metrics"]
        return metrics

    @property
    def numbers(self) -> dict[str, float]:
        """The metrics that are one number, by name."""
        return metric_numbers(self.metrics)

    @property
    def accuracy(self) -> Metric:
        """The accuracy on the evaluated rows."""
        return Metric("accuracy", self.metrics["accuracy"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordedEvaluation) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        try:
            metric = f": {self.accuracy}"
        except RunForgeError:
            metric = ""  # Its document is gone or cannot be read.
        return f"<{type(self).__name__} {printable(self.id)}{metric}>"


def is_evaluation_id(text: str) -> bool:
    """Return whether ``text`` is the id of an evaluation."""
    return _ID.fullmatch(text) is not None


def evaluation_id_candidates(
    time: datetime, run_id: str, model_sha256: str, dataset_sha256: str
) -> Iterator[str]:
    """Yield the ids that an evaluation may have, in order; use the next one if the last is taken.

    Parameters
    ----------
    time
        When the evaluation is made; it must have an offset from UTC.
    run_id, model_sha256, dataset_sha256
        What is evaluated.

    Source: specification, section 21.1.
    """
    import hashlib

    stamp = f"{time.astimezone(UTC):%Y%m%d_%H%M%S}"
    lines = "".join(f"{part}\n" for part in (run_id, model_sha256, dataset_sha256))
    seed = hashlib.sha256(lines.encode()).digest()
    while True:
        yield f"{PREFIX}{stamp}_{seed.hex()[:8]}"
        seed = hashlib.sha256(seed).digest()


def content_digest(raw: dict[str, Any]) -> str:
    """Return the digest of an ``evaluation.v1``: that of its members without ``content_sha256``.

    Source: specification, section 21.2.
    """
    import hashlib

    others = {name: value for name, value in raw.items() if name != _DIGEST}
    return hashlib.sha256(canonical_json(others)).hexdigest()


def metric_numbers(metrics: dict[str, Any]) -> dict[str, float]:
    """Return the metrics of a ``metrics.v1`` that are one number."""
    return {
        name: value
        for name, value in metrics.items()
        if isinstance(value, (int, float)) and name != "num_classes"
    }


def validation_of(run: Run | None) -> dict[str, Any] | None:
    """Return the ``metrics.v1`` of a run on its validation rows; None if it cannot be read."""
    try:
        return None if run is None else run.content(layout.METRICS_V1)
    except RunForgeError:
        return None


def is_of_training_data(evaluation: RecordedEvaluation, run: Run | None) -> bool:
    """Return whether the record says that a model was trained on the rows of an evaluation."""
    try:
        trained_on = None if run is None else summary_of(run).data.fingerprint_sha256
    except RunForgeError:
        return False
    return bool(evaluation.record["dataset"]["sha256"] == trained_on)


def metric_differences(
    evaluated: dict[str, Any], validation: dict[str, Any] | None
) -> dict[str, float]:
    """Return the metrics that two ``metrics.v1`` have: the first minus the second."""
    known = metric_numbers(validation or {})
    return {
        name: value - known[name]
        for name, value in metric_numbers(evaluated).items()
        if name in known
    }


def list_evaluations(store: StoreLayout) -> list[RecordedEvaluation]:
    """Return the evaluations of a store, oldest first; their documents may be unreadable.

    Raises
    ------
    RunForgeError
        ``FILE_UNREADABLE`` if the folder of evaluations exists and cannot be read.
    """
    if store.evaluations.is_symlink():
        return []
    return [
        RecordedEvaluation(store.evaluation_folder(entry.name))
        for entry in list_folder(store.evaluations)
        if is_evaluation_id(entry.name) and entry.is_dir(follow_symlinks=False)
    ]


def evaluations_by_run(stores: Sequence[StoreLayout]) -> dict[str, list[RecordedEvaluation]]:
    """Return the readable evaluations in some stores by the ids of their runs, oldest first."""
    found = dict[str, list[RecordedEvaluation]]()
    listed = [evaluation for store in stores for evaluation in list_evaluations(store)]
    for evaluation in sorted(listed, key=lambda evaluation: evaluation.id):
        with suppress(RunForgeError):  # `verify` reports it.
            found.setdefault(evaluation.run_id, []).append(evaluation)
    return found


def evaluations_of(run_id: str, stores: Sequence[StoreLayout]) -> list[RecordedEvaluation]:
    """Return the readable evaluations of a run in some stores, oldest first."""
    return evaluations_by_run(stores).get(run_id, [])


def is_evaluation(reference: str | os.PathLike[str], stores: Sequence[StoreLayout]) -> bool:
    """Return whether a reference names an evaluation rather than a run.

    It does if it is the path of a folder with an ``evaluation.json``, or of that file, or if it
    starts like an id and some evaluation has an id that starts with it.
    """
    reference = os.fspath(reference)
    if Path(reference).name != reference:
        return _at(reference, stores) is not None
    return reference.startswith(PREFIX) and (
        is_evaluation_id(reference) or bool(_starting(reference, stores))
    )


def refuse_evaluation(reference: str, stores: Sequence[StoreLayout]) -> None:
    """Raise ``RUN_NOT_FOUND`` if what should be a run is the id of an evaluation, or its start."""
    if reference.startswith(PREFIX) and _starting(reference, stores):
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"{quote(reference)} is an evaluation, not a run.",
            # A whole command in one constant, as it is replaced where Python is the client.
            hint="`runforge show {0}` shows it; `runforge evaluate RUN FILE --no-worse-than {0}`"
            " compares a run with it on the same rows.".format(printable(reference)),
        )


def find_evaluation(
    reference: str | os.PathLike[str], stores: Sequence[StoreLayout]
) -> RecordedEvaluation:
    """Return the evaluation that ``reference`` names.

    Parameters
    ----------
    reference
        An id, a unique prefix of one, or the path of the folder or of the file in it, relative to
        the current folder or to the workspace.
    stores
        The stores to search; at least one.

    Raises
    ------
    RunForgeError
        ``EVALUATION_NOT_FOUND``, or ``EVALUATION_AMBIGUOUS`` with the evaluations that a prefix
        fits.
    """
    reference = os.fspath(reference)
    if Path(reference).name != reference:
        found = _at(reference, stores)
        if found is not None:
            return found
    matches = _starting(reference, stores) if reference else []
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise RunForgeError(
            ErrorCode.EVALUATION_AMBIGUOUS,
            f"{quote(reference)} matches {len(matches)} evaluations:"
            f" {quote_some([match.id for match in matches])}.",
            hint="Give more of the id.",
        )
    raise RunForgeError(
        ErrorCode.EVALUATION_NOT_FOUND,
        f"There is no evaluation {quote(reference, 200)} in {quote(stores[0].workspace, 200)}.",
        hint="`runforge show RUN` lists the evaluations of a run.",
        path=str(stores[0].evaluations),
    )


def _starting(prefix: str, stores: Sequence[StoreLayout]) -> list[RecordedEvaluation]:
    return [
        evaluation
        for store in stores
        for evaluation in list_evaluations(store)
        if evaluation.id.startswith(prefix)
    ]


def _at(reference: str, stores: Sequence[StoreLayout]) -> RecordedEvaluation | None:
    """Return the evaluation in a folder that was given by its path, without following a link."""
    for base in (Path.cwd(), *dict.fromkeys(store.workspace for store in stores)):
        path = Path(os.path.abspath(base / reference))  # noqa: PTH100 - links are not followed
        if path.name == layout.EVALUATION:
            path = path.parent
        try:
            regular = path.is_dir() and not path.is_symlink()
        except (OSError, ValueError):
            continue
        if regular and os.path.lexists(path / layout.EVALUATION):
            return RecordedEvaluation(path)
    return None
