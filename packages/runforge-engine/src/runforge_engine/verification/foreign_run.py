"""Which client wrote a run, and which findings mean something for a run of another client.

Other clients record no digests, round numbers, name their folders by ids of their own, and write
documents in their own form. What they write must still agree with itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.finding import Finding, close, unequal
from runforge_contracts.schemas import FIELD
from runforge_contracts.store import layout
from runforge_contracts.store.field_documents import DESKTOP_COMMANDS

#: Files at least one of which every run of RunForge has when it has ended.
_OF_OURS = (layout.RUN, layout.MANIFEST, layout.DIAGNOSTICS, layout.STATEMENT)
#: Rules that only runs in the contract's own form follow.
_RULES_OF_OURS = frozenset({"run.files", "result.sections", "json.form", "json.key-order"})
#: Documents of the engine of the editor extension, which have its id instead of the folder's.
_OF_THE_ENGINE = (layout.RUN, layout.INTERPRETABILITY_INDEX, layout.CANCELLED_MARKER)
#: What its index has from the engine and its ``result.json`` from the extension: each measures the
#: times itself.
_MEASURED_TWICE = ("/summary/duration_ms", "/created_at")
#: Forms of ``run.json`` that have the name of the folder.
_OF_FOLDERS = ("field.desktop_run.v1",)
#: Decimal places to which that engine rounds the accuracy.
_PLACES = 4


def other_client(run: CheckedRun, *, is_listed: bool) -> str | None:
    """Return what users call the client that wrote a run, if it is another one than RunForge.

    Parameters
    ----------
    run
        The run.
    is_listed
        Whether an index lists it. The command line of Desktop lists no runs, so a listed run that
        lost its documents is not taken for one of its runs.
    """
    if run.client_form is not None:
        return run.client_form
    ended = layout.RESULT in run.files and run.files.keys().isdisjoint(_OF_OURS)
    return DESKTOP_COMMANDS if ended and not is_listed else None


def meaningful(run: CheckedRun, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings that are not mere habits of another client."""
    for finding in findings:
        if finding.rule in _RULES_OF_OURS or _is_form(run, finding):
            continue
        if finding.rule == "run.id":
            continue  # Compared below.
        if _is_rounded(finding) or _is_mean_of_fewer(run, finding):
            continue
        if finding.rule == "index.entry" and (finding.pointer or "").endswith(_MEASURED_TWICE):
            continue
        yield finding


def _is_form(run: CheckedRun, finding: Finding) -> bool:
    """Return whether a finding says that a document, which is valid, has another form."""
    document = run.documents.get(finding.file or "")
    is_schema = finding.rule.endswith(".schema") and finding.pointer is None
    return is_schema and document is not None and document.name.startswith(FIELD)


def id_findings(run: CheckedRun) -> Iterator[Finding]:
    """Yield the documents with another id than the others of their writer.

    The engine of the editor extension gives a run one id, and the extension and Desktop give it
    that of its folder.
    """
    ids = {
        file: document.content["run_id"]
        for file, document in run.documents.items()
        if "run_id" in document.content
    }
    of_the_engine = [file for file in _OF_THE_ENGINE if file in ids and run.record is not None]
    others = [file for file in ids if file not in _OF_THE_ENGINE or run.form(file) in _OF_FOLDERS]
    in_store = run.path.parent.name == "runs"
    for files, name in ((of_the_engine, None), (others, run.path.name if in_store else None)):
        expected = name or next((ids[file] for file in files), "")
        for file in files:
            message = "{file} has the run id {found}; expected {expected}."
            yield from unequal("run.id", message, file, "/run_id", expected, ids[file], file=file)


def _is_rounded(finding: Finding) -> bool:
    expected: Any = finding.expected
    known = finding.rule in ("metrics.agree", "interpretability-index.summary")
    return known and isinstance(expected, float) and finding.found == round(expected, _PLACES)


def _is_mean_of_fewer(run: CheckedRun, finding: Finding) -> bool:
    """Return whether a mean leaves out classes that no validation row has, as that engine does."""
    document, expected, found = (
        run.documents.get(layout.METRICS_V1),
        finding.expected,
        finding.found,
    )
    numbers = isinstance(expected, float) and isinstance(found, float)
    if document is None or not numbers or not (finding.pointer or "").endswith("_macro"):
        return False
    matrix = document.content["confusion_matrix"]  # square, or its means are not compared
    classes = range(len(matrix))
    present = sum(any(matrix[i]) or any(matrix[j][i] for j in classes) for i in classes)
    return close(found * present / len(matrix), expected)
