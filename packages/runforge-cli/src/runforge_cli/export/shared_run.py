"""A run that is exported by itself, in a document for other people's tools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.evaluations import metric_numbers
from runforge_contracts.store.layout import Place
from runforge_contracts.store.lookup import AnyRun
from runforge_contracts.store.run import Run

from runforge_cli.report.report_input import Related
from runforge_cli.report.result_blocks import ratios

#: An SPDX license expression, as far as its form goes.
_LICENSE = re.compile(r"\(*[A-Za-z0-9][\w.+-]*\)*(?: (?:AND|OR|WITH) \(*[A-Za-z0-9][\w.+-]*\)*)*")
#: One license of the SPDX list.
_ONE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class SharedRun:
    """A verified run, and what its user adds to the record."""

    folder: AnyRun
    place: Place
    #: SHA-256 of each of its files, by path in the folder.
    digests: Mapping[str, str]
    #: What is recorded of it outside of its folder.
    related: Related
    #: SPDX license expression.
    license: str | None = None
    #: Name of the person who made the run.
    author: str | None = None

    def trained(self) -> Run:
        """Return the run, which has a model.

        Raises
        ------
        RunForgeError
            ``ARTIFACT_NOT_FOUND`` for the run of an experiment, or one that did not succeed.
        """
        if isinstance(self.folder, Run) and self.folder.status == "succeeded":
            return self.folder
        reason = (
            self.folder.ending
            if isinstance(self.folder, Run)
            else "It is the run of an experiment, and this format describes trained models."
        )
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The run {quote(self.folder.id)} has no model that is known.",
            hint=reason,
            path=str(self.folder.path),
        )


def validation_metrics(run: Run) -> dict[str, float]:
    """Return the metrics of a run on its validation rows that are one number."""
    metrics = run.content(layout.METRICS_V1)
    return ratios(run.record or {}) if metrics is None else metric_numbers(metrics)


def check_license(text: str | None) -> None:
    """Check the form of an SPDX license expression.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID``.
    """
    if text is None or (len(text) <= _LONGEST and _LICENSE.fullmatch(text)):
        return
    raise RunForgeError(
        ErrorCode.USAGE_INVALID,
        f"{quote(text, 200)} is not an SPDX license expression.",
        hint="Write `MIT`, `Apache-2.0` or `CC-BY-4.0`, or several joined by AND or OR.",
    )


def is_one_license(text: str) -> bool:
    """Return whether a license expression is one license identifier."""
    return _ONE.fullmatch(text) is not None
