"""Check what changed in the schemas since the last release, and which versions that needs.

Documents outlive programs: whatever was valid must stay valid, and a client of the last release
must be able to read what is written now. So a released schema may gain optional fields where its
objects are open, and nothing else; anything more needs a new document version beside the old one.

    python scripts/check_evolution.py              compare with the last release
    python scripts/check_evolution.py --release    freeze the schemas of the version in hand

A release is one file, ``packages/runforge-contracts/released/<version>.json``, with every schema
and its digest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sources import SCHEMAS, schema_sources

ROOT = SCHEMAS.parent
RELEASED = ROOT / "packages/runforge-contracts/released"
CONTRACTS = ROOT / "packages/runforge-contracts/pyproject.toml"

#: Keywords that describe and do not decide.
ANNOTATIONS = {"title", "description", "examples", "$comment", "$id", "$schema"}
#: How the pattern of relative paths refused drives, and the segments ``.`` and ``..``.
NO_DRIVE = "^(?![A-Za-z]:)"
NO_DOTS = r"(?!\.{1,2}(?:/|$))"


class Change(NamedTuple):
    """One difference between a released schema and the present one."""

    schema: str
    pointer: str
    what: str
    breaking: bool


def main() -> int:
    """Compare, or freeze a release."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--release", action="store_true", help="freeze the schemas as they are")
    arguments = parser.parse_args()
    current = {name: path.read_bytes() for name, path in schema_sources().items()}
    if arguments.release:
        return release(current)
    newest = max(RELEASED.glob("*.json"), key=version_key, default=None)
    if newest is None:
        print("No schemas have been released yet: nothing to compare with.")
        return 0
    frozen = json.loads(newest.read_text("utf-8"))
    changes = list(
        compare_release(frozen, {name: json.loads(text) for name, text in current.items()})
    )
    for change in changes:
        kind = "BREAKING" if change.breaking else "additive"
        print(f"{kind}  {change.schema}{change.pointer}: {change.what}")
    if any(change.breaking for change in changes):
        print(
            f"\nA breaking change to a schema that {newest.stem} released needs a new document"
            " version: restore the schema, copy it to a file with the next version in its name,"
            " and change the copy.",
            file=sys.stderr,
        )
        return 1
    print(
        f"{len(changes)} additive changes since {newest.stem}."
        if changes
        else f"Unchanged since {newest.stem}."
    )
    return 0


def version_key(path: Path) -> tuple[int, ...]:
    """Return a release's version for comparison."""
    return tuple(int(part) for part in path.stem.split("."))


def release(current: dict[str, bytes]) -> int:
    """Write the release file of the version in hand; one that exists is never changed."""
    version = tomllib.loads(CONTRACTS.read_text("utf-8"))["project"]["version"]
    target = RELEASED / f"{version}.json"
    frozen = {
        name: {"sha256": hashlib.sha256(text).hexdigest(), "schema": json.loads(text)}
        for name, text in current.items()
    }
    if target.exists():
        if json.loads(target.read_text("utf-8")) == frozen:
            return 0
        print(
            f"{version} has been released: raise the version before freezing again.",
            file=sys.stderr,
        )
        return 1
    RELEASED.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(frozen, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0


def compare_release(frozen: dict[str, Any], current: dict[str, Any]) -> Iterator[Change]:
    """Give every change between a release and the present schemas."""
    for name, entry in frozen.items():
        text = json.dumps(entry["schema"], indent=2, ensure_ascii=False) + "\n"
        if hashlib.sha256(text.encode()).hexdigest() != entry["sha256"]:
            yield Change(
                name, "", "the release file was edited: its digest is wrong", breaking=True
            )
        if name not in current:
            yield Change(name, "", "the schema was removed", breaking=True)
        else:
            yield from compare(without_lookahead(entry["schema"]), current[name], name, "")
    for name in current.keys() - frozen.keys():
        yield Change(name, "", "a new schema", breaking=False)


def without_lookahead(schema: Any) -> Any:
    """Return a released schema with its patterns as they are written today.

    Until 0.4.0 a pattern refused a last line break, and what a relative path must not contain, by
    lookahead, which not every language has. Now a ``not`` beside the pattern does.
    """
    if isinstance(schema, list):
        return [without_lookahead(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: without_lookahead(value) for key, value in schema.items()}
    pattern = changed.get("pattern")
    if isinstance(pattern, str) and pattern.endswith(r"$(?!\n)"):
        pattern = pattern.removesuffix(r"(?!\n)").replace(r"\u00", r"\x")
        refused = r"\n"
        if pattern.startswith(NO_DRIVE):
            pattern = "^" + pattern.removeprefix(NO_DRIVE).replace(NO_DOTS, "")
            refused = r"^[A-Za-z]:|(?:^|/)\.{1,2}(?:/|$)|\n"
        changed |= {"pattern": pattern, "not": {"type": "string", "pattern": refused}}
    return changed


def compare(old: Any, new: Any, schema: str, pointer: str) -> Iterator[Change]:
    """Give the changes between two versions of a subschema."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new:
            yield Change(schema, pointer, "the rule was replaced", breaking=True)
        return
    for keyword in sorted((old.keys() | new.keys()) - ANNOTATIONS):
        before, after, place = old.get(keyword), new.get(keyword), f"{pointer}/{keyword}"
        if before == after:
            continue
        if keyword in ("properties", "$defs"):
            closed = keyword == "properties" and old.get("additionalProperties") is False
            yield from compare_members(before or {}, after or {}, schema, place, closed=closed)
        elif keyword == "required":
            yield from compare_required(set(before or ()), set(after or ()), schema, place)
        elif keyword == "enum" and before and after:
            yield from compare_enum(before, after, schema, place)
        elif keyword in ("items", "additionalProperties", "propertyNames", "if", "then", "else"):
            yield from compare(before, after, schema, place)
        elif (
            keyword in ("allOf", "anyOf", "oneOf")
            and before
            and after
            and len(before) == len(after)
        ):
            for index, (left, right) in enumerate(zip(before, after, strict=True)):
                yield from compare(left, right, schema, f"{place}/{index}")
        else:
            yield Change(schema, place, f"{show(before)} became {show(after)}", breaking=True)


def compare_members(
    old: dict[str, Any], new: dict[str, Any], schema: str, pointer: str, *, closed: bool
) -> Iterator[Change]:
    """Give the changes between two sets of named subschemas."""
    for name in sorted(old.keys() - new.keys()):
        yield Change(schema, f"{pointer}/{name}", "removed", breaking=True)
    for name in sorted(new.keys() - old.keys()):
        what = "added to a closed object, which older readers refuse" if closed else "added"
        yield Change(schema, f"{pointer}/{name}", what, breaking=closed)
    for name in sorted(old.keys() & new.keys()):
        yield from compare(old[name], new[name], schema, f"{pointer}/{name}")


def compare_required(old: set[str], new: set[str], schema: str, pointer: str) -> Iterator[Change]:
    """Give the changes between two sets of required fields; either way a client can break."""
    for name in sorted(new - old):
        yield Change(
            schema, pointer, f"`{name}` became required, which older documents lack", breaking=True
        )
    for name in sorted(old - new):
        yield Change(
            schema,
            pointer,
            f"`{name}` is no longer required, and older readers need it",
            breaking=True,
        )


def compare_enum(old: list[Any], new: list[Any], schema: str, pointer: str) -> Iterator[Change]:
    """Give the changes between two lists of allowed values; either way a client can break."""
    for value in old:
        if value not in new:
            yield Change(schema, pointer, f"{show(value)} is no longer allowed", breaking=True)
    for value in new:
        if value not in old:
            yield Change(
                schema,
                pointer,
                f"{show(value)} was added, which older readers refuse",
                breaking=True,
            )


def show(value: Any) -> str:
    """Return a value of a schema for a message."""
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:79] + "…"


if __name__ == "__main__":
    sys.exit(main())
