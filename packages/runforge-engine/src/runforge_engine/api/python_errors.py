"""Errors as a user of the library meets them: hints in Python's terms, and a short traceback.

The commands and the library raise the same errors. :func:`for_python` decorates what the library
exports: it rewrites the options and commands in a hint, adds the hint to the text of the traceback,
and leaves out the frames of RunForge, in which a user has nothing to look for. A bug keeps them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import signature
from typing import ParamSpec, TypeVar

from runforge_contracts.display import printable, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError

P = ParamSpec("P")
T = TypeVar("T")

#: Errors whose frames or causes tell something that the message does not.
_KEEPS_FRAMES = (ErrorCode.INTERNAL,)
_KEEPS_CAUSE = (ErrorCode.INTERNAL, ErrorCode.TRAINING_FAILED, ErrorCode.EXPERIMENT_FAILED)

#: Options that have another name in Python; the others have their own.
_ARGUMENTS = {
    "param": "hyperparameters",
    "tag": "tags",
    "sets": "grid",
    "grid": "grid",
    "seeds": "seeds",
    "no-dataset": "with_dataset=False",
    "with-dataset": "with_dataset=True",
    "without-dataset": "with_dataset=False",
    "public-key": "public_key",
    "force": "replace=True",
    "proba": "probabilities=True",
    "no-model": "curves=False",
    "unverified": "unverified=True",
    "allow-mixed": "allow_mixed=True",
    "fail-fast": "fail_fast=True",
    "group": "group",
    "store": "name",
}
#: Options that a function of the library takes under the same name.
_SAME = (
    *("exclude", "label", "model", "preset", "profile", "seed", "device", "name", "notes"),
    *("workspace", "jobs", "scheduler", "dataset", "numerics", "keep", "data", "schema"),
)
#: Commands, in the library's words; the others are for a terminal, and stay.
_COMMANDS = {
    "runforge verify": "run.verify()",
    "runforge reproduce": "run.reproduce()",
    "runforge show": "run.diagnostics",
    "runforge show RUN": "run.evaluations",
    "runforge runs": "Store().runs()",
    "runforge rerun": "train(...)",
    "runforge prepare FILE --label COLUMN": "prepare(data, label=...)",
    **{
        f"runforge prepare FILE --label COLUMN --delimiter {typed}": "prepare(data, label=...,"
        f" delimiter={mark!r})"
        for typed, mark in (("';'", ";"), ("tab", "\t"), ("'|'", "|"))
    },
    "runforge train": "train(...)",
    "runforge train DATA --label COLUMN": "train(data, label=...)",
    "runforge sweep": "sweep(...)",
    "runforge sweep PLAN": "sweep(plan)",
    "runforge sweep list": "Store().sweeps()",
}
#: Options that exclude columns, as a shell takes them.
_EXCLUSION = re.compile(
    r"--exclude (.+?(?: --exclude .+?)*) \(dataset\.exclude_columns in a request\)", re.DOTALL
)
_BOTH = re.compile(r"`?--[a-z-]+(?: [A-Z]+)?`? \(`([^`]+)` in Python\)")
_COMMAND = re.compile(r"`(runforge [^`]+)`")
_OPTION = re.compile(r"(?<![\w-])(`?)--([a-z][a-z-]*)(?: [A-Z]+)?(`?)(?![\w-])")


def for_python(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function of the library whose errors are as a user of Python needs them."""

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        __tracebackhide__ = True  # IPython leaves this frame out
        try:
            return function(*args, **kwargs)
        except RunForgeError as error:
            failure = _prepared(error)
        except TypeError as error:
            _name_hyperparameters(function, kwargs, error)
            raise
        # Outside of the handler, so that the error has no context.
        raise failure

    return called


def _name_hyperparameters(
    function: Callable[..., object], given: Mapping[str, object], error: TypeError
) -> None:
    """Add a hint to the error on arguments that are hyperparameters."""
    known = signature(function).parameters
    if "hyperparameters" not in known or given.keys() <= known.keys():
        return
    from runforge_engine.modeling.families import FAMILIES

    names = {name for family in FAMILIES.values() for name in family.hyperparameters}
    wrong = {name: value for name, value in given.items() if name not in known}
    if wrong.keys() <= names:
        error.add_note(f"Hint: Give `hyperparameters={shorten(repr(wrong), 200)}`.")


def hint_in_python(hint: str) -> str:
    """Return a hint with Python's arguments and functions instead of options and commands."""
    hint = _EXCLUSION.sub(_exclusion, hint)
    hint = _BOTH.sub(r"`\1`", hint)
    hint = hint.replace(" with -o", "")
    hint = _COMMAND.sub(_function, hint)
    return _OPTION.sub(_argument, hint)


def _exclusion(match: re.Match[str]) -> str:
    try:
        words = shlex.split(match[1])
    except ValueError:
        return "`exclude=[...]`"
    return f"`exclude={[word for word in words if word != '--exclude']}`"


def _function(match: re.Match[str]) -> str:
    return f"`{_COMMANDS.get(match[1], match[1])}`"


def _argument(match: re.Match[str]) -> str:
    name = match[2]
    argument = _ARGUMENTS.get(name, name if name in _SAME else None)
    if argument is None or match[1] != match[3]:
        return match[0]
    return f"`{argument}`" if "=" in argument else f"`{argument}=`"


def _prepared(error: RunForgeError) -> RunForgeError:
    """Return the error with code, place and hint as notes, and without frames of RunForge."""
    place = printable(error.location.text)
    notes = [f"Code: {error.code.value}" + (f", at {place}" if place else "")]
    if error.hint:
        error.hint = hint_in_python(error.hint)
        notes.append(f"Hint: {error.hint}")
    for note in notes:
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
    if error.code not in _KEEPS_FRAMES:
        error.__traceback__ = None
    if error.code not in _KEEPS_CAUSE:
        error.__cause__ = None
        error.__context__ = None
    return error
