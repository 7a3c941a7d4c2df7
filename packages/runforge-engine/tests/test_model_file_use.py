"""A changed model without findings can be loaded and used."""

from __future__ import annotations

import sys

import pytest
from use_models import run

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="each is used in a process with bounded memory"
)


def test_a_model_without_findings_can_be_used() -> None:
    outcomes = run(200, seed=20251)
    assert sum(outcomes.values()) == 200
    assert outcomes["refused"] > 50
    assert outcomes["clean, used"] > 10


@pytest.mark.storm
@pytest.mark.slow
def test_of_many_changed_models_none_breaks_its_process() -> None:
    total = 0
    for seed in range(5):
        total += sum(run(1000, seed).values())
    assert total == 5_000
