"""Typed classes for the most common documents: requests and results."""

from __future__ import annotations

from runforge_contracts.documents import Document
from runforge_contracts.types import RequestV1, ResultV1


class Request(Document[RequestV1]):
    """A request: ``request.json``, which describes a run to execute."""

    schemas = ("request.v1",)


class Result(Document[ResultV1]):
    """A result: ``result.json``, which records how a run finished."""

    schemas = ("result.v1",)
