"""Variables of the environment that an experiment declares.

Source: TFC-0003, section 10.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.pointers import format_pointer
from runforge_contracts.text import quote

from runforge_engine.experiment.problems import Problems

#: Where an experiment declares them, by name: a text where none is set, or null.
ENVIRONMENT = "environment"
#: How the names begin that a run gives to user code.
_OURS = "RUNFORGE_"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def declared_values(
    declared: Any, surroundings: Mapping[str, str], problems: Problems
) -> dict[str, str]:
    """Return the values of the declared variables: those that are set, else those declared.

    Parameters
    ----------
    declared
        The value of ``environment`` in the experiment; of another form, it has no names in it.
    surroundings
        The variables that are set.
    problems
        Told of names that cannot be declared, and of variables that must be set and are not.
    """
    values: dict[str, str] = {}
    for name, default in declared.items() if isinstance(declared, dict) else ():
        value: Any = surroundings.get(name, default)
        if not _NAME.fullmatch(name) or name.startswith(_OURS):
            reason = f"The environment variable {quote(name)} cannot be declared."
            hint = "A name has letters, digits and underscores; `RUNFORGE_` begins our own."
        elif value is None:
            reason = f"The environment variable {quote(name)} is not set."
            hint = "The experiment needs it; set it and try again."
        elif isinstance(value, str) and (not _is_text(value) or "\0" in value):
            reason = f"The environment variable {quote(name)} is not a text in UTF-8."
            hint = None
        else:
            if isinstance(value, str):  # else the schema has a word on it
                values[name] = value
            continue
        pointer = format_pointer((ENVIRONMENT, name))
        problems.add(
            RunForgeError(ErrorCode.EXPERIMENT_INVALID, reason, hint=hint, pointer=pointer)
        )
    return values


def fill_in(value: Any, values: Mapping[str, str]) -> Any:
    """Return ``value`` with ``${NAME}`` replaced in every text, for the names in ``values``."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {key: fill_in(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_in(item, values) for item in value]
    return value


def placeholders(value: Any) -> Iterator[str]:
    """Give the names of the variables that texts in ``value`` name as ``${NAME}``."""
    if isinstance(value, str):
        yield from _PLACEHOLDER.findall(value)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from placeholders(item)


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
