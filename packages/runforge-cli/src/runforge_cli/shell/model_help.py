"""What ``--model``, ``--preset``, ``--profile`` and ``--param`` mean, from the engine's tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

_PRECEDENCE = (
    "For each model: the names for --param with their default and what they take, and what each"
    " preset and profile sets. --param wins over --profile, --profile over --preset, and --preset"
    " over the default. A profile for one model selects this model if --model is not given."
)


def assignments(values: Mapping[str, Any]) -> str:
    """Return what a preset or profile sets, such as ``max_iter=50``."""
    from runforge_engine.modeling.configuration import value_text

    named = (f"{name}={value_text(value)}" for name, value in values.items())
    return ", ".join(named) or "nothing"


def model_section(formatter: click.HelpFormatter) -> None:
    """Write the hyperparameters, presets and profiles of every model family."""
    from textwrap import TextWrapper

    from runforge_engine.modeling.families import FAMILIES

    families = {family: list(_rows(family)) for family in FAMILIES}
    column = max(len(option) for rows in families.values() for option, _ in rows) + 6
    # Names such as newton-cholesky are not broken, as click would.
    wrapper = TextWrapper(formatter.width, break_on_hyphens=False, subsequent_indent=" " * column)
    with formatter.section("Models, presets and profiles"):
        formatter.write_text(_PRECEDENCE)
        for family, rows in families.items():
            formatter.write(f"\n  --model {family}\n")
            for option, meaning in rows:
                line = f"    {option}".ljust(column) + meaning
                formatter.write(f"{wrapper.fill(line)}\n")


def _rows(family: str) -> Iterator[tuple[str, str]]:
    """Yield an option with each of its values, and what it does."""
    from runforge_engine.modeling.configuration import PROFILES, value_text
    from runforge_engine.modeling.families import FAMILIES

    table = FAMILIES[family]
    for name, parameter in table.hyperparameters.items():
        yield f"--param {name}={value_text(parameter.default)}", parameter.expects.replace("`", "")
    for name, values in table.presets.items():
        yield f"--preset {name}", assignments(values)
    for name, profile in PROFILES.items():
        if profile.family in (None, family):
            yield f"--profile {name}", assignments(profile.parameters)
