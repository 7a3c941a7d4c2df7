"""Class labels: integers where every label is integral, otherwise text; never a fraction.

Source: RunForge guarantees, "Label Handling"; RunForge contract, "Data".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.text import quote

from runforge_engine.table import parse_number

#: Largest integer that every client can hold exactly.
MAX_LABEL = 2**53 - 1

_INTEGRAL = re.compile(r"\s*[+-]?[0-9]+(?:\.0*)?\s*", re.ASCII)


def parse_labels(texts: Sequence[str], column: str) -> list[int] | list[str]:
    """Return the value of each distinct label.

    Parameters
    ----------
    texts
        The distinct cells of the label column, without missing ones.
    column
        Its name.

    Raises
    ------
    RunForgeError
        ``LABEL_TYPE_INVALID`` where all labels are numbers and one is no integer within 53 bits.
    """
    if all(_INTEGRAL.fullmatch(text) for text in texts):
        values = [int(text.strip().partition(".")[0]) for text in texts]
        beyond = next((value for value in values if abs(value) > MAX_LABEL), None)
        if beyond is None:
            return values
        raise RunForgeError(
            ErrorCode.LABEL_TYPE_INVALID,
            f"The label {quote(beyond)} does not fit into the 53 bits that every client holds.",
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
