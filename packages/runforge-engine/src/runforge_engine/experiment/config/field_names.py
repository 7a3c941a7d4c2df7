r"""Placeholders in the command and the arguments of an experiment: ``{training.lr}``.

``{name}`` is replaced by a value of the configuration by its dotted name, ``{config}`` by the path
of ``config.yaml`` and ``{run_id}`` by the id of the run. A string is inserted unchanged, any other
value as JSON. ``{{name}}`` is replaced by the string ``{name}``.

Braces that contain anything but a name are unchanged, and so is ``{name}`` after one of the
characters ``$ @ % # \``: JSON, shell variables and formats like ``%{http_code}`` need no quoting.
An unknown name is an error, except in an item with spaces, quotes and the like, which is code in
another language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.configured_values import flattened

from runforge_engine.experiment.config.dotted_names import did_you_mean, nearest
from runforge_engine.experiment.config.problem_list import Problems

#: Values that are only known once the run exists.
CONFIG, RUN_ID = "config", "run_id"
#: The fields of `run` that define how user code is started.
STARTS = ("script", "module", "command")

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*"
_PLACEHOLDER = re.compile(
    rf"\{{\{{(?P<quoted>{_NAME})\}}\}}"
    rf"|(?<![$@%#\\])\{{(?P<name>{_NAME})\}}"
    r"|\$\{(?P<variable>[A-Za-z_][A-Za-z0-9_]*)\}"
)
#: Characters that mark an item as code: spaces, quotes, brackets and shell operators.
_CODE = re.compile(r"[\s\"'`()\[\];|&<>$\\]")
_MISSING = object()


def filled_in(word: str, values: Mapping[str, Any], variables: Mapping[str, str]) -> str:
    """Return a word of a command with its placeholders replaced.

    Parameters
    ----------
    word
        The word as it is in the configuration.
    values
        The configuration, with :data:`CONFIG` and :data:`RUN_ID`.
    variables
        Values of environment variables that are not in the configuration, for ``${NAME}``.
    """

    def replace(found: re.Match[str]) -> str:
        if found["quoted"] is not None:
            return f"{{{found['quoted']}}}"
        if found["variable"] is not None:
            return variables.get(found["variable"], found[0])
        value = _value(values, found["name"])
        return found[0] if value is _MISSING else _text(value)

    return _PLACEHOLDER.sub(replace, word)


def quoted(text: str) -> str:
    """Escape the placeholders in ``text`` for use in a word of a command."""
    return _PLACEHOLDER.sub(lambda found: f"{{{found[0]}}}" if found["name"] else found[0], text)


def check_words(run: Mapping[str, Any], values: Mapping[str, Any], problems: Problems) -> list[str]:
    """Add unknown placeholders to ``problems``; return the ones that may be mistakes."""
    doubtful = []
    known = [CONFIG, RUN_ID, *(name for name, _ in flattened(values))]
    for field in ("command", "args"):
        for number, word in enumerate(run.get(field, ())):
            for name in _unknown(word, values):
                shown, near = quote(f"{{{name}}}"), nearest(name, known)
                question = did_you_mean(near, "{{{}}}")
                if _CODE.search(word) is None:
                    escaped = quote(f"{{{{{name}}}}}")
                    problems.add(
                        RunForgeError(
                            ErrorCode.EXPERIMENT_INVALID,
                            f"{shown} names no value of the experiment.",
                            hint=f"{question} {escaped} stands for the text {shown}.".strip(),
                            pointer=format_pointer(("run", field, number)),
                        )
                    )
                elif near is not None:
                    doubtful.append(
                        f"{shown} stays as it is in `run`: the experiment has no such value."
                        f" {question}"
                    )
    return doubtful


def _unknown(word: str, values: Mapping[str, Any]) -> Iterator[str]:
    ours = {CONFIG: "", RUN_ID: "", **values}
    for found in _PLACEHOLDER.finditer(word):
        if found["name"] is not None and _value(ours, found["name"]) is _MISSING:
            yield found["name"]


def _value(values: Mapping[str, Any], name: str) -> Any:
    value: Any = values
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return _MISSING
        value = value[part]
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
