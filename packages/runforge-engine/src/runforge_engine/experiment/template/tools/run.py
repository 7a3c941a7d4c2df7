"""Run an experiment: ``python tools/run.py --experiment experiments/exp-001.yaml``."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # A file beside this one is no module of Python's, whatever its name.

import runpy
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if find_spec("runforge_cli") is None:
    sys.exit(f"This Python has no RunForge: {sys.executable} -m pip install runforge-cli")

sys.argv[1:1] = ["experiment", "run", "--workspace", str(ROOT)]
runpy.run_module("runforge_cli", run_name="__main__", alter_sys=True)
