"""Deferred modules are imported on first use, and not before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

#: A package, a module and their user; the first two say when they are loaded.
FILES = {
    "tools/__init__.py": """
        print("tools")
        from tools.parts import Part, double
        __all__ = ["LIMIT", "Part", "double"]
        LIMIT = 3
        """,
    "tools/parts.py": """
        print("parts")
        class Part:
            size = 5
        def double(number):
            return 2 * number
        """,
    "single.py": """
        print("single")
        def answer():
            return 42
        """,
    "user.py": """
        import tools
        import single
        from tools import Part, double
        from single import answer
        """,
}
BEGIN = """
import sys
sys.path.insert(0, sys.argv[1])
from runforge_engine.runtime.lazy_import import defer
defer({"tools": ["Part", "double"], "single": ["answer"], "absent": ["nothing"]})
import user
print("begun")
"""


def lines_of(program: str, folder: Path) -> list[str]:
    """Return what a program prints that follows after the imports."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BEGIN + dedent(program), folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("use", "lines"),
    [
        ("", []),
        ("user.tools.double, user.Part", []),
        ("print(user.double(4))", ["tools", "parts", "8"]),
        ("print(user.tools.double(4), user.double(5))", ["tools", "parts", "8 10"]),
        ("print(user.Part.size, user.Part().size)", ["tools", "parts", "5 5"]),
        ("print(user.tools.LIMIT)", ["tools", "parts", "3"]),
        ("from tools import LIMIT; print(LIMIT)", ["tools", "parts", "3"]),
        ("from tools import *; print(double(LIMIT))", ["tools", "parts", "6"]),
        ("print(user.answer())", ["single", "42"]),
        ("print(user.single.__file__[-9:])", ["single", "single.py"]),
        ("import tools.parts", ["tools", "parts"]),
    ],
)
def test_a_module_is_loaded_when_it_is_used(use: str, lines: list[str], tmp_path: Path) -> None:
    assert lines_of(use, tmp_path) == ["begun", *lines]


def test_each_module_is_there_once(tmp_path: Path) -> None:
    program = """
        import tools.parts, tools
        from tools.parts import Part
        assert tools is sys.modules["tools"] is not user.tools
        assert tools.parts is sys.modules["tools.parts"]
        assert tools.parts.__spec__.origin.endswith("parts.py")
        assert tools.Part is Part is user.tools.Part
        assert isinstance(user.Part(), Part)
        """
    assert lines_of(program, tmp_path) == ["begun", "tools", "parts"]


def test_many_threads_load_a_module_once(tmp_path: Path) -> None:
    program = """
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(16) as pool:
            assert set(pool.map(user.double, [1] * 500)) == {2}
        """
    assert lines_of(program, tmp_path) == ["begun", "tools", "parts"]


def test_what_there_is_not_is_missed(tmp_path: Path) -> None:
    program = """
        for statement in ("import absent", "from tools import absent", "user.tools.absent"):
            try:
                exec(statement)
            except (ImportError, AttributeError) as error:
                print(type(error).__name__)
        """
    lines = ["begun", "ModuleNotFoundError", "tools", "parts", "ImportError", "AttributeError"]
    assert lines_of(program, tmp_path) == lines
