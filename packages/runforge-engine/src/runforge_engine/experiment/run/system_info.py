"""Describe the system of a run: operating system, Python, frameworks and hardware.

Source: specification, section 17.8.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from runforge_contracts.display import printable, shorten

from runforge_engine.runtime.platform_info import describe_platform, memory_size

#: Distributions that are recorded as machine learning frameworks.
_FRAMEWORKS = (
    *("accelerate", "catboost", "cupy", "datasets", "deepspeed", "diffusers", "fastai", "flax"),
    *("gymnasium", "jax", "jaxlib", "keras", "lightgbm", "lightning", "mlx", "numba", "numpy"),
    *("onnx", "onnxruntime", "paddlepaddle", "pandas", "peft", "polars", "pyarrow"),
    *("pytorch-lightning", "ray", "runforge-engine", "scikit-learn", "scipy"),
    *("sentence-transformers", "spacy", "stable-baselines3", "statsmodels", "tensorflow", "timm"),
    *("tokenizers", "torch", "torchaudio", "torchvision", "transformers", "trl", "xgboost"),
)
_NVIDIA = Path("/proc/driver/nvidia/gpus")
#: Timeout of the GPU query tool, in seconds.
_TIME_LIMIT = 2.0
_LONG = 200


def describe_system() -> dict[str, Any]:
    """Return the object of ``system.json``; unavailable values are absent."""
    import platform

    hardware: dict[str, Any] = {}
    if cpu := describe_platform().get("cpu"):
        hardware["cpu"] = _text(cpu)
    hardware["gpus"] = [_text(name) for name in _gpus()]
    if memory := memory_size():
        hardware["ram_gb"] = round(memory / 2**30, 1)
    return {
        "os": _text(f"{platform.system() or sys.platform} {platform.release()}".strip()),
        "python": platform.python_version(),
        "frameworks": _frameworks(),
        "hardware": hardware,
    }


def _frameworks() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _FRAMEWORKS:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = _text(version(name))
    return found


def _gpus() -> list[str]:
    """Return the names of the GPUs as the driver reports them."""
    try:
        files = sorted(_NVIDIA.glob("*/information"))
        lines = [line for file in files for line in file.read_text("utf-8", "replace").splitlines()]
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
    return names or _ask(("nvidia-smi", "--query-gpu=name", "--format=csv,noheader"))


def _ask(command: tuple[str, ...]) -> list[str]:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=_TIME_LIMIT,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line.strip()]


def _text(value: str) -> str:
    return printable(shorten(value.encode("utf-8", "replace").decode("utf-8"), _LONG))
