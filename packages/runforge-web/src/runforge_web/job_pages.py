"""The jobs that pages began: their list, the progress of one, and what begins others."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from runforge_cli.shell.sweep_selection import find_sweep
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summary_of
from runforge_contracts.sweeps.plan_members import plan_members
from starlette.responses import RedirectResponse

from runforge_web.found_runs import find_shown_run, log_name, tail_of
from runforge_web.page_rendering import render
from runforge_web.request_form import RECIPE
from runforge_web.training_data import checked_file

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

    from runforge_web.job_list import Job, JobList

#: Lines of the log that are shown.
_LINES = 200


def jobs_page(request: Request) -> Response:
    """Answer with the jobs of this server."""
    return render(request, "jobs.html", jobs=_jobs(request).newest())


def job_page(request: Request) -> Response:
    """Answer with the progress of a job, or with what came of it."""
    job, lines = _job_of(request), list[str]()
    if job.run_id is not None and job.method == "run":
        with suppress(RunForgeError):  # The log is not there before the run has begun.
            run = find_shown_run(request.app.state.settings, job.run_id)
            lines = tail_of(run, log_name(run))[0][-_LINES:]
    left = job.progress.get("seconds_left")
    return render(
        request,
        "job.html",
        job=job,
        lines=lines,
        left=None if left is None else 1_000 * left,
    )


def cancel_job(request: Request, form: FormData) -> Response:
    """Cancel a job."""
    job = _job_of(request)
    _jobs(request).cancel(job)
    return RedirectResponse(f"/jobs/{job.id}", 303)


def reproduce_run(request: Request, form: FormData) -> Response:
    """Begin to reproduce a run, whose dataset must lie in the workspace: it may be of others."""
    settings = request.app.state.settings
    run = find_shown_run(settings, request.path_params["run"])
    recorded = summary_of(run).data.path if isinstance(run, Run) else None
    if recorded is not None:
        checked_file(settings.folder, recorded)
    job = _jobs(request).begin(f"Reproduction: {run.id}", "reproduce", {"run": run.id})
    return RedirectResponse(f"/jobs/{job.id}", 303)


def resume_sweep(request: Request, form: FormData) -> Response:
    """Begin what is left of a sweep; with its failed runs, if the form asks for that.

    Its datasets and recipes must lie in the workspace: the plan may be of others.
    """
    settings, reference = request.app.state.settings, request.path_params["group"]
    if Path(reference).name != reference:
        raise RunForgeError(ErrorCode.GROUP_NOT_FOUND, "The address names no sweep.")
    group, _ = find_sweep(settings, reference)
    members = [] if group.plan is None else plan_members(group.plan)
    used = [member.request["dataset"] for member in members]
    for path in dict.fromkeys(dataset["path"] for dataset in used):
        checked_file(settings.folder, path)
    for path in dict.fromkeys(dataset["recipe"] for dataset in used if dataset.get("recipe")):
        checked_file(settings.folder, path, RECIPE)
    retry = form.get("retry") == "yes"
    job = _jobs(request).begin(
        f"Resumed sweep: {group.id}", "sweep", {"resume": group.id, "retry_failed": retry}
    )
    return RedirectResponse(f"/jobs/{job.id}", 303)


def _jobs(request: Request) -> JobList:
    found: JobList = request.app.state.jobs
    return found


def _job_of(request: Request) -> Job:
    return _jobs(request).get(request.path_params["job"])
