"""Entries that are parsed when they are read are those of an index that was parsed as a whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.store import index_entries
from runforge_contracts.store.index_form import BETWEEN, TAIL
from runforge_contracts.store.layout import LEGACY_STORE, StoreLayout
from runforge_contracts.store.reading import StoreIndex, read_store_index


def entry(number: int, **more: Any) -> dict[str, Any]:
    run_id = f"20260201-{number:06}-0000000{number % 10}"
    return {
        "run_id": run_id,
        "created_at": "2026-02-01T12:00:00Z",
        "status": "cancelled" if number % 3 else "succeeded",
        "summary": {"final_metrics": {"accuracy": number / 7}},
        "run_dir": f".runforge/runs/{run_id}",
        **more,
    }


def text_of(*entries: dict[str, Any], **members: Any) -> bytes:
    return encode_json({"schema_version": "index.v1", "runs": [*entries], **members})


PLAIN = text_of(*map(entry, range(1_203)))
#: Two members of an entry between which is what else is between two entries.
NESTED = text_of(entry(1), entry(2)).replace(
    b'"status"',
    b'"x": [\n    {\n      "a": 1' + BETWEEN + b'      "b": 2\n    }],\n      "status"',
    1,
)
TEXTS = {
    "plain": PLAIN,
    "one run": text_of(entry(1)),
    "a run twice": text_of(entry(1), entry(2), entry(1)),
    "an origin": text_of(entry(1), entry(2, origin="0" * 64)),
    "members of the future": text_of(entry(1, more={"a": [1, {"b": None}]}), entry(2)),
    "letters": text_of(entry(1, name="Zürich \U0001f600 \u2028 \x7f"), entry(2)),
    "small and large numbers": text_of(
        entry(1, hyperparameters={"tol": 1e-05, "C": 1e16, "shift": -2.5e-07}), entry(2)
    ),
    "a large integer": text_of(entry(1, more=2**70)),
    "without status": text_of({k: v for k, v in entry(1).items() if k != "status"}),
}
#: What is no index in the written form of this version, or cannot be taken as it is.
OTHERS = {
    "no run": text_of(),
    "a member beside the entries": text_of(entry(1), beside=1),
    "objects beside the entries": text_of(*map(entry, range(600)), beside=[{"a": 1}, {"b": 2}]),
    "runs beside the entries": text_of(entry(1), beside=[entry(2), entry(3)]),
    "entries first": encode_json({"runs": [entry(1)], "schema_version": "index.v1"}),
    "one line": json.dumps(json.loads(PLAIN)).encode(),
    "no line at the end": PLAIN[:-1],
    "another line at the end": PLAIN + b"\n",
    "cut": PLAIN[: len(PLAIN) // 2] + TAIL,
    "entries on one line": text_of(entry(1), entry(2), entry(3)).replace(BETWEEN, b"},{", 1),
    "an entry within an entry": NESTED,
    # As many lines between entries as there should be, but not between them.
    "both": NESTED[: -len(TAIL)] + b"},{" + text_of(entry(3)).split(b"{\n")[-1],
    "a large number": text_of(entry(1, more=0)).replace(b'"more": 0', b'"more": 1e400'),
    "escapes": text_of(entry(1, name="a"), entry(2)).replace(b'"name": "a"', b'"name": "\\u0061"'),
    "a number in another form": text_of(entry(1, more=0)).replace(b'"more": 0', b'"more": 1E5'),
    "many digits": text_of(entry(1, more=0)).replace(b'"more": 0', b'"more": ' + b"9" * 400),
    "a member twice": text_of(entry(1)).replace(
        b'"status"', b'"status": "failed",\n      "status"'
    ),
    "too deep": text_of(entry(1, more=0)).replace(b": 0\n", b": " + b"[" * 70 + b"]" * 70 + b"\n"),
    "an invalid entry": text_of(entry(1), entry(2, run_dir=1)),
    "an entry without id": text_of(entry(1), {}),
    "no object": text_of(entry(1)).replace(TAIL, b"\n    },\n    1\n  ]\n}\n"),
    "another version": text_of(entry(1)).replace(b"index.v1", b"index.v2"),
    "no text": PLAIN.replace(b"succeeded", b"succeede\xff", 1),
    "of an editor": text_of(
        entry(1, run_dir=".ml/runs/a", model_pkl=".ml/runs/a/artifacts/model.pkl")
    ),
    "another form": json.dumps({"schema_version": "1.0.0", "runs": [entry(1)]}).encode(),
    "an array": json.dumps([entry(1)]).encode(),
}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreLayout:
    monkeypatch.setattr(index_entries, "_SMALL", 0)
    store = StoreLayout(tmp_path, LEGACY_STORE)
    store.index.parent.mkdir(parents=True)
    return store


def read(store: StoreLayout, *, parse_later: bool) -> StoreIndex | tuple[Any, ...] | None:
    try:
        return read_store_index(store, parse_later=parse_later)
    except RunForgeError as error:
        return error.code, error.message, error.hint, error.location, error.problems


def facts(index: StoreIndex) -> dict[str, Any]:
    """Return everything that an index says of itself, with its entries read in every way."""
    entries = index.entries
    return {
        "form": index.form,
        "text": index.text,
        "document": json.dumps(index.document),
        "order": [json.dumps(item) for item in index.entries],
        "raw": [*index.raw_entries],
        "read by position": [entries[number] for number in range(-len(entries), len(entries))],
        "parts": [*entries[:2], *entries[-2:], *entries[1:3:2]],
        "listed": index.listed,
        "distinct": index.distinct(),
        "origin": index.origin,
        "pointers": [index.pointer(number) for number in range(len(entries))],
        "problems": index.problems,
        "in parts": index.members and [run for part in index.in_parts() for run in part["runs"]],
    }


@pytest.mark.parametrize("name", TEXTS)
def test_every_way_of_reading_gives_what_the_whole_document_gives(
    name: str, store: StoreLayout
) -> None:
    store.index.write_bytes(TEXTS[name])
    whole, later = read(store, parse_later=False), read(store, parse_later=True)
    assert isinstance(whole, StoreIndex)
    assert isinstance(later, StoreIndex)
    assert (whole.is_parsed_later, later.is_parsed_later) == (False, True)
    assert json.dumps(whole.document) == json.dumps(json.loads(TEXTS[name]))
    assert facts(later) == facts(whole)


@pytest.mark.parametrize("name", OTHERS)
def test_what_has_another_form_is_parsed_as_a_whole(name: str, store: StoreLayout) -> None:
    store.index.write_bytes(OTHERS[name])
    whole, later = read(store, parse_later=False), read(store, parse_later=True)
    if isinstance(whole, StoreIndex):
        assert isinstance(later, StoreIndex)
        assert not later.is_parsed_later
        assert facts(later) == facts(whole)
    else:
        assert later == whole


def test_an_entry_that_is_changed_by_its_reader_stays_as_it_is(store: StoreLayout) -> None:
    store.index.write_bytes(PLAIN)
    index = read(store, parse_later=True)
    assert isinstance(index, StoreIndex)
    index.entries[5]["status"] = "changed"
    assert index.entries[5] == entry(5)


@pytest.mark.parametrize("beyond", [-1_204, 1_203])
def test_there_is_no_entry_beyond_the_last_one(beyond: int, store: StoreLayout) -> None:
    store.index.write_bytes(PLAIN)
    index = read(store, parse_later=True)
    assert isinstance(index, StoreIndex)
    with pytest.raises(IndexError):
        index.entries[beyond]
