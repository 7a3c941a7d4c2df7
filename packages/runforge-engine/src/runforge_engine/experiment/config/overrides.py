"""Parse values given on the command line: ``training.epochs=3``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.codec.strict_json import MAX_DEPTH
from runforge_contracts.codec.strict_yaml import parse_yaml
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.configured_values import flattened

from runforge_engine.experiment.config.dotted_names import did_you_mean, nearest
from runforge_engine.experiment.config.overlay import CONFIGS


class Setting(NamedTuple):
    """A value given on the command line."""

    value: Any
    #: Whether the name may be new.
    meant: bool


def parse_overrides(settings: Iterable[str], reserved: frozenset[str]) -> dict[str, Setting]:
    """Return the values of ``NAME=VALUE`` settings by their dotted names.

    Parameters
    ----------
    settings
        The settings as typed; the value is YAML: ``3`` is a number, ``[1, 2]`` a list.
        ``+NAME=VALUE`` allows a new name.
    reserved
        First names that no setting may have, because the run sets these values.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID``, also for two settings of one value; or the errors of
        :func:`~runforge_contracts.codec.strict_yaml.parse_yaml`.
    """
    overrides: dict[str, Setting] = {}
    typed: dict[str, str] = {}
    for setting in settings:
        left, equals, text = setting.partition("=")
        name = left.strip()
        meant, name = name.startswith("+"), name.removeprefix("+")
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
        for other, before in typed.items():
            if f"{name}.".startswith(f"{other}.") or f"{other}.".startswith(f"{name}."):
                raise RunForgeError(
                    ErrorCode.USAGE_INVALID,
                    f"{quote(before)} and {quote(setting)} set the same value.",
                    hint="Leave one of them out; for several values, start a run for each.",
                )
        typed[name] = setting
        try:
            overrides[name] = Setting(parse_yaml(text.encode("utf-8")), meant)
        except RunForgeError as error:
            message = f"The value of {quote(name)}: {error.message}"
            raise RunForgeError(error.code, message, hint=error.hint) from None
    return overrides


def unknown_names(
    overrides: Mapping[str, Setting], values: Mapping[str, Any], known: Iterable[str]
) -> Iterator[str]:
    """Yield a sentence for each setting that adds a new value without ``+``.

    Parameters
    ----------
    overrides
        The settings.
    values
        The configuration before them.
    known
        Further names that an experiment may have; ``environment.*`` matches any name in it.
    """
    names = [*(name for name, _ in flattened(values)), *known]
    maps = tuple(item.removesuffix("*") for item in names if item.endswith(".*"))
    names = [item for item in names if not item.endswith(".*")]
    for name, setting in overrides.items():
        if setting.meant or _has(values, name) or f"{name}.".startswith(maps) or name in names:
            continue
        near = did_you_mean(nearest(name, names))
        yield (
            f"`--set` makes a new value {quote(name)}, which the experiment does not have."
            f" {near or 'It is in `config.yaml` for user code to read.'}"
            f" `--set +{name}=...` says that it is meant."
        )


def _has(values: Mapping[str, Any], name: str) -> bool:
    value: Any = values
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True


def override(values: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """Return ``values`` with ``value`` at the dotted ``name``; missing objects are created.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` where a value on the path is not an object.
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
