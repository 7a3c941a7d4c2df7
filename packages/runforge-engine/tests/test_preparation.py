"""Recipes: the vectors of the specification, proposals, and equality with scikit-learn."""

from __future__ import annotations

import csv
import io
import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.preparation.prepared_table import PreparedTable, open_raw, prepare_table
from runforge_engine.preparation.recipe_proposal import propose_recipe, with_actions
from runforge_engine.preparation.recipe_rules import check_recipe, read_recipe

VECTORS = Path(__file__).parents[3] / "docs/test-vectors/recipes"


def apply(raw: Path, recipe: dict[str, Any]) -> PreparedTable:
    return prepare_table(open_raw(raw, recipe.get("source", {})), recipe)


def content(table: PreparedTable) -> bytes:
    return b"".join(table.pieces())


def propose(raw: Path, label: str = "y", **source: str) -> dict[str, Any]:
    opened = open_raw(raw, source)
    recipe, _ = propose_recipe(opened, label, dict(source), created_by="test@1")
    check_recipe(recipe)
    return recipe


def rows_of(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode())))


def actions(recipe: dict[str, Any]) -> dict[str, str]:
    return {item["column"]: item["action"] for item in recipe["columns"]}


@pytest.mark.parametrize("vector", sorted(VECTORS.iterdir()), ids=lambda path: path.name)
def test_every_vector_gives_its_bytes_or_its_error(vector: Path) -> None:
    def prepared() -> bytes:
        return content(apply(vector / "raw.csv", read_recipe(vector / "recipe.json")))

    expected = vector / "error.json"
    if not expected.exists():
        assert prepared() == (vector / "prepared.csv").read_bytes()
        return
    with pytest.raises(RunForgeError) as caught:
        prepared()
    found = caught.value.to_dict()
    wanted = json.loads(expected.read_bytes())
    assert {name: found.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 100_000, ErrorCode.JSON_TOO_DEEP),
        ('{"schema_version": "recipe.v1", "label": NaN}', ErrorCode.JSON_INVALID),
        ('{"label": "y", "label": "y"}', ErrorCode.JSON_DUPLICATE_KEY),
        (
            '{"schema_version": "recipe.v1", "label": "y", "columns": []}',
            ErrorCode.DOCUMENT_INVALID,
        ),
        ('{"schema_version": "recipe.v2"}', ErrorCode.DOCUMENT_VERSION_UNSUPPORTED),
    ],
)
def test_hostile_recipes_are_refused(tmp_path: Path, text: str, code: ErrorCode) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RunForgeError) as caught:
        read_recipe(path)
    assert caught.value.code in (code, ErrorCode.JSON_NUMBER_INVALID)


def test_a_proposal_follows_the_rules(tmp_path: Path) -> None:
    draw = random.Random(5)
    raw = tmp_path / "raw.csv"
    with raw.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        header = "id,same,empty,number,sparse,yes,day,unclear,text,name,many,marks,vague,y"
        out.writerow(header.split(","))
        for row in range(120):
            out.writerow(
                [
                    row + 1,
                    "k",
                    "",
                    draw.random(),
                    row if row % 3 == 0 else "",
                    draw.choice(["Yes", "no"]),
                    f"2026-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
                    f"{draw.randint(1, 12)}/{draw.randint(1, 12)}/2026",
                    draw.choice(["a", "b", ""]),
                    f"name {row}",
                    f"m{row % 50}",
                    "1,234.5",
                    f"1,{100 + row}",
                    row % 2,
                ]
            )
    recipe = propose(raw)
    assert actions(recipe) == {
        "id": "drop",
        "same": "drop",
        "empty": "drop",
        "number": "keep",
        "sparse": "drop",
        "yes": "boolean",
        "day": "date",
        "unclear": "drop",
        "text": "one_hot",
        "name": "drop",
        "many": "drop",
        "marks": "drop",
        "vague": "drop",
    }
    assert recipe == propose(raw)
    text = next(item for item in recipe["columns"] if item["column"] == "text")
    assert text == {
        "column": "text",
        "action": "one_hot",
        "categories": ["a", "b"],
        "missing": "indicator",
    }


def test_a_named_decimal_mark_tells_what_a_comma_is(tmp_path: Path) -> None:
    raw = tmp_path / "raw.csv"
    raw.write_text('a,b,y\n"1,100",1,0\n"2,250",2,1\n"1,100",3,0\n', encoding="utf-8")
    unclear, *_ = propose(raw)["columns"]
    assert unclear["action"] == "drop"
    assert "--decimal-mark" in unclear["because"]
    point, *_ = propose(raw, decimal_mark=".")["columns"]
    assert point == {
        "column": "a",
        "action": "number",
        "decimal_mark": ".",
        "thousands_mark": ",",
    }
    comma, *_ = propose(raw, decimal_mark=",")["columns"]
    assert comma["action"] == "keep"


def reasons(recipe: dict[str, Any]) -> dict[str, str]:
    return {item["column"]: item.get("because", "") for item in recipe["columns"]}


def test_a_reason_names_the_decimal_mark_that_fits(tmp_path: Path) -> None:
    raw = tmp_path / "raw.csv"
    lines = [f"{row},{row}.5;{row},5;{row % 3};1,10{row};{row % 2}" for row in range(9)]
    raw.write_text("\n".join(["text;comma;whole;vague;y", *lines]), encoding="utf-8")
    name = "name it, as in `runforge prepare RAW --label COLUMN --decimal-mark"
    found = reasons(propose(raw, delimiter=";"))
    assert found["comma"].startswith(f"`0,5` looks like a number with a decimal comma: {name} ,`")
    assert found["vague"].startswith(
        f"numbers whose decimal mark is not clear, such as `1,100`: {name} ,` or `.`"
    )
    found = reasons(propose(raw, delimiter=";", decimal_mark="."))
    assert found["comma"].startswith(
        "`0,5` is not a number with the decimal mark `.`, and looks like a number with a decimal"
        f" comma: {name} ,`"
    )
    recipe = propose(raw, delimiter=";", decimal_mark=",")
    assert actions(recipe) == {
        "text": "drop",
        "comma": "keep",
        "whole": "keep",
        "vague": "keep",
    }
    raw.write_text(raw.read_text("utf-8").replace(",", "."), encoding="utf-8")
    found = reasons(propose(raw, delimiter=";", decimal_mark=","))
    assert "with a decimal point" in found["comma"]
    assert f"{name} .`" in found["comma"]


@pytest.mark.parametrize("repeated", [False, True], ids=["different", "repeated"])
def test_a_column_of_numbers_with_a_few_other_cells_names_them(
    repeated: bool, tmp_path: Path
) -> None:
    raw = tmp_path / "raw.csv"
    most = 50 if repeated else 1000

    def written(wrong: dict[int, str], cell: str = "{}") -> str:
        cells = [wrong.get(row, cell.format(row % most)) for row in range(1, 241)]
        lines = [f'"{text}",{row % 2},{row % 3}' for row, text in enumerate(cells)]
        raw.write_text("\n".join(["a,b,y", *lines]), encoding="utf-8")
        item, _ = propose(raw)["columns"]
        assert item["action"] == "drop"
        return str(item["because"])

    one = {9: "abt 30", 30: "", 31: " NA "}
    assert written(one) == (
        "numbers, but for 1 cell: `abt 30` (row 9); correct it, or keep the column"
        " and list it in `missing_values`"
    )
    assert written(one, "1,{:03}.5") == written(one)
    assert written({9: "x", 11: "x", 20: "\x1b[2J", 33: "y"}) == (
        "numbers, but for 4 cells: `x` (row 9), `x` (row 11), `\\x1b[2J` (row 20) and 1 more;"
        " correct them, or keep the column and list them in `missing_values`"
    )
    assert written(dict.fromkeys(range(1, 11), "!")).startswith("numbers, but for 10 cells")
    assert "numbers" not in written(dict.fromkeys(range(1, 12), "!"))
    # Nineteen numbers and one other cell, and then one number less.
    few = dict.fromkeys(range(21, 241), "")
    for count, expected in ((20, True), (19, False)):
        cells = {row: str(row) for row in range(1, 21)} | few | {7: "!"}
        cells |= dict.fromkeys(range(count + 1, 21), "")
        lines = [f"{text},{row % 2}" for row, text in sorted(cells.items()) if text]
        raw.write_text("\n".join(["a,y", *lines, ""]), encoding="utf-8")
        with pytest.raises(RunForgeError, match="numbers, but" if expected else "free text"):
            propose(raw)


@pytest.mark.parametrize("most", [40, 1000], ids=["repeated", "different"])
def test_words_for_unknown_numbers_are_proposed_as_missing_values(
    most: int, tmp_path: Path
) -> None:
    raw = tmp_path / "raw.csv"

    def proposed(wrong: dict[int, str], cell: str = "{}.5") -> dict[str, Any]:
        cells = [wrong.get(row, cell.format(row % most)) for row in range(200)]
        lines = [f'"{text}",{row % 2},{row % 3}' for row, text in enumerate(cells)]
        raw.write_text("\n".join(["a,b,y", *lines]), encoding="utf-8")
        recipe = propose(raw)
        if recipe["columns"][0]["action"] != "drop":
            apply(raw, recipe)
        item = recipe["columns"][0]
        return {name: item[name] for name in item if name not in ("column", "because")}

    few, many = dict.fromkeys(range(8, 12), "Unknown"), dict.fromkeys(range(20, 60), "-")
    kept = {"action": "keep", "missing_values": ["?", "Unknown"]}
    assert proposed({**few, 7: " ? "}) == kept
    kept = {"action": "keep", "missing_values": ["-", "Unknown"], "missing": "indicator"}
    assert proposed(few | many) == kept
    marks = {"action": "number", "decimal_mark": ".", "thousands_mark": ","}
    assert proposed({7: "?"}, "1,{:03}.5") == {**marks, "missing_values": ["?"]}
    assert proposed({7: "?", 8: "!"})["action"] == "drop"
    assert "missing_values" not in proposed(dict.fromkeys(range(101), "?"))
    # A number and a word are two categories.
    assert proposed(dict.fromkeys(range(90), "?"), "5")["action"] == "one_hot"


def test_an_error_names_the_delimiter_of_a_file_and_that_of_the_recipe(tmp_path: Path) -> None:
    raw = tmp_path / "raw.csv"
    columns = [{"column": name, "action": "keep"} for name in ("a", "b")]
    words = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
    for delimiter, found in words.items():
        raw.write_text("\n".join(map(delimiter.join, ("aby", "120", "231"))), encoding="utf-8")
        for other, expected in words.items():
            if delimiter == other or other == ",":
                continue
            recipe = {"source": {"delimiter": other}, "label": "y", "columns": columns}
            sentence = f"`raw.csv` separates its columns by {found}; the recipe reads {expected}."
            with pytest.raises(RunForgeError) as caught:
                apply(raw, recipe)
            assert (caught.value.code, caught.value.message) == (
                ErrorCode.COLUMN_NOT_FOUND,
                sentence,
            )
            with pytest.raises(RunForgeError) as caught:
                propose(raw, delimiter=other)
            assert (caught.value.code, caught.value.message) == (
                ErrorCode.LABEL_NOT_FOUND,
                sentence,
            )
    # Columns that are in no header are missing, whatever it is separated by.
    raw.write_text("c,d\n1,2\n", encoding="utf-8")
    with pytest.raises(RunForgeError, match="lacks 2 columns"):
        apply(raw, {"source": {"delimiter": ";"}, "label": "y", "columns": columns})


def test_a_table_of_no_use_is_refused(tmp_path: Path) -> None:
    raw = tmp_path / "raw.csv"
    raw.write_text("a,y\nk,0\nk,1\n", encoding="utf-8")
    with pytest.raises(RunForgeError, match="the same value in all rows") as caught:
        propose(raw)
    assert caught.value.code is ErrorCode.ZERO_FEATURES


def test_columns_are_found_in_any_order_and_others_are_reported(tmp_path: Path) -> None:
    recipe = {"label": "y", "columns": [{"column": "a", "action": "keep"}]}
    raw = tmp_path / "raw.csv"
    raw.write_text("y,more,a\n0,\x1b[2J,1\n", encoding="utf-8")
    table = apply(raw, recipe)
    assert content(table) == b"a,y\n1,0\n"
    assert table.unlisted == ["more"]


def test_large_tables_are_made_in_pieces_of_whole_rows(tmp_path: Path) -> None:
    categories = [f"{index:04}" for index in range(2000)]
    raw = tmp_path / "raw.csv"
    raw.write_text("a,y\n" + "".join(f"{name},0\n" for name in categories * 3), encoding="utf-8")
    column = {"column": "a", "action": "one_hot", "categories": categories}
    table = apply(raw, {"label": "y", "columns": [column]})
    pieces = list(table.pieces())
    assert len(pieces) > 3
    lines = b"".join(pieces).split(b"\n")
    assert len(lines) == 6002
    assert lines[2001 + 2] == b"0,0,1" + b",0" * 1998


@pytest.mark.parametrize("cache", [0, 40, 2**20], ids=["alone", "pairs", "together"])
@pytest.mark.parametrize(
    "kinds", ["n", "o", "m", "no", "on", "ooo", "onoo", "noon", "mom", "oooooo"]
)
@pytest.mark.parametrize("labelled", [True, False])
def test_columns_that_repeat_are_joined_with_those_that_do_not(
    kinds: str, cache: int, labelled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "runforge_engine.preparation.prepared_table"
    monkeypatch.setattr(f"{module}._PIECE", 500)
    monkeypatch.setattr(f"{module}._MERGED", cache)
    draw = random.Random(kinds)
    fields = {
        "n": [],  # numbers, which do not repeat
        "o": [("x", "1,0"), ("yy", "0,1"), ("", ",")],
        "m": [("", "")],  # missing in every row
    }
    columns: list[dict[str, Any]] = [
        {"column": f"c{place}", "action": "one_hot", "categories": ["x", "yy"]}
        if kind == "o"
        else {"column": f"c{place}", "action": "keep"}
        for place, kind in enumerate(kinds)
    ]
    names = [item["column"] for item in columns]
    raw, expected = [",".join([*names, "y"][: len(names) + labelled])], list[str]()
    for row in range(300):
        cells = [draw.choice(fields[kind] or [(str(row), str(row))]) for kind in kinds]
        label = [(str(row % 3),) * 2] if labelled else []
        # A blank line is no row.
        raw.append(",".join(cell for cell, _ in [*cells, *label]) or '""')
        expected.append(",".join(field for _, field in [*cells, *label]) or '""')
    path = tmp_path / "raw.csv"
    path.write_text("\n".join(raw) + "\n", encoding="utf-8")
    table = apply(path, {"label": "y", "columns": columns})
    assert table.num_rows == 300
    pieces = list(table.pieces())
    assert len(pieces) > 2
    assert b"".join(pieces).decode().splitlines()[1:] == expected


def test_the_features_are_those_of_a_column_transformer(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    draw = random.Random(7)
    raw = tmp_path / "passengers.csv"
    with raw.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["pclass", "sex", "fare", "embarked", "survived"])
        for _ in range(500):
            out.writerow(
                [
                    draw.choice(["first", "second", "third"]),
                    draw.choice(["male", "female"]),
                    draw.lognormvariate(3, 1),
                    draw.choice("SCQ"),
                    draw.randint(0, 1),
                ]
            )
    recipe = propose(raw, "survived")
    recipe["columns"][0] = {
        "column": "pclass",
        "action": "ordinal",
        "categories": ["third", "second", "first"],
    }
    prepared = rows_of(content(apply(raw, recipe)))
    frame = pd.DataFrame(rows_of(raw.read_bytes()))
    frame["fare"] = frame["fare"].map(float)
    transformer = ColumnTransformer(
        [
            ("order", OrdinalEncoder(categories=[["third", "second", "first"]]), ["pclass"]),
            ("sex", OneHotEncoder(sparse_output=False), ["sex"]),
            ("fare", "passthrough", ["fare"]),
            ("embarked", OneHotEncoder(sparse_output=False), ["embarked"]),
        ]
    )
    expected = transformer.fit_transform(frame)
    found = np.array([[float(cell) for cell in row.values()][:-1] for row in prepared])
    np.testing.assert_array_equal(found, expected)


def test_only_the_parts_of_a_date_that_differ_are_proposed(tmp_path: Path) -> None:
    raw = tmp_path / "raw.csv"
    lines = [
        f"1912-04-{1 + row % 9:02d},1912-04-01 10:00:{row % 9:02d},{row % 2}" for row in range(40)
    ]
    raw.write_text("\n".join(["day,second,y", *lines, ",,1"]) + "\n")
    day, second = propose(raw)["columns"]
    assert day["parts"] == ["day", "weekday"]
    assert (second["action"], "seconds" in second["because"]) == ("drop", True)


def test_times_of_a_parquet_file_are_dates_whatever_their_unit(tmp_path: Path) -> None:
    first = datetime(2026, 3, 1, 20, 0, 0, 125_000)
    times = [first + timedelta(hours=7 * row) for row in range(8)]
    kinds = {unit: pa.timestamp(unit) for unit in ("ms", "us", "ns")}
    kinds["zoned"] = pa.timestamp("us", tz="Europe/Berlin")
    columns = {name: pa.array([*times, None], pa.timestamp("us")) for name in kinds}
    columns = {name: columns[name].cast(kind) for name, kind in kinds.items()}
    columns["clock"] = pa.array([*(time.time() for time in times), None])
    raw = tmp_path / "raw.parquet"
    parquet.write_table(pa.table({**columns, "y": list("ababababa")}), raw)

    proposed = propose(raw)
    plain = {"action": "date", "format": "%Y-%m-%d %H:%M:%S", "missing": "indicator"}
    plain["parts"] = ["day", "weekday", "hour"]
    zoned = plain | {"format": "%Y-%m-%dT%H:%M:%SZ"}
    found = {item.pop("column"): item for item in proposed["columns"]}
    assert [found[name] for name in kinds] == [plain, plain, plain, zoned]

    clock = {"action": "date", "format": "%H:%M:%S", "parts": ["hour"], "missing": "indicator"}
    wanted = {**{name: found[name] for name in kinds}, "clock": clock}
    listed = [{"column": name, **item} for name, item in wanted.items()]
    rows = rows_of(content(apply(raw, proposed | {"columns": listed})))
    for name in kinds:
        assert [row[f"{name}:hour"] for row in rows] == [*(str(t.hour) for t in times), "0"]
        assert [row[f"{name}:missing"] for row in rows] == [*"00000000", "1"]
    assert [row["clock:hour"] for row in rows][:3] == ["20", "3", "10"]


def test_a_recipe_does_something_else_with_columns(tmp_path: Path) -> None:
    raw = tmp_path / "raw.csv"
    cells = ["3;red;true;1", "1;;false;2", " 3 ;blue;true;3", "NA;red;true;4"] * 5
    raw.write_text("a;b;c;y\n" + "\n".join(cells), encoding="utf-8")
    recipe = propose(raw, delimiter=";")
    before = json.dumps(recipe)

    def changed(**actions: str) -> dict[str, Any]:
        opened = open_raw(raw, recipe["source"])
        return with_actions(opened, recipe, actions, created_by="test@2")

    found = changed(a="one_hot", b="drop", c="one_hot")
    assert found["columns"] == [
        {"column": "a", "action": "one_hot", "categories": ["1", "3"], "missing": "indicator"},
        {"column": "b", "action": "drop", "because": "chosen by hand"},
        {"column": "c", "action": "one_hot", "categories": ["false", "true"]},
    ]
    check_recipe(found)
    assert (found["source"], found["created_by"]) == ({"delimiter": ";"}, "test@2")
    assert content(apply(raw, found)).splitlines()[1:3] == [b"0,1,0,0,1,1", b"1,0,0,1,0,2"]
    assert json.dumps(recipe) == before
    for actions, code in (
        ({"b": "keep"}, ErrorCode.VALUE_UNEXPECTED),
        ({"a": "boolean"}, ErrorCode.VALUE_UNEXPECTED),
        ({"y": "drop"}, ErrorCode.COLUMN_NOT_FOUND),
        ({"z": "drop"}, ErrorCode.COLUMN_NOT_FOUND),
    ):
        with pytest.raises(RunForgeError) as caught:
            changed(**actions)
        assert caught.value.code is code


def test_another_action_keeps_what_is_missing(tmp_path: Path) -> None:
    raw = tmp_path / "raw.csv"
    raw.write_text("a,b,y\n" + "1,?,0\n?,2,1\n2,3,1\n" * 5, encoding="utf-8")
    recipe = propose(raw)
    actions = {"a": "one_hot", "b": "keep"}
    found = with_actions(open_raw(raw, {}), recipe, actions, created_by="test@2")
    missing = {"missing_values": ["?"], "missing": "indicator"}
    assert found["columns"] == [
        {"column": "a", "action": "one_hot", "categories": ["1", "2"], **missing},
        {"column": "b", "action": "keep", **missing},
    ]
    assert content(apply(raw, found)).splitlines()[1:3] == [b"1,0,0,0,1,0", b"0,0,1,2,0,1"]
