"""The command that installs an extra names libraries that the registry has."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from runforge_engine.runtime.extras import install_extra

#: The extras that errors tell to install.
EXTRAS = [
    ("runforge-cli", "browse"),
    ("runforge-cli", "dask"),
    ("runforge-cli", "mlflow"),
    ("runforge-engine", "archive"),
    ("runforge-cli", "onnx"),
    ("runforge-cli", "skops"),
    ("runforge-engine", "dask"),
    ("runforge-engine", "onnx"),
    ("runforge-engine", "skops"),
]


@pytest.mark.parametrize(("package", "extra"), EXTRAS)
def test_an_extra_is_installed_by_its_libraries(package: str, extra: str) -> None:
    start, _, named = install_extra(package, extra).partition(" install ")
    assert start == "python -m pip"
    requirements = [Requirement(text.strip("'")) for text in named.split()]
    assert requirements
    for requirement in requirements:
        assert not re.match("runforge", requirement.name)
        assert requirement.specifier
