"""Serve on the standard streams, and keep everything else away from them."""

from __future__ import annotations

import io
import logging
import os
import sys

from runforge_cli.serve.server import Server
from runforge_cli.shell.settings import Settings


def serve_on_standard_streams(settings: Settings) -> int:
    """Serve the client on standard input and output; return the exit code.

    The streams of the messages are moved to descriptors that no library and no child process
    knows. What is printed anyway goes to standard error with `--verbose`, and else nowhere.
    """
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    if not settings.verbose:
        os.dup2(nothing, 2)
    os.dup2(2, 1)
    os.close(nothing)
    sys.stdin = io.TextIOWrapper(io.BytesIO())
    if settings.verbose:
        logging.basicConfig(
            level=logging.INFO,
            format="%(asctime)s %(levelname)s %(message)s",
            stream=sys.stderr,
        )
    else:
        logging.disable()
    settings.json = settings.quiet = True
    return Server(settings, reader, writer).serve()
