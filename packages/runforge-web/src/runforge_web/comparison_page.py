"""The comparison of several runs: what differs, and pictures of the metrics over what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from runforge_cli.listing.experiment_rows import tolerant
from runforge_cli.listing.run_list import described, trained_in
from runforge_cli.report.compared_runs import RunTable
from runforge_cli.report.comparison_sections import comparison_sections
from runforge_cli.report.html_page import separate_sections_html
from runforge_cli.report.overlaid_curves import overlaid_blocks
from runforge_cli.report.parameter_plots import (
    RunAxis,
    axes_of,
    chosen_axis,
    parallel_blocks,
    scatter_blocks,
)
from runforge_cli.report.report_blocks import Section
from runforge_cli.report.report_input import gather
from runforge_cli.terminal.output import warn
from runforge_contracts.comparison import compare_runs
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.run import Run

from runforge_web.found_runs import find_shown_run, name_in
from runforge_web.page_rendering import CURVES_LEFT_OUT, render

if TYPE_CHECKING:
    from runforge_contracts.store.lookup import AnyRun
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

#: Most runs that are compared at once.
MOST_RUNS = 200
#: How many sections, those on what differs, come before the pictures.
_BEFORE = 2
#: The key of the section with the plot that the address chooses.
_SCATTER = "scatter"


def comparison_page(request: Request) -> Response:
    """Answer with what differs between the runs that the address names; the first is the baseline.

    The address may name another baseline.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for fewer than two runs, too many, or an axis that they do not have; the
        errors of :func:`~runforge_web.found_runs.find_shown_run`.
    """
    return _page(request, with_model=False)


def compared_curves_page(request: Request, form: FormData) -> Response:
    """Answer with the same, and the curves, for which the models are loaded in another process."""
    return _page(request, with_model=True)


def _page(request: Request, *, with_model: bool) -> Response:
    settings, folders = request.app.state.settings, _chosen(request)
    listed = trained_in(settings.stores()) if with_model else []
    materials = gather(
        folders, settings.target(), listed, with_model=with_model, left_out=CURVES_LEFT_OUT
    )
    runs = RunTable(compare_runs(folders, settings.target()), materials)
    found = comparison_sections(runs)
    pictures, axes = _pictures(request, runs)
    sections = [*found[:_BEFORE], *pictures, *found[_BEFORE:]]
    contents, parts = separate_sections_html(sections)
    keys = [section.key for section in sections]
    at = keys.index(_SCATTER) + 1 if _SCATTER in keys else 0
    names, places = [run.id for run in folders], settings.places()
    return render(
        request,
        "compare.html",
        lettered=[
            (letter, run.id, name_in(described(run, places).entry))
            for letter, run in zip(runs.letters, folders, strict=True)
        ],
        contents=contents,
        before="\n".join(parts[:at]),
        after="\n".join(parts[at:]),
        axes=axes,
        curves=f"/compare/curves?{urlencode([('run', name) for name in names])}"
        if not with_model and any(isinstance(run, Run) for run in folders)
        else None,
    )


def _chosen(request: Request) -> list[AnyRun]:
    """Return the runs that the address names."""
    settings = request.app.state.settings
    query = request.query_params
    references = list(dict.fromkeys(query.getlist("run")))
    if query.get("baseline") in references:
        references.sort(key=lambda name: name != query["baseline"])
    if not 2 <= len(references) <= MOST_RUNS:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{len(references)} runs were chosen; 2 to {MOST_RUNS} can be compared.",
            hint="Choose them in the list of runs. The first one is the baseline, unless another is"
            " chosen.",
        )
    found = {run.path: run for run in (find_shown_run(settings, name) for name in references)}
    return [tolerant(run, warn) for run in found.values()]


def _pictures(request: Request, runs: RunTable) -> tuple[list[Section], dict[str, Any]]:
    """Return the sections with pictures, and what can be on the axes of the first one."""
    query = request.query_params
    parameters, metrics = axes_of(runs)
    y = chosen_axis(metrics, query.get("y"), "a metric")
    across = [*parameters, *(axis for axis in metrics if axis is not y)]
    x = chosen_axis(_all(across, y), query.get("x"), "a parameter or a metric")
    sections = list[Section]()
    if x is not None and y is not None:
        title = "Metric against parameter" if x in parameters else "Metric against metric"
        sections = [
            Section(title, scatter_blocks(runs, x, y), key=_SCATTER),
            Section("Parallel coordinates", parallel_blocks(runs, parameters, metrics, y)),
        ]
    ranked = [runs.materials[at] for at in runs.order]
    sections.append(Section("Curves in one plot", list(overlaid_blocks(ranked, runs.letters[0]))))
    axes = {
        "x": _titles(_all(across, y), x),
        "y": _titles(metrics, y),
        "runs": [material.folder.id for material in runs.materials],
        "place": f"#{_SCATTER}",
    }
    return [section for section in sections if section.blocks], axes


def _all(across: list[RunAxis], y: RunAxis | None) -> list[RunAxis]:
    return across if y is None else [*across, y]


def _titles(axes: list[RunAxis], chosen: RunAxis | None) -> list[tuple[str, bool]]:
    return [(axis.title, axis is chosen) for axis in axes]
