"""Real runs for the engine's tests."""

from __future__ import annotations

# Tests compute in the same numeric environment as the commands do, so it is fixed before anything
# can import numpy.
from runforge_engine.runtime.numeric_environment import pin_environment

pin_environment()

from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import pytest  # noqa: E402
from real_data import write_dataset  # noqa: E402
from runforge_contracts.store.layout import StoreLayout  # noqa: E402
from runforge_engine.pipeline.execute import ExecutionResult, execute  # noqa: E402
from runforge_engine.pipeline.request import new_request  # noqa: E402

Train = Callable[..., ExecutionResult]


@pytest.fixture
def train(tmp_path: Path) -> Train:
    """Return a function that trains on a named dataset in the test's own workspace."""

    def run(dataset: str = "iris", **options: Any) -> ExecutionResult:
        path, label, excluded = write_dataset(dataset, tmp_path)
        store = StoreLayout(tmp_path)
        execution = {
            key: options.pop(key) for key in ("observer", "cancellation") if key in options
        }
        request = new_request(
            dataset=path,
            label_column=label,
            exclude_columns=excluded,
            store=store,
            created_by="tests@1",
            **options,
        )
        return execute(request, store, **execution)

    return run
