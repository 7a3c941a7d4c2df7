"""A recorded run, read from its folder: its documents and the values in them.

``Run`` is a trained run of any client and version; ``BaseRun`` is what it shares with an
experiment run. Nothing here writes, follows a symbolic link, or trusts a path that it finds
in a document.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from runforge_contracts.display import printable
from runforge_contracts.documents import Document, DocumentFolder
from runforge_contracts.errors import RunForgeError
from runforge_contracts.metrics import Metric, primary_metric
from runforge_contracts.run_ids import as_run_id
from runforge_contracts.store import field_documents, layout

#: Schemas of ``run.json`` that are read, newest first.
RUN_VERSIONS = ("run.v0.4.0", "run.v0.3.6", "run.v0.3.3", "run.v0.2.2.1")
#: Schemas that the documents of a run may follow, by their path in the run folder.
SCHEMAS_BY_FILE = {
    layout.REQUEST: ("request.v1", *field_documents.FORMS_BY_FILE[layout.REQUEST]),
    layout.RUN: (*RUN_VERSIONS, *field_documents.FORMS_BY_FILE[layout.RUN]),
    layout.RESULT: ("result.v1", *field_documents.FORMS_BY_FILE[layout.RESULT]),
    layout.METRICS: ("metrics.phase2",),
    layout.METRICS_V1: ("metrics.v1",),
    layout.DIAGNOSTICS: ("diagnostics.v1",),
    layout.MANIFEST: ("manifest.v1",),
    layout.FEATURE_IMPORTANCE: ("feature_importance.v1",),
    layout.LINEAR_COEFFICIENTS: ("linear_coefficients.v1",),
    layout.INTERPRETABILITY_INDEX: ("interpretability.index.v1",),
    layout.CANCELLED_MARKER: ("field.cancelled_marker.v1.0.0",),
}

#: The state of a run. ``incomplete`` is a run without a result, or whose record is incomplete;
#: the engine, which checks processes, shows ``running``, ``interrupted`` or ``missing`` instead.
RunStatus = Literal[
    "succeeded", "failed", "cancelled", "incomplete", "running", "interrupted", "missing", "unknown"
]


class BaseRun(DocumentFolder):
    """One run of any kind in its folder; a document is read when it is first needed.

    Two runs are equal if they have the same class and folder.

    Parameters
    ----------
    path
        The run folder.
    read_before
        Documents that were read already, by their path in the folder.
    """

    #: The alias that the run was named by.
    alias: str | None = None
    #: How many other runs have the same value, if the run was found as the best one.
    tied: int = 0
    #: How many of those are equal in all other metrics, too.
    equal: int = 0
    #: How many datasets the runs have that it was the best of, if it was found as the best one.
    datasets: int = 0
    #: How many listed runs have the name or the tag that the run was found by; it is the newest.
    alike: int = 0
    #: Ids of all runs with the name that the run was found by, if it is the one that succeeded.
    namesakes: tuple[str, ...] = ()

    def __init__(
        self,
        path: str | os.PathLike[str],
        read_before: Mapping[str, Document[Any] | None] | None = None,
    ) -> None:
        super().__init__(Path(path), read_before)

    @property
    def id(self) -> str:
        """The id of the run."""
        return self.path.name

    @property
    def status(self) -> RunStatus | None:
        """The state of the run; None if another tool recorded none."""
        raise NotImplementedError

    @property
    def name(self) -> str | None:
        """The name that the run was given."""
        raise NotImplementedError

    @property
    def created_at(self) -> str | None:
        """The start time of the run, in UTC, as ISO 8601; its end if no start is recorded."""
        raise NotImplementedError

    @property
    def model_family(self) -> str | None:
        """The kind of model, such as ``random_forest``."""
        raise NotImplementedError

    @property
    def dataset(self) -> str | None:
        """The dataset as the run names it."""
        raise NotImplementedError

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics by name; empty if there are none."""
        raise NotImplementedError

    @property
    def primary_metric(self) -> Metric | None:
        """The primary metric of the run, or None."""
        return primary_metric({"metrics": self.metrics})

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        chosen = self.primary_metric
        metric = f", {printable(str(chosen))}" if chosen else ""
        return f"<{type(self).__name__} {printable(self.id)}: {self.status}{metric}>"


class Run(BaseRun):
    """One trained run, read from its folder.

    :attr:`request`, :attr:`record` and :attr:`result` are the contents of the documents, or None
    if the run has none. Where a document has the form of another client, they are what it says in
    the contract's words, without the members that it lacks. :meth:`document` returns a document as
    it is, with its typed view.

    Source: specification, chapter 19.
    """

    schemas = SCHEMAS_BY_FILE
    #: The folder by which the run was named, if that is a view of it.
    view: Path | None = None

    @property
    def request(self) -> dict[str, Any] | None:
        """``request.json``: the configuration of the run."""
        request = self.document(layout.REQUEST)
        run = self.document(layout.RUN) if request is None else None
        return field_documents.request_of(request, run)

    @property
    def record(self) -> dict[str, Any] | None:
        """``run.json``: what happened, if training completed, and the origin of the run."""
        return field_documents.record_of(self.document(layout.RUN))

    @property
    def result(self) -> dict[str, Any] | None:
        """``result.json``: the status with which the run finished."""
        result = self.document(layout.RESULT)
        if result is not None and result.name == "result.v1":
            return result.content
        return field_documents.result_of(
            result,
            self.document(layout.REQUEST),
            self.document(layout.RUN),
            self._cancelled_marker,
        )

    def _cancelled_marker(self) -> dict[str, Any] | None:
        try:
            return self.content(layout.CANCELLED_MARKER)
        except RunForgeError:
            return {}  # That it is there is enough.

    def form(self, file: str) -> str | None:
        """Return the name of the schema that a document follows, such as ``request.v1``.

        Parameters
        ----------
        file
            Path of the document in the run folder.
        """
        document = self.document(file)
        return None if document is None else document.name

    @property
    def client_form(self) -> str | None:
        """The other client in whose form documents of the run are; None for the contract's."""
        for file in field_documents.FORMS_BY_FILE:
            client = field_documents.CLIENTS.get(self.form(file) or "")
            if client is not None:
                return client
        return None

    @property
    def id(self) -> str:
        """The id in the run's documents, else the name of its folder."""
        for document in (self.record, self.result):
            if document and "run_id" in document:
                return as_run_id(str(document["run_id"]))
        return as_run_id(self.path.name)

    @property
    def status(self) -> RunStatus:
        """The recorded status; ``incomplete`` while the run trains, or if it was interrupted."""
        if self.result is not None:
            status: RunStatus = self.result["status"]
            return status
        # Clients before result.json wrote a run record only when training had completed. Current
        # clients write both, and a run with only the record was interrupted in between.
        record = self.record
        before_results = record is not None and record["schema_version"] != RUN_VERSIONS[0]
        return "succeeded" if before_results else "incomplete"

    @property
    def ending(self) -> str:
        """The status as a sentence."""
        if self.status == "incomplete":
            return "The run has not finished."
        return f"The run finished with status {self.status}."

    @property
    def name(self) -> str | None:
        """The name that the run was given."""
        name: str | None = (self.request or {}).get("name")
        return name

    @property
    def created_at(self) -> str | None:
        """The start time of the run, in UTC, as ISO 8601; its end if no start is recorded."""
        time: str | None = (
            (self.record or {}).get("created_at")
            or (self.result or {}).get("finished_at")
            or (self.request or {}).get("created_at")
        )
        return time

    @property
    def model_family(self) -> str | None:
        """The kind of model, such as ``random_forest``."""
        asked = (self.request or {}).get("model") or {}
        family: str | None = (self.record or {}).get("model_family") or asked.get("family")
        return family

    @property
    def dataset(self) -> str | None:
        """The path of the dataset, as in the request."""
        path: str | None = ((self.request or {}).get("dataset") or {}).get("path")
        return path

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics on the validation rows, by name; empty if training did not complete.

        ``f1_score``, ``precision`` and ``recall`` are what ``metrics.v1`` names ``f1_macro``,
        ``precision_macro`` and ``recall_macro``.
        """
        summary = (self.result or {}).get("summary") or {}
        found = summary.get("metrics") or (self.record or {}).get("metrics") or {}
        return {name: value for name, value in found.items() if not name.startswith("num_")}

    @property
    def primary_metric(self) -> Metric | None:
        """The primary metric of the run: the one that the result names, else a well-known one."""
        summary = (self.result or {}).get("summary")
        return primary_metric(summary) or super().primary_metric

    @property
    def diagnostics(self) -> list[dict[str, Any]]:
        """The run's diagnostics; derived from the record for runs that wrote none."""
        document = self.content(layout.DIAGNOSTICS)
        if document is not None:
            return list(document["diagnostics"])
        return synthesized_diagnostics(self.record)


def synthesized_diagnostics(record: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the diagnostics that follow from a run record alone.

    Source: specification, section 10.2.
    """
    from runforge_contracts.diagnostics import DiagnosticCode, diagnostic, raw_diagnostic

    dropped = (record or {}).get("dropped_rows_missing_values", 0)
    if not dropped:
        return []
    text = f"{dropped} rows were dropped because a value was missing."
    found = diagnostic(DiagnosticCode.MISSING_VALUES_DROPPED, text, rows_dropped=dropped)
    return [raw_diagnostic(found)]
