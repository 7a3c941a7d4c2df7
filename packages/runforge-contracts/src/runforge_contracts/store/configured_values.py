"""The configured values of an experiment, by dotted names such as ``training.epochs``.

Source: specification, section 17.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: Parts of a configuration about the run itself, its data, or the names of files.
_RECORD = frozenset(
    {
        *("run_id", "experiment", "model", "dataset", "code", "created_by", "started_at", "status"),
        *("finished_at", "duration_ms", "exit_code", "signal", "failure", "notes", "references"),
        *("overrides", "parameters", "experiment_file", "rerun_from", "copied_models", "tags"),
        *("datasets", "models", "copy_models", "log_txt", "imported_from"),
    }
)


def configured(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the configured values by dotted names, without the values that the run records."""
    return flattened({name: value for name, value in config.items() if name not in _RECORD})


def flattened(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a configuration by dotted names; a list is a value."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
