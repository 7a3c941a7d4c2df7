"""Documents keep what they do not know, change one thing at a time, and refuse what is wrong."""

from __future__ import annotations

import copy
import difflib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runforge_contracts.codec.pointers import format_pointer, get_at, parse_pointer
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.documents import REMOVE, Document, identify
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import write_file
from runforge_contracts.schemas import CATALOG, contract_names
from runforge_contracts.types import RequestV1, ResultV1, RunV036, RunV040

VECTORS = Path(__file__).parents[3] / "docs/test-vectors"
REQUESTS = sorted(VECTORS.glob("request.v1.*.json"))
CLOSED = [
    VECTORS / f"{name}.unknown-fields.json" for name in contract_names() if CATALOG[name].closed
]
FOUND = [*VECTORS.glob("*.*.json"), *VECTORS.glob("*.yaml"), *VECTORS.glob("runs/[lv]*/**/*.json")]
VALID = [path for path in sorted(FOUND) if path not in CLOSED]


def test_every_document_has_its_vectors() -> None:
    for name in contract_names():
        entry = CATALOG[name]
        for kind in ("min", "full", "unknown-fields"):
            known = {"result.v1.min": "result.v1.minimal"}.get(f"{name}.{kind}", f"{name}.{kind}")
            assert (VECTORS / f"{known}.{'yaml' if entry.yaml else 'json'}").is_file(), known


@pytest.mark.parametrize("path", CLOSED, ids=lambda path: path.name)
def test_a_closed_document_refuses_unknown_fields(path: Path) -> None:
    with pytest.raises(RunForgeError) as caught:
        Document.load(path)
    assert caught.value.code is ErrorCode.DOCUMENT_INVALID
    assert "fields that do not belong there: `future_field`" in caught.value.message


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_vectors_are_read_and_an_unedited_save_changes_no_byte(path: Path, tmp_path: Path) -> None:
    document: Document[Any] = Document.load(path)
    assert document.view is not None
    document.save(tmp_path / path.name)
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.name)
def test_one_edit_changes_one_line(path: Path, tmp_path: Path) -> None:
    document = Document.load(path, RequestV1)
    document.edit({"/preset": "thorough"})
    document.save(tmp_path / "request.json")
    assert document.view.preset == "thorough"
    old = path.read_text("utf-8").splitlines()
    new = (tmp_path / "request.json").read_text("utf-8").splitlines()
    changed = [line for line in difflib.ndiff(old, new) if line[0] in "+-"]
    assert len(changed) == 2


def test_unknown_fields_survive_at_every_depth_in_their_order(tmp_path: Path) -> None:
    path = VECTORS / "request.v1.unknown-fields.json"
    document = Document.load(path, RequestV1)
    document.edit({"/name": "renamed", "/model/ensemble/0/weight": 0.25})
    document.edit({"/model/ensemble/-": {"kind": "stacking"}, "/future_object/c": None})
    document.save(tmp_path / "request.json")
    saved = json.loads((tmp_path / "request.json").read_text("utf-8"))
    expected = json.loads(path.read_text("utf-8"))
    expected["name"] = "renamed"
    expected["model"]["ensemble"][0]["weight"] = 0.25
    expected["model"]["ensemble"].append({"kind": "stacking"})
    expected["future_object"]["c"] = None
    assert json.dumps(saved) == json.dumps(expected)


def test_items_of_a_list_keep_their_own_unknown_fields_when_others_come_and_go() -> None:
    document = Document.load(VECTORS / "request.v1.unknown-fields.json", RequestV1)
    items = [{"id": 1, "x": {"deep": None}}, {"id": 2, "y": 2.0}, {"id": 3}]
    document.edit({"/future_list": items})
    document.edit({"/future_list/1": REMOVE, "/future_list/-": {"id": 4}})
    assert document.get("/future_list") == [items[0], items[2], {"id": 4}]


def test_absent_null_integers_and_floats_stay_what_they_are() -> None:
    raw = json.loads((VECTORS / "request.v1.min.json").read_text("utf-8"))
    raw |= {"name": None, "int": 1, "float": 1.0, "big": 10**30, "tiny": 5e-324, "minus": -0.0}
    again = json.loads(Document.parse(encode_json(raw), RequestV1).encode())
    assert "notes" not in again
    assert again["name"] is None
    assert [repr(again[key]) for key in ("int", "float", "big", "tiny", "minus")] == [
        "1",
        "1.0",
        "1" + "0" * 30,
        "5e-324",
        "-0.0",
    ]


@given(st.text(), st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=3))
def test_unusual_texts_survive(name: str, extra: dict[str, Any]) -> None:
    raw = json.loads((VECTORS / "request.v1.min.json").read_text("utf-8"))
    raw |= {"name": name, "x-extra": extra}
    document = Document.parse(encode_json(raw), RequestV1)
    assert json.loads(document.encode()) == raw
    assert document.view.name == name


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "wrong value": ({"/preset": "quick"}, "/preset"),
    "wrong type": ({"/dataset": "iris.csv"}, "/dataset"),
    "required field removed": ({"/model/family": REMOVE}, "/model/family"),
    "one of several": ({"/name": "fine", "/seed": -1}, "/seed"),
    "below a string": ({"/preset/x": 1}, "/preset/x"),
    "no such item": ({"/tags/7": "x"}, "/tags/7"),
    "no such field to remove": ({"/nothing": REMOVE}, "/nothing"),
    "the whole document": ({"": {}}, ""),
    "not a pointer": ({"preset": "fast"}, "preset"),
}


@pytest.mark.parametrize(("changes", "pointer"), REFUSED.values(), ids=REFUSED)
def test_a_refused_edit_changes_nothing(
    changes: dict[str, Any], pointer: str, tmp_path: Path
) -> None:
    path = tmp_path / "request.json"
    path.write_bytes((VECTORS / "request.v1.full.json").read_bytes())
    document = Document.load(path, RequestV1)
    before = copy.deepcopy(document.raw)
    with pytest.raises(RunForgeError) as caught:
        document.edit(changes)
    assert caught.value.location.pointer == pointer
    assert document.raw == before
    document.save(path)
    assert path.read_bytes() == (VECTORS / "request.v1.full.json").read_bytes()


def test_an_invalid_document_is_not_saved_over_a_valid_one(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_bytes((VECTORS / "request.v1.min.json").read_bytes())
    document = Document.load(path, RequestV1)
    document.raw["preset"] = "quick"  # Bypass the validating constructor.
    with pytest.raises(RunForgeError) as caught:
        document.save(path)
    assert caught.value.code is ErrorCode.DOCUMENT_INVALID
    assert path.read_bytes() == (VECTORS / "request.v1.min.json").read_bytes()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param(json.loads("[" * 64 + "]" * 64), ErrorCode.JSON_TOO_DEEP, id="65 levels"),
        pytest.param(10**400, ErrorCode.JSON_NUMBER_INVALID, id="an integer beyond doubles"),
        pytest.param(float("nan"), ErrorCode.JSON_NUMBER_INVALID, id="NaN"),
        pytest.param({"\ud83d": 1}, ErrorCode.JSON_STRING_INVALID, id="half a pair"),
    ],
)
def test_what_no_reader_accepts_is_not_saved_over_a_valid_document(
    tmp_path: Path, value: Any, code: ErrorCode
) -> None:
    path = tmp_path / "request.json"
    before = (VECTORS / "request.v1.full.json").read_bytes()
    path.write_bytes(before)
    request = Document.load(path, RequestV1)
    request.edit({"/new": value})
    with pytest.raises(RunForgeError) as refused:
        request.save()
    assert refused.value.code == code
    assert path.read_bytes() == before


def test_the_view_takes_integral_floats_for_integers() -> None:
    raw = json.loads((VECTORS / "request.v1.min.json").read_text("utf-8"))
    document = Document.parse(encode_json({**raw, "version": 1.0, "seed": 7.0}), RequestV1)
    assert (document.view.version, document.view.seed) == (1, 7)
    assert json.loads(document.encode())["seed"] == 7.0


def test_the_view_takes_integers_beyond_64_bits_for_floats() -> None:
    raw = json.loads((VECTORS / "run.v0.4.0.full.json").read_text("utf-8"))
    raw["hyperparameters"][0]["value"] = 10**30
    document = Document.parse(encode_json(raw), RunV040)
    assert document.view.hyperparameters[0].value == 1e30
    assert json.loads(document.encode())["hyperparameters"][0]["value"] == 10**30


def test_a_document_is_made_from_its_view_without_the_absent() -> None:
    view = Document.load(VECTORS / "request.v1.min.json", RequestV1).view
    document = Document.of(view)
    assert document.encode() == (VECTORS / "request.v1.min.json").read_bytes()


def test_a_struct_that_its_schema_refuses_makes_no_document() -> None:
    with pytest.raises(RunForgeError) as caught:
        Document.of(ResultV1(version=1, status="failed", duration_ms=-1))
    assert caught.value.code is ErrorCode.DOCUMENT_INVALID


def test_a_newer_result_is_read_with_a_warning_and_not_saved(tmp_path: Path) -> None:
    raw = json.loads((VECTORS / "result.v1.succeeded.json").read_text("utf-8"))
    document = Document.parse(encode_json({**raw, "version": 2, "new": {}}), ResultV1)
    assert document.warnings == ("This is version 2 of result.json; version 1 is known here.",)
    assert document.view.duration_ms == raw["duration_ms"]
    assert document.raw["version"] == 2
    with pytest.raises(RunForgeError):
        document.save(tmp_path / "result.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", [2, 0, -1, 10**20])
def test_a_request_of_another_version_is_refused(version: int) -> None:
    raw = json.loads((VECTORS / "request.v1.min.json").read_text("utf-8"))
    with pytest.raises(RunForgeError) as caught:
        Document.parse(encode_json({**raw, "version": version}), RequestV1)
    assert caught.value.code is ErrorCode.DOCUMENT_VERSION_UNSUPPORTED
    assert caught.value.location.pointer == "/version"


@pytest.mark.parametrize("version", ["1", None, True, [1]])
def test_a_version_that_is_no_number_is_invalid(version: Any) -> None:
    raw = json.loads((VECTORS / "request.v1.min.json").read_text("utf-8"))
    with pytest.raises(RunForgeError) as caught:
        Document.parse(encode_json({**raw, "version": version}), RequestV1)
    assert caught.value.code is ErrorCode.DOCUMENT_INVALID
    assert caught.value.location.pointer == "/version"


def test_documents_are_identified_by_version_schema_and_name(tmp_path: Path) -> None:
    assert identify({"schema_version": "run.v0.3.6"})[0] == "run.v0.3.6"
    assert identify({"$schema": "https://runforge.dev/schemas/request.v1.json"})[0] == "request.v1"
    assert identify({}, path=tmp_path / "metrics.json")[0] == "metrics.phase2"
    assert identify({}, path=tmp_path / "request.v1.min.json")[0] == "request.v1"
    for raw in ({}, {"schema_version": "nothing"}, {"$schema": "http://elsewhere"}, []):
        with pytest.raises(RunForgeError) as caught:
            identify(raw)
        assert caught.value.code is ErrorCode.DOCUMENT_UNKNOWN


def test_a_run_of_an_unknown_version_names_those_that_are_read() -> None:
    text = encode_json({"schema_version": "run.v9"})
    with pytest.raises(RunForgeError) as caught:
        Document.parse(text, RunV040, RunV036)  # type: ignore[type-var]
    assert caught.value.code is ErrorCode.DOCUMENT_VERSION_UNSUPPORTED
    assert "`run.v0.4.0`, `run.v0.3.6`" in caught.value.message


RFC6901: dict[str, Any] = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}


def test_pointers_mean_what_the_standard_says() -> None:
    assert get_at(RFC6901, "") is RFC6901
    assert get_at(RFC6901, "/foo/0") == "bar"
    for key, value in list(RFC6901.items())[1:]:
        pointer = format_pointer([key])
        assert get_at(RFC6901, pointer) == value
        assert parse_pointer(pointer) == [key]
    for pointer in (
        "/foo/2",
        "/foo/-",
        "/foo/01",
        "/foo/+1",
        "/foo/１",
        "/x",
        "foo",
        "/foo/0/x",
        "/m~n",
    ):
        with pytest.raises(RunForgeError) as caught:
            get_at(RFC6901, pointer)
        assert caught.value.code is ErrorCode.POINTER_INVALID


@given(st.lists(st.text(max_size=5), max_size=5))
def test_pointers_come_back_as_they_were(parts: list[str]) -> None:
    assert parse_pointer(format_pointer(parts)) == parts


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(RunForgeError) as caught:
        write_file(tmp_path / "folder.json", b"x")
    assert caught.value.code is ErrorCode.STORE_NOT_WRITABLE
    with pytest.raises(RunForgeError):
        write_file(tmp_path / "no/such/folder.json", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.json"]


def test_a_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tmp_path / "document.json"
    path.write_bytes(b"old")
    # A limit on the size of files stands for the disk: both refuse the write itself.
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from runforge_contracts.errors import RunForgeError\n"
        "from runforge_contracts.fs.files import write_file\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    write_file(Path(sys.argv[1]), b'x' * 100_000)\n"
        "except RunForgeError as error:\n"
        "    sys.exit(error.code.value)\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "STORE_NOT_WRITABLE" in done.stderr
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_rewritten_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_file(path, b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)
