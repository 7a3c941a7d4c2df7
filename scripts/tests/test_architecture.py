"""Check the architecture: imports between packages, targets, and the commands in the README."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "runforge_contracts": ROOT / "packages/runforge-contracts/src/runforge_contracts",
    "runforge_engine": ROOT / "packages/runforge-engine/src/runforge_engine",
    "runforge_cli": ROOT / "packages/runforge-cli/src/runforge_cli",
    "ml_runner": ROOT / "packages/runforge-cli/src/ml_runner",
    "runforge_web": ROOT / "packages/runforge-web/src/runforge_web",
    "runforge_conformance": ROOT / "conformance/src/runforge_conformance",
}
ALLOWED = {
    "runforge_contracts": set[str](),
    "runforge_engine": {"runforge_contracts"},
    "runforge_cli": {"runforge_contracts", "runforge_engine"},
    "ml_runner": {"runforge_contracts", "runforge_engine", "runforge_cli"},
    "runforge_web": {"runforge_contracts", "runforge_engine", "runforge_cli"},
    "runforge_conformance": {"runforge_contracts"},
}
#: The one module that starts what stands above its package, which an extra installs.
STARTS_ABOVE = ("ui_command.py", "runforge_web")
NUMERIC = {"numpy", "pandas", "sklearn", "scipy", "joblib", "pyarrow"}
INSTALLED = {".rivals", ".tox", ".venv", "node_modules"}
PAGES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("**/README.md", "docs/guides/*.md")
    for path in ROOT.glob(pattern)
    if not INSTALLED & set(path.relative_to(ROOT).parts)
)


def imports(package: Path) -> Iterator[tuple[Path, str]]:
    """Give every module that the package imports, anywhere in its source."""
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name.split(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield path, node.module.split(".")[0]


@pytest.mark.parametrize("name", PACKAGES)
def test_imports_run_one_way(name: str) -> None:
    foreign = {
        (path.name, module)
        for path, module in imports(PACKAGES[name])
        if module in PACKAGES
        and module != name
        and module not in ALLOWED[name]
        and (path.name, module) != STARTS_ABOVE
    }
    assert foreign == set()
    if name != "runforge_engine":
        assert {module for _, module in imports(PACKAGES[name])} & NUMERIC == set()


def test_generated_modules_are_imported_by_their_own_package_only() -> None:
    """Everybody else names a type of the contract by ``runforge_contracts.types``."""
    private = "runforge_contracts._generated"
    pattern = re.compile(rf"^\s*(?:from|import) {re.escape(private)}\b", re.MULTILINE)
    sources = [path for name in PACKAGES for path in PACKAGES[name].rglob("*.py")]
    sources += [path for part in ("benchmarks", "examples") for path in (ROOT / part).rglob("*.py")]
    importing = {
        str(path.relative_to(ROOT))
        for path in sources
        if PACKAGES["runforge_contracts"] not in path.parents
        and pattern.search(path.read_text("utf-8"))
    }
    assert importing == set()


#: Where a library that is imported has another name than the distribution that brings it.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "svg": "svg.py", "yaml": "pyyaml"}
#: What is imported only where an extra has brought it.
IN_EXTRAS = {
    "runforge_cli": {"textual", "rich", "mlflow", "sqlalchemy", "alembic"},
    "runforge_engine": {
        *{"distributed", "python_calamine", "backports", "compression"},
        *{"onnx", "onnxruntime", "skl2onnx", "skops"},
    },
}


@pytest.mark.parametrize("name", PACKAGES)
def test_what_is_imported_is_installed_with_the_package(name: str) -> None:
    declared = set[str]()
    for package in {name, *ALLOWED[name]}:
        manifest = PACKAGES[package].parents[1] / "pyproject.toml"
        project = tomllib.loads(manifest.read_text("utf-8"))["project"]
        declared |= {re.split(r"[^\w.-]", item)[0] for item in project["dependencies"]}
    imported = {module for path, module in imports(PACKAGES[name]) if "template" not in path.parts}
    imported -= {*PACKAGES, *sys.stdlib_module_names, *IN_EXTRAS.get(name, ())}
    needed = {DISTRIBUTIONS.get(module, module).replace("_", "-") for module in imported}
    assert needed <= declared


@pytest.mark.parametrize("name", ["runforge_contracts", "runforge_engine", "runforge_cli"])
def test_importing_a_package_loads_no_numeric_library(name: str) -> None:
    program = f"import sys, {name}; assert not {NUMERIC!r} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_no_module_of_the_contracts_loads_a_numeric_library() -> None:
    package = PACKAGES["runforge_contracts"]
    modules = [
        ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for path in package.rglob("*.py")
        if path.stem != "__init__"
    ]
    assert len(modules) > 10
    program = f"import sys, {', '.join(modules)}; assert not {NUMERIC!r} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_no_module_of_the_editor_entry_point_hides_one_of_the_standard_library() -> None:
    names = {path.stem for path in PACKAGES["ml_runner"].glob("*.py")} - {"__init__", "__main__"}
    assert not names & sys.stdlib_module_names


def test_the_readme_names_real_targets() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"`?make ([a-z-]+)", (ROOT / page).read_text("utf-8")))
        assert named
        assert named <= targets


def test_the_readme_shows_commands_that_exist() -> None:
    from runforge_cli.shell.app import COMMANDS

    text = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"^\s*(?:\$ )?runforge ([a-z-]+)", text, re.MULTILINE))
    assert named
    assert named <= set(COMMANDS)


def test_the_readme_shows_what_the_command_prints(tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples/penguins.csv", tmp_path / "examples")
    # The recipe of `make demo`, as the Makefile has it.
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\ndemo:")[1].split("\n\n")[0]
    commands = re.findall(r"runforge (.+)", recipe.replace("\\\n", " "))
    assert commands
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "runforge_cli", *command.split()],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
    printed = done.stdout.splitlines()
    transcript = (ROOT / "README.md").read_text("utf-8").split("## What you get")[1].split("##")[0]
    shown = [line.strip() for line in re.findall(r"^    (.+)$", transcript, re.MULTILINE)]
    changing = re.compile(r"Run |(commit|python|packages|numerics) {2}|\.\.\.$")
    lasting = [line for line in shown if not changing.match(line)]
    assert len(lasting) > 20
    # In the same order: each line is looked for after the one before it.
    rest = iter(line.strip() for line in printed)
    assert [line for line in lasting if line not in rest] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / page).read_text("utf-8")):
        if not target.startswith("http"):
            assert ((ROOT / page).parent / target).exists(), target
