"""Render the templates: every value is escaped, and none can hide or reorder what is around it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from runforge_cli.report.report_blocks import Name, prose
from runforge_contracts.display import format_duration, printable, shorten, time_text
from runforge_contracts.errors import ExitCode, RunForgeError
from starlette.responses import HTMLResponse

from runforge_web.found_runs import run_address, url_segment
from runforge_web.specification_sentences import sentence_of_code, sentence_of_rule

if TYPE_CHECKING:
    from starlette.requests import Request

#: Why a page has no curves yet.
CURVES_LEFT_OUT = "“Compute the curves”, at the top of this page, loads the model for them."
#: HTTP statuses of errors, by what a command would exit with.
_STATUSES = {
    ExitCode.INVALID: 400,
    ExitCode.PLAN_INVALID: 400,
    ExitCode.NOT_FOUND: 404,
    ExitCode.INTERNAL: 500,
}


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("runforge_web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"duration": format_duration, "time": time_text, "short": shorten}
    found.filters |= {"prose": prose, "verbatim": _verbatim, "segment": url_segment}
    found.globals |= {"of_rule": sentence_of_rule, "of_code": sentence_of_code}
    found.globals |= {"run_address": run_address, "is_name": _is_name}
    return found


def _is_name(part: str) -> bool:
    return isinstance(part, Name)


def _verbatim(text: str) -> Markup:
    """Return a string for a field of a form, which sends it back as it is but for line ends."""
    return escape(text.encode("utf-8", "replace").decode().replace("\r\n", "\n"))


def _shown(value: Any) -> Any:
    """Return a value for the page: control characters of a string become visible escapes."""
    is_text = isinstance(value, str) and not hasattr(value, "__html__")
    return printable(value) if is_text else value


def render(request: Request, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
    """Return a page.

    Parameters
    ----------
    request
        The request that it answers.
    template
        Name of the template.
    status
        The HTTP status.
    values
        What the template shows.
    """
    state = request.app.state
    page = _environment().get_template(template)
    text = page.render(
        csrf=state.access.csrf,
        here=request.url.path,
        workspace=state.settings.folder,
        trains=state.jobs is not None,
        **values,
    )
    return HTMLResponse(text, status)


def render_error(request: Request, error: RunForgeError) -> HTMLResponse:
    """Return the page of an error: code, message, place, single problems and hint."""
    return render(request, "error.html", _STATUSES.get(error.exit_code, 422), error=error)
