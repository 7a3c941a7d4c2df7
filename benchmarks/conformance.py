"""How many conformance cases a second the suite puts to our clients, and what the suite adds.

    python benchmarks/conformance.py [ROUNDS]

The floor is the Python client answering in the suite's own process: no pipe, no other process.
Each round measures all of them, one after the other, so that a noisy machine disturbs all alike.
"""

from __future__ import annotations

import importlib.util
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from runforge_conformance._generated.protocol_v1 import Answer
from runforge_conformance.judging import judge
from runforge_conformance.runner import Runner, prepare, question
from runforge_conformance.vectors import all_cases

CLIENTS = Path(__file__).resolve().parent.parent / "conformance/clients"
PYTHON = CLIENTS / "python/harness.py"
TYPESCRIPT = CLIENTS / "typescript/build/harness.js"
CASES = [case for case in all_cases() if case.op in ("read", "roundtrip", "edit", "write")]


def in_process() -> None:
    spec: Any = importlib.util.spec_from_file_location("python_harness", PYTHON)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    client = module.Client()
    with tempfile.TemporaryDirectory() as scratch:
        for number, case in enumerate(CASES, start=1):
            place = prepare(case, Path(scratch) / str(number))
            answer = client.answer(question(case, place, number))
            assert not judge(case, msgspec.convert({"seq": number, **answer}, Answer), place)


def through_the_pipe(*command: object) -> Callable[[], None]:
    def run() -> None:
        outcome = Runner([str(part) for part in command]).run(CASES)
        assert {result.outcome for result in outcome.results} == {"passed"}

    return run


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    runs: dict[str, Callable[[], None]] = {
        "Python, in the suite's process": in_process,
        "Python, through the pipe": through_the_pipe(sys.executable, PYTHON),
    }
    node = shutil.which("node")
    if node and TYPESCRIPT.exists():
        runs["TypeScript, through the pipe"] = through_the_pipe(node, TYPESCRIPT)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            begun = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - begun)
    floor = statistics.median(times["Python, in the suite's process"])
    print(f"{len(CASES)} cases, medians of {rounds} rounds")
    for name, measured in times.items():
        median = statistics.median(measured)
        rate = len(CASES) / median
        print(f"{name:<32} {rate:8,.0f} cases/s {median:7.2f} s {median / floor:6.2f} x")


if __name__ == "__main__":
    main()
