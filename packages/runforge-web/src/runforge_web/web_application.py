"""The application: which address is answered by which page, and what errors look like."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from runforge_cli.report.styles import CSS
from runforge_cli.shell.failures import as_error
from runforge_cli.terminal.output import reporting, traceback_text
from runforge_contracts.errors import ErrorCode, RunForgeError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from runforge_web import event_stream, runs_page
from runforge_web.page_rendering import render_error
from runforge_web.web_gate import WebGate

if TYPE_CHECKING:
    from runforge_cli.shell.settings import Settings

    from runforge_web.job_list import JobList
    from runforge_web.web_access import WebAccess

#: Most fields of a form, and what a browser sends one as.
_FIELDS, _FORM = 1_000, "application/x-www-form-urlencoded"

#: Pages that load models, read whole files or inspect datasets: so many are made at once.
_COSTLY = 2

log = logging.getLogger(__name__)


class _LateModule:
    """A module whose pages are imported when one is asked for: the first page needs none of it."""

    def __init__(self, name: str) -> None:
        self._name = f"runforge_web.{name}"

    def __getattr__(self, page: str) -> Callable[..., Response]:
        def answer(*arguments: Any) -> Response:
            found: Response = getattr(import_module(self._name), page)(*arguments)
            return found

        return answer


comparison_page = _LateModule("comparison_page")
dataset_pages = _LateModule("dataset_pages")
document_pages = _LateModule("document_pages")
job_pages = _LateModule("job_pages")
run_pages = _LateModule("run_pages")
sweep_pages = _LateModule("sweep_pages")
training_pages = _LateModule("training_pages")


class _AnyPath(PathConvertor):
    """The rest of an address, with line feeds, which file names may have."""

    regex = r"(?s:.*)\Z"


register_url_convertor("any", _AnyPath())

Reading = Callable[[Request], Response]
Doing = Callable[[Request, FormData], Response]


def make_application(
    settings: Settings, access: WebAccess, *, trains: bool = False
) -> tuple[WebGate, event_stream.EventSource, JobList | None]:
    """Return the application, the source of its events, and its jobs if it trains.

    Parameters
    ----------
    settings
        Where the runs are.
    access
        Who may see them.
    trains
        Whether the pages can train; otherwise those addresses do not exist.
    """
    app = Starlette(
        routes=[
            Route("/", _redirect),
            Route("/events", event_stream.events),
            Route("/report.css", _style),
            Mount("/static", StaticFiles(packages=[("runforge_web", "static")])),
            _reading("/runs", runs_page.runs_page),
            _reading("/runs/{run}", run_pages.run_page),
            _doing("/runs/{run}/curves", run_pages.curves_page, costly=True),
            _doing("/runs/{run}/verification", run_pages.verification_page, costly=True),
            _reading("/runs/{run}/report.html", run_pages.report_file),
            _reading("/runs/{run}/documents.json", run_pages.document_page),
            _reading("/runs/{run}/log", run_pages.log_page),
            _reading("/runs/{run}/text/{file:any}", run_pages.file_page),
            _reading("/runs/{run}/files/{file:any}", run_pages.file_download),
            _reading("/compare", comparison_page.comparison_page),
            _doing("/compare/curves", comparison_page.compared_curves_page, costly=True),
            _reading("/sweeps", sweep_pages.sweeps_page),
            _reading("/sweeps/{group}", sweep_pages.sweep_page),
            _reading("/datasets", dataset_pages.datasets_page),
            _reading("/datasets/{digest}", dataset_pages.dataset_page),
            _doing("/datasets/{digest}/inspection", dataset_pages.inspection_page, costly=True),
            _reading("/documents", document_pages.documents_page),
            _doing("/documents/validation", document_pages.validation_page),
            *(_training_routes() if trains else ()),
        ],
        exception_handlers={HTTPException: _on_http_error},
    )
    app.router.redirect_slashes = False
    source = event_stream.EventSource(settings)
    app.state.settings, app.state.access, app.state.events = settings, access, source
    app.state.turns = asyncio.Semaphore(_COSTLY)
    app.state.jobs = None
    if trains:
        from runforge_web.job_list import JobList

        app.state.jobs = JobList(settings, lambda job: source.tell("jobChanged", {"job": job}))
    return WebGate(app, access), source, app.state.jobs


def _training_routes() -> list[Route]:
    return [
        _reading("/train", training_pages.training_page, costly=True),
        _doing("/train/check", training_pages.check_page, costly=True),
        _doing("/train/columns", training_pages.columns_page, costly=True),
        _doing("/train/recipe", training_pages.recipe_page, costly=True),
        _doing("/train/recipe/edited", training_pages.edited_recipe_page, costly=True),
        _doing("/train/run", training_pages.train, costly=True),
        _reading("/train/sweep", training_pages.sweep_form_page, costly=True),
        _doing("/train/sweep/check", training_pages.sweep_check_page, costly=True),
        _doing("/train/sweep/columns", training_pages.sweep_columns_page, costly=True),
        _doing("/train/sweep/recipe", training_pages.sweep_recipe_page, costly=True),
        _doing("/train/sweep/recipe/edited", training_pages.sweep_edited_recipe_page, costly=True),
        _doing("/train/sweep/run", training_pages.train_sweep, costly=True),
        _reading("/jobs", job_pages.jobs_page),
        _reading("/jobs/{job}", job_pages.job_page),
        _doing("/jobs/{job}/cancel", job_pages.cancel_job),
        _doing("/runs/{run}/reproduction", job_pages.reproduce_run),
        _doing("/sweeps/{group}/resume", job_pages.resume_sweep),
    ]


def _reading(path: str, page: Reading, *, costly: bool = False) -> Route:
    """Return the route of a page that only reads."""

    async def answer(request: Request) -> Response:
        return await _answer(request, lambda: page(request), costly=costly)

    return Route(path, answer)


def _doing(path: str, page: Doing, *, costly: bool = False) -> Route:
    """Return the route of a page that does something: only a form of our own may ask for it."""

    async def answer(request: Request) -> Response:
        try:
            form = await _form_of(request)
        except RunForgeError as error:
            return render_error(request, error)
        return await _answer(request, lambda: page(request, form), costly=costly)

    return Route(path, answer, methods=["POST"])


async def _answer(request: Request, page: Callable[[], Response], *, costly: bool) -> Response:
    """Make a page in a thread; a costly one in its turn, so that others are answered meanwhile."""
    if not costly:
        return await run_in_threadpool(_made, request, page)
    async with request.app.state.turns:
        if await request.is_disconnected():  # A form is checked again while it is filled in.
            return Response(status_code=204)
        return await run_in_threadpool(_made, request, page)


async def _form_of(request: Request) -> FormData:
    if request.headers.get("content-type", "").partition(";")[0] != _FORM:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "The request is not a form.")
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError as error:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "The form cannot be read.") from error
    form = FormData([*pairs])
    if not request.app.state.access.is_ours(str(form.get("csrf", ""))):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "The form was made by another server, or by an earlier call of `runforge ui`.",
            hint="Reload the page and try again.",
        )
    return form


def _made(request: Request, page: Callable[[], Response]) -> Response:
    """Return a page, or that of its error."""
    with reporting(log.info):
        try:
            return page()
        except Exception as problem:  # noqa: BLE001 - every error is shown as a page
            error = as_error(problem)
            if error.code is ErrorCode.INTERNAL:
                # The text of an exception may have come from a run, and this goes to a terminal.
                log.error("a page could not be made\n%s", traceback_text(problem))
            return render_error(request, error)


async def _redirect(request: Request) -> Response:
    return RedirectResponse("/runs", 303)


async def _style(request: Request) -> Response:
    return Response(CSS, media_type="text/css")


async def _on_http_error(request: Request, problem: Exception) -> Response:
    found = isinstance(problem, HTTPException) and problem.status_code == 405
    message = "This address takes no such request." if found else "There is no such page."
    return render_error(request, RunForgeError(ErrorCode.FILE_NOT_FOUND, message))
