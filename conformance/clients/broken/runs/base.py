"""What the broken executors and stores share: the sound one, which each of them spoils."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "cli"))

from harness import Message, answer, serve

__all__ = ["Message", "answer", "canned", "serve", "store_of"]

VECTORS = Path(__file__).parents[4] / "docs/test-vectors"


def store_of(message: Message) -> Path:
    """Return the store in a message's workspace."""
    return Path(message["workspace"]) / ".runforge"


def canned(message: Message, workspace: str) -> Message:
    """Put the run of another workspace into that of the message, as if it had been made there."""
    source = VECTORS / workspace / ".runforge"
    shutil.copytree(source, store_of(message), dirs_exist_ok=True)
    run_dir = sorted((source / "runs").iterdir())[0].relative_to(source.parent)
    return {"outcome": "accepted", "view": {"status": "succeeded", "run_dir": run_dir.as_posix()}}
