"""Where modules are imported from: what is installed, and nothing of the folder we are called in.

A workspace may come from anywhere, and one with a ``json.py`` in it must not run by that. Python
puts the current folder on its path with ``-m``, and the folder of a script; an empty entry of
``PYTHONPATH`` is the current folder, too. This is the first of us to be imported, so it imports
nothing but what Python itself has loaded by then.

Source: Python, "The initialization of the sys.path module search path".
"""

import os
import sys


def isolate() -> None:
    """Take the current folder, and that of the script, off the path, however they came onto it.

    They stay where RunForge itself is installed in one of them.
    """
    installed = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    foreign = {"", os.curdir}
    try:
        foreign.add(os.path.dirname(os.path.realpath(sys.argv[0])))
        foreign.add(os.getcwd())
    except OSError:  # It was deleted, and has nothing in it.
        pass
    sys.path[:] = [entry for entry in sys.path if entry not in foreign or entry == installed]
