"""The rooms of the packages: imports run one way, without circles, and a name means one thing."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "runforge_contracts": ROOT / "packages/runforge-contracts/src/runforge_contracts",
    "runforge_engine": ROOT / "packages/runforge-engine/src/runforge_engine",
    "runforge_cli": ROOT / "packages/runforge-cli/src/runforge_cli",
    "runforge_web": ROOT / "packages/runforge-web/src/runforge_web",
    "runforge_conformance": ROOT / "conformance/src/runforge_conformance",
}
#: Rooms and single modules of each package, in the order of dependence: each may import what stands
#: before it, and itself.
ORDER = {
    "runforge_contracts": [
        "errors",
        "display",
        "system",
        "markdown",
        "prepared_names",
        "metrics",
        "gates",
        "types",
        "diagnostics",
        "recorded_diagnostics",
        "schemas",
        "fs",
        "codec",
        "run_ids",
        "shared_work",
        "validation",
        "documents",
        "typed_documents",
        "store",
        "sweeps",
        "selection",
        "index",
        "comparison",
        "lineage",
        "invariants",
        "workspace",
    ],
    "runforge_engine": [
        "runtime",
        "model_file",
        "data",
        "preparation",
        "store",
        "provenance",
        "modeling",
        "evaluations",
        "pipeline",
        "workers",
        "distributed",
        "sweeps",
        "verification",
        "reproduction",
        "experiment.config",
        "experiment.record",
        "experiment.tracking",
        "experiment",
        "experiment.scaffold",
        "experiment.run",
        "importing",
        "removing",
        "bundles",
        "merging",
        "archiving",
        "moving",
        "api",
    ],
    "runforge_cli": [
        "process",
        "terminal",
        "listing",
        "shell",
        "render",
        "report",
        "answers",
        "export",
        "browse",
        "serve",
        "commands",
    ],
    "runforge_web": [
        "web_access",
        "web_gate",
        "found_runs",
        "page_query",
        "job_list",
        "request_form",
        "training_data",
        "specification_sentences",
        "page_rendering",
        "runs_page",
        "dataset_pages",
        "run_pages",
        "comparison_page",
        "sweep_pages",
        "document_pages",
        "training_pages",
        "job_pages",
        "event_stream",
        "web_application",
        "web_server",
    ],
}


def modules(package: str) -> dict[str, Path]:
    """Return the hand-written modules of a package, by name."""
    folder = PACKAGES[package]
    found = {}
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        if not {"_generated", "template"} & set(parts):
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


class Imports(ast.NodeVisitor):
    """Collects what a module imports, also within functions, but not for type checkers alone."""

    def __init__(self, known: set[str]) -> None:
        self.known, self.found = known, set[str]()

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for statement in node.orelse:
                self.visit(statement)
        else:
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found |= {alias.name for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            name = f"{node.module}.{alias.name}"
            self.found.add(name if name in self.known else str(node.module))


@cache
def graph(package: str) -> dict[str, set[str]]:
    """Return which modules of the package each of its modules imports."""
    known = modules(package)
    arrows = {}
    for name, path in known.items():
        imports = Imports(set(known))
        imports.visit(ast.parse(path.read_text("utf-8")))
        arrows[name] = imports.found & known.keys() - {name}
    return arrows


def position(module: str) -> int:
    """Return where in the order of its package the room of a module stands."""
    package, _, name = module.partition(".")
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        room = ".".join(parts[:length])
        if room in ORDER[package]:
            return ORDER[package].index(room)
    return -1 if not name or name == "__main__" else pytest.fail(f"{module} is in no room")


@pytest.mark.parametrize("package", ORDER)
def test_rooms_import_only_what_stands_before_them(package: str) -> None:
    wrong = [
        f"{name} imports {other}"
        for name, imported in graph(package).items()
        for other in imported
        if name not in (package, f"{package}.__main__") and position(other) > position(name)
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ORDER)
def test_the_order_names_no_room_that_is_gone(package: str) -> None:
    present = {name.partition(".")[2] for name in modules(package)}
    assert set(ORDER[package]) <= present


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    try:
        TopologicalSorter(graph(package)).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def names() -> Iterator[str]:
    for package in PACKAGES:
        yield from (path.name for path in modules(package).values())


def test_no_two_files_have_one_name() -> None:
    repeated = Counter(name for name in names() if not name.startswith("__"))
    assert [name for name, count in repeated.items() if count > 1] == []


#: Classes of the engine that extend those of the contracts and have their names.
EXTENDED = {"Run", "ExperimentRun"}


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for package in PACKAGES:
        for module, path in modules(package).items():
            for node in ast.parse(path.read_text("utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    places.setdefault(node.name, []).append(module)
    assert {name: found for name, found in places.items() if len(found) > 1}.keys() == EXTENDED
