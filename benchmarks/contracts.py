"""How fast the contracts package is, beside plain ``json`` and the ``jsonschema`` library.

    python benchmarks/contracts.py [--runs N]

Each figure is the median of several runs, taken in turns in one process (imports: whole processes),
so that a machine whose speed drifts does not favour either side. Read the ratios.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
from referencing import Registry, Resource
from runforge_contracts.codec.strict_json import encode_json, parse_json
from runforge_contracts.documents import Document
from runforge_contracts.types import IndexV1
from runforge_contracts.validation import validate

ROOT = Path(__file__).parents[1]
SCHEMAS = {
    path.stem: json.loads(path.read_text("utf-8")) for path in (ROOT / "schemas").glob("*.json")
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs

    index = json.dumps(copy.deepcopy(SCHEMAS["index.v1"]["examples"][0]))
    entry = json.loads(index)["runs"][0]
    entries = json.dumps({"schema_version": "index.v1", "runs": [entry] * 100_000}).encode()
    decoder = msgspec.json.Decoder(IndexV1)
    request = SCHEMAS["request.v1"]["examples"][0]
    text = encode_json(request)
    registry: Registry[Any] = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()
    )
    reference = jsonschema.Draft202012Validator(SCHEMAS["request.v1"], registry=registry)

    print(f"{'':44}{'ours':>10}{'rival':>10}{'ratio':>8}")
    row(
        "import documents / import jsonschema",
        lambda: process("import runforge_contracts.documents"),
        lambda: process("import jsonschema"),
        runs,
    )
    row(
        "decode 100,000 index entries / json",
        lambda: decoder.decode(entries),
        lambda: json.loads(entries),
        runs,
    )
    row(
        "strict parse of 100,000 entries / json",
        lambda: parse_json(entries),
        lambda: json.loads(entries),
        runs,
    )
    row(
        "validate 10,000 requests / jsonschema",
        lambda: [validate(request, "request.v1") for _ in range(10_000)],
        lambda: [reference.validate(request) for _ in range(10_000)],
        runs,
    )
    row(
        "load and save 1,000 requests / json",
        lambda: [Document.parse(text).encode() for _ in range(1_000)],
        lambda: [json.dumps(json.loads(text), indent=2) for _ in range(1_000)],
        runs,
    )


def row(name: str, ours: Callable[[], object], rival: Callable[[], object], runs: int) -> None:
    """Time both in turns and print the medians and the median of the paired ratios."""
    pairs = [(seconds(ours), seconds(rival)) for _ in range(runs + 1)][1:]
    mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(left / right for left, right in pairs)
    print(f"{name:44}{mine * 1e3:>8.1f}ms{other * 1e3:>8.1f}ms{ratio:>8.2f}")


def seconds(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def process(code: str) -> None:
    """Run ``code`` in a Python process of its own."""
    subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    main()
