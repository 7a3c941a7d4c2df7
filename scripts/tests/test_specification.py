"""The specification's pages are whole, and the requirements follow from them."""

from __future__ import annotations

import pytest
from specification import (
    REQUIREMENTS,
    read_pages,
    read_specification,
    requirements_file,
)

PAGES = read_pages()
SPECIFICATION = read_specification(PAGES)


def test_the_pages_have_no_faults() -> None:
    assert SPECIFICATION.faults == []


def test_the_requirements_are_those_of_the_pages() -> None:
    assert requirements_file(SPECIFICATION.requirements) == (REQUIREMENTS / "v1.json").read_bytes()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# 1. One\n\nA reader MUST read.\n", "MUST outside a requirement"),
        ("# 1. One\n\n## 1.2 Two\n", "section 1.2 is where 1.1 belongs"),
        ("# 2. One\n", "the chapters are not numbered"),
        (
            '# 1. One\n\n## 1.1 Two\n\n* <a id="a.b"></a>**a.b** (core; reader): It reads.\n',
            "neither",
        ),
        (
            '# 1. One\n\n## 1.1 Two\n\n* <a id="a.b"></a>**a.b** (recommended; reader): It MUST.\n',
            "it is recommended, and says MUST",
        ),
        (
            '# 1. One\n\n## 1.1 Two\n\n* <a id="a.c"></a>**a.b** (core; reader): It MUST.\n',
            "its anchor is a.c",
        ),
    ],
)
def test_a_fault_of_a_page_is_found(text: str, fault: str) -> None:
    assert any(fault in found for found in read_specification({"page": text}).faults)
