# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  recipe.v1.json

from __future__ import annotations
from typing import Annotated, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType


class RecipeSource(Struct, kw_only=True, frozen=True, gc=False):
    """
    The form of the raw file. What is absent is as in the CSV of section 11.1; nothing is guessed.
    """

    delimiter: (
        Annotated[
            Literal[",", ";", "\t", "|"],
            Meta(
                description="What separates the fields of a CSV file; a comma when absent."
            ),
        ]
        | UnsetType
    ) = UNSET
    decimal_mark: (
        Annotated[
            Literal[".", ","],
            Meta(
                description="The decimal mark of columns that are kept; a point when absent."
            ),
        ]
        | UnsetType
    ) = UNSET
    encoding: (
        Annotated[
            Literal[
                "utf-8",
                "utf-16le",
                "utf-16be",
                "iso-8859-1",
                "iso-8859-15",
                "windows-1252",
            ],
            Meta(description="The encoding of a CSV file; UTF-8 when absent."),
        ]
        | UnsetType
    ) = UNSET
    sheet: (
        Annotated[
            str,
            Meta(
                description="The sheet of an Excel workbook (.xlsx); then there is no other member.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET


MissingValue: TypeAlias = Annotated[str, Meta(min_length=1)]


class RecipeColumn(Struct, kw_only=True, frozen=True, gc=False):
    """
    What happens to a raw column. Source: specification, section 24.3.
    """

    column: Annotated[str, Meta(description="Its name in the header, exactly.")]
    action: Literal["keep", "drop", "boolean", "one_hot", "ordinal", "date", "number"]
    because: (
        Annotated[
            str, Meta(description="Why, for a reader. Informative.", max_length=1000)
        ]
        | UnsetType
    ) = UNSET
    true: (
        Annotated[
            list[str],
            Meta(
                description="Of a boolean: the values that become 1; `true` in any case when absent.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    false: (
        Annotated[
            list[str],
            Meta(
                description="Of a boolean: the values that become 0; `false` in any case when absent.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    categories: (
        Annotated[
            list[str],
            Meta(
                description="Of one-hot columns: the values that have a column, sorted by code point; of an ordinal: the values in their order, the first of which is 0.",
                max_length=10000,
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    unknown: (
        Annotated[
            Literal["error", "zeros", "column"],
            Meta(
                description="Of one-hot columns: what another value does. An error when absent; 0 in all columns; or 1 in a column for unknown values."
            ),
        ]
        | UnsetType
    ) = UNSET
    format: (
        Annotated[
            str,
            Meta(
                description="Of a date: its form, with %Y, %m, %d, %H, %M and %S.",
                max_length=100,
            ),
        ]
        | UnsetType
    ) = UNSET
    parts: (
        Annotated[
            list[
                Literal[
                    "year",
                    "month",
                    "day",
                    "weekday",
                    "days",
                    "hour",
                    "minute",
                    "second",
                ]
            ],
            Meta(
                description="Of a date: the parts that become columns.",
                max_length=8,
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    decimal_mark: (
        Annotated[
            Literal[".", ","],
            Meta(description="Of a number: its decimal mark; a point when absent."),
        ]
        | UnsetType
    ) = UNSET
    thousands_mark: (
        Annotated[
            Literal[".", ",", " ", "'", "\xa0", "’", "\u202f"],
            Meta(
                description="Of a number: the mark between groups of three digits; none when absent."
            ),
        ]
        | UnsetType
    ) = UNSET
    missing_values: (
        Annotated[
            list[MissingValue],
            Meta(
                description="Further cells that are missing values, beside those of section 11.2, such as `?` or `-999`; compared as text.",
                max_length=100,
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    missing: (
        Annotated[
            Literal["drop_row", "indicator", "constant"],
            Meta(
                description="What a missing value does: the row is left without values, so that training drops it (when absent); a column of its own is 1 and the others are 0; or it is read as `constant`."
            ),
        ]
        | UnsetType
    ) = UNSET
    constant: (
        Annotated[str, Meta(description="The cell that a missing one is read as.")]
        | UnsetType
    ) = UNSET


class RecipeV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    How the columns of a raw table become a table of numbers. Source: specification, section 24.2.
    """

    schema_version: Literal["recipe.v1"]
    label: Annotated[
        str,
        Meta(
            description="The label column of the raw table; its cells are copied as they are.",
            min_length=1,
        ),
    ]
    columns: Annotated[
        list[RecipeColumn],
        Meta(
            description="What happens to each raw column, in the order of the prepared columns; a raw column that is not listed is not used.",
            min_length=1,
        ),
    ]
    source: RecipeSource | UnsetType = UNSET
    created_by: (
        Annotated[
            str,
            Meta(
                description="The client that proposed the recipe, such as `runforge-cli@0.4.0`. Informative."
            ),
        ]
        | UnsetType
    ) = UNSET
