"""The schemas of the messages, and what is wrong with a value that does not follow one."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import ErrorCode, Problem, RunForgeError
from runforge_contracts.schemas import BASE_URL, load_schema
from runforge_contracts.validation import problems_of

from runforge_cli._generated.methods import MESSAGES

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

_FOLDER = Path(__file__).parents[1] / "_generated/schemas"
_OWN = "serve."


@cache
def load_message_schema(name: str) -> dict[str, Any]:
    """Return a schema of a message or of the contract, such as ``serve.train.v1``."""
    if not name.startswith(_OWN):
        return load_schema(name)
    schema: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_bytes())
    return schema


@cache
def message_validator(name: str, definition: str | None = None) -> Draft202012Validator:
    """Return the compiled validator of a schema, or of one of its definitions."""
    from jsonschema_rs import Draft202012Validator

    place = f"#/$defs/{definition}" if definition else ""
    return Draft202012Validator({"$ref": f"{BASE_URL}{name}.json{place}"}, retriever=_retrieve)


def _retrieve(url: str) -> dict[str, Any]:
    # Only files of the packages are read: a reference never causes a request over the network.
    return load_message_schema(url.removeprefix(BASE_URL).removesuffix(".json"))


def find_problem(value: Any, name: str, definition: str | None = None) -> Problem | None:
    """Return the first thing that is invalid in a value, or None."""
    compiled = message_validator(name, definition)
    return None if compiled.is_valid(value) else problems_of(compiled, value)[0]


def check_params(method: str, params: Any) -> None:
    """Check the parameters of a method.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` with one problem for each violation.
    """
    message = MESSAGES[method]
    compiled = message_validator(message.schema, message.params)
    if compiled.is_valid(params):
        return
    problems = problems_of(compiled, params)
    first = problems[0]
    raise RunForgeError(
        ErrorCode.USAGE_INVALID,
        f"The parameters of `{method}` are invalid: {first.message}",
        hint=first.hint,
        pointer=first.location.pointer,
        problems=problems if len(problems) > 1 else (),
    )
