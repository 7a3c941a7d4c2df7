"""Make the test vectors that follow from others, or check that the committed ones still do.

From the schemas come the boundary cases: a valid document with one rule broken. From the runs of
``runs/v0.4.0``, ``experiments/sound`` and the stores in ``field`` come copies with one fault each.
And ``manifest.json`` lists every case and file.

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
from pathlib import Path
from typing import Any

import yaml_vectors
from experiment_faults import EXPERIMENT_FAULTS
from field_vectors import make_broken_runs, make_field_documents
from generate import compare
from lexical_vectors import TEMPLATES, lexical_topic, probes
from runforge_conformance.boundaries import Boundary, allowances, boundaries
from runforge_conformance.suite import manifest
from runforge_conformance.vectors import (
    changed,
    parse_file,
    requirements,
    suffix_of,
    vectors_folder,
)
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.documents import identify
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.checked_folder import schema_rule
from runforge_contracts.schemas import contract_names, load_schema, validator
from runforge_contracts.validation import validate
from vector_bases import BASES
from vector_faults import FAULTS, Fault

VECTORS = Path(__file__).resolve().parent.parent / "docs/test-vectors"
SINCE = "0.4.0"
WHY = (
    "The schema is what all clients agree on: one that accepts what it forbids hands the mistake"
    " on to the next."
)
WHY_ALLOWED = (
    "A client that refuses what the schema allows cannot read what another writes. Each document"
    " is at the edge of the rules, everywhere at once."
)
ALLOWED = {
    "lowest": "Every number with a lower bound is that bound.",
    "highest": "Every number with an upper bound is that bound.",
    "integral": "Every integer is written with a decimal point.",
    "shortest": "Every text and every array is as short as it may be.",
    "blank": "Every text that may not be empty is blanks alone, where that is allowed.",
    "longest": "Every text is as long as it may be, in characters that take four bytes.",
    "text": "Every text with a pattern is at the edge of what the pattern allows.",
    "null": "Every member that may be null is null.",
    "word": "Every word of a fixed list is another one of the list.",
    "without-optional": "Every member that need not be there is absent.",
    "without-parts": "Every object and array that need not be there, at one depth, is absent.",
    "unknown": "Every object that is not closed has a member that no schema names.",
    "name-case": "A member's name differs from a known one in its case: it is ignored.",
    "name-blank": "A member's name differs from a known one in a blank: it is ignored.",
}


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
        for name in contract_names():
            if schema_rule(name) not in requirements():
                continue  # what a command prints, and no client must read
            (cases / name).mkdir(parents=True)
            for topic, made in (("boundaries", boundary_topic), ("allowed", allowed_topic)):
                (cases / name / f"{topic}.json").write_bytes(encode_json(made(name)))
        for name in TEMPLATES:
            (cases / name / "lexical.json").write_bytes(encode_json(lexical_topic(name)))
            raw = Path(scratch) / "raw" / name
            raw.mkdir(parents=True)
            for probe in probes():
                (raw / f"{probe.name}.json").write_bytes(probe.text(name))
        (cases / yaml_vectors.DOCUMENT / "lexical.json").write_bytes(
            encode_json(yaml_vectors.yaml_topic())
        )
        raw = Path(scratch) / "raw" / yaml_vectors.DOCUMENT
        raw.mkdir(parents=True)
        for text in yaml_vectors.probes():
            (raw / f"{text.name}.yaml").write_bytes(text.text())
        make_faults(faulty)
        make_experiment_faults(experiments)
        made = [(faulty, VECTORS / "runs/faulty"), (experiments, VECTORS / "experiments/faulty")]
        field = Path(scratch) / "field"
        field.mkdir()
        make_field_documents(field / "documents")
        make_broken_runs(VECTORS / "field", field / "broken")
        made += [(field / part, VECTORS / "field" / part) for part in ("documents", "broken")]
        made += [
            (Path(scratch) / "raw" / name, VECTORS / "raw" / name / "lexical")
            for name in [*TEMPLATES, yaml_vectors.DOCUMENT]
        ]
        for path in (VECTORS / "cases").glob("*/*.json"):
            derived = path.stem in ("boundaries", "allowed", "lexical")
            if derived and not (cases / path.parent.name / path.name).exists():
                differences.append(f"should not be there: cases/{path.parent.name}/{path.name}")
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
    """Return the cases of a document that break one rule each."""
    closed = load_schema(name).get("additionalProperties") is False
    title = f"Boundaries of {name}" + (", which is closed" if closed else "")
    sources = valid_documents(name)
    valid = [document for _, document in sources]
    best: dict[tuple[str, ...], tuple[int, dict[str, Any]]] = {}
    for number, (source, document) in enumerate(sources):
        for boundary in boundaries(name, document, valid):
            beyond = boundary.document(document)
            if isinstance(beyond, dict) and identify_quietly(beyond, name):
                continue  # a newer version is shown with a warning
            about: tuple[str, ...] = (boundary.rule, normal(boundary.pointer))
            if boundary.rule.endswith("-if"):
                about += (str(number),)  # which condition holds is a matter of the document
            # The best document for a rule is one that breaks no other with it.
            mistakes = sum(1 for _ in validator(name).iter_errors(beyond))
            if about not in best or mistakes < best[about][0]:
                best[about] = (mistakes, boundary_case(name, source, boundary))
    cases: dict[str, Any] = {}
    for _, case in best.values():
        count = sum(1 for other in cases if re.sub("-[0-9]+$", "", other) == case["id"])
        case["id"] += f"-{count + 1}" if count else ""
        cases[case["id"]] = case
    return {"title": title, "why": WHY, "cases": list(cases.values())}


def allowed_topic(name: str) -> dict[str, Any]:
    """Return the cases of a document that are just within its rules."""
    cases, seen = dict[str, Any](), set[tuple[str, str]]()
    for source, document in valid_documents(name):
        for boundary in allowances(name, document):
            touched = [*boundary.set, *boundary.remove]
            about = {(boundary.rule, normal(pointer)) for pointer in touched}
            if about <= seen:
                continue
            seen |= about
            case = allowed_case(name, source, boundary)
            cases[f"{case['id']}-{len(cases)}" if case["id"] in cases else case["id"]] = case
    for identifier, case in cases.items():
        case["id"] = identifier
    return {"title": f"What {name} allows", "why": WHY_ALLOWED, "cases": list(cases.values())}


def identify_quietly(document: dict[str, Any], name: str) -> bool:
    """Return whether a client shows a document in spite of its version, with a warning."""
    try:
        return bool(identify(document, [name])[1])
    except RunForgeError:
        return False


def normal(pointer: str) -> str:
    """Return a pointer with zero for every index."""
    return re.sub(r"/[0-9]+(?=/|$)", "/0", pointer)


def valid_documents(name: str) -> list[tuple[str | dict[str, Any], Any]]:
    """Return the valid documents that cases are derived from, each with where it is found.

    What is found in an example of a schema is given as a value.
    """
    full = f"{name}.full{suffix_of(name)}"
    files = [full, *sorted({path.name for path in VECTORS.glob(f"{name}.*.*")} - {full})]
    found: list[tuple[str | dict[str, Any], Any]] = [
        (file, parse_file((VECTORS / file).read_bytes(), file))
        for file in files
        if "unknown-fields" not in file
    ]
    for base in BASES.get(name, ()):
        removed = [pointer for pointer in base.remove if found[0][1].get(pointer[1:]) is not None]
        made = changed(found[0][1], base.set, removed)
        validate(made, name)
        found.append((made, made))
    found += [(example, example) for example in load_schema(name).get("examples", ())]
    return [(source, document) for source, document in found if validator(name).is_valid(document)]


def given_as(source: str | dict[str, Any], boundary: Boundary) -> dict[str, Any]:
    """Return the input of a case that changes a document."""
    if "" in boundary.set:
        return {"json": boundary.set[""]}
    if not isinstance(source, str):
        return {"json": boundary.document(source)}
    given: dict[str, Any] = {"file": source}
    if boundary.set:
        given["set"] = boundary.set
    if boundary.remove:
        given["remove"] = list(boundary.remove)
    return given


def boundary_case(name: str, source: str | dict[str, Any], boundary: Boundary) -> dict[str, Any]:
    """Return the case of one boundary."""
    where = f"`{boundary.pointer}`" if boundary.pointer else "the document"
    case = {
        "id": f"{name}/boundaries/{identifier(boundary)}",
        "description": f"{where} breaks the rule `{boundary.rule}`.",
        "requirement": schema_rule(name),
        "since": SINCE,
        "op": "read",
        "document": name,
        "input": given_as(source, boundary),
        "expect": {"outcome": "rejected"},
    }
    # A validator may name the object or the member that it has too much or too little of; where
    # alternatives or conditions are broken, validators differ, and any place will do.
    exact = not boundary.rule.startswith(("anyOf", "const")) and not boundary.conditional
    if exact and "" not in boundary.set:
        places = dict.fromkeys([*boundary.set, *boundary.remove, boundary.pointer])
        case["expect"] = {"outcome": "rejected", "places": list(places)}
    return case


def identifier(boundary: Boundary) -> str:
    """Return what a case about this rule at this place is called."""
    rule = re.sub("(?<=[a-z])[A-Z]", lambda found: f"-{found[0]}", boundary.rule).lower()
    place = re.sub("[^a-z0-9_.-]+", ".", boundary.pointer.lower()).strip(".") or "root"
    return f"{re.sub('[^a-z0-9_.-]+', '', rule)}/{place}"


def allowed_case(name: str, source: str | dict[str, Any], boundary: Boundary) -> dict[str, Any]:
    """Return the case of a document that is just within the rules."""
    of = source.split(".")[-2] if isinstance(source, str) else "example"
    place = f"/{identifier(boundary).partition('/')[2]}" if boundary.pointer else f"/{of}"
    rule = identifier(boundary).partition("/")[0]
    return {
        "id": f"{name}/allowed/{rule}{place}",
        "description": ALLOWED[re.sub("-[0-9]+$", "", boundary.rule)],
        "requirement": schema_rule(name),
        "since": SINCE,
        "op": "read",
        "document": name,
        "input": given_as(source, boundary),
        "expect": {"outcome": "accepted"},
    }


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
