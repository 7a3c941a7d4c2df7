"""Break documents at random and see that every one gives a value or a coded error.

    python scripts/fuzz_documents.py --cases 3000 [--seed N]
    python scripts/fuzz_documents.py --seconds 3600

Each case is a test vector with a few bytes inserted, removed, changed or taken from another one.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from runforge_contracts.documents import Document, is_yaml
from runforge_contracts.errors import RunForgeError

VECTORS = Path(__file__).resolve().parent.parent / "docs/test-vectors"
NAMES = ("request.json", "run.json", "metrics.json", "result.json", "index.json", "other.json")
YAML_NAMES = ("config.yaml", "exp-001.yaml")
TOKENS = [
    *(bytes([byte]) for byte in b'{}[],:"\\\x00\xff'),
    b"\\ud800",
    b"null",
    b"true",
    b"NaN",
    b"1e999",
    b"-0",
    b"1.0",
    b"9" * 30,
    b"9" * 400,
    b"[" * 80,
    b'"a":',
    b"a: ",
    b"\n  - ",
    b"&a ",
    b"*a",
    b"!!x ",
    b"? ",
    b"|\n",
    b"<<: ",
    b".nan",
    b"\xef\xbb\xbf",
    "😀\u202e".encode(),
]


def broken(seeds: list[bytes], chance: random.Random) -> bytes:
    """Return one of the seeds with a few things wrong."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[at:at] = chance.choice(TOKENS)
            case 1:
                del data[at : at + chance.randint(1, 30)]
            case 2 if at < len(data):
                data[at] = chance.randrange(256)
            case 3:
                other = chance.choice(seeds)
                start = chance.randrange(len(other))
                data[at:at] = other[start : start + chance.randint(1, 80)]
            case _:
                data[at:at] = data[at : at + chance.randint(1, 60)]
    return bytes(data)


def main() -> int:
    """Run the cases and print what came of them; 1 if one was neither read nor refused."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--seconds", type=float, help="instead of a number of cases")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    vectors = [*VECTORS.glob("*.*.json"), *VECTORS.glob("runs/[lv]*/**/*.json")]
    vectors += [*VECTORS.glob("*.yaml"), *VECTORS.glob("raw/tfc*/*s.yaml")]
    seeds = [path.read_bytes() for path in sorted(vectors)]
    chance, outcomes = random.Random(arguments.seed), Counter[str]()
    end = time.monotonic() + (arguments.seconds or 0)
    while time.monotonic() < end if arguments.seconds else outcomes.total() < arguments.cases:
        data = broken(seeds, chance)
        try:
            name = chance.choice(NAMES + YAML_NAMES)
            document: Document[Any] = Document.parse(data, path=Path(name))
            document.encode(as_yaml=is_yaml(Path(name)))
            _ = document.view
            outcomes["read"] += 1
        except RunForgeError as error:
            outcomes[error.code.value] += 1
        except Exception as fault:  # noqa: BLE001 - this is what is looked for
            print(f"{type(fault).__name__}: {fault}\n{data!r}", file=sys.stderr)
            return 1
    for outcome, count in outcomes.most_common():
        print(f"{count:>9,}  {outcome}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
