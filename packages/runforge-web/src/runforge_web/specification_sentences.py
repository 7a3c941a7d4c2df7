"""The sentences of the specification, by the id of their requirement.

``_generated/sentences.json`` follows from the pages of the specification.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec
from runforge_contracts.errors import ErrorCode

#: Requirements of codes that are not named like theirs.
_OF_CODES = {ErrorCode.DOCUMENT_INVALID: "schema.valid"}


class SpecificationSentence(NamedTuple):
    """What the specification says on a subject."""

    #: The section, such as ``2.1``.
    section: str
    sentences: str


@cache
def _sentences() -> dict[str, SpecificationSentence]:
    data = (files("runforge_web") / "_generated/sentences.json").read_bytes()
    found = msgspec.json.decode(data, type=dict[str, dict[str, str]])
    return {name: SpecificationSentence(**item) for name, item in found.items()}


def sentence_of_rule(rule: str) -> SpecificationSentence | None:
    """Return the requirement that a finding is about; None if there is none of that name."""
    return _sentences().get(rule)


def sentence_of_code(code: ErrorCode) -> SpecificationSentence | None:
    """Return the requirement that a document with such an error breaks, if there is one."""
    format_, _, rest = code.value.lower().partition("_")
    return _sentences().get(_OF_CODES.get(code, f"{format_}.{rest.replace('_', '-')}"))
