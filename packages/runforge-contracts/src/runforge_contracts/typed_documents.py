"""The documents that clients read and write most, each with its type: requests and results."""

from __future__ import annotations

from runforge_contracts.documents import Document
from runforge_contracts.types import RequestV1, ResultV1


class Request(Document[RequestV1]):
    """A request: ``request.json``, which describes the run that is wanted."""

    schemas = ("request.v1",)


class Result(Document[ResultV1]):
    """A result: ``result.json``, which records how a run finished."""

    schemas = ("result.v1",)
