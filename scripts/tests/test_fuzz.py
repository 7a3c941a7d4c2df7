"""A short run of the fuzzer; a long one is `python scripts/fuzz_documents.py --seconds 3600`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "fuzz_documents.py"


def test_broken_documents_are_read_or_refused_with_a_code() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--cases", "5000"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for outcome in (
        "read",
        "DOCUMENT_INVALID",
        "JSON_INVALID",
        "JSON_DUPLICATE_KEY",
        "YAML_INVALID",
    ):
        assert outcome in done.stdout
