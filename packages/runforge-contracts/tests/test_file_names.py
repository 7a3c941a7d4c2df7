"""Names of files that Windows takes for others."""

from __future__ import annotations

import pytest
from runforge_contracts.system.file_names import is_alias


@pytest.mark.parametrize(
    "name",
    [
        *("con", "CON", "Con.txt", "con.tar.gz", "nul", "prn.", "aux .txt", "conin$", "CONOUT$"),
        *("com0", "com1", "lpt9.csv", "COM\N{SUPERSCRIPT TWO}", "com1:"),
        *("a.", "a ", "a. .", "...", " ", "a:b", ":a"),
    ],
)
def test_a_name_that_is_another_one_is_found(name: str) -> None:
    assert is_alias(name)


@pytest.mark.parametrize(
    "name",
    [
        *("a", "a.txt", ".a", ".a.b", " a", "conx", "xcon", "console.txt", "com", "com10", "comx"),
        *("run.con", "nul-1.csv", "auxiliary", "..", ".", "a b", "\N{PILE OF POO}"),
    ],
)
def test_a_plain_name_is_left_alone(name: str) -> None:
    assert not is_alias(name)
