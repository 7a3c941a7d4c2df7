"""Validate a document, with what the contract says of the place of each mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from runforge_contracts.codec.pointers import parse_pointer
from runforge_contracts.documents import Document, identify, struct_of
from runforge_contracts.errors import ErrorCode, Problem, RunForgeError
from runforge_contracts.schemas import contract_names, load_schema, resolve_reference

from runforge_web.page_rendering import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runforge_contracts.types import RequestV1
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

#: The document whose values a training checks, too.
_REQUEST = "request.v1"
#: Keywords whose schemas all describe the value itself.
_SAME_VALUE = ("allOf", "anyOf", "oneOf")
#: How many references are followed to find a description.
_FAR = 12


class ExplainedProblem(NamedTuple):
    """A mistake in a document."""

    problem: Problem
    #: What the contract says of the value there; None if it says nothing.
    sentence: str | None
    #: The member that this is about, as a JSON Pointer.
    about: str


def documents_page(request: Request) -> Response:
    """Answer with an empty form."""
    return _page(request, "", "", None, None, [])


def validation_page(request: Request, form: FormData) -> Response:
    """Answer with the result of the validation of the document that was pasted."""
    text, schema = str(form.get("document", "")), str(form.get("schema", ""))
    # A form sends CR LF at the end of each line.
    data = text.replace("\r\n", "\n").encode("utf-8", "surrogatepass")
    try:
        types = [struct_of(schema)] if schema in contract_names() else []
        document = Document.parse(data, *types)
        if document.name == _REQUEST:
            from runforge_engine.pipeline.request import prepare

            prepare(cast("Document[RequestV1]", document))
    except RunForgeError as error:
        problems = _explained(error, data, schema)
        return _page(request, text, schema, None, _for_the_page(error), problems)
    return _page(request, text, schema, document, None, [])


def _for_the_page(error: RunForgeError) -> RunForgeError:
    """Return an error with a hint that names what the page has, instead of an option."""
    if error.code is not ErrorCode.DOCUMENT_UNKNOWN:
        return error
    return RunForgeError(
        error.code, error.message, hint="Choose the document below its text, and validate again."
    )


def _page(
    request: Request,
    text: str,
    schema: str,
    document: Document[Any] | None,
    error: RunForgeError | None,
    problems: list[ExplainedProblem],
) -> Response:
    return render(
        request,
        "documents.html",
        200 if error is None else 422,
        text=text,
        schema=schema,
        schemas=contract_names(),
        document=document,
        title=None if document is None else load_schema(document.name).get("description"),
        is_request=document is not None and document.name == _REQUEST,
        error=error,
        problems=problems,
    )


def _explained(error: RunForgeError, data: bytes, schema: str) -> list[ExplainedProblem]:
    if not error.problems and error.location.pointer is None:
        return []
    try:
        raw = _parsed(data)
        name, _ = (schema, ()) if schema in contract_names() else identify(raw)
    except RunForgeError:
        return []
    found = []
    for problem in error.problems or [Problem(error.message, error.location, error.hint)]:
        about, sentence = contract_sentence(name, problem.location.pointer or "")
        found.append(ExplainedProblem(problem, sentence, about))
    return found


def _parsed(data: bytes) -> Any:
    from runforge_contracts.codec.strict_json import parse_json

    return parse_json(data)


def contract_sentence(name: str, pointer: str) -> tuple[str, str | None]:
    """Return what a schema says of the value at a pointer, or of the nearest one around it.

    Parameters
    ----------
    name
        Name of the schema.
    pointer
        JSON Pointer into a document of it.

    Returns
    -------
    tuple
        The pointer of the value that is described, and the description; None if there is none.
    """
    parts = parse_pointer(pointer)
    for length in range(len(parts), -1, -1):
        for schema, _ in _schemas_at(name, parts[:length]):
            if "description" in schema:
                return "".join(f"/{part}" for part in parts[:length]), schema["description"]
    return "", None


def _schemas_at(name: str, parts: list[str]) -> list[tuple[dict[str, Any], str]]:
    """Return the schemas that apply to the value at a place, each with the name of its file."""
    found = [(load_schema(name), name)]
    for part in parts:
        around = [item for schema, file in found for item in _expanded(schema, file, _FAR)]
        found = [item for schema, file in around for item in _member(schema, file, part)]
    # What stands beside a reference is about this member, and what it refers to about its kind.
    return [item for schema, file in found for item in _expanded(schema, file, _FAR)]


def _expanded(schema: dict[str, Any], file: str, left: int) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield a schema and those that it refers to for the same value."""
    yield schema, file
    if left == 0:
        return
    if "$ref" in schema:
        yield from _expanded(*resolve_reference(schema["$ref"], file), left - 1)
    for keyword in _SAME_VALUE:
        for other in schema.get(keyword, ()):
            yield from _expanded(other, file, left - 1)


def _member(schema: dict[str, Any], file: str, part: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the schema of a member of an object, or of an item of an array."""
    inner = schema.get("properties", {}).get(part)
    if inner is None and part.isdecimal():
        inner = schema.get("items")
    if inner is None:
        inner = schema.get("additionalProperties")
    if isinstance(inner, dict):
        yield inner, file
