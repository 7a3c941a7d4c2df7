"""Surroundings that are not UTF-8: what comes in is taken, and what goes out can be read.

Imported where the locale's encoding, or that of a stream, is another one.

Source: Python, "UTF-8 Mode" and "Codec Base Classes, Error Handlers".
"""

from __future__ import annotations

import codecs
import os
import sys
from typing import TextIO

#: Name of the option of Python with which a process that starts anew says how it is to write.
_OUTPUT = "runforge_output"
#: Name of the error handler below.
_PLAIN = "runforge-plain"
#: What stands for characters that are drawn with; the eighths of a bar count from half on.
_STAND_INS = {
    **dict(zip("▁▂▃▄▅▆▇█", "_.-=+*%#", strict=True)),
    **dict(zip("▏▎▍▌▋▊▉", "...####", strict=True)),
    "…": "...",
    "–": "-",
    "−": "-",
    "±": "+-",
    "×": "x",
}


def start_in_utf8() -> None:
    """Start this process anew in Python's UTF-8 mode where its arguments or files need it.

    In an ASCII locale no other character is to be had, and elsewhere some letters of UTF-8 are not.
    What the process writes stays in the encoding that was asked for.
    """
    encoding = sys.getfilesystemencoding()
    started = os.path.basename(sys.argv[0]) in ("runforge", "__main__.py")  # noqa: PTH119
    if os.name != "posix" or _OUTPUT in sys._xoptions or not started:
        return
    if encoding != "ascii" and (_are_text(sys.argv) or not _are_utf8(sys.argv)):
        return
    options = ("-X", "utf8", "-X", f"{_OUTPUT}={sys.stdout.encoding if sys.stdout else encoding}")
    os.execv(sys.executable, [sys.orig_argv[0], *options, *sys.orig_argv[1:]])  # noqa: S606


def soften(stream: TextIO) -> None:
    """Let a stream write what its encoding lacks: drawn bars in ASCII, the rest escaped."""
    codecs.register_error(_PLAIN, _plain)
    encoding = sys._xoptions.get(_OUTPUT)
    stream.reconfigure(  # type: ignore[attr-defined]
        encoding=encoding if isinstance(encoding, str) else None, errors=_PLAIN
    )


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_stand_in, error.object[error.start : error.end])), error.end


def _stand_in(character: str) -> str:
    escaped = character.encode("ascii", "backslashreplace").decode("ascii")
    return _STAND_INS.get(character, escaped)


def _are_text(arguments: list[str]) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in "".join(arguments))


def _are_utf8(arguments: list[str]) -> bool:
    try:
        os.fsencode("".join(arguments)).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
