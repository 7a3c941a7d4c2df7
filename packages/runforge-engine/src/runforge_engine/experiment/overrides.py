"""Values given on the command line: ``training.epochs=3``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.jsontext import MAX_DEPTH
from runforge_contracts.pointers import format_pointer
from runforge_contracts.text import quote
from runforge_contracts.yamltext import parse_yaml

from runforge_engine.experiment.merging import CONFIGS


def parse_overrides(settings: Iterable[str], reserved: frozenset[str]) -> dict[str, Any]:
    """Return the values of ``NAME=VALUE`` settings by their dotted names.

    Parameters
    ----------
    settings
        As they were typed; the value is YAML: ``3`` is a number, ``[1, 2]`` a list.
    reserved
        First names that no setting may have, because a run makes these values itself.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID``, or what :func:`~runforge_contracts.yamltext.parse_yaml` raises.
    """
    overrides: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        parts = name.split(".")
        if not equals or not all(parts) or len(parts) > MAX_DEPTH:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"The setting {quote(setting)} is not of the form `NAME=VALUE`.",
                hint="For example `--set training.epochs=3`.",
            )
        if parts[0] in reserved or parts[0] == CONFIGS:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"{quote(parts[0])} cannot be set on the command line.",
                hint="Change the experiment file." if parts[0] == CONFIGS else None,
            )
        try:
            overrides[name] = parse_yaml(text.encode("utf-8"))
        except RunForgeError as error:
            message = f"The value of {quote(name)}: {error.message}"
            raise RunForgeError(error.code, message, hint=error.hint) from None
    return overrides


def override(values: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """Return ``values`` with ``value`` at the dotted ``name``; objects on the way are made.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` where there is something on the way that has no names in it.
    """
    first, _, rest = name.partition(".")
    if not rest:
        return {**values, first: value}
    inner = values.get(first, {})
    if not isinstance(inner, dict):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(name)} cannot be set: {quote(first)} has no names in it.",
            pointer=format_pointer((first,)),
        )
    return {**values, first: override(inner, rest, value)}
