"""Makes a process take the ways of Windows from its start: put this folder on ``PYTHONPATH``."""

import os
import sys
from pathlib import Path

if folder := os.environ.get("SIMULATED_WINDOWS"):
    sys.path.append(str(Path(__file__).parents[1]))
    from windows_stand_ins import Kernel, choose_windows

    choose_windows(Kernel(Path(folder)))
    sys.path.remove(str(Path(__file__).parents[1]))
