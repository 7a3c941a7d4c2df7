"""Run an experiment: ``python tools/run.py --experiment experiments/exp-001.yaml``."""

import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

sys.argv[1:1] = ["experiment", "run", "--workspace", str(ROOT)]
runpy.run_module("runforge_cli", run_name="__main__", alter_sys=True)
