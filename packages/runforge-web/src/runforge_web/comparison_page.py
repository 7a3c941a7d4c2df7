"""The comparison of several runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runforge_cli.listing.experiment_rows import tolerant
from runforge_cli.report.compared_runs import RunTable
from runforge_cli.report.comparison_sections import comparison_sections
from runforge_cli.report.html_page import sections_html
from runforge_cli.report.report_input import gather
from runforge_cli.terminal.output import warn
from runforge_contracts.comparison import compare_runs
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_web.found_runs import find_shown_run
from runforge_web.page_rendering import render

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

#: Most runs that are compared at once.
MOST_RUNS = 200


def comparison_page(request: Request) -> Response:
    """Answer with what differs between the runs that the address names; the first is the baseline.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for fewer than two runs, or too many; the errors of
        :func:`~runforge_web.found_runs.find_shown_run`.
    """
    settings = request.app.state.settings
    references = list(dict.fromkeys(request.query_params.getlist("run")))
    if not 2 <= len(references) <= MOST_RUNS:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{len(references)} runs were chosen; 2 to {MOST_RUNS} can be compared.",
            hint="Choose them in the list of runs; the first one is the baseline.",
        )
    found = {run.path: run for run in (find_shown_run(settings, name) for name in references)}
    folders = [tolerant(run, warn) for run in found.values()]
    materials = gather(folders, settings.target(), [], with_model=False)
    runs = RunTable(compare_runs(folders, settings.target()), materials)
    contents, body = sections_html(comparison_sections(runs))
    lettered = list(zip(runs.letters, folders, strict=True))
    return render(request, "compare.html", lettered=lettered, contents=contents, body=body)
