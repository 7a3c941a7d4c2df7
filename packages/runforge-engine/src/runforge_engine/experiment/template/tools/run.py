"""Run an experiment: ``python tools/run.py --experiment experiments/exp-001.yaml``."""

import sys

# Before anything else is imported: a file of this folder must not stand for a library.
if not sys.flags.safe_path and not sys.flags.isolated:
    del sys.path[0]

import runpy
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if find_spec("runforge_cli") is None:
    sys.exit(f"RunForge is not installed for this Python, {sys.executable}")

sys.argv[1:1] = ["experiment", "run", "--workspace", str(ROOT)]
runpy.run_module("runforge_cli", run_name="__main__", alter_sys=True)
