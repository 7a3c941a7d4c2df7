"""Wrong clients fail a case; a sample of every kind here, all of them when slow."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
import run_mutants
from lenient_json import Lenient, Refused, sins
from runforge_conformance.vectors import vectors_folder
from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.errors import RunForgeError
from schema_mutants import compiled, given_documents
from schema_places import documents, expanded
from wrong_client import Judge, Mutant

#: How many wrong clients of each kind are run here.
SAMPLE = 1


def kinds() -> dict[str, list[Mutant]]:
    found: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in run_mutants.all_mutants():
        found[mutant.kind].append(mutant)
    return found


def test_a_sample_of_every_kind_is_noticed() -> None:
    chosen = random.Random(0)
    known = run_mutants.reasons()
    sample = [
        mutant
        for mutants in kinds().values()
        for mutant in chosen.sample(mutants, min(SAMPLE, len(mutants)))
    ]
    tested = run_mutants.run(sample)
    assert len(tested) > 80
    assert [item.mutant.name for item in tested if not item.killed] == [
        mutant.name for mutant in sample if mutant.name in known
    ]


def test_names_are_unique() -> None:
    names = [mutant.name for mutants in kinds().values() for mutant in mutants]
    assert len(names) == len(set(names))
    assert len(names) > 7500


def test_a_part_that_cannot_be_exchanged_is_an_error(tmp_path: Path) -> None:
    """Otherwise a name that has moved would make every client crash, which counts as noticed."""
    [first, *_] = run_mutants.all_mutants()
    absent = replace(first, patches=lambda: [(run_mutants, "no_such_name", None)])
    with pytest.raises(KeyError, match="no_such_name"):
        Judge(tmp_path).killed(absent)


def test_the_reference_client_passes_what_wrong_ones_fail(tmp_path: Path) -> None:
    """A wrong client without its fault is right: it is the fault that the cases notice."""
    judge = Judge(tmp_path)
    chosen = random.Random(1)
    for mutants in kinds().values():
        mutant = chosen.choice(mutants)
        for case in list(mutant.cases())[:2]:
            assert judge.failed(case) is None, case.id


@pytest.mark.parametrize("name", documents())
def test_schemas_without_references_decide_as_those_with(name: str) -> None:
    valid = compiled(expanded(name))
    for given in given_documents(name):
        assert valid(given.raw) is given.accepted, given.case.id


def test_the_lenient_parser_is_strict_but_for_one_sin() -> None:
    """It agrees with the strict one on every text, if it is not asked to take anything."""
    for path in (vectors_folder() / "raw").rglob("*.json"):
        try:
            text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("utf-8")
        except UnicodeDecodeError:
            continue
        try:
            strict = parse_json(path.read_bytes())
        except RunForgeError:
            strict = Refused
        try:
            lenient = Lenient(text, "no sin").document()
        except Refused:
            lenient = Refused
        assert lenient == strict, path


def test_every_sin_takes_something() -> None:
    texts = []
    for path in (vectors_folder() / "raw").rglob("*.json"):
        with_mark = path.read_bytes()
        try:
            parse_json(with_mark)
        except RunForgeError:
            texts.append(with_mark.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace"))
    for sin in sins():
        assert any(takes(text, sin) for text in texts), sin


def takes(text: str, sin: str) -> bool:
    try:
        Lenient(text, sin).document()
    except (Refused, RecursionError):
        return False
    return True


def test_a_hole_and_a_stale_reason_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "It does what the right one does."
    monkeypatch.setattr(run_mutants, "reasons", lambda: {"stale": reason, "known": reason})
    found = run_mutants.faults(["known", "hole"], {"known", "hole", "other"}, whole=True)
    assert [fault for fault in found if "hole" in fault]
    assert [fault for fault in found if "stale" in fault]
    assert len(found) == 2
    monkeypatch.setattr(run_mutants, "reasons", lambda: {str(n): reason for n in range(6)})
    assert run_mutants.faults([str(n) for n in range(6)], set(), whole=True)
    monkeypatch.setattr(run_mutants, "reasons", lambda: {"x": "because"})
    assert run_mutants.faults(["x"], {"x"}, whole=True)


@pytest.mark.slow
def test_all_wrong_clients_are_noticed() -> None:
    command = [sys.executable, str(Path(run_mutants.__file__))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
