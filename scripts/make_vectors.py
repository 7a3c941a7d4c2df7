"""Make the test vectors that follow from others, or check that the committed ones still do.

From the schemas come the boundary cases: a valid document with one rule broken. From the runs of
``runs/v0.4.0`` and ``experiments/sound`` come copies with one fault each. And ``manifest.json``
lists every case and file.

    python scripts/make_vectors.py           write them
    python scripts/make_vectors.py --check   compare, and fail with the names of what differs
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from experiment_faults import EXPERIMENT_FAULTS
from generate import compare
from runforge_conformance.boundaries import Boundary, boundaries
from runforge_conformance.suite import manifest
from runforge_conformance.vectors import parse_file, requirements, suffix_of, vectors_folder
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.invariants.checked_folder import schema_rule
from runforge_contracts.schemas import load_schema, schema_names
from vector_faults import FAULTS, Fault

VECTORS = Path(__file__).resolve().parent.parent / "docs/test-vectors"
SINCE = "0.4.0"
WHY = (
    "The schema is what all clients agree on: one that accepts what it forbids hands the mistake"
    " on to the next."
)


def main() -> int:
    """Write the derived vectors, or compare them with what they follow from."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    assert vectors_folder() == VECTORS, "run it with the packages of this repository"
    differences: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        cases, faulty = Path(scratch) / "cases", Path(scratch) / "faulty"
        experiments = Path(scratch) / "experiments"
        for name in schema_names():
            if schema_rule(name) not in requirements():
                continue  # what a command prints, and no client must read
            target = cases / name / "boundaries.json"
            target.parent.mkdir(parents=True)
            target.write_bytes(encode_json(boundary_topic(name)))
        make_faults(faulty)
        make_experiment_faults(experiments)
        made = ((faulty, VECTORS / "runs/faulty"), (experiments, VECTORS / "experiments/faulty"))
        for path in (VECTORS / "cases").glob("*/boundaries.json"):
            if not (cases / path.parent.name).exists():
                differences.append(f"should not be there: cases/{path.parent.name}")
                if not check:
                    path.unlink()
        if check:
            for fresh, target in made:
                differences += compare(fresh, target)
            for path in cases.rglob("*.json"):
                committed = VECTORS / "cases" / path.relative_to(cases)
                if not committed.exists() or committed.read_bytes() != path.read_bytes():
                    differences.append(f"differs: cases/{path.relative_to(cases)}")
        else:
            differences = []
            for fresh, target in made:
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(fresh, target)
            shutil.copytree(cases, VECTORS / "cases", dirs_exist_ok=True)
    listed = VECTORS / "manifest.json"
    if not check:
        listed.write_bytes(encode_json(manifest()))
    elif not listed.exists() or listed.read_bytes() != encode_json(manifest()):
        differences.append("differs: manifest.json")
    for difference in differences:
        print(difference, file=sys.stderr)
    if differences:
        print("Vectors do not follow from their sources: run `make generate`.", file=sys.stderr)
    return 1 if differences else 0


def boundary_topic(name: str) -> dict[str, Any]:
    """Return the boundary cases of a document."""
    file = f"{name}.full{suffix_of(name)}"
    valid = parse_file((VECTORS / file).read_bytes(), file)
    closed = load_schema(name).get("additionalProperties") is False
    title = f"Boundaries of {name}" + (", which is closed" if closed else "")
    cases = {}
    for boundary in few_types(boundaries(name, valid)):
        case = boundary_case(name, file, boundary)
        cases.setdefault(case["id"], case)
    return {"title": title, "why": WHY, "cases": list(cases.values())}


def few_types(found: Iterator[Boundary]) -> Iterator[Boundary]:
    """Give the cases, but of wrong types at one place only null, or else the first."""
    typed: dict[str, Boundary] = {}
    for boundary in found:
        if not boundary.rule.startswith("type-") or boundary.rule == "type-fraction":
            yield boundary
        elif boundary.pointer not in typed or boundary.rule == "type-null":
            typed[boundary.pointer] = boundary
    yield from typed.values()


def boundary_case(name: str, file: str, boundary: Boundary) -> dict[str, Any]:
    """Return the case of one boundary."""
    rule = re.sub("(?<=[a-z])[A-Z]", lambda found: f"-{found[0]}", boundary.rule).lower()
    place = re.sub("[^a-z0-9_.-]+", ".", boundary.pointer.lower()).strip(".") or "root"
    changed = list(boundary.set) + list(boundary.remove)
    where = f"`{boundary.pointer}`" if boundary.pointer else "the document"
    whole = boundary.set.get("", None) if "" in boundary.set else None
    given: dict[str, Any] = {"file": file}
    if "" in boundary.set:
        given = {"json": whole}
    elif boundary.set:
        given["set"] = boundary.set
    if boundary.remove:
        given["remove"] = list(boundary.remove)
    case = {
        "id": f"{name}/boundaries/{re.sub('[^a-z0-9_.-]+', '', rule)}/{place}",
        "description": f"{where} breaks the rule `{boundary.rule}`.",
        "requirement": schema_rule(name),
        "since": SINCE,
        "op": "read",
        "document": name,
        "input": given,
        "expect": {"outcome": "rejected"},
    }
    # A validator may name the object or the member that it has too much or too little of; where
    # alternatives or conditions are broken, validators differ, and any place will do.
    if boundary.rule not in ("anyOf", "const") and "" not in boundary.set:
        places = dict.fromkeys([*changed, boundary.pointer])
        case["expect"] = {"outcome": "rejected", "places": list(places)}
    return case


def make_faults(target: Path) -> None:
    """Write a workspace for each fault, and ``faults.json``, which says what is wrong in it."""
    target.mkdir()
    for fault in FAULTS:
        workspace = target / fault.name
        source = VECTORS / "runs/v0.4.0/.runforge"
        run = workspace / ".runforge/runs" / fault.run
        shutil.copytree(source / "runs" / fault.run, run)
        index = json.loads((source / "index.json").read_bytes())
        index["runs"] = [entry for entry in index["runs"] if entry["run_id"] == fault.run]
        (workspace / ".runforge/index.json").write_bytes(encode_json(index))
        fault.make(run)
    (target / "faults.json").write_bytes(encode_json([described(fault) for fault in FAULTS]))


def make_experiment_faults(target: Path) -> None:
    """Write a repository with one run for each fault of experiments, and ``faults.json``."""
    target.mkdir()
    for fault in EXPERIMENT_FAULTS:
        run = target / fault.name / "runs" / fault.run
        shutil.copytree(VECTORS / "experiments/sound/runs" / fault.run, run)
        fault.make(run)
    (target / "faults.json").write_bytes(
        encode_json([described(fault) for fault in EXPERIMENT_FAULTS])
    )


def described(fault: Fault) -> dict[str, str]:
    """Return what ``faults.json`` says of a fault."""
    return {
        "folder": fault.name,
        "requirement": fault.requirement,
        "fault": fault.description,
    }


if __name__ == "__main__":
    sys.exit(main())
