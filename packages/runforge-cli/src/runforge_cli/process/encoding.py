"""Support for locales and streams that are not UTF-8.

Imported only where the encoding of the locale or of a standard stream is not UTF-8.

Source: Python, "UTF-8 Mode" and "Codec Base Classes, Error Handlers".
"""

from __future__ import annotations

import codecs
import os
import sys
from typing import TextIO

#: The ``-X`` option that passes the encoding of standard output to the restarted process.
_OUTPUT = "runforge_output"
#: Name of the error handler below.
_PLAIN = "runforge-plain"
#: ASCII replacements of drawing characters; an eighth of a bar is drawn from one half up.
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
    """Restart this process in Python's UTF-8 mode if its arguments or file names need it.

    An ASCII locale can represent no other characters, and other locales lack some of them. The
    output stays in the encoding of the locale.
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
    """Make a stream replace characters that its encoding lacks: by ASCII art or by escapes."""
    codecs.register_error(_PLAIN, _plain)
    encoding = sys._xoptions.get(_OUTPUT)
    if sys.platform == "win32" and "PYTHONIOENCODING" not in os.environ:
        encoding = "utf-8"  # A code page is for the console, and this goes to a file or program.
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
