"""Parse class labels: integers if every label is integral, otherwise strings; never floats.

Source: specification, section 11.4.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.data.cells import parse_number

#: Largest integer that every client can hold exactly.
MAX_LABEL = 2**53 - 1

#: Maximum number of groups of labels in a message, and in a diagnostic.
_QUOTED, _HELD = 5, 100
#: Longer labels are free text, for which look-alikes are not checked.
_LONG = 1000

#: Number of digits of an integer that is larger than any label.
_DIGITS = len(str(MAX_LABEL)) + 1

_INTEGRAL = re.compile(r"\s*[+-]?[0-9]+(?:\.0*)?\s*", re.ASCII)


def parse_labels(texts: Sequence[str], column: str) -> list[int] | list[str]:
    """Return the value of each distinct label.

    Parameters
    ----------
    texts
        The distinct cells of the label column, without missing ones.
    column
        Name of the label column.

    Raises
    ------
    RunForgeError
        ``LABEL_TYPE_INVALID`` if all labels are numbers and one is no integer within 53 bits.
    """
    if all(_INTEGRAL.fullmatch(text) for text in texts):
        values = [_integer(text) for text in texts]
        large = (text for text, value in zip(texts, values, strict=True) if abs(value) > MAX_LABEL)
        beyond = next(large, None)
        if beyond is None:
            return values
        raise RunForgeError(
            ErrorCode.LABEL_TYPE_INVALID,
            f"The label {quote(beyond)} is not within the 53 bits that every client supports.",
            hint="Use smaller integers, or text.",
            column=column,
        )
    if all(parse_number(text) is not None for text in texts):
        fraction = next(text for text in texts if not _INTEGRAL.fullmatch(text))
        raise RunForgeError(
            ErrorCode.LABEL_TYPE_INVALID,
            f"The label column {quote(column)} holds numbers that are not integers, such as"
            f" {quote(fraction)}.",
            hint="RunForge trains classifiers: labels are integers or text.",
            column=column,
        )
    return list(texts)


def class_positions(texts: Iterable[str], classes: Sequence[int | str]) -> list[int | None]:
    """Return the position of each label among the classes of a model, or None if it is not one.

    Source: specification, section 21.3.
    """
    known: dict[int | str, int] = {label: position for position, label in enumerate(classes)}
    if not all(isinstance(label, int) for label in classes):
        return [known.get(text) for text in texts]
    return [known.get(_integer(text)) if _INTEGRAL.fullmatch(text) else None for text in texts]


def label_warnings(texts: Sequence[str], column: str) -> list[Diagnostic]:
    """Return warnings for labels that look alike.

    They differ in surrounding blanks, case, Unicode form, or number format: as integers they are
    one class, as strings they are several.

    Parameters
    ----------
    texts
        The distinct cells of the label column, without missing ones.
    column
        Name of the label column.
    """
    if all(_INTEGRAL.fullmatch(text) for text in texts):
        groups = _groups(texts, _integer)
        code, what = DiagnosticCode.LABELS_MERGED, "Labels that are written differently are one"
        hint = "Write them alike, or, if they are different classes, as words."
    else:
        groups = _groups(texts, _look)
        code, what = DiagnosticCode.LABELS_ALIKE, "Labels that look alike are different"
        hint = "Write them alike if they mean the same."
    if not groups:
        return []
    quoted = "; ".join(_listed(group) for group in groups[:_QUOTED])
    more = f"; and {len(groups) - _QUOTED} more" if len(groups) > _QUOTED else ""
    noun = "class" if code is DiagnosticCode.LABELS_MERGED and len(groups) == 1 else "classes"
    return [
        diagnostic(
            code,
            f"{what} {noun}: {quoted}{more}.",
            column=column,
            labels=groups[:_HELD],
            count=len(groups),
            hint=hint,
        )
    ]


def _integer(text: str) -> int:
    """Return the value of an integral label; for one that is too large, some large value."""
    number = text.strip().partition(".")[0]
    # Python does not convert strings of thousands of digits, even if most of them are zeros.
    digits = number.lstrip("+-").lstrip("0")[:_DIGITS]
    return int(digits or 0) * (-1 if number.startswith("-") else 1)


def _groups(texts: Iterable[str], key: Callable[[str], Hashable]) -> list[list[str]]:
    """Return the strings that share a key with another, in order."""
    found: defaultdict[Hashable, list[str]] = defaultdict(list)
    for text in texts:
        found[key(text)].append(text)
    return sorted(sorted(group) for group in found.values() if len(group) > 1)


def _look(text: str) -> Hashable:
    """Return a label without the differences that a reader would overlook."""
    if len(text) > _LONG:
        return text
    visible = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    folded = unicodedata.normalize("NFKC", visible).casefold()
    plain = unicodedata.normalize("NFKC", folded).strip()
    number = parse_number(plain)
    return plain if number is None else number


def _listed(group: Sequence[str]) -> str:
    *others, last = map(_shown, group[:_QUOTED])
    if len(group) > _QUOTED:
        others, last = [*others, last], f"{len(group) - _QUOTED} more"
    return f"{', '.join(others)} and {last}"


def _shown(text: str) -> str:
    """Return a label in quotes, with invisible characters made visible."""
    hidden = unicodedata.normalize("NFC", text) != text or any(
        unicodedata.category(letter) in ("Cf", "Zs") and letter != " " for letter in text
    )
    return quote(text.encode("unicode_escape").decode("ascii") if hidden else text, 40)
