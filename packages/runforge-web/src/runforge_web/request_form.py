"""The form of a request, made from its schema and the tables of the model families.

A field that was not changed keeps its value as it is, and what the form does not have, too: so
nothing that another client wrote is lost.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from runforge_contracts.codec.pointers import format_pointer, get_at, remove_at, set_at
from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.schemas import load_schema, resolve_reference
from runforge_engine.modeling.configuration import PROFILES, parse_parameters, value_text
from runforge_engine.modeling.families import FAMILIES, Hyperparameter

if TYPE_CHECKING:
    from starlette.datastructures import FormData

_SCHEMA = "request.v1"
PATH, LABEL, EXCLUDED = "/dataset/path", "/dataset/label_column", "/dataset/exclude_columns"
RECIPE = "/dataset/recipe"
FAMILY, HYPERPARAMETERS = "/model/family", "/model/hyperparameters"
#: The field with the digest of the dataset that a page showed, and its path.
READ = "read dataset"
#: The field with the path of the recipe that a page showed.
READ_RECIPE = "read recipe"
#: The schema of a recipe, and what the names of the fields begin with that name the form of a raw
#: file: members of its section ``source``.
_RECIPE_SCHEMA, _RAW = "recipe.v1", "raw "
#: The fields with what a recipe does with each column: a JSON array of the column and the action.
ACTION = "recipe action"
#: The actions that need nothing but the table.
_ACTIONS = ("keep", "boolean", "one_hot", "drop")
#: What a field shows for values that cannot be seen.
_SEEN = {"\t": "tab"}
#: Members that the client writes, or that say what a sweep or another client did.
_WRITTEN = frozenset(
    {
        "/$schema",
        "/version",
        "/created_at",
        "/created_by",
        "/rerun_from",
        "/sweep_group_id",
        "/sweep_member",
        "/device/gpu_reason",
        HYPERPARAMETERS,
    }
)
_MISSING = object()


class RequestField(NamedTuple):
    """A field of the form."""

    #: Its place in the request, which is its name in the form, too.
    pointer: str
    label: str
    #: ``line``, ``text``, ``whole``, ``choice``, ``lines``.
    kind: str
    help: str
    choices: tuple[str, ...] = ()
    is_required: bool = False


class FamilySetting(NamedTuple):
    """A hyperparameter of a family."""

    #: Its name in the form, and its place in the request.
    name: str
    pointer: str
    label: str
    help: str
    choices: tuple[str, ...] = ()

    @property
    def tried(self) -> str:
        """The name of the field with the values that a sweep tries."""
        return f"try {self.name}"


@cache
def request_fields() -> tuple[RequestField, ...]:
    """Return the fields of a request, in the order of the schema, without hyperparameters."""
    return tuple(_fields(load_schema(_SCHEMA), _SCHEMA, ""))


def _fields(schema: dict[str, Any], file: str, place: str) -> Iterator[RequestField]:
    required = schema.get("required", ())
    for name, member in schema["properties"].items():
        pointer, inner, of = f"{place}/{name}", member, file
        if pointer in _WRITTEN:
            continue
        if "$ref" in member:
            inner, of = resolve_reference(member["$ref"], file)
        if "properties" in inner:
            yield from _fields(inner, of, pointer)
            continue
        types = inner.get("type", "string")
        types = types if isinstance(types, list) else [types]
        choices = tuple(inner.get("enum", PROFILES if pointer == "/profile" else ()))
        kind = "choice" if choices else "line"
        if "array" in types:
            kind = "lines"
        elif "integer" in types:
            kind = "whole"
        elif pointer == "/notes":
            kind = "text"
        help_ = (member.get("description") or inner.get("description", "")).partition(" Source:")[0]
        if kind == "lines":
            help_ += " One on each line."
        if "minimum" in inner:
            help_ += f" From {inner['minimum']} to {inner['maximum']}."
        label = name.replace("_", " ").capitalize()
        yield RequestField(pointer, label, kind, help_, choices, name in required)


@cache
def raw_fields() -> tuple[RequestField, ...]:
    """Return the fields that name the form of a raw file, for the proposal of a recipe."""
    source = load_schema(_RECIPE_SCHEMA)["$defs"]["RecipeSource"]["properties"]
    return tuple(
        RequestField(
            f"{_RAW}{name}",
            name.replace("_", " ").capitalize(),
            "choice" if "enum" in member else "line",
            member["description"],
            tuple(_SEEN.get(value, value) for value in member.get("enum", ())),
        )
        for name, member in source.items()
    )


def raw_form(form: FormData) -> dict[str, str]:
    """Return the form of the raw file that was named, as the section ``source`` of a recipe.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for what is not among the choices of a field.
    """
    values = {shown: value for value, shown in _SEEN.items()}
    found = dict[str, str]()
    for field in raw_fields():
        text = str(form.get(field.pointer, ""))
        if text and field.choices and text not in field.choices:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID, f"Invalid value for {quote(field.label)}: {quote(text)}."
            )
        if text:
            found[field.pointer.removeprefix(_RAW)] = values.get(text, text)
    return found


def chosen_actions(form: FormData, recipe: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns of a recipe for which a form has another action, with that."""
    present = {item["column"]: item["action"] for item in recipe["columns"]}
    found = dict[str, str]()
    for text in form.getlist(ACTION):
        with suppress(RunForgeError, TypeError, ValueError):
            name, action = parse_json(str(text).encode())
            if name in present and present[name] != action and action in actions_of(""):
                found[name] = action
    return found


@cache
def actions_of(present: str) -> tuple[str, ...]:
    """Return what can be chosen for a column of a recipe, beside what is done with it now."""
    return tuple(dict.fromkeys([*([present] if present else []), *_ACTIONS]))


def settings_of(family: str) -> list[FamilySetting]:
    """Return the hyperparameters of a model family."""
    return [
        _setting(family, name, known) for name, known in FAMILIES[family].hyperparameters.items()
    ]


def _setting(family: str, name: str, known: Hyperparameter) -> FamilySetting:
    choices = known.choices if known.kind == "choice" else ()
    choices = ("true", "false") if known.kind == "bool" else choices
    sets = ", ".join(
        f"{value_text(values[name])} with the preset {preset}"
        for preset, values in FAMILIES[family].presets.items()
        if name in values
    )
    help_ = f"{known.expects[:1].upper()}{known.expects[1:]}; default {value_text(known.default)}"
    pointer = f"{HYPERPARAMETERS}{format_pointer([name])}"
    field = f"{family}{pointer}"
    return FamilySetting(field, pointer, name, f"{help_}{', ' if sets else ''}{sets}.", choices)


class FormProblem(NamedTuple):
    """What is wrong with a field, or with the whole if it has no field."""

    pointer: str
    code: str
    message: str
    hint: str | None


def problems_of(error: RunForgeError) -> list[FormProblem]:
    """Return an error as problems of single fields."""
    if not error.problems:
        return [FormProblem(error.location.pointer or "", error.code, error.message, error.hint)]
    return [
        FormProblem(item.location.pointer or "", error.code, item.message, item.hint)
        for item in error.problems
    ]


def shown_values(request: dict[str, Any]) -> dict[str, str]:
    """Return what the fields of the form contain for a request."""
    found = {field.pointer: shown(_at(request, field.pointer)) for field in request_fields()}
    family = _at(request, FAMILY)
    for name, value in (_at(request, HYPERPARAMETERS, {}) or {}).items():
        found[f"{family}{HYPERPARAMETERS}{format_pointer([name])}"] = value_text(value)
    return found


def shown(value: Any) -> str:
    """Return a value of a request as a field contains it."""
    if value is None or value is _MISSING:
        return ""
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return value_text(value)


def unknown_settings(request: dict[str, Any]) -> list[FamilySetting]:
    """Return the hyperparameters of a request that its family does not have."""
    family = _at(request, FAMILY)
    known = FAMILIES[family].hyperparameters if family in FAMILIES else {}
    return [
        FamilySetting(f"{family}{pointer}", pointer, name, "Not known to this version.")
        for name in (_at(request, HYPERPARAMETERS, {}) or {})
        if name not in known and (pointer := f"{HYPERPARAMETERS}{format_pointer([name])}")
    ]


def edited(base: dict[str, Any], form: FormData) -> dict[str, Any]:
    """Return a request with what was changed in the form; it may be invalid.

    Parameters
    ----------
    base
        The raw request that the form showed.
    form
        What was sent.
    """
    raw = copy.deepcopy(base)
    before = shown_values(base)
    for field in request_fields():
        if field.pointer == EXCLUDED:
            _put(raw, EXCLUDED, _excluded(base, form))
        elif field.pointer in form:
            given = str(form[field.pointer])
            if not _same(given, before[field.pointer], field.kind):
                _put(raw, field.pointer, _value(given, field))
    family = str(_at(raw, FAMILY))
    if family in FAMILIES:
        _put_settings(raw, base, form, family)
    return raw


def _put_settings(raw: dict[str, Any], base: dict[str, Any], form: FormData, family: str) -> None:
    same_family = family == _at(base, FAMILY)
    kept = dict(_at(base, HYPERPARAMETERS, {}) or {}) if same_family else {}
    before = {name: value_text(value) for name, value in kept.items()}
    for setting in [*settings_of(family), *(unknown_settings(base) if same_family else ())]:
        given = str(form.get(setting.name, before.get(setting.label, ""))).strip()
        if _same(given, before.get(setting.label, ""), "line"):
            continue
        if given:
            kept[setting.label] = typed(given)
        else:
            kept.pop(setting.label, None)
    if kept != (_at(base, HYPERPARAMETERS, {}) or {}) or not same_family:
        set_at(raw, HYPERPARAMETERS, kept)


def _excluded(base: dict[str, Any], form: FormData) -> Any:
    """Return the columns to exclude: those that the form did not show stay."""
    before = _at(base, EXCLUDED, _MISSING)
    listed, chosen = _names(form, "shown column"), _names(form, EXCLUDED)
    earlier = before if isinstance(before, list) else []
    kept = [name for name in earlier if name not in listed or name in chosen]
    after = [*kept, *(name for name in chosen if name not in kept)]
    return before if after == earlier else after


def _names(form: FormData, field: str) -> list[str]:
    """Return the names of columns in fields, each a JSON string; anything else is passed over."""
    found = list[str]()
    for text in form.getlist(field):
        with suppress(RunForgeError):
            name = parse_json(str(text).encode())
            found += [name] if isinstance(name, str) else []
    return found


def _value(given: str, field: RequestField) -> Any:
    if field.kind == "lines":
        return [line for line in given.splitlines() if line.strip()]
    if not given.strip() and not field.is_required:
        return None
    return typed(given.strip()) if field.kind == "whole" else given.replace("\r\n", "\n")


def typed(text: str) -> Any:
    """Return a value as ``--param`` reads it; what JSON does not have stays a string."""
    value = parse_parameters([f"value={text}"])["value"]
    return text if isinstance(value, float) and not math.isfinite(value) else value


def _put(raw: dict[str, Any], pointer: str, value: Any) -> None:
    """Set a value; absent stays absent where the value is None, or nothing was there."""
    before = _at(raw, pointer, _MISSING)
    if value is _MISSING or (value is None and before is _MISSING):
        return
    if value is None and before is not None:
        remove_at(raw, pointer)
    else:
        set_at(raw, pointer, value)


def _same(given: str, before: str, kind: str) -> bool:
    """Return whether a field contains what it was shown with; a browser changes line ends."""
    if kind in ("text", "lines"):
        return given.splitlines() == before.splitlines()
    return given == "".join(before.splitlines())


def _at(raw: dict[str, Any], pointer: str, default: Any = None) -> Any:
    try:
        return get_at(raw, pointer)
    except RunForgeError:
        return default


def differences(before: Any, after: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield the place, the earlier and the present value of each difference, as JSON.

    A list that is absent is as an empty one.
    """
    if (before, after) in ((_MISSING, []), ([], _MISSING)):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            inner = f"{place}{format_pointer([name])}"
            if inner not in ("/created_at", "/created_by", "/rerun_from"):
                yield from differences(before.get(name, _MISSING), after.get(name, _MISSING), inner)
    elif before is not after and (before != after or type(before) is not type(after)):
        yield place, _json(before), _json(after)


def _json(value: Any) -> str:
    return "" if value is _MISSING else json.dumps(value, ensure_ascii=False)
