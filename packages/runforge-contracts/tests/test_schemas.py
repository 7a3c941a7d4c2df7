"""The schemas themselves, and that two independent validators read them alike."""

from __future__ import annotations

import contextlib
import copy
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from referencing import Registry, Resource
from runforge_contracts._generated.optional_nulls import PATHS
from runforge_contracts.codec.pointers import set_at
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.diagnostics import DiagnosticCode
from runforge_contracts.documents import Document, schema_of, struct_of
from runforge_contracts.errors import ErrorCode, ExitCode, RunForgeError
from runforge_contracts.schemas import (
    BASE_URL,
    CATALOG,
    in_schema_order,
    is_in_schema_order,
    schema_bytes,
    validator,
    without_nulls,
)

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "schemas"
FILES = {
    ".".join(path.relative_to(FOLDER).with_suffix("").parts): path
    for path in sorted(
        path for part in ("", "tfc", "field") for path in (FOLDER / part).glob("*.json")
    )
}
SCHEMAS: dict[str, Any] = {
    name: json.loads(path.read_text("utf-8")) for name, path in FILES.items()
}
DOCUMENTS = [name for name, schema in SCHEMAS.items() if schema.get("type") == "object"]
EXAMPLES = [
    pytest.param(name, example, id=f"{name}-{index}")
    for name in DOCUMENTS
    for index, example in enumerate(SCHEMAS[name]["examples"])
]
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()
)


def independent(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(SCHEMAS[name], registry=REGISTRY)


def subschemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Give every subschema, the schema itself included."""
    yield schema
    for keyword in ("properties", "$defs"):
        for child in schema.get(keyword, {}).values():
            if isinstance(child, dict):
                yield from subschemas(child)
    for keyword in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(keyword), dict):
            yield from subschemas(schema[keyword])
    for keyword in ("anyOf", "allOf"):
        for child in schema.get(keyword, ()):
            yield from subschemas(child)


@pytest.mark.parametrize(("name", "path"), FILES.items(), ids=FILES)
def test_schemas_are_valid_named_described_and_canonical(name: str, path: Path) -> None:
    text = path.read_text("utf-8")
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert text == json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    assert schema["$id"] == f"{BASE_URL}{name}.json"
    assert schema["title"]
    assert schema["description"]
    for title, definition in schema.get("$defs", {}).items():
        assert definition["title"] == title
        assert definition["description"]
    if name in CATALOG:
        assert schema_bytes(name) == path.read_bytes()


def test_the_catalogue_lists_every_document() -> None:
    assert sorted(CATALOG) == sorted(DOCUMENTS)
    for name in DOCUMENTS:
        assert schema_of(struct_of(name)) == name


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_examples_are_valid_and_in_order(name: str, example: Any) -> None:
    assert list(independent(name).iter_errors(example)) == []
    assert validator(name).is_valid(example)
    assert msgspec.convert(example, struct_of(name))
    assert in_schema_order(example, name) is example
    assert is_in_schema_order(example, name)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_key_order_is_the_schema_s_at_every_depth(name: str, example: Any) -> None:
    def turned(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: turned(item[key]) for key in reversed(item)}
        return [turned(entry) for entry in item] if isinstance(item, list) else item

    def known(item: Any) -> Any:
        before = json.dumps(item)
        ordered = in_schema_order(item, name)
        assert json.dumps(item) == before
        return json.dumps(ordered)

    # Maps of free keys keep the order that they had; everything else is put right.
    free = {"metrics", "hyperparameters", "packages", "environment", "files", "artifact_digests"}
    free |= {"history", "frameworks", "importances", "coefficients", "intercepts"}
    if not free & set(re.findall(r'"(\w+)": {', json.dumps(example))):
        assert known(turned(example)) == json.dumps(example)


def test_unknown_keys_follow_in_the_order_they_had() -> None:
    raw = {"z": 1, "preset": "fast", "a": 2, "version": 1, "model": {"x": 0, "family": "f"}}
    assert json.dumps(in_schema_order(raw, "request.v1")) == json.dumps(
        {"version": 1, "preset": "fast", "model": {"family": "f", "x": 0}, "z": 1, "a": 2}
    )
    assert not is_in_schema_order(raw, "request.v1")


def test_one_part_out_of_order_leaves_the_others_as_they_are() -> None:
    first, second = ({"run_id": str(number), "status": "failed"} for number in range(2))
    turned = {"status": "failed", "run_id": "2"}
    index = {"schema_version": "index.v1", "runs": [first, turned, second]}
    ordered = in_schema_order(index, "index.v1")
    assert ordered == index
    assert [[*entry] for entry in ordered["runs"]] == [["run_id", "status"]] * 3
    assert ordered["runs"][0] is first
    assert ordered["runs"][2] is second
    assert [*turned] == ["status", "run_id"]


def test_patterns_end_where_the_text_ends_in_every_language() -> None:
    patterns = [
        (subschema["pattern"], subschema["not"]["pattern"])
        for schema in SCHEMAS.values()
        for subschema in subschemas(schema)
        if "pattern" in subschema
    ]
    assert patterns
    for pattern, refused in patterns:
        # Python's and .NET's `$` also match before a last line break; ECMAScript's does not.
        assert pattern.startswith("^")
        assert pattern.endswith("$")
        assert re.search(refused, "\n")


@pytest.mark.parametrize(
    ("definition", "good", "bad"),
    [
        ("Sha256", ["0" * 64], ["0" * 63, "A" * 64, "0" * 64 + "\n", "０" * 64]),
        (
            "RunId",
            ["20260201-120000-abc12345"],
            ["20260201-120000-abc1234", "20260201-120000-ABC12345", "20260201-120000-abc12345\n"],
        ),
        ("AnyRunId", ["run-1", "2026_a.b"], ["", ".", "..", "a/b", "-a", "a\n", "a" * 129]),
        (
            "Timestamp",
            ["2026-02-01T12:00:00Z", "2026-02-01T12:00:00.123Z", "2024-01-01T12:00:00+00:00"],
            [
                "2026-02-01",
                "2026-13-01T12:00:00Z",
                "2026-02-01T24:00:00Z",
                "2026-02-01T12:00:00",
                "2026-02-01T12:00:00+01:00",
                "2026-02-01T12:00:00Z\n",
                "２026-02-01T12:00:00Z",
            ],
        ),
        (
            "RelativePath",
            ["a", "a/b.c", "..a/b..", "logs/train.log", "a b/ü"],
            [
                "",
                "/a",
                "a/",
                "a//b",
                ".",
                "..",
                "../a",
                "a/../b",
                "a/.",
                "a\\b",
                "C:/a",
                "a\n",
                "\x1b",
            ],
        ),
        ("WorkspacePath", ["a", "/a/b", "../a", "C:/x"], ["", "a\nb", "\x00"]),
        ("ClassLabel", [0, -5, "x", 2**53 - 1], [1.5, None, True, [], 2**53]),
        ("Count", [0, 5], [-1, 1.5, "1", 2**53]),
        ("Fraction", [0, 1, 0.5], [-0.1, 1.1, "0.5", None]),
    ],
)
def test_shared_definitions_by_both_validators(
    definition: str, good: list[Any], bad: list[Any]
) -> None:
    from jsonschema_rs import Draft202012Validator

    schema = {"$ref": f"{BASE_URL}common.v1.json#/$defs/{definition}"}
    ours = Draft202012Validator(
        schema, retriever=lambda url: SCHEMAS[url.removeprefix(BASE_URL).removesuffix(".json")]
    )
    other = jsonschema.Draft202012Validator(schema, registry=REGISTRY)
    for value in good:
        assert ours.is_valid(value), value
        assert other.is_valid(value), value
    for value in bad:
        assert not ours.is_valid(value), value
        assert not other.is_valid(value), value


#: A value of each JSON type, to put where another is due.
STRANGERS: list[Any] = [None, True, -1, 0, 1.5, 2**53, "", "x", [], ["x"], {}, {"x": 1}]


def mutations(value: Any) -> Iterator[Any]:
    """Give ``value`` with one thing wrong, or merely different, at every place."""
    yield from STRANGERS
    if isinstance(value, dict):
        yield {**value, "an unknown key": 1}
        for key in value:
            yield {other: value[other] for other in value if other != key}
            for changed in mutations(value[key]):
                yield {**value, key: changed}
    if isinstance(value, list):
        yield [*value, *value]
        for index, item in enumerate(value[:2]):
            yield [*value[:index], *value[index + 1 :]]
            for changed in mutations(item):
                yield [*value[:index], changed, *value[index + 1 :]]


#: Where the generated types and the schema may differ, and why that is harmless: the schema is
#: asked first, and what it refuses never reaches a type.
ALLOWED = {
    "types accept": {
        "allOf": "conditions between fields have no type",
        "dependentRequired": "conditions between fields have no type",
        "propertyNames": "keys of a map are any text to the types",
        "required": "a condition may require more than the type does",
    },
    "schema accepts": {
        "null": "a null inside free-form values",
    },
}


def _with_alternatives(errors: Iterable[Any]) -> Iterator[Any]:
    """Yield errors, and those of the alternatives that they sum up."""
    for error in errors:
        yield error
        yield from _with_alternatives(error.context)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_validators_agree_and_the_types_follow(name: str, example: Any) -> None:
    ours, other, struct = validator(name), independent(name), struct_of(name)
    for document in mutations(example):
        valid = other.is_valid(document)
        assert ours.is_valid(document) == valid, document
        try:
            msgspec.convert(document, struct)
            fits = True
        except msgspec.ValidationError:
            fits = False
        if valid:
            # Whatever the schema lets pass has a typed view.
            assert fits, document
        elif fits:
            keywords = {
                str(part)
                for error in _with_alternatives(other.iter_errors(document))
                for part in error.absolute_schema_path
            }
            assert keywords & set(ALLOWED["types accept"]), (document, keywords)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def pointers(value: Any, place: str = "") -> Iterator[str]:
    """Give the JSON Pointer of everything below the root of ``value``."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        below = f"{place}/{str(key).replace('~', '~0').replace('/', '~1')}"
        yield below
        if isinstance(child, dict | list):
            yield from pointers(child, below)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_documents_by_chance_are_judged_alike(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(DOCUMENTS))
    document = copy.deepcopy(data.draw(st.sampled_from(SCHEMAS[name]["examples"])))
    for pointer in data.draw(st.lists(st.sampled_from(sorted(pointers(document))), max_size=3)):
        value = data.draw(json_values)
        with contextlib.suppress(RunForgeError):
            set_at(document, pointer, value)
    assume(encodable(document))
    valid = independent(name).is_valid(document)
    assert validator(name).is_valid(document) == valid
    if valid:
        assert Document(document, name).view is not None


def encodable(document: Any) -> bool:
    """Tell whether JSON can hold it: no infinities, no halves of surrogate pairs."""
    try:
        encode_json(document)
    except RunForgeError:
        return False
    return True


@pytest.mark.slow
def test_weakening_any_keyword_makes_some_mutation_pass() -> None:
    """Every rule of every schema is needed: without it, a document of these tests would pass.

    This is what keeps the examples honest: a keyword that no mutation of them notices would be a
    rule that no test holds.
    """
    silent = []
    for name in DOCUMENTS:
        documents = [
            document
            for example in SCHEMAS[name]["examples"]
            for document in mutations(example)
            if not independent(name).is_valid(document)
        ]
        for keyword in ("required", "additionalProperties"):
            if keyword in SCHEMAS[name]:
                weak = copy.deepcopy(SCHEMAS[name])
                del weak[keyword]
                weakened = jsonschema.Draft202012Validator(weak, registry=REGISTRY)
                if not any(weakened.is_valid(document) for document in documents):
                    silent.append((name, keyword))
    assert silent == []


def test_codes_follow_the_schemas_pattern_and_every_code_has_an_exit_code() -> None:
    pattern = SCHEMAS["error.v1"]["$defs"]["ErrorBody"]["properties"]["code"]["pattern"]
    for code in (*ErrorCode, *DiagnosticCode):
        assert re.search(pattern, code.value)
        assert code.value == code.name
    # What `verify` cannot check is no error.
    no_errors = {ExitCode.OK, ExitCode.UNVERIFIABLE}
    assert {code.exit_code for code in ErrorCode} == set(ExitCode) - no_errors
    assert not set(ErrorCode.__members__) & set(DiagnosticCode.__members__)


def test_a_new_record_is_the_old_one_and_more() -> None:
    old, new = SCHEMAS["run.v0.3.6"], SCHEMAS["run.v0.4.0"]
    assert set(old["required"]) <= set(new["required"])
    for name, field in old["properties"].items():
        if name in ("schema_version", "run_id"):
            continue  # The run id became stricter.
        if name == "dataset":  # It gained the recipe.
            before = SCHEMAS["common.v1"]["$defs"]["DatasetReference"]
            after = new["$defs"]["RunDataset"]
            assert before["properties"].keys() <= after["properties"].keys()
            assert before["required"] == after["required"]
            continue
        assert new["properties"][name].get("$ref") == field.get("$ref"), name
    example = SCHEMAS["run.v0.4.0"]["examples"][0]
    shared = {key: value for key, value in example.items() if key in old["properties"]}
    assert independent("run.v0.3.6").is_valid({**shared, "schema_version": "run.v0.3.6"})


@pytest.mark.parametrize(
    ("name", "path"),
    [
        pytest.param(name, path, id=f"{name}-{path}")
        for name, paths in PATHS.items()
        for path in paths
    ],
)
@pytest.mark.parametrize("in_array", [True, False])
def test_an_optional_member_that_is_null_is_absent_and_any_other_null_a_value(
    name: str, path: tuple[str | None, ...], in_array: bool
) -> None:
    def around(inner: dict[str, Any]) -> Any:
        value: Any = inner
        for key in reversed(path[:-1]):
            known = key is not None
            value = {key: value, "more": None} if known else [value] if in_array else {"a": value}
        return value

    before = around({"more": None, path[-1] or "": None, "last": [None]})
    kept = copy.deepcopy(before)
    assert without_nulls(before, name) == around({"more": None, "last": [None]})
    assert before == kept
