"""Remove the current folder from the import path, so that only installed modules are imported.

A workspace may be untrusted, and a ``json.py`` in it must not be executed. Python adds the current
folder to the path with ``-m``, and the folder of a script; an empty entry of ``PYTHONPATH`` also
means the current folder. This module is imported first, so it imports only modules that Python
itself has already loaded.

Source: Python, "The initialization of the sys.path module search path".
"""

import os
import sys


def isolate() -> None:
    """Remove the current folder and the folder of the script from ``sys.path``.

    A folder that RunForge itself is installed in is kept.
    """
    installed = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    foreign = {"", os.curdir}
    try:
        foreign.add(os.path.dirname(os.path.realpath(sys.argv[0])))
        foreign.add(os.getcwd())
    except OSError:  # The current folder was deleted, so nothing can be imported from it.
        pass
    sys.path[:] = [entry for entry in sys.path if entry not in foreign or entry == installed]
