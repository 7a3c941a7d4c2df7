"""The list of sweeps, and the page of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runforge_cli.answers.sweep_answers import newest_sweeps
from runforge_cli.render.sweep_words import best_text, counts_text
from runforge_cli.report.html_page import sections_html
from runforge_cli.report.sweep_sections import sweep_report
from runforge_cli.shell.sweep_selection import find_sweep
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_web.page_query import whole_number
from runforge_web.page_rendering import render

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

#: Sweeps that are listed, at most so many.
_LIMIT, _MOST = 50, 1_000
#: The best runs of a sweep that are linked, where several are equally good.
_BEST = 5


def sweeps_page(request: Request) -> Response:
    """Answer with the newest sweeps."""
    limit = whole_number(request.query_params, "limit", _LIMIT, _MOST)
    sweeps, total = newest_sweeps(request.app.state.settings, limit)
    rows = [(sweep, counts_text(sweep), best_text(sweep)) for sweep in sweeps]
    return render(request, "sweeps.html", rows=rows, total=total, most=_MOST)


def sweep_page(request: Request) -> Response:
    """Answer with the report on a sweep.

    Raises
    ------
    RunForgeError
        ``GROUP_NOT_FOUND``, ``GROUP_AMBIGUOUS``, or the error of a document that cannot be read.
    """
    settings, reference = request.app.state.settings, request.path_params["group"]
    if Path(reference).name != reference or set(reference) & set("/\\\0"):
        raise RunForgeError(
            ErrorCode.GROUP_NOT_FOUND, f"{quote(reference)} is not the name of a sweep."
        )
    group, sweep = find_sweep(settings, reference)
    report = sweep_report(sweep, settings.target().relative(group.path))
    contents, body = sections_html(report.sections)
    return render(
        request,
        "sweep.html",
        sweep=sweep,
        best=[row for row in sweep.best()[:_BEST] if row.run_id],
        report=report,
        contents=contents,
        body=body,
    )
