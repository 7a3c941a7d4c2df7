"""The pages of one run: its report, its files, its log, its verification, and its report alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from runforge_cli.answers.run_answers import run_document
from runforge_cli.listing.experiment_rows import trained_run
from runforge_cli.listing.run_list import described
from runforge_cli.listing.run_rows import add_states, status_of
from runforge_cli.render.sweep_membership import membership_of
from runforge_cli.report.html_page import html_page, sections_html
from runforge_cli.report.report_input import gather, related_to
from runforge_cli.report.report_writer import make_report
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import reading
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summary_of
from starlette.responses import HTMLResponse, Response, StreamingResponse

from runforge_web.dataset_pages import runs_beside
from runforge_web.found_runs import (
    MOST_FILES,
    TAIL,
    bytes_of,
    files_of,
    find_shown_run,
    log_name,
    name_in,
    open_file_of,
    run_address,
    tail_of,
    url_segment,
)
from runforge_web.page_rendering import CURVES_LEFT_OUT, render

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

    from runforge_cli.shell.settings import Settings
    from runforge_contracts.store.lookup import AnyRun
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from runforge_web.runs_page import RunPage

#: Bytes of a download that are read at a time.
_PIECE = 2**18
#: Why the report that is saved has no curves.
_NOT_IN_THE_FILE = "They need the model to be loaded, as `runforge report` does."
#: Largest run, and largest dataset, that is verified while a page waits, in bytes.
_MOST_VERIFIED = 2**30


class RelatedPage(NamedTuple):
    """A page that has to do with a run."""

    what: str
    title: str
    address: str


def run_page(request: Request) -> Response:
    """Answer with everything that a run recorded; nothing is computed."""
    return _report_page(request, _run_of(request), with_model=False)


def curves_page(request: Request, form: FormData) -> Response:
    """Answer with the same, and the curves, for which the model is loaded in another process."""
    return _report_page(request, _run_of(request), with_model=True)


def _report_page(request: Request, run: AnyRun, *, with_model: bool) -> Response:
    settings = _settings(request)
    listed = _trained(settings) if with_model else []
    around = related_to([run], settings.places())
    materials = gather(
        [run], settings.target(), listed, around, with_model=with_model, left_out=CURVES_LEFT_OUT
    )
    report = make_report(materials, settings.target())
    files, more = files_of(run)
    beside = _beside(run, settings)
    others = {**({} if beside is None else {"beside": "Other runs"}), "files": "Files"}
    contents, body = sections_html(report.sections, others)
    entry = described(run, settings.places()).entry
    return render(
        request,
        "run.html",
        run=run,
        name=name_in(entry),
        report=report,
        contents=contents,
        body=body,
        state=_state(entry, settings),
        related=related_pages(run, settings),
        beside=beside,
        files=files,
        more_files=more,
        most_files=MOST_FILES,
        log=log_name(run),
        with_model=with_model,
        can_be_repeated=isinstance(run, Run),
        can_have_curves=isinstance(run, Run) and run.status == "succeeded",
    )


def report_file(request: Request) -> Response:
    """Answer with the report of a run as the one file that ``runforge report`` writes."""
    run, settings = _run_of(request), _settings(request)
    around = related_to([run], settings.places())
    materials = gather(
        [run], settings.target(), [], around, with_model=False, left_out=_NOT_IN_THE_FILE
    )
    page = html_page(make_report(materials, settings.target()))
    return HTMLResponse(page, headers=_as_download(f"{run.id}.html"))


def document_page(request: Request) -> Response:
    """Answer with the documents of a run as ``runforge show --json`` prints them."""
    document = run_document(_run_of(request), _settings(request))
    return Response(encode_json(document), media_type="application/json")


def log_page(request: Request) -> Response:
    """Answer with the end of the log of a run."""
    run, lines, problem, more = _run_of(request), list[str](), None, False
    settings = _settings(request)
    entry = described(run, settings.places()).entry
    try:
        lines, more = tail_of(run, log_name(run))
    except RunForgeError as error:
        problem = error
    return render(
        request,
        "log.html",
        run=run,
        name=name_in(entry),
        file=log_name(run),
        lines=lines,
        more=more,
        tail=TAIL,
        problem=problem,
        state=_state(entry, settings),
    )


def file_page(request: Request) -> Response:
    """Answer with the end of a file of a run as text."""
    run, name = _run_of(request), request.path_params["file"]
    lines, more = tail_of(run, name)
    return render(request, "file.html", run=run, name=name, lines=lines, more=more, tail=TAIL)


def file_download(request: Request) -> Response:
    """Answer with the bytes of a file of a run, to be saved and never to be shown."""
    run, name = _run_of(request), request.path_params["file"]
    file = open_file_of(run, name)
    with reading(run.path / name):
        size = os.fstat(file.fileno()).st_size
    headers = {**_as_download(name.rpartition("/")[2]), "content-length": str(size)}
    if request.method == "HEAD":  # Its bytes would be read, and sent to nobody.
        file.close()
        return Response(headers=headers, media_type=_BYTES)
    return _Download(file, size, headers)


_BYTES = "application/octet-stream"


class _Download(StreamingResponse):
    """The bytes of a file, which is closed even if the reader goes away."""

    def __init__(self, file: io.FileIO, size: int, headers: dict[str, str]) -> None:
        super().__init__(_pieces(file, size), headers=headers, media_type=_BYTES)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)


def _pieces(file: io.FileIO, size: int) -> Iterator[bytes]:
    """Yield as many bytes as a file had when it was opened: it may still grow."""
    while size > 0 and (piece := file.read(min(size, _PIECE))):
        size -= len(piece)
        yield piece


def verification_page(request: Request, form: FormData) -> Response:
    """Answer with the result of ``runforge verify``."""
    from runforge_cli.answers.verification_answers import verify_named

    run, settings = _run_of(request), _settings(request)
    size = bytes_of(run)
    if size > _MOST_VERIFIED:
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"The files of the run have {size:,} bytes; a page verifies {_MOST_VERIFIED:,} at"
            " most.",
            hint=f"`runforge verify {run.id}` verifies it in a terminal.",
            path=str(run.path),
        )
    left_out = _large_dataset(run, settings)
    named = verify_named(settings, (str(run.path),), (), with_dataset=not left_out)
    return render(
        request,
        "verification.html",
        run=run,
        found=[*named.runs, *named.evaluations],
        left_out=left_out,
    )


def _large_dataset(run: AnyRun, settings: Settings) -> int:
    """Return the size of the file of the dataset in bytes if it is too large for a page, or 0."""
    try:
        recorded = summary_of(run).data.path if isinstance(run, Run) else None
        size = 0 if recorded is None else (settings.folder / recorded).stat().st_size
    except (OSError, ValueError, RunForgeError):
        return 0  # The verification says what is wrong with it.
    return size if size > _MOST_VERIFIED else 0


def related_pages(run: AnyRun, settings: Settings) -> list[RelatedPage]:
    """Return the pages on the dataset, the sweep and the other runs that a run names."""
    found = list[RelatedPage]()
    if not isinstance(run, Run):
        trained = trained_run(run)
        if trained is not None:
            found.append(RelatedPage("Trained run", trained, run_address(trained)))
        return found
    summary = summary_of(run)
    parent, digest = summary.outcome.rerun_from, summary.data.fingerprint_sha256
    if parent:
        found.append(RelatedPage("Repeats", parent, run_address(parent)))
        address = f"/compare?run={url_segment(parent)}&run={url_segment(run.id)}"
        found.append(RelatedPage("Difference", "compare with the run that it repeats", address))
    membership = membership_of(run)
    if membership:
        group = membership.group_id
        found.append(RelatedPage("Sweep", group, f"/sweeps/{url_segment(group)}"))
    if digest:
        found.append(RelatedPage("Dataset", "all runs on it", f"/datasets/{url_segment(digest)}"))
    return found


def _beside(run: AnyRun, settings: Settings) -> tuple[str, RunPage] | None:
    """Return the digest of the dataset of a run, and the other runs on it; None without any."""
    digest = summary_of(run).data.fingerprint_sha256 if isinstance(run, Run) else None
    if not isinstance(run, Run) or digest is None:
        return None
    found = runs_beside(settings, run, digest)
    return (digest, found) if found.rows else None


def _run_of(request: Request) -> AnyRun:
    return find_shown_run(_settings(request), request.path_params["run"])


def _settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


def _trained(settings: Settings) -> list[Any]:
    from runforge_cli.listing.run_list import trained_in

    return trained_in(settings.stores())


def _state(entry: dict[str, Any], settings: Settings) -> str:
    """Return the status of a run that has ended, or its state now."""
    add_states([entry], settings.folder)
    return status_of(entry)


def _as_download(name: str) -> dict[str, str]:
    """Return the headers that make a browser save an answer under a name."""
    plain = "".join(
        character if character.isascii() and (character.isalnum() or character in "._-") else "_"
        for character in name
    )
    return {
        "content-disposition": f'attachment; filename="{plain[:200] or "file"}"',
        "content-security-policy": "default-src 'none'; sandbox",
    }
