"""What the broken clients share: the sound one, which each of them spoils in one way."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "python"))

import harness
from harness import Message, serve, view
from runforge_contracts.schemas import contract_names

__all__ = ["AnyClient", "Client", "ExperimentClient", "Message", "serve", "view"]
_EXPERIMENTS = [name for name in contract_names() if name.startswith("tfc.")]


AnyClient = harness.Client


class Client(AnyClient):
    """Knows the documents of trained runs."""

    started = {
        **harness.Client.started,
        "documents": [name for name in contract_names() if name not in _EXPERIMENTS],
    }


class ExperimentClient(AnyClient):
    """Knows the documents of experiments."""

    started = {**harness.Client.started, "documents": _EXPERIMENTS}
