"""Generate what follows from the schemas, or check that the committed files still do.

``schemas/`` is the only source. From it, ``schemas/tfc/`` and ``schemas/field/`` come, in the
contracts package, the msgspec types, the catalogue of documents, the order of their keys, their
members that may be null and a copy of the schemas for the wheel; the reference pages in
``docs/contract/``; and the key order of the TypeScript client. From ``schemas/conformance/`` come
the types and the schema copies of the conformance suite; from ``schemas/serve/`` those of the
command, and ``docs/reference/serve.md``. ``docs/reference/commands.md`` comes from the help of the
commands.

    python scripts/generate.py           write them
    python scripts/generate.py --check   compare, and fail with the names of what differs
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import optional_nulls
from help_reference import commands_page
from key_order import KeyOrder, python_source, typescript_source
from reference import reference_pages
from serve_reference import SERVE, methods_source, serve_page, serve_sources
from sources import SCHEMAS, Schemas, schema_sources

ROOT = SCHEMAS.parent
GENERATED = ROOT / "packages/runforge-contracts/src/runforge_contracts/_generated"
TYPES = GENERATED.parent / "types.py"
TYPESCRIPT_KEY_ORDER = (
    ROOT / "packages/runforge-contracts/typescript/client/src/generated/key-order.ts"
)
REFERENCE = ROOT / "docs/contract"
SUITE_SCHEMAS = SCHEMAS / "conformance"
SERVE_GENERATED = ROOT / "packages/runforge-cli/src/runforge_cli/_generated"
SERVE_REFERENCE = ROOT / "docs/reference/serve.md"
COMMANDS_REFERENCE = ROOT / "docs/reference/commands.md"
SUITE_GENERATED = ROOT / "conformance/src/runforge_conformance/_generated"
HEADER = (
    "# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.\n"
)
TYPES_DOCSTRING = '''"""The types of the documents and of their parts, generated from their schemas.

Each is loaded when it is first asked for, so ``from runforge_contracts.types import RequestV1``
costs the one type.
"""
'''


def main() -> int:
    """Write the generated files, or compare them with what the schemas give."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        parts = ("types", "pages", "suite", "serve")
        types, pages, suite, serve = (Path(scratch) / part for part in parts)
        generate(types, pages)
        generate_serve(serve)
        generate_types({path.stem: path for path in SUITE_SCHEMAS.glob("*.json")}, suite)
        targets = (
            (types, GENERATED),
            (pages, REFERENCE),
            (suite, SUITE_GENERATED),
            (serve, SERVE_GENERATED),
        )
        if not check:
            for fresh, target in targets:
                if target.exists():
                    shutil.rmtree(target)
                shutil.copytree(fresh, target)
            for path, text in single_files(types).items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
            return 0
        differences = [line for fresh, target in targets for line in compare(fresh, target)]
        differences += [
            f"differs: {path.name}"
            for path, text in single_files(types).items()
            if not path.exists() or path.read_text("utf-8") != text
        ]
    for difference in differences:
        print(difference, file=sys.stderr)
    if differences:
        print(
            "Generated files do not follow from schemas/. Change the schema, not the generated"
            " file, then run `make generate` and commit both.",
            file=sys.stderr,
        )
    return 1 if differences else 0


def generate(target: Path, pages: Path) -> None:
    """Write types, catalogue and schema copies into ``target``, the reference into ``pages``."""
    sources = schema_sources()
    schemas = {name: json.loads(path.read_text("utf-8")) for name, path in sources.items()}
    generate_types(sources, target)
    (target / "catalog.py").write_text(catalog(schemas), "utf-8")
    (target / "key_order.py").write_text(python_source(KeyOrder(schemas), HEADER), "utf-8")
    (target / "optional_nulls.py").write_text(
        optional_nulls.python_source(optional_nulls.optional_nulls(schemas), HEADER), "utf-8"
    )
    pages.mkdir()
    for file, text in reference_pages(schemas).items():
        (pages / file).write_text(text, "utf-8")


def generate_serve(target: Path) -> None:
    """Write the types of the messages of ``runforge serve``, and copies of their schemas.

    Types of the documents of the contract are those of the contracts package.
    """
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "types"
        generate_types({**schema_sources(), **serve_sources()}, whole)
        (target / "schemas").mkdir(parents=True)
        shutil.copyfile(whole / "__init__.py", target / "__init__.py")
        for name in serve_sources():
            shutil.copyfile(whole / f"schemas/{name}.json", target / f"schemas/{name}.json")
            module = f"{name.replace('.', '_')}.py"
            (target / module).write_text(_with_contracts((whole / module).read_text("utf-8")))
    (target / "methods.py").write_text(format_source(methods_source(HEADER)), "utf-8")


def _with_contracts(source: str) -> str:
    """Return the source of a module that takes the types of documents from their package."""
    lines, others = [], list[str]()
    for line in source.splitlines():
        if line.startswith("from . import "):
            modules = line.removeprefix("from . import ").split(", ")
            own = [module for module in modules if module.startswith(f"{SERVE}_")]
            others = [module for module in modules if module not in own]
            if others:
                lines.append("from runforge_contracts import types")
            lines += [f"from . import {', '.join(own)}"] if own else []
        else:
            lines.append(line)
    text = "\n".join(lines) + "\n"
    return re.sub(rf"\b(?:{'|'.join(others)})\.(?=[A-Z])", "types.", text) if others else text


def generate_types(sources: dict[str, Path], target: Path) -> None:
    """Write the types of the schemas, and copies of them in one folder, into ``target``."""
    copies = target / "schemas"
    copies.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        schemas = Path(scratch) / "schemas"
        schemas.mkdir()
        for name, path in sources.items():
            shutil.copyfile(path, copies / f"{name}.json")
            schema = with_python_patterns(json.loads(path.read_text("utf-8")))
            (schemas / f"{name}.json").write_text(json.dumps(schema), "utf-8")
        run_codegen(schemas, target)
    for module in target.glob("*.py"):
        body = module.read_text("utf-8").split("\n", 1)[1]
        module.write_text(HEADER + body, "utf-8")


def with_python_patterns(schema: Any) -> Any:
    """Return a schema in which each pattern says itself what the ``not`` beside it refuses.

    The schemas do without lookahead, which some languages lack; the types have patterns only.
    """
    if isinstance(schema, list):
        return [with_python_patterns(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: with_python_patterns(value) for key, value in schema.items()}
    match changed:
        case {"pattern": str(pattern), "not": {"pattern": r"\n"}}:
            changed["pattern"] = pattern.removesuffix("$") + r"\Z"
        case {"pattern": str(pattern), "not": {"pattern": refused}}:
            changed["pattern"] = f"^(?![\\s\\S]*(?:{refused})){pattern.removeprefix('^')}"
    return changed


def run_codegen(schemas: Path, target: Path) -> None:
    """Run datamodel-code-generator with the options of ``pyproject.toml``."""
    command = [sys.executable, "-m", "datamodel_code_generator"]
    subprocess.run(
        [*command, "--input", str(schemas), "--output", str(target)], cwd=ROOT, check=True
    )
    # The formatter leaves its cache beside what it formats.
    shutil.rmtree(target / ".ruff_cache", ignore_errors=True)


def catalog(schemas: Schemas) -> str:
    """Return the source of the catalogue: one entry for every document schema."""
    lines = [
        HEADER,
        '"""Every document of the contract: its schema, its type and its path in a run."""\n',
        "from __future__ import annotations\n",
        "from typing import NamedTuple\n\n",
        "class Entry(NamedTuple):",
        '    """What the schema of a document says about the document as a whole."""\n',
        "    #: Module and name of the generated struct.",
        "    module: str",
        "    struct: str",
        "    #: Its path in a run folder or store; None if it has no fixed one.",
        "    file: str | None",
        "    #: Member that holds the version, and its value; None if there is none.",
        "    version_field: str | None",
        "    version: str | int | None",
        "    #: Whether unknown members make the document invalid.",
        "    closed: bool",
        "    #: Whether it is written as YAML.",
        "    yaml: bool",
        "    #: Value of the member `kind` that tells it from other documents, or None.",
        "    kind: str | None = None",
        "    #: Members that a document of another client has, and those that it does not have;",
        "    #: both are empty if its version is enough.",
        "    present: tuple[str, ...] = ()",
        "    absent: tuple[str, ...] = ()\n\n",
        "CATALOG: dict[str, Entry] = {",
    ]
    for name, schema in schemas.items():
        if schema.get("type") != "object":
            continue
        entry = {
            "module": name.replace(".", "_"),
            "struct": schema["title"],
            "file": schema.get("x-runforge-file"),
        }
        field = next((f for f in ("schema_version", "version") if f in schema["properties"]), None)
        entry |= {
            "version_field": field,
            "version": schema["properties"][field]["const"] if field else None,
        }
        entry["closed"] = schema.get("additionalProperties") is False
        entry["yaml"] = schema.get("x-runforge-format") == "yaml"
        if "const" in schema["properties"].get("kind", {}):
            entry["kind"] = schema["properties"]["kind"]["const"]
        for key, members in schema.get("x-runforge-known-by", {}).items():
            entry[key] = tuple(members)
        arguments = ", ".join(f"{key}={json_literal(value)}" for key, value in entry.items())
        lines.append(f"    {json.dumps(name)}: Entry({arguments}),")
    lines.append("}\n")
    return format_source("\n".join(lines))


def format_source(source: str) -> str:
    """Return Python source as the formatter writes it."""
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "100", "-"],
        input=source,
        capture_output=True,
        text=True,
        check=True,
    )
    return formatted.stdout


def single_files(types: Path) -> dict[Path, str]:
    """Return the text of each generated file that is in a folder of written ones."""
    schemas = {name: json.loads(path.read_text("utf-8")) for name, path in schema_sources().items()}
    return {
        TYPES: public_types(types),
        TYPESCRIPT_KEY_ORDER: typescript_source(KeyOrder(schemas), HEADER),
        SERVE_REFERENCE: serve_page(schemas),
        COMMANDS_REFERENCE: commands_page(),
    }


def public_types(types: Path) -> str:
    """Return the source of the public module that loads each type when it is asked for.

    Parameters
    ----------
    types
        The folder of the generated modules, whose names are unique.
    """
    modules: dict[str, str] = {}
    for path in sorted(types.glob("*.py")):
        if path.stem in ("__init__", "catalog", "key_order", "optional_nulls"):
            continue
        for name in defined_names(path):
            if name in modules:
                raise SystemExit(f"{name} is defined in {modules[name]} and in {path.stem}")
            modules[name] = path.stem
    imports = [
        f"    from runforge_contracts._generated.{module} import {name} as {name}"
        for module, name in sorted(
            ((module, name) for name, module in modules.items()),
            key=lambda item: (item[0], item[1].casefold()),  # as ruff sorts imports
        )
    ]
    table = json.dumps(dict(sorted(modules.items())), indent=4)
    return format_source(
        f"""{HEADER}
{TYPES_DOCSTRING}
from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, which takes longer to import than this module
if TYPE_CHECKING:
    from typing import Any

{chr(10).join(imports)}

#: The generated module of each type.
_MODULES = {table}

def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    from importlib import import_module

    value = getattr(import_module(f"runforge_contracts._generated.{{_MODULES[name]}}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_MODULES)
"""
    )


def defined_names(path: Path) -> list[str]:
    """Return the names of the structs and aliases that a generated module defines."""
    tree = ast.parse(path.read_text("utf-8"))
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    aliases = [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    return sorted([*classes, *(node.id for node in aliases if isinstance(node, ast.Name))])


def json_literal(value: object) -> str:
    """Return ``value`` as Python source with double quotes."""
    if isinstance(value, tuple):
        return f"({''.join(f'{json_literal(item)},' for item in value)})"
    return json.dumps(value) if isinstance(value, str) else repr(value)


def compare(expected: Path, actual: Path) -> list[str]:
    """Return a line for each file that differs, is missing or should not be there."""
    wanted = {path.relative_to(expected) for path in expected.rglob("*") if path.is_file()}
    present = {
        path.relative_to(actual)
        for path in actual.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    lines = [f"missing: {path}" for path in sorted(wanted - present)]
    lines += [f"unexpected: {path}" for path in sorted(present - wanted)]
    lines += [
        f"differs: {path}"
        for path in sorted(wanted & present)
        if (expected / path).read_bytes() != (actual / path).read_bytes()
    ]
    return lines


if __name__ == "__main__":
    sys.exit(main())
