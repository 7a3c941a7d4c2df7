"""MLflow, as its users add it to a script: autolog, and then the script written by hand.

python benchmarks/mlflow_script.py DATA LABEL FAMILY FOLDER
"""

import runpy
from pathlib import Path

import mlflow

mlflow.autolog()
with mlflow.start_run():
    runpy.run_path(str(Path(__file__).with_name("bare_script.py")), run_name="__main__")
