"""Environment variables that an experiment declares.

Source: specification, section 17.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.experiment.config.problem_list import Problems
from runforge_engine.experiment.config.secret_detection import reason_to_withhold

#: The field that declares them by name, with a default string or null.
ENVIRONMENT = "environment"
#: The fields that list the variables that must be set and whose values are not recorded, and those
#: whose values are recorded although they look like secrets.
SECRET_ENVIRONMENT, RECORDED_ENVIRONMENT = "secret_environment", "recorded_environment"
#: Prefix of the variables that a run sets for user code.
_OURS = "RUNFORGE_"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(slots=True)
class Declared:
    """The declared variables."""

    #: Their values, by name.
    values: dict[str, str] = field(default_factory=dict)
    #: Why some values are not recorded, by name; empty where the experiment requests it.
    withheld: dict[str, str] = field(default_factory=dict)

    @property
    def recorded(self) -> dict[str, str]:
        """Return the values that are recorded."""
        return {name: text for name, text in self.values.items() if name not in self.withheld}

    @property
    def secret(self) -> dict[str, str]:
        """Return the values that are not recorded."""
        return {name: self.values[name] for name in self.withheld}


def declared_values(
    config: Mapping[str, Any],
    surroundings: Mapping[str, str],
    problems: Problems,
    *,
    repeated: bool,
) -> Declared:
    """Return the values of the declared variables: the value that is set, else the default.

    Parameters
    ----------
    config
        The experiment; fields of an invalid form are treated as empty.
    surroundings
        The variables that are set.
    problems
        Collects names that cannot be declared, and required variables that are not set.
    repeated
        Whether a run is repeated: it then keeps its former values, except those that were not
        recorded.
    """
    declared = config.get(ENVIRONMENT)
    declared = declared if isinstance(declared, dict) else {}
    secret, plain = _names(config, SECRET_ENVIRONMENT), _names(config, RECORDED_ENVIRONMENT)
    found = Declared()
    for name, default in declared.items():
        if name not in secret:
            value = default if repeated else surroundings.get(name, default)
            pointer = format_pointer((ENVIRONMENT, name))
            if _take(found, name, value, pointer, problems) and name not in plain:
                reason = reason_to_withhold(name, found.values[name])
                if reason is not None:
                    found.withheld[name] = reason
    for name in secret:
        value = surroundings.get(name, declared.get(name))
        pointer = format_pointer((SECRET_ENVIRONMENT,))
        if _take(found, name, value, pointer, problems):
            found.withheld[name] = ""
    return found


def _names(config: Mapping[str, Any], field: str) -> list[str]:
    names = config.get(field)
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _take(found: Declared, name: str, value: Any, pointer: str, problems: Problems) -> bool:
    """Add a variable and return True, unless it is invalid."""
    hint: str | None
    if not _NAME.fullmatch(name) or name.startswith(_OURS):
        reason = f"The environment variable {quote(name)} cannot be declared."
        hint = "A name has letters, digits and underscores; `RUNFORGE_` begins our own."
    elif value is None:
        reason = f"The environment variable {quote(name)} is not set."
        hint = "The experiment needs it; set it and try again."
    elif isinstance(value, str) and (not _is_text(value) or "\0" in value):
        reason = f"The environment variable {quote(name)} is not valid UTF-8."
        hint = None
    else:
        if isinstance(value, str):  # otherwise the schema reports it
            found.values[name] = value
        return isinstance(value, str)
    problems.add(RunForgeError(ErrorCode.EXPERIMENT_INVALID, reason, hint=hint, pointer=pointer))
    return False


def fill_in(value: Any, values: Mapping[str, str]) -> Any:
    """Return ``value`` with ``${NAME}`` replaced in every string, for the names in ``values``."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {key: fill_in(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_in(item, values) for item in value]
    return value


def placeholders(value: Any) -> Iterator[str]:
    """Yield the names of the variables that strings in ``value`` use as ``${NAME}``."""
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
