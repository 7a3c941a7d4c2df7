"""The framing of messages on a stream: a header with the length, an empty line, and JSON.

What breaks the framing ends the session, because nobody knows where the next message begins. A
message that is framed well and is no JSON ends only itself.

Source: Language Server Protocol 3.17, "Base Protocol".
"""

from __future__ import annotations

import json
import queue
import threading
from contextlib import suppress
from typing import IO, Any

#: Largest message that is read, in bytes; a request that names files is a thousandth of it.
MAX_MESSAGE = 16 * 2**20
#: Largest header, in bytes, and the most lines that it may have.
_MAX_LINE, _MAX_LINES = 1024, 32
#: How many notifications may wait for a client that does not read; further ones are left out.
_MAX_WAITING = 10_000


class FramingError(Exception):
    """The stream is not in the form of messages; the text says why, as a sentence."""


def read_message(stream: IO[bytes]) -> bytes | None:
    """Return the content of the next message, or None at the end of the stream.

    Raises
    ------
    FramingError
        Where the header has no valid length, or the stream ends within a message.
    """
    length = _read_header(stream)
    if length is None:
        return None
    pieces, missing = [], length
    while missing:
        piece = stream.read(min(missing, 2**16))
        if not piece:
            raise FramingError(f"The stream ended {missing} bytes before the end of the message.")
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _read_header(stream: IO[bytes]) -> int | None:
    """Return the length that a header states, or None at the end of the stream."""
    lengths = []
    for number in range(_MAX_LINES):
        line = stream.readline(_MAX_LINE)
        if not line and not number:
            return None
        if not line.endswith(b"\n"):
            raise FramingError("The header of a message is cut off or too long.")
        line = line.strip()
        if not line:
            break
        name, colon, value = line.partition(b":")
        # Messages without any header, one a line, are recognized at once.
        if not colon or not name.strip().replace(b"-", b"").isalnum():
            raise FramingError("A line before a message is not a field of a header.")
        if name.strip().lower() == b"content-length":
            lengths.append(value.strip())
    else:
        raise FramingError("The header of a message has too many lines.")
    if len(lengths) != 1:
        raise FramingError("The header of a message needs one Content-Length.")
    # `isdigit` refuses signs, spaces and underscores, which `int` accepts.
    if not lengths[0].isdigit() or len(lengths[0]) > 18:
        raise FramingError("The Content-Length of a message is not a number of bytes.")
    length = int(lengths[0])
    if length > MAX_MESSAGE:
        raise FramingError(
            f"A message has {length:,} bytes, more than the {MAX_MESSAGE:,} that are read."
        )
    return length


def frame_message(message: dict[str, Any]) -> bytes:
    """Return a message with its header.

    A lone surrogate, such as in a file name that is not UTF-8, becomes an escape of JSON.

    Raises
    ------
    ValueError
        For NaN and infinities.
    """
    try:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        body = text.encode("utf-8")
    except UnicodeEncodeError:
        body = json.dumps(message, allow_nan=False, separators=(",", ":")).encode("ascii")
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class MessageWriter:
    """Writes messages in a thread of its own, so that a client that is slow to read stops nobody.

    Parameters
    ----------
    stream
        Where the messages go; it belongs to the writer.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="runforge-writer", daemon=True)
        self._thread.start()

    def write(self, message: dict[str, Any], *, dispensable: bool = False) -> None:
        """Send a message; a dispensable one is left out where too many wait."""
        if dispensable and self._waiting.qsize() > _MAX_WAITING:
            return
        self._waiting.put(frame_message(message))

    def close(self, patience: float) -> None:
        """Send what is waiting, but no longer than ``patience`` seconds."""
        self._waiting.put(None)
        self._thread.join(patience)

    def _run(self) -> None:
        # The client is gone where it cannot be written to, which the reading side notices, too.
        with suppress(OSError, ValueError):
            while (data := self._waiting.get()) is not None:
                self._stream.write(data)
                if self._waiting.empty():
                    self._stream.flush()
            self._stream.flush()
