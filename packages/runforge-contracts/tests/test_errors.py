"""Errors: every code has one category, and a category catches exactly its codes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from runforge_contracts import errors
from runforge_contracts.codec.strict_yaml import load_yaml
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError, UsageError
from runforge_contracts.fs.files import read_file

CATEGORIES = RunForgeError.__subclasses__()


def test_every_code_is_in_exactly_one_category() -> None:
    counts = Counter(code for category in CATEGORIES for code in category.codes)
    assert counts == dict.fromkeys(ErrorCode, 1)


def test_the_docstring_of_the_module_lists_every_category() -> None:
    documented = set(errors.__doc__.split()) if errors.__doc__ else set()
    assert {f":class:`{category.__name__}`:" for category in CATEGORIES} <= documented


@pytest.mark.parametrize("category", CATEGORIES)
def test_an_error_has_the_class_of_its_code(category: type[RunForgeError]) -> None:
    for code in category.codes:
        error = RunForgeError(code, "A message.", hint="A hint.", path="a.json")
        assert type(error) is category
        assert type(category(code, "A message.")) is category
        assert (error.code, str(error), error.location.path) == (code, "A message.", "a.json")


def test_a_category_refuses_the_codes_of_others() -> None:
    with pytest.raises(TypeError, match="NotFoundError"):
        NotFoundError(ErrorCode.USAGE_INVALID, "A message.")


def test_a_missing_file_is_caught_by_category(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        Document.load(tmp_path / "request.json")
    assert caught.value.code is ErrorCode.FILE_NOT_FOUND
    assert not isinstance(caught.value, UsageError)


def test_only_json_is_too_large_as_json(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (64 * 2**20 + 2))
    with pytest.raises(RunForgeError) as caught:
        load_yaml(large)
    assert caught.value.code is ErrorCode.YAML_TOO_LARGE
    with pytest.raises(RunForgeError) as caught:
        read_file(large, max_bytes=10)
    assert caught.value.code is ErrorCode.FILE_UNSAFE
    large.rename(tmp_path / "large.json")
    with pytest.raises(RunForgeError) as caught:
        Document.load(tmp_path / "large.json")
    assert caught.value.code is ErrorCode.JSON_TOO_LARGE
