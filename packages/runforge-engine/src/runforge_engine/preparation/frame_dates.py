"""Times of a data frame as a recipe reads them: pandas omits the time if all of them are midnight.

Source: specification, section 24.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from runforge_contracts.errors import RunForgeError

from runforge_engine.data.dataframe import is_frame
from runforge_engine.preparation.given_recipe import given_recipe

if TYPE_CHECKING:
    import pandas as pd
    from runforge_contracts.store.run import Run

T = TypeVar("T")

_PLAIN = "%Y-%m-%d %H:%M:%S"
_ZONED = "%Y-%m-%dT%H:%M:%SZ"


def with_dates(data: T, recipe: object) -> T:
    """Return a frame in which the times that a recipe reads by ``date`` are strings of its format.

    Times are those of UTC where the format has ``Z``. All other data stay as they are, and so do
    times with a time zone for another format, times of day for a format of days, and everything if
    the recipe cannot be read, which is an error later.

    Parameters
    ----------
    data
        A frame, or anything else.
    recipe
        The path of a recipe, or its content; None for no recipe.
    """
    if recipe is None or not is_frame(data):
        return data
    content: Mapping[str, Any] = {"columns": ()}
    with suppress(RunForgeError):
        content = given_recipe(recipe)
    formats = {
        item["column"]: item["format"] for item in content["columns"] if item["action"] == "date"
    }
    written: T = _written(data, lambda name, _: formats.get(name))
    return written


def with_dates_of(data: T, run: Run, recipe: object = None) -> T:
    """Return :func:`with_dates` for the recipe that a run recorded, unless another one is given."""
    if recipe is None and is_frame(data):
        from runforge_engine.preparation.run_recipe import recipe_of_run

        with suppress(RunForgeError):
            recorded = recipe_of_run(run)
            recipe = None if recorded is None else recorded.content
    return with_dates(data, recipe)


def with_times(frame: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return a frame with its times, but for those of the label, as a proposal can read them."""

    def form(name: str, column: Any) -> str | None:
        return None if name == label else _PLAIN if column.dt.tz is None else _ZONED

    written: pd.DataFrame = _written(frame, form, only_with_times=True)
    return written


def _written(
    frame: Any, form: Callable[[str, Any], str | None], *, only_with_times: bool = False
) -> Any:
    """Return a frame with the times in some columns as strings.

    Parameters
    ----------
    frame
        The frame.
    form
        Returns the format for a column, given its name and its times; None leaves it as it is.
    only_with_times
        Whether columns of days stay as they are.
    """
    changed = frame.copy(deep=False)
    for name, column in _times(frame):
        wanted = form(name, column)
        if wanted is None:
            continue
        if column.dt.tz is not None:
            if "Z" not in wanted:
                continue
            column = column.dt.tz_convert("UTC")
        days = bool((column.dropna() == column.dropna().dt.normalize()).all())
        if days and only_with_times and "Z" not in wanted:
            continue
        if days or "%H" in wanted:
            changed[name] = column.dt.strftime(wanted)
    return changed


def _times(frame: Any) -> Iterator[tuple[str, Any]]:
    """Yield the columns of times with their names, those of Arrow as pandas has them otherwise.

    A name that is there twice, or is no string, is left out: it is refused later.
    """
    import pandas as pd

    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if not isinstance(name, str) or not pd.api.types.is_datetime64_any_dtype(dtype):
            continue
        if (frame.columns == name).sum() > 1:
            continue
        column = frame[name]
        if isinstance(dtype, pd.ArrowDtype):
            kind = dtype.pyarrow_dtype
            zone = f", {kind.tz}" if kind.tz else ""
            column = column.astype(f"datetime64[{kind.unit}{zone}]")
        yield name, column
