"""Run wrong clients against the cases, and say which of them nobody notices.

    python run_mutants.py            run all of them, and compare with the report
    python run_mutants.py --write    run all of them, and write the report
    python run_mutants.py --only KIND ...    run those of some kinds

A wrong client that passes every case is either as right as the right one, for a reason that stands
in `survivors.json`, or it is a hole in the suite.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from editing_mutants import editing_mutants
from json_mutants import json_mutants
from schema_mutants import schema_mutants
from view_mutants import view_mutants
from wrong_client import Judge, Killed, Mutant
from yaml_mutants import yaml_mutants

HERE = Path(__file__).parent
REPORT = HERE.parents[1] / "docs/mutation-report.md"
#: Wrong clients that are right, by name, with the reason.
SURVIVORS = HERE / "survivors.json"
#: Numbers of the same wrong clients against the cases of an earlier day.
BEFORE = HERE / "before.json"
#: Most wrong clients that may pass.
ALLOWED = 5


_HEAD = """# Wrong clients

<!-- Written by conformance/mutation/run_mutants.py. -->

A suite that says `conformant` is worth as much as the wrong clients that it notices. This page
counts them. Each is the reference client with one thing exchanged, at every member of every schema
where the schema decides, or what the reference executor leaves, with one thing spoiled. All are run
against the cases as they are, without varied inputs.
""".splitlines()
_TAIL = """
## How to run it

`make mutation` runs all of them and compares the result with this page. A client that passes and
has no reason in `conformance/mutation/survivors.json` is an error, and so is a reason for one that
does not pass.
""".splitlines()


class Tested(NamedTuple):
    """A wrong client, and what it fails."""

    mutant: Mutant
    killed: Killed | None


def all_mutants() -> Iterator[Mutant]:
    """Yield every wrong client that reads, edits or writes documents."""
    yield from schema_mutants()
    yield from json_mutants()
    yield from yaml_mutants()
    yield from editing_mutants()
    yield from view_mutants()


def main() -> int:
    """Run the wrong clients and return 1 if there is a hole."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the report")
    parser.add_argument("--only", nargs="+", default=[], metavar="KIND", help="kinds to run")
    parser.add_argument("--recording", type=Path, help="where real runs are kept between calls")
    options = parser.parse_args()
    begun = time.monotonic()
    mutants = [*all_mutants()]
    tested = run(mutant for mutant in mutants if not options.only or mutant.kind in options.only)
    if not options.only:
        tested += run_executors(options.recording)
    alive = [item.mutant.name for item in tested if item.killed is None]
    print(summary(tested))
    print(f"{len(tested):,} wrong clients, {len(alive)} pass; {time.monotonic() - begun:.0f} s")
    for name in alive:
        print(f"  passes: {name}")
    problems = faults(alive, {item.mutant.name for item in tested}, whole=not options.only)
    if options.write and not options.only:
        REPORT.write_text(report(tested), "utf-8")
    elif not options.only and (not REPORT.exists() or REPORT.read_text("utf-8") != report(tested)):
        problems.append(f"{REPORT.name} is not what this run gives: run it with --write.")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def run(mutants: Iterable[Mutant]) -> list[Tested]:
    """Test the wrong clients, in this process."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        judge = Judge(Path(folder))
        return [Tested(mutant, judge.killed(mutant)) for mutant in mutants]


def run_executors(recording: Path | None) -> list[Tested]:
    """Test the wrong executors and stores, on what the right one leaves."""
    from recording import executor_cases, record
    from store_mutants import Replayer, store_mutants

    with tempfile.TemporaryDirectory() as scratch:
        place = recording or Path(scratch)
        record(place, executor_cases())
        with Replayer(place) as replayer:
            return [Tested(mutant, replayer.killed(mutant)) for mutant in store_mutants()]


def reasons() -> dict[str, str]:
    """Return why each wrong client that passes is right, by its name."""
    known: dict[str, str] = json.loads(SURVIVORS.read_text("utf-8"))
    return known


def faults(alive: Iterable[str], tested: set[str], *, whole: bool) -> list[str]:
    """Return what is wrong: a hole, a reason that is missing or stale, or too many of them."""
    alive, known = set(alive), reasons()
    found = [f"Nobody notices {name}: a hole." for name in sorted(alive - known.keys())]
    stale = known.keys() & tested - alive if not whole else known.keys() - alive
    found += [f"survivors.json lists {name}, which does not pass." for name in sorted(stale)]
    if len(known) > ALLOWED:
        found.append(f"survivors.json lists more than {ALLOWED}.")
    found += [f"{name} has no reason." for name, reason in known.items() if len(reason) < 20]
    return found


def counts(tested: Iterable[Tested]) -> dict[str, list[int]]:
    """Return, by kind, how many there are, how many pass, and how many break rules of core."""
    found: dict[str, list[int]] = {}
    for mutant, killed in tested:
        numbers = found.setdefault(_group(mutant), [0, 0, 0])
        numbers[0] += 1
        numbers[1] += killed is None
        numbers[2] += killed is not None and killed.level == "core"
    return dict(sorted(found.items()))


def _group(mutant: Mutant) -> str:
    """Return a kind, without the types that it is about."""
    kind = mutant.kind
    if " as " in kind and not kind.startswith(("word", "condition", "number", "bound")):
        return f"wrong type: {kind.partition(' as ')[0]}"
    return kind


def summary(tested: Iterable[Tested]) -> str:
    """Return a table of the kinds, for a terminal."""
    lines = [f"{'kind':48} {'clients':>8} {'pass':>6}"]
    lines += [f"{kind[:48]:48} {n:8} {alive:6}" for kind, (n, alive, _) in counts(tested).items()]
    return "\n".join(lines)


def report(tested: list[Tested]) -> str:
    """Return the page about the run."""
    before: dict[str, Any] = json.loads(BEFORE.read_text("utf-8"))
    found, passing = counts(tested), [item.mutant.name for item in tested if not item.killed]
    total = sum(numbers[0] for numbers in found.values())
    levels = Counter(item.killed.level for item in tested if item.killed)
    lines = [
        *_HEAD,
        "",
        *textwrap.wrap(
            f"**{total:,} wrong clients; passing every case: {len(passing)}.** Against the cases of"
            f" {before['date']} ({before['cases']:,} cases), {before['passing']:,} of"
            f" {before['clients']:,} passed; executors and stores were not counted then."
            f" Of those that are found, {levels['core']:,} fail a rule of the level core,"
            f" {levels['recommended']:,} only recommended ones,"
            f" {levels['strict']:,} only strict ones.",
            width=100,
        ),
        "",
        "| kind | clients | pass | passed before |",
        "|---|---:|---:|---:|",
    ]
    for kind, (number, alive, _) in found.items():
        was = before["kinds"].get(kind)
        lines.append(f"| {kind} | {number:,} | {alive} | {'' if was is None else f'{was:,}'} |")
    lines += ["", "## Those that pass", ""]
    known = reasons()
    for name in sorted(passing):
        entry = f"* `{name}`: {known.get(name, 'no reason is known.')}"
        lines += textwrap.wrap(entry, width=100, subsequent_indent="  ", break_on_hyphens=False)
    lines += _TAIL
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
