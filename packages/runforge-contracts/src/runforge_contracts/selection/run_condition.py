"""Conditions on runs, such as ``C<0.1`` or ``model=random_forest``: their grammar and meaning.

A condition is ``NAME OPERATOR VALUE``. Several conditions must all hold.

* ``NAME``: characters other than blanks, quotes and operators, or a quoted string.
* ``OPERATOR``: ``=`` (also ``==``), ``!=``, ``<``, ``<=``, ``>``, ``>=``, or ``~`` (contains).
* ``VALUE``: everything up to the end, without blanks around it, or a quoted string.
* A string in double quotes is a JSON string; one in single quotes is taken as it is.

Source: specification, section 16.8.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from runforge_contracts.display import printable, quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError

#: The operators; those that begin with another come after it.
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "~")
#: Longest condition that is read, in characters.
MAX_LENGTH = 4096
#: One sentence for hints.
GRAMMAR = (
    "Write NAME, one of = != < <= > >= ~ and a value, as in `C<0.1`, `model=random_forest` or"
    ' `name~"first try"`.'
)

_OPERATOR = re.compile(r"==|!=|<=|>=|=|<|>|~")
_BARE = re.compile(r"[^\s=!<>~\"']+")
_DOUBLE = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
#: Compiled where it is used, as few conditions are numbers.
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_BLANKS = " \t\r\n"
#: Longest integer that is read as one; longer ones are read as doubles.
_DIGITS = 300


class RunCondition(NamedTuple):
    """One condition: the value named :attr:`name` is compared with :attr:`value`."""

    name: str
    #: One of :data:`OPERATORS`.
    operator: str
    value: str
    #: Whether the value was quoted, so that it is a string and never a number.
    is_quoted: bool = False
    #: More strings that `!=` excludes: thousands of conditions would be slow. The grammar has none.
    others: frozenset[str] = frozenset()

    @property
    def number(self) -> int | float | None:
        """The value as a number; None if it is none or was quoted."""
        return None if self.is_quoted else number_in(self.value)

    def holds(self, values: Sequence[Any], *, prefix: bool = False) -> bool:
        """Return whether the condition holds for a run.

        A missing value fulfils ``!=`` and nothing else, so that ``=`` and ``!=`` divide the runs
        in two. Numbers are compared with numbers, strings with strings; ``~`` ignores case.

        Parameters
        ----------
        values
            What the run has: empty if it has no such value, several for tags.
        prefix
            Whether only as many characters are compared as the condition has, for times and
            digests.
        """
        if self.operator == "!=":
            return not any(self._equals(value, prefix) or self._is_other(value) for value in values)
        return any(self._fits(value, prefix) for value in values)

    def _fits(self, value: Any, prefix: bool) -> bool:
        if self.operator == "=":
            return self._equals(value, prefix)
        if self.operator == "~":
            return self.value.casefold() in value_text(value).casefold()
        if is_number(value):
            number = self.number
            return number is not None and _in_order(value, self.operator, number)
        if not isinstance(value, str) or (self.number is not None and not prefix):
            return False
        return _in_order(value[: len(self.value)] if prefix else value, self.operator, self.value)

    def _equals(self, value: Any, prefix: bool) -> bool:
        if isinstance(value, str):
            return value.startswith(self.value) if prefix else value == self.value
        if is_number(value):
            return bool(self.number == value)
        if self.is_quoted:
            return False
        if value is None:
            return self.value.casefold() in ("none", "null")
        if isinstance(value, bool):
            return self.value.casefold() == str(value).casefold()
        return self.value == value_text(value)

    def _is_other(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.others

    def __str__(self) -> str:
        """Return the condition in its grammar, so that it reads back to an equal one."""
        bare = _BARE.fullmatch(self.name)
        name = self.name if bare else json.dumps(self.name)
        quoted = self.is_quoted or self.value != self.value.strip(_BLANKS) or self.value == ""
        if not quoted and self.value[0] in "\"'=!<>~":
            quoted = True
        return f"{name}{self.operator}{json.dumps(self.value) if quoted else self.value}"


def _in_order(left: Any, operator: str, right: Any) -> bool:
    if operator == "<":
        return bool(left < right)
    if operator == "<=":
        return bool(left <= right)
    if operator == ">":
        return bool(left > right)
    return bool(left >= right)


def is_number(value: Any) -> bool:
    """Return whether a value is a number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@lru_cache(maxsize=64)
def number_in(text: str) -> int | float | None:
    """Return the number that ``text`` is, or None."""
    if not re.fullmatch(_NUMBER, text):
        return None
    if text.lstrip("+-").isdecimal() and len(text) <= _DIGITS:
        return int(text)
    return float(text)


def value_text(value: Any) -> str:
    """Return a value of a document as a string for lists: JSON, but strings without quotes."""
    if isinstance(value, str):
        return value
    if value is None:
        return "none"
    return json.dumps(value, ensure_ascii=False)


def parse_conditions(texts: str | Iterable[str]) -> tuple[RunCondition, ...]:
    """Parse conditions; a single string is one condition.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID``, as :func:`parse_condition`.
    """
    return tuple(map(parse_condition, [texts] if isinstance(texts, str) else texts))


def parse_condition(text: str) -> RunCondition:
    """Parse one condition.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` with the character at which the condition is invalid.
    """
    if len(text) > MAX_LENGTH:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The condition has {len(text):,} characters, more than the {MAX_LENGTH:,} that are"
            " read.",
        )
    name, end = _name(text, _skip(text, 0))
    at = _skip(text, end)
    found = _OPERATOR.match(text, at)
    if found is None:
        _refuse(text, at, "an operator is missing" if at == len(text) else "expected an operator")
    operator = "=" if found[0] == "==" else found[0]
    start = _skip(text, found.end())
    if start == len(text):
        _refuse(text, start, 'the value is missing (`""` is an empty one)')
    if text[start] in "=!<>~":
        _refuse(text, start, "no such operator; quote a value that begins like one")
    if text[start] in "\"'":
        value, end = _quoted(text, start)
        if _skip(text, end) < len(text):
            _refuse(text, _skip(text, end), "expected the end after the quoted value")
        return RunCondition(name, operator, value, is_quoted=True)
    return RunCondition(name, operator, text[start:].rstrip(_BLANKS))


def _skip(text: str, at: int) -> int:
    """Return the position of the next character that is no blank."""
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at


def _name(text: str, at: int) -> tuple[str, int]:
    """Return the name at a position, and where it ends."""
    if at < len(text) and text[at] in "\"'":
        return _quoted(text, at)
    found = _BARE.match(text, at)
    if found is None:
        _refuse(text, at, "the name is missing")
    return found[0], found.end()


def _quoted(text: str, at: int) -> tuple[str, int]:
    """Return the string in quotes at a position, and where it ends."""
    if text[at] == "'":
        end = text.find("'", at + 1)
        if end < 0:
            _refuse(text, at, "the quote is not closed")
        return text[at + 1 : end], end + 1
    found = _DOUBLE.match(text, at)
    if found is None:
        _refuse(text, at, "the quote is not closed")
    try:
        value: str = json.loads(found[0], strict=False)
    except ValueError:
        _refuse(text, at, "the string in double quotes is not a JSON string")
    return value, found.end()


def _refuse(text: str, at: int, problem: str) -> NoReturn:
    before = printable(shorten(text[:at][-20:], 20))
    where = f" after `{before}`" if before.strip() else ""
    raise RunForgeError(
        ErrorCode.USAGE_INVALID,
        f"{quote(text)} is not a condition: {problem} at character {at + 1}{where}.",
        hint=GRAMMAR,
    )
