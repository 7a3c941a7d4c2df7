"""The recipe of a run: read from where its request names it, or from the copy in the run folder.

A run with a recipe is trained on the prepared table, which is made in memory. Columns that the
request excludes count as dropped by the recipe.

Source: specification, section 24.6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import MAX_BYTES
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.prepared_names import escaped_name, raw_name
from runforge_contracts.store import layout
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summary_of

from runforge_engine.data.column_choice import no_features
from runforge_engine.data.dataset import Dataset, load_dataset
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.labelled_rows import check_has_label
from runforge_engine.data.table_reader import read_names
from runforge_engine.preparation.column_conversion import conversion
from runforge_engine.preparation.prepared_table import prepare_table, set_form
from runforge_engine.preparation.recipe_rules import parse_recipe


@dataclass(frozen=True, slots=True)
class RunRecipe:
    """The bytes of a recipe, and what they say; two of the same bytes are equal."""

    sha256: str
    path: Path = field(compare=False)
    data: bytes = field(compare=False, repr=False)
    content: Mapping[str, Any] = field(compare=False, repr=False)


def load_recipe(path: Path, *, below: Path | None = None) -> RunRecipe:
    """Read the recipe at ``path``; no link is followed on the way from ``below``.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_engine.preparation.recipe_rules.read_recipe`.
    """
    data = read_file(path, max_bytes=MAX_BYTES, too_large=ErrorCode.JSON_TOO_LARGE, below=below)
    return RunRecipe(hashlib.sha256(data).hexdigest(), path, data, parse_recipe(data, path))


def recipe_of_run(run: Run) -> RunRecipe | None:
    """Return the recipe that a run recorded, from the copy in its folder; None if it had none.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND``, ``DOCUMENT_INVALID`` and others of reading; ``FILE_UNSAFE`` if the copy
        is not the recorded recipe.
    """
    expected = summary_of(run).data.recipe_sha256
    if expected is None:
        return None
    recipe = load_recipe(run.path / layout.RECIPE, below=run.path)
    if recipe.sha256 != expected:
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"The copy of the recipe in the run {quote(run.id)} is not the recorded one.",
            hint="`runforge verify` shows what was changed.",
            path=str(recipe.path),
        )
    return recipe


def check_label(recipe: RunRecipe, label_column: str) -> None:
    """Raise ``LABEL_NOT_FOUND`` if the label of a recipe is another column than the requested."""
    label = recipe.content["label"]
    if label != label_column:
        raise RunForgeError(
            ErrorCode.LABEL_NOT_FOUND,
            f"The label of the recipe is {quote(label)}, not {quote(label_column)}.",
            hint="Name the column that the recipe has as `label`.",
            path=str(recipe.path),
            pointer="/label",
            column=label_column,
        )


def without_columns(recipe: Mapping[str, Any], columns: Collection[str]) -> dict[str, Any]:
    """Return a recipe that does not use some raw columns."""
    kept = [column for column in recipe["columns"] if column["column"] not in columns]
    return {**recipe, "columns": kept}


def with_columns(recipe: Mapping[str, Any], columns: Collection[str]) -> dict[str, Any]:
    """Return a recipe that uses only some raw columns."""
    kept = [column for column in recipe["columns"] if column["column"] in columns]
    return {**recipe, "columns": kept}


def prepared_width(recipe: Mapping[str, Any], exclude_columns: Collection[str]) -> int:
    """Return the number of columns that a recipe makes of a table, without the label."""
    columns = without_columns(recipe, exclude_columns)["columns"]
    made = (conversion(column, recipe.get("source", {})) for column in columns)
    return sum(len(item.names) for item in made if item is not None)


def prepared_source(raw: DatasetSource, recipe: Mapping[str, Any]) -> DatasetSource:
    """Apply a recipe to a raw table, and return the prepared table; ``raw`` is released.

    Messages about the prepared table name the raw file, whose rows are the same.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_engine.preparation.prepared_table.prepare_table`.
    """
    set_form(raw, recipe.get("source", {}))
    data = b"".join(prepare_table(raw, recipe).pieces())
    sha256 = hashlib.sha256(data).hexdigest()
    return DatasetSource(raw.path, data, sha256, in_python=raw.in_python, is_prepared=True)


def prepare_rows(
    raw: DatasetSource,
    recipe: Mapping[str, Any],
    features: Collection[str],
    label_column: str | None = None,
) -> tuple[DatasetSource, tuple[str, ...]]:
    """Apply a recipe to raw rows, as far as a model uses what it makes.

    Parameters
    ----------
    raw
        The raw rows, which are released.
    recipe
        The recipe.
    features
        The features of the model: names of prepared columns.
    label_column
        The raw column with the labels, which must be there; by default that of the recipe, which
        may be missing.

    Returns
    -------
    tuple
        The prepared table, and the raw columns that it does not come from.

    Raises
    ------
    RunForgeError
        ``LABEL_NOT_FOUND``; as :func:`prepared_source`, with hints about new rows: the recipe of a
        run cannot be edited.
    """
    used = {raw_name(name) for name in features}
    label = label_column or recipe["label"]
    set_form(raw, recipe.get("source", {}))
    names = read_names(raw)
    if label_column is not None:
        check_has_label(names, label_column, raw)
    unused = tuple(name for name in names if name not in used and name != label_column)
    try:
        made = prepared_source(raw, {**with_columns(recipe, used), "label": label})
    except RunForgeError as error:
        if error.code is not ErrorCode.VALUE_UNEXPECTED:
            raise
        raise RunForgeError(
            error.code,
            error.message,
            hint="Correct the cells, empty those whose value is unknown, or train with a recipe"
            " that says what happens to them, such as `unknown` for other categories.",
            **error.location._asdict(),
            problems=[problem._replace(hint=None) for problem in error.problems],
        ) from None
    return made, unused


def load_prepared(
    raw: DatasetSource,
    recipe: RunRecipe,
    label_column: str,
    exclude_columns: Collection[str],
    seed: int | None = None,
) -> Dataset:
    """Apply a recipe to a raw table, and load the prepared table as a dataset.

    Parameters
    ----------
    raw
        The raw table, which is released.
    recipe
        The recipe.
    label_column, exclude_columns
        Columns of the raw table.
    seed
        As for :func:`~runforge_engine.data.dataset.load_dataset`.

    Raises
    ------
    RunForgeError
        ``LABEL_NOT_FOUND``, ``ZERO_FEATURES``; the errors of :func:`prepared_source` and of
        :func:`~runforge_engine.data.dataset.load_dataset`.
    """
    check_label(recipe, label_column)
    content = without_columns(recipe.content, exclude_columns)
    if all(column["action"] == "drop" for column in content["columns"]):
        raise no_features(label_column, raw, excluded=True)
    source = prepared_source(raw, content)
    sha256 = source.sha256
    dataset = load_dataset(source, escaped_name(label_column), seed=seed)
    dataset.label_column = label_column
    dataset.prepared_sha256 = sha256
    return dataset
