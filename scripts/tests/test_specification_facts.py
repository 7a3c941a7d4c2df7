"""The tables and numbers of the specification agree with the code and the vectors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts._generated.optional_nulls import PATHS
from runforge_contracts.codec.pointers import get_at, parse_pointer, remove_at, set_at
from runforge_contracts.codec.strict_json import MAX_BYTES, MAX_DEPTH, encode_json, parse_json
from runforge_contracts.codec.strict_yaml import MAX_YAML_BYTES, parse_yaml
from runforge_contracts.codec.yaml_events import MAX_REPEATED
from runforge_contracts.display import format_duration
from runforge_contracts.documents import Document, struct_of
from runforge_contracts.errors import ErrorCode, ExitCode, RunForgeError
from runforge_contracts.metrics import lower_is_better, primary_metric
from runforge_contracts.schemas import (
    CATALOG,
    FIELD,
    contract_names,
    load_schema,
    resolve_reference,
)
from runforge_contracts.store.field_documents import CLIENTS
from runforge_contracts.store.reading import MAX_INDEX_BYTES
from runforge_contracts.store.run import Run
from runforge_contracts.validation import MAX_PROBLEMS, validate
from specification import read_pages

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "docs/test-vectors"
PAGES = read_pages()
_CELL = re.compile(r"(?<!\\)\|")
#: What a reader does with a newer version of a document.
NEWER = {"result.v1": "read, with a warning"}


def tables(page: str, header: str) -> Iterator[list[str]]:
    """Yield the rows of every table of a page whose header begins with these cells."""
    inside = False
    for line in PAGES[page].splitlines():
        if not line.startswith("|"):
            inside = False
        elif line.startswith(header):
            inside = True
        elif inside and not line.startswith("|---"):
            yield [cell.strip() for cell in _CELL.split(line.strip("|"))]


def code(cell: str) -> str:
    """Return the text of a cell that is in code style."""
    return cell.removeprefix("`").removesuffix("`")


def refused(action: Any, *arguments: Any) -> str:
    """Return the code with which an action is refused, or `accepted`."""
    try:
        action(*arguments)
    except RunForgeError as error:
        return error.code.value
    return "accepted"


def test_every_code_is_listed_with_its_exit_code() -> None:
    listed = [(code(row[0]), int(row[1])) for row in tables("errors", "| code | exit |")]
    assert listed == [(item.value, int(item.exit_code)) for item in ErrorCode]


def test_every_code_has_a_meaning_and_known_places() -> None:
    for row in tables("errors", "| code | exit |"):
        assert row[2], row
        assert set(re.findall(r"`(\w+)`", row[3])) <= {"path", "pointer", "column", "row"}, row


def test_every_exit_code_is_listed() -> None:
    listed = [int(row[0]) for row in tables("errors", "| exit code |")]
    assert listed == [int(item) for item in ExitCode]


def test_places_are_those_of_the_table() -> None:
    rows = [row for row in tables("errors", "| what is wrong | pointer |") if row[3]]
    assert len(rows) > 9
    for row in rows:
        document = parse_json((VECTORS / f"{code(row[2])}.full.json").read_bytes())
        change = re.fullmatch(r"`([^`]+)` is (?:removed|`(?P<value>.+)`)", row[3])
        assert change, row
        if change["value"] is None:
            remove_at(document, change[1])
        else:
            set_at(document, change[1], json.loads(change["value"]))
        with pytest.raises(RunForgeError) as caught:
            Document.parse(json.dumps(document).encode(), struct_of(code(row[2])))
        pointers = [found.strip('"') for found in re.findall(r"`([^`]*)`", row[4])]
        assert caught.value.location.pointer in pointers, row


def test_the_limits_are_those_of_the_code() -> None:
    for page, number in (
        ("forms", MAX_BYTES),
        ("forms", MAX_YAML_BYTES),
        ("forms", MAX_REPEATED),
        ("forms", MAX_DEPTH),
        ("errors", MAX_PROBLEMS),
    ):
        assert re.search(rf"\b{number:,}\b", PAGES[page]), number
    assert f"{MAX_INDEX_BYTES // 2**20} MiB" in PAGES["forms"]


JSON_ROWS = list(tables("forms", "| input | result | why |"))


@pytest.mark.parametrize("row", JSON_ROWS, ids=[row[0] for row in JSON_ROWS])
def test_json_is_read_as_the_table_says(row: list[str]) -> None:
    assert refused(parse_json, code(row[0]).encode()) == code(row[1])


YAML_ROWS = [row for row in tables("forms", "| plain scalar | value |") if row[1].startswith("`")]


@pytest.mark.parametrize("row", YAML_ROWS, ids=[row[0] for row in YAML_ROWS])
def test_plain_scalars_are_read_as_the_table_says(row: list[str]) -> None:
    value = parse_yaml(f"a: {code(row[0])}\n".encode())["a"]
    expected = json.loads(code(row[1]))
    assert value == expected
    assert isinstance(value, str) is isinstance(expected, str)


def test_timestamps_are_read_as_the_table_says() -> None:
    request = parse_json((VECTORS / "request.v1.min.json").read_bytes())
    rows = list(tables("forms", "| timestamp | result |"))
    assert len(rows) > 8
    for row in rows:
        found = refused(validate, {**request, "created_at": code(row[0])}, "request.v1")
        assert found == ("accepted" if row[1].startswith("accepted") else "DOCUMENT_INVALID"), row


def test_pointers_lead_where_the_table_says() -> None:
    document = {"dataset": {"path": 1}, "tags": [1]}
    future = {"a/b": 1, "m~n": 2, "a~1b": 3, "": 4, "0": 5}
    rows = list(tables("forms", "| pointer | names |"))
    assert len(rows) == 9
    for row in rows:
        for pointer in re.findall(r"`([^`]+)`", row[0]):
            named = "nothing" not in row[1]
            found = refused(get_at, {**document, "future": future}, pointer)
            assert (found == "accepted") is named, pointer
            key = re.match(r"the key `([^`]*)`", row[1])
            if key:
                assert parse_pointer(pointer)[-1] == key[1]


def nullable(schema: Any, name: str, pointer: str = "") -> Iterator[str]:
    """Yield the pointers of the members that may be null; `*` is any key or index."""
    if "$ref" in schema:
        yield from nullable(*resolve_reference(schema["$ref"], name), pointer)
    if schema.get("type") == "null" or "null" in schema.get("type", ()):
        yield pointer
    for branch in schema.get("anyOf", ()):
        yield from nullable(branch, name, pointer)
    for key, member in schema.get("properties", {}).items():
        yield from nullable(member, name, f"{pointer}/{key}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from nullable(schema[keyword], name, f"{pointer}/*")


def test_every_member_that_may_be_null_is_listed() -> None:
    absent, values = (
        {
            name: re.findall(r"`([^`]+)`", row[1])
            for row in tables("forms", f"| document | members where null {means} |")
            for name in re.findall(r"`([^`]+)`", row[0])
        }
        for means in ("means absent", "is a value")
    )
    for name in contract_names():
        found = sorted(set(nullable(load_schema(name), name)))
        if name == "reproduction.v1":  # its members are named without their lists
            found = sorted({pointer.rpartition("/")[2] for pointer in found})
        assert sorted(absent.get(name, []) + values.get(name, [])) == found, name
    # What readers drop is what the page says.
    assert absent == {
        name: sorted("/" + "/".join("*" if key is None else key for key in path) for path in paths)
        for name, paths in PATHS.items()
    }


def test_every_document_is_listed_with_its_file_and_version() -> None:
    rows = list(tables("versions", "| document | file | version |"))
    assert sorted(code(row[0]) for row in rows) == contract_names()
    for name, file, version, newer, closed in rows:
        entry = CATALOG[code(name)]
        assert code(file) == (entry.file or ""), name
        assert closed == ("yes" if entry.closed else "no"), name
        if entry.version_field is None:
            assert (version, newer) == ("none", ""), name
            continue
        assert code(version.split()[0]) == entry.version_field, name
        shown = version.split()[1].strip("`") if " " in version else code(name)
        assert shown == str(entry.version), name
        assert newer == NEWER.get(code(name), "refused"), name


def test_every_document_of_another_client_is_listed_as_it_is_told() -> None:
    rows = {
        code(row[0]): row for row in tables("other-clients", "| document | file | has | does not")
    }
    assert sorted(rows) == sorted(name for name in CATALOG if name.startswith(FIELD))
    for name, (_, file, present, absent, client) in rows.items():
        entry = CATALOG[name]
        assert code(file) == (entry.file or "")
        assert tuple(re.findall(r"`([^`]+)`", present)) == entry.present, name
        assert tuple(re.findall(r"`([^`]+)`", absent)) == entry.absent, name
        assert client == CLIENTS[name], name


@pytest.mark.parametrize(
    ("schema", "header", "parts"),
    [
        ("field.editor_request.v1", "| member of `request.json` |", ["request"]),
        ("field.editor_result.v1", "| member of `result.json` |", ["result"]),
        ("field.desktop_run.v1", "| member of `run.json` |", ["request", "result"]),
    ],
)
def test_every_member_of_another_client_is_read_as_listed(
    schema: str, header: str, parts: list[str], tmp_path: Path
) -> None:
    """Each member is changed by itself: it appears where the table says, and nowhere else."""
    members = load_schema(schema)["properties"]
    rows = {
        code(row[0]): [re.findall(r"`(/[^`]+)`", cell) for cell in row[1:]]
        for row in tables("other-clients", header)
        if code(row[0]) in members
    }
    assert list(rows) == list(members)
    example = load_schema(schema)["examples"][0]
    whole = read_as(example, schema, parts, tmp_path)
    for member in example:
        required = member in load_schema(schema)["required"]
        other_value = {**OTHER, "status": "Failed"} if "pid" in members else OTHER
        without = {**example, member: other_value[member]} if required else dict(example)
        if not required:
            del without[member]
        lesser = read_as(without, schema, parts, tmp_path)
        for found, other, places in zip(whole, lesser, rows[member], strict=True):
            changed = {place for place in found | other if found.get(place) != other.get(place)}
            assert changed - FOLLOWS.get(member, set()) == set(places) - KEPT.get(member, set())


#: Other values of members that cannot be left out.
OTHER = {
    "run_id": "20260301-120000-other-ffff",
    "preset_id": "hq-train",
    "status": "succeeded",
    "exit_code": 7,
    "duration_ms": 1,
    "created_at": 0,
}
#: Places that keep their value without the member, because another one gives it.
KEPT = {"requested_device": {"/device/type"}}
#: Places whose value follows from the member.
FOLLOWS = {
    "actual_device": {"/device/gpu_reason"},
    "started_at": {"/duration_ms"},
    "completed_at": {"/duration_ms"},
}


def read_as(
    raw: dict[str, Any], schema: str, parts: list[str], folder: Path
) -> list[dict[str, Any]]:
    """Return what a run with this document says, by pointer, for each part of the run."""
    file = CATALOG[schema].file
    assert file is not None
    (folder / file).write_bytes(encode_json(raw))
    run = Run(folder)
    return [dict(flat(getattr(run, part) or {})) for part in parts]


def flat(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, dict):
            yield from flat(item, f"{pointer}/{key}")
        else:
            yield f"{pointer}/{key}", item


def test_every_status_of_desktop_is_listed(tmp_path: Path) -> None:
    rows = list(tables("other-clients", "| `status` of Desktop |"))
    schema = load_schema("field.desktop_run.v1")
    assert [code(row[0]) for row in rows] == [
        "Pending",
        "Running",
        "Completed",
        "Failed",
        "Cancelled",
    ]
    assert {code(row[0]) for row in rows} == set(schema["properties"]["status"]["enum"])
    for theirs, ours in rows:
        raw = {**schema["examples"][0], "status": code(theirs)}
        (tmp_path / "run.json").write_bytes(encode_json(raw))
        status = Run(tmp_path).status
        assert ours.startswith("none") if status == "incomplete" else code(ours) == status


def expectations(file: str, member: str) -> list[tuple[Any, Any]]:
    """Return what the cases of a file set, and the member of the view that they expect."""
    cases = json.loads((VECTORS / "cases/result.v1" / file).read_bytes())["cases"]
    return [
        (next(iter(case["input"]["set"].values())), case["expect"]["view"][member])
        for case in cases
        if "set" in case["input"]
    ]


def test_durations_are_those_of_the_cases() -> None:
    cases = expectations("duration.json", "duration")
    rows = list(tables("views", "| `duration_ms` | shown |"))
    assert len(rows) > 20
    for row in rows:
        milliseconds, shown = int(row[0]), code(row[1])
        assert (milliseconds, shown) in cases
        assert format_duration(milliseconds) == shown
        divisor = {"s": 1_000, "m": 60_000, "h": 3_600_000}.get(shown[-1])
        if divisor and not shown.endswith("ms"):  # the formula of the page
            tenths = (20 * milliseconds + divisor) // (2 * divisor)
            assert f"{tenths // 10}.{tenths % 10}{shown[-1]}" == shown


def test_primary_metrics_are_those_of_the_cases() -> None:
    cases = expectations("primary-metric.json", "primary_metric")
    rows = list(tables("views", "| `summary.metrics` | primary metric |"))
    assert len(rows) > 8
    for row in rows:
        metrics = json.loads(code(row[0]))
        chosen = primary_metric({"metrics": metrics})
        shown = None if chosen is None else {"name": chosen.name, "value": chosen.value}
        assert ({"metrics": metrics}, shown) in cases
        assert row[1] == ("none" if chosen is None else f"`{chosen.name}`")


def test_lower_is_better_for_the_words_of_the_page() -> None:
    page = PAGES["views"]
    words = page.partition("if a word of its name")[2].partition("; words are")[0]
    assert len(found := re.findall(r"`(\w+)`", words)) == 7
    assert all(map(lower_is_better, [*found, "val_loss", "log-loss", "RMSE"]))
    assert not any(map(lower_is_better, ("lossless", "accuracy", "f1_score")))


def test_every_chapter_is_listed_in_the_introduction() -> None:
    listed = re.findall(r"^\| \[(\d+\. [^]]+)\]\((\w[\w-]*)\.md\)", PAGES["README"], re.MULTILINE)
    chapters = [
        (text.partition("\n")[0].removeprefix("# "), page)
        for page, text in PAGES.items()
        if page != "README"
    ]
    assert listed == chapters
