"""What the broken clients share: the sound one, which each of them spoils in one way."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "python"))

from harness import Client, Message, serve, view

__all__ = ["Client", "Message", "serve", "view"]
