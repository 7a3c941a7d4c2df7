"""Runs that are chosen by the lines of the index are those that the whole index gives."""

from __future__ import annotations

import json
import math
import shutil
import time
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.codec.hash_chain import chain_digests
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import UsageError
from runforge_contracts.fs import files
from runforge_contracts.index import index_filter, keeping, kept_index
from runforge_contracts.index.index_filter import runs_in_parts, skim_runs
from runforge_contracts.metrics import lower_is_better
from runforge_contracts.run_ids import started
from runforge_contracts.selection.older_entries import SettingsReader
from runforge_contracts.selection.run_condition import RunCondition, parse_conditions
from runforge_contracts.selection.run_query import (
    RunFacts,
    RunOrder,
    RunQuery,
    in_order,
    query_runs,
)
from runforge_contracts.selection.run_values import RunColumn, column_of, metric_names
from runforge_contracts.store.layout import StoreLayout, stores_in
from runforge_contracts.store.reading import list_runs

VECTORS = Path(__file__).parents[3] / "docs/test-vectors/runs"
FAMILIES = ("logistic_regression", "random_forest", "linear_svc")
STATUSES = ("succeeded", "failed", "cancelled", "succeeded", "succeeded")


@pytest.fixture(autouse=True, params=["read", "parts", "kept", "sorted"])
def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Let every test pass with an index that was just read, and with one that is kept.

    The former is also read in parts that end anywhere. Columns of many values are sorted; here
    those of four are.
    """
    is_kept: bool = request.param not in ("read", "parts")
    if request.param == "parts":
        monkeypatch.setattr(files, "_BLOCK", 137)
    if request.param == "sorted":
        monkeypatch.setattr(kept_index, "_UNSORTED", 4)
    monkeypatch.setattr(keeping, "keeper", KEEPER if is_kept else None)
    return is_kept


KEEPER = kept_index.Keeper(600)


def entry(number: int, **more: Any) -> dict[str, Any]:
    # Two begin in each second.
    run_id = f"20260101-{number // 120 % 24:02}{number // 2 % 60:02}00-{number:08x}"
    metrics = {"accuracy": number * 37 % 100 / 100, "loss": 10.0 ** -(number % 9)}
    return {
        "run_id": run_id,
        "created_at": "2026-01-01T00:00:00Z",
        # What looks like the lines of other entries, and is none.
        "name": f'"model_family": "{FAMILIES[number % 3]}"\n      "status": "failed"',
        "status": STATUSES[number % 5],
        "summary": {
            "duration_ms": number,
            "final_metrics": metrics if number % 4 else {},
            "future": {"accuracy": 7, "deeper": {"accuracy": 8}},
        },
        "run_dir": f".runforge/runs/{run_id}",
        "dataset_fingerprint_sha256": f"{number % 2}" * 64,
        "model_family": FAMILIES[number % 3],
        **settings(number),
        **more,
    }


def settings(number: int) -> dict[str, Any]:
    """Return what the entry of a run of a sweep has; every ninth is older."""
    if number % 9 == 8:
        return {}
    values: dict[str, Any] = {"C": (number * 7 % 11) / 10, "max_iter": number % 3 * 100}
    if number % 2:
        values = {"solver": "lbfgs", "depth": None, "warm_start": number % 5 == 0, "loss": "hinge"}
    return {"seed": number % 4, "hyperparameters": values, "group_id": f"grp_{number % 6}"}


def facts() -> RunFacts:
    return RunFacts(lambda entries: [*entries] and None, lambda entry, place: [], SettingsReader())


def query(said: dict[str, str], metric: str | None) -> RunQuery:
    conditions = tuple(RunCondition(name, "=", text) for name, text in said.items())
    return RunQuery(conditions, RunOrder() if metric is None else RunOrder(metric))


def make(folder: Path, entries: list[dict[str, Any]]) -> StoreLayout:
    store = StoreLayout(folder)
    store.runs.mkdir(parents=True)
    store.index.write_bytes(encode_json({"schema_version": "index.v1", "runs": entries}))
    for item in entries:
        store.run_folder(item["run_id"]).mkdir()
    return store


def expected(
    store: StoreLayout, said: dict[str, str], metric: str | None
) -> tuple[list[dict[str, Any]], int]:
    """Return what reading everything gives, first things first."""
    fitting = [
        item
        for item in list_runs(store)
        if all(item.get(name) == text for name, text in said.items())
    ]
    fitting = sorted(fitting, key=started)[::-1]
    if metric is not None:
        # Equal values are decided by the other metric, then the first run is the best.
        names = [metric, *({"accuracy", "loss"} - {metric})]
        found = [item for item in fitting[::-1] if metric in item["summary"]["final_metrics"]]
        found.sort(key=lambda item: [place(item, name) for name in names])
        fitting = found + [item for item in fitting if item not in found]
    return fitting, len(fitting)


def place(item: dict[str, Any], metric: str) -> float:
    """Return a number that is lower for better values of a metric."""
    value = item["summary"]["final_metrics"].get(metric)
    if value is None:
        return math.inf
    return float(value) if lower_is_better(metric) else -float(value)


@pytest.mark.parametrize("metric", [None, "accuracy", "loss"])
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"model_family": "random_forest"},
        {"status": "failed"},
        {"model_family": "linear_svc", "status": "succeeded"},
        {"dataset_fingerprint_sha256": "1" * 64},
        {"model_family": "random"},
        {"model_family": "a \U0001f427 and \ud800"},
    ],
)
def test_the_first_runs_are_those_of_the_whole_index(
    said: dict[str, str], metric: str | None, tmp_path: Path
) -> None:
    store = make(tmp_path, [entry(number) for number in range(200)])
    runs, total = expected(store, said, metric)
    listed = list_runs(store)
    for count in (1, 7, 1000):
        page = skim_runs(store, count, query(said, metric), facts())
        assert page is not None
        assert (page.entries, page.total) == (sorted(runs[:count], key=listed.index), total)


@pytest.mark.parametrize(
    "order", ["created", "-created", "accuracy", "-loss", "name", "C", "-seed"]
)
@pytest.mark.parametrize("where", [[], ["status=succeeded"], ["accuracy>=0.5", "C>0.2"]])
def test_any_page_is_a_part_of_all_of_them(where: list[str], order: str, tmp_path: Path) -> None:
    store = make(tmp_path, [entry(number) for number in range(300)])
    # Two that are not in the index, which come somewhere among the others.
    for number in (50, 400):
        vector = VECTORS / "v0.4.0/.runforge/runs"
        source = next(path for path in vector.iterdir() if (path / "run.json").is_file())
        shutil.copytree(source, store.runs / f"20260101-0{number // 100}0130-{number:08x}")
    asked = RunQuery(parse_conditions(where), RunOrder.parse(order))
    everything = skim_runs(store, 1000, asked, facts())
    assert everything is not None
    whole = in_query_order(everything.entries, asked)
    for skip in (0, 1, 3, 70, 299, 1000):
        page = skim_runs(store, skip + 10, asked, facts(), skip=skip)
        assert page is not None
        assert page.total == everything.total
        start = skip - page.skipped
        assert start >= 0
        shown = in_query_order(page.entries, asked)[start : start + 10]
        assert shown == whole[skip : skip + 10]


@pytest.mark.parametrize("name", ["run", "seed", "group"])
def test_a_condition_may_exclude_many_strings(name: str, tmp_path: Path) -> None:
    entries = [entry(number, seed=number) for number in range(90) if number % 9 != 8]
    store = make(tmp_path, entries)
    member = {"run": "run_id", "group": "group_id"}.get(name, name)
    others = frozenset(str(item[member]) for item in entries[1:40])
    first = RunCondition(name, "!=", str(entries[0][member]), is_quoted=True, others=others)
    found = skim_runs(store, 100, RunQuery((first,)), facts())
    assert found is not None
    left = {item["run_id"] for item in found.entries}
    kept = {item["run_id"] for item in entries if item[member] not in {first.value, *others}}
    assert left == kept


def in_query_order(entries: list[dict[str, Any]], asked: RunQuery) -> list[dict[str, Any]]:
    """Return entries as a list shows them."""
    metrics = metric_names(entries)
    rows: list[tuple[dict[str, Any], Any]] = [(item, None) for item in entries]
    column = column_of(asked.order.name, metrics)
    return [item for item, _ in in_order(rows, column, turned=asked.order.turned)]


@pytest.mark.parametrize(
    ("where", "order"),
    [
        (["status=succeeded"], "name"),
        (["duration>20", "name~a"], "-duration"),
        (["name!=other 7"], "metric"),
        (["accuracy<0.7"], "loss"),
    ],
)
def test_an_index_that_changes_is_followed(
    where: list[str], order: str, kept: bool, tmp_path: Path
) -> None:
    entries = [entry(number) for number in range(130)]
    store = make(tmp_path, entries[:100])
    asked = RunQuery(parse_conditions(where), RunOrder.parse(order))

    def check() -> None:
        found = skim_runs(store, 1000, asked, facts())
        assert found is not None
        rows = [(item, store) for item in list_runs(store)]
        wanted = query_runs(rows, asked, facts())
        assert in_query_order(found.entries, asked) == [item for item, _ in wanted]

    def write(listed: list[dict[str, Any]]) -> None:
        # As the writer does: a new file under the old name.
        text = encode_json({"schema_version": "index.v1", "runs": listed})
        (tmp_path / "new").write_bytes(text)
        (tmp_path / "new").replace(store.index)

    check()
    for count in (101, 102, 128, 130):  # It grows.
        for item in entries[:count]:
            store.run_folder(item["run_id"]).mkdir(exist_ok=True)
        write(entries[:count])
        check()
    write([{**item, "name": f"other {at}"} for at, item in enumerate(entries)])
    check()
    late = {**entry(3), "run_id": "20250101-000000-00000001", "name": "late and old"}
    store.run_folder(late["run_id"]).mkdir()
    write([*entries, late])
    check()
    write(entries[:20])  # It shrinks, and the other folders have no documents.
    found = skim_runs(store, 1000, RunQuery((), RunOrder("seed")), facts())
    assert found is not None
    store.index.write_bytes(b"{}")
    assert skim_runs(store, 10, asked, facts()) is None
    write(entries[:30])
    assert skim_runs(store, 10, asked, facts()) is not None
    store.index.unlink()
    assert skim_runs(store, 10, asked, facts()) is None


def test_an_index_is_kept_until_nobody_asks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = make(tmp_path, [entry(number) for number in range(70)])
    monkeypatch.setattr(keeping, "keeper", None)
    assert (keeping.keeps_indexes(), kept_index.kept_stores()) == (False, [])
    kept_index.keep_indexes(idle=0.2)
    kept_index.keep_indexes()
    assert skim_runs(store, 10, RunQuery(), facts()) is not None
    kept_index.prepare_columns([store], [RunColumn("field", "name"), RunColumn("param", "C")])
    while kept_index.kept_stores():
        time.sleep(0.01)
    assert skim_runs(store, 10, RunQuery(), facts()) is not None


def test_columns_are_prepared_in_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(keeping, "keeper", KEEPER)
    monkeypatch.setattr(kept_index, "_BLOCK", 8)
    monkeypatch.setattr(kept_index, "_AT_ONCE", 1)
    entries = [entry(number) for number in range(131)]
    store = make(tmp_path, entries)
    known = KEEPER.index_of(store)
    columns = [RunColumn("field", "metric"), RunColumn("param", "C"), RunColumn("field", "name")]
    kept_index.prepare_columns([store], columns)
    while not known._columns.keys() >= {*columns}:
        time.sleep(0.01)
    for column in columns:
        with known.lock:
            assert len(known.column(column).numbers) == len(entries)
        asked = RunQuery((), RunOrder(column.name))
        whole = [row[0] for row in query_runs([(item, store) for item in entries], asked, facts())]
        page = skim_runs(store, 1000, asked, facts())
        assert page is not None
        assert in_query_order(page.entries, asked) == whole
    # What was written anew is prepared again.
    store.index.write_bytes(encode_json({"schema_version": "index.v1", "runs": entries[1:]}))
    assert skim_runs(store, 10, RunQuery(), facts()) is not None
    assert not known.is_prepared


def test_runs_that_are_not_listed_are_looked_at(tmp_path: Path) -> None:
    shutil.copytree(VECTORS / "v0.4.0", tmp_path, dirs_exist_ok=True)
    (store,) = stores_in(tmp_path)
    index = json.loads(store.index.read_text("utf-8"))
    dropped = index["runs"].pop(0)
    store.index.write_bytes(encode_json(index))
    for said in ({}, {"status": "succeeded"}, {"model_family": dropped["model_family"]}):
        page = skim_runs(store, 20, query(said, None), facts())
        assert page is not None
        assert sorted(page.entries, key=started)[::-1] == expected(store, said, None)[0]
        assert dropped["run_id"] in {item["run_id"] for item in page.entries}


@pytest.mark.parametrize(
    "text",
    [
        lambda index: json.dumps(index),
        lambda index: json.dumps(index, indent=4),
        lambda index: encode_json(index).decode().replace("random_forest", "random\\u005fforest"),
        lambda index: encode_json(index).decode()[:-3],
        lambda index: encode_json(index).decode().replace('      "status": "failed",\n', ""),
        lambda index: encode_json(index).decode().replace('"accuracy": 0.', '"accuracy": x0.'),
        lambda index: "",
        lambda index: json.dumps({"schema_version": "index.v1", "runs": []}, indent=2),
    ],
)
def test_what_is_written_otherwise_is_left_to_the_whole_index(text: Any, tmp_path: Path) -> None:
    entries = [entry(number) for number in range(20)]
    store = make(tmp_path, entries)
    assert skim_runs(store, 5, query({}, "accuracy"), facts()) is not None
    store.index.write_text(text({"schema_version": "index.v1", "runs": entries}), "utf-8")
    assert skim_runs(store, 5, query({}, "accuracy"), facts()) is None


@pytest.mark.parametrize("number", [0, 7, 19])
@pytest.mark.parametrize(
    "change",
    [
        lambda line: "",
        lambda line: line[:-3] + line[-2:],
        lambda line: line.replace("-", "-0", 1),
        lambda line: line.replace("-", "_"),
        lambda line: "\n" + line,
        lambda line: line.replace(" ", "", 1),
        lambda line: line.replace(": ", ":  "),
        lambda line: f'\n      "note": 1,{line}',
        lambda line: line.replace('"run_id"', '"run_ID"'),
        lambda line: line.replace("2026", "\uff12026"),
        lambda line: line.replace("2026", "\x85\xa02026"),
    ],
)
def test_an_entry_that_begins_otherwise_is_left_to_the_whole_index(
    change: Callable[[str], str], number: int, tmp_path: Path
) -> None:
    entries = [entry(each) for each in range(20)]
    store = make(tmp_path, entries)
    line = f'\n      "run_id": "{entries[number]["run_id"]}",'
    text = store.index.read_text("utf-8")
    assert text.count(line) == 1
    store.index.write_text(text.replace(line, change(line)), "utf-8")
    for asked in ((), parse_conditions(["repeats=x"]), parse_conditions(["tag=odd"])):
        assert skim_runs(store, 5, RunQuery(asked), facts()) is None


@pytest.mark.parametrize("run_id", ["run-2", f"{entry(2)['run_id']}-2"])
def test_ids_of_other_clients_are_left_to_the_whole_index(run_id: str, tmp_path: Path) -> None:
    store = make(tmp_path, [entry(1), {**entry(2), "run_id": run_id}])
    assert skim_runs(store, 5, query({}, None), facts()) is None


@pytest.mark.parametrize(
    "order", ["created", "-created", "accuracy", "-loss", "C", "-seed", "name"]
)
@pytest.mark.parametrize(
    "conditions",
    [
        [],
        ["C<0.5"],
        ["C>=0.5", "max_iter=100"],
        ["C!=0.5", "seed>1"],
        ["accuracy>=0.5", "solver=lbfgs"],
        ["depth=none"],
        ["warm_start=true", "model~LOGISTIC"],
        ["group=grp_3"],
        ["param.loss=hinge", "loss<1e-3"],
        ["dataset=0", "duration>100"],
        ["created>=2026-01-01", "run>20260101-01"],
        ["status!=succeeded", "kind=trained"],
        ["C<-1"],
        ["model=linear_svc"],
        ["seed=3"],
    ],
)
def test_the_lines_and_the_whole_entries_give_the_same_runs(
    conditions: list[str], order: str, tmp_path: Path
) -> None:
    check_runs(conditions, order, tmp_path)


@pytest.mark.parametrize("order", ["name", "-metric"])
@pytest.mark.parametrize(
    "conditions",
    [
        ["metric>=0.5"],
        ["metric!=0.37", "metric<=0.9", "metric>0.1"],
        ["duration>=20", "duration<100", "duration!=50"],
        ["run~-01", "run<20260101-02"],
        ["run=20260101-000000-00000001"],
        ["run!=20260101-000000-00000001", "run<=20260101-023"],
        ["created<2026-01-01T00:00:00", "created=2026"],
        ["created>2026-01-01"],
        ["name~FOREST"],
        ["dataset!=1", "dataset~0"],
        ["loss=1e-3"],
        ['loss="1e-3"'],
        ["duration~7", "run>7"],
    ],
)
def test_values_that_are_compared_in_their_order_give_the_same_runs(
    conditions: list[str], order: str, tmp_path: Path
) -> None:
    check_runs(conditions, order, tmp_path)


@pytest.mark.parametrize("conditions", [["tag=odd"], ["tags!=odd", "C<0.5"], ["tag~thir"]])
def test_tags_are_read_once_where_an_index_is_kept(
    conditions: list[str], kept: bool, tmp_path: Path
) -> None:
    entries = [entry(number) for number in range(60)]
    store = make(tmp_path, entries)
    numbers = {item["run_id"]: at for at, item in enumerate(entries)}
    read = list[str]()

    def tags_of(item: dict[str, Any], place: object) -> list[str]:
        read.append(item["run_id"])
        number = numbers[item["run_id"]]
        return [*(["odd"] if number % 2 else []), *(["third"] if number % 3 == 0 else [])]

    known = facts()._replace(tags_of=tags_of)
    asked = RunQuery(parse_conditions(conditions))
    whole = query_runs([(item, store) for item in entries], asked, known)
    for _ in range(2):
        read.clear()
        page = skim_runs(store, 1000, asked, known)
        assert page is not None
        assert [item["run_id"] for item in page.entries[::-1]] == [
            item["run_id"] for item, _ in whole
        ]
    assert bool(read) != kept


def tagged(number: int) -> dict[str, Any]:
    """Return an entry; every third one lacks its tags."""
    found = [*(["odd"] if number % 2 else []), *(['ä "]'] if number % 5 == 0 else [])]
    return entry(number, **({} if number % 3 == 0 else {"tags": found}))


@pytest.mark.parametrize("order", ["created", "-created", "tags", "-tags", "-alias", "accuracy"])
@pytest.mark.parametrize(
    "conditions",
    [
        [],
        ["tag=odd"],
        ["tags!=odd", "C<0.5"],
        ['tag~"]"', "tag=odd"],
        ["alias=best"],
        ["alias!=best", "tag!=odd"],
    ],
)
def test_tags_and_aliases_are_those_of_entries_and_of_runs_that_lack_them(
    conditions: list[str], order: str, tmp_path: Path
) -> None:
    entries = [tagged(number) for number in range(60)]
    store = make(tmp_path, entries)
    write_aliases(store, {"best": entries[7]["run_id"], "last": entries[50]["run_id"]})
    read = list[str]()

    def tags_of(item: dict[str, Any], place: object) -> list[str]:
        read.append(item["run_id"])
        found: list[str] = item.get("tags", ["odd", "older"])
        return found

    known = facts()._replace(tags_of=tags_of)
    asked = RunQuery(parse_conditions(conditions), RunOrder.parse(order))
    whole = [row[0] for row in query_runs([(item, store) for item in entries], asked, known)]
    column = column_of(order.removeprefix("-"), metric_names(entries))
    for count in (1, 7, 1000):
        read.clear()
        page = skim_runs(store, count, asked, known)
        assert page is not None
        rows = in_order([(item, store) for item in page.entries], column, turned=order[0] == "-")
        ids = [item["run_id"] for item, _ in rows]
        assert (ids, page.total) == ([item["run_id"] for item in whole[:count]], len(whole))
        assert {*read} <= {item["run_id"] for item in entries if "tags" not in item}


def test_only_entries_that_may_fit_are_in_memory(kept: bool, tmp_path: Path) -> None:
    first = entry(1)["run_id"]
    store = make(
        tmp_path,
        [
            entry(number, note="x" * 10_000, tags=[], rerun_from=entry(number % 500)["run_id"])
            for number in range(1_000)
        ],
    )
    for condition, fitting in ((f"repeats={first}", 2), ("tag=odd", 0), (f"run={first}", 1)):
        asked = RunQuery(parse_conditions([condition]))
        tracemalloc.start()
        page = skim_runs(store, 20, asked, facts())
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert page is not None
        assert page.total == fitting
        assert kept or most < store.index.stat().st_size / 4


@pytest.mark.parametrize("order", ["created", "-created"])
@pytest.mark.parametrize("conditions", [[], ["tag=odd"], ["C<0.9", "status=succeeded"]])
def test_parts_are_those_of_the_whole_list(
    conditions: list[str], order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_filter, "_AT_ONCE", 7)
    # In another order than that of time, as those of a sweep are listed.
    entries = [tagged(number ^ 5) for number in range(64)]
    store = make(tmp_path, entries)
    (source,) = stores_in(VECTORS / "v0.4.0")
    shutil.copytree(source.runs, store.runs, dirs_exist_ok=True)  # They are not listed.
    known = facts()._replace(tags_of=lambda item, place: item.get("tags", []))
    asked = RunQuery(parse_conditions(conditions), RunOrder.parse(order))
    rows = query_runs([(item, store) for item in list_runs(store)], asked, known)
    whole = [item for item, _ in rows]
    assert len(whole) > 7
    for count in (1, 7, 8, 1000):
        parts = [*runs_in_parts(store, count, asked, known)]
        assert [item for part in parts for item in part] == whole[:count]
        assert all(len(part) <= 7 for part in parts)


@pytest.mark.parametrize(
    "text",
    [
        lambda index: json.dumps(index),
        lambda index: encode_json(index).decode().replace('"seed": 1', '"seed": NaN', 1),
        lambda index: encode_json(index).decode().replace('"seed": 1', '"seed": 1, "seed": 1', 1),
        lambda index: encode_json(index).decode().replace('"seed": 1', '"seed": ' + "[" * 99, 1),
        lambda index: encode_json(index).decode().replace('"seed": 1', '"seed": 1},\n {"a": 1', 1),
        lambda index: encode_json({**index, "runs": index["runs"] * 2}).decode(),
        lambda index: encode_json(index).decode().replace('"duration_ms": 2,', "", 1)[:-1],
    ],
)
def test_no_part_has_what_only_the_whole_index_tells(text: Any, tmp_path: Path) -> None:
    entries = [entry(number) for number in range(20)]
    store = make(tmp_path, entries)
    store.index.write_text(text({"schema_version": "index.v1", "runs": entries}), "utf-8")
    with pytest.raises(ValueError, match=r"index|entry"):
        [*runs_in_parts(store, 1000, RunQuery(), facts())]


def test_the_name_of_a_folder_may_differ_from_the_id(tmp_path: Path) -> None:
    entries = [entry(1), entry(2, run_dir=".runforge/runs/another")]
    store = make(tmp_path, entries)
    assert [*runs_in_parts(store, 9, RunQuery(), facts())] == [entries[::-1]]
    store.run_folder("20260101-000000-0badcafe").mkdir()
    with pytest.raises(ValueError, match="another id"):
        [*runs_in_parts(store, 9, RunQuery(), facts())]


def test_a_list_of_a_very_large_index_is_validated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f".runforge/runs/{entry(2)['run_id']}/artifacts/model.pkl"  # as an editor writes it
    store = make(tmp_path, [entry(1), entry(2, model_pkl=path)])
    assert next(runs_in_parts(store, 9, RunQuery(), facts()))[0]["model_pkl"] == path
    monkeypatch.setattr(index_filter, "MAX_BYTES", 1_000)
    assert [*runs_in_parts(store, 9, RunQuery(), facts())] == [list_runs(store)[::-1]]
    store = make(tmp_path / "invalid", [entry(1), entry(2, seed=-1)])
    with pytest.raises(ValueError, match="invalid"):
        [*runs_in_parts(store, 9, RunQuery(), facts())]
    monkeypatch.setattr(index_filter, "MAX_INDEX_BYTES", 1_000)
    with pytest.raises(ValueError, match="whole index"):
        [*runs_in_parts(store, 9, RunQuery(), facts())]


def test_the_memory_of_parts_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_filter, "_AT_ONCE", 20)
    many = {f"name_{number}": number for number in range(200)}
    entries = [entry(number, hyperparameters=many) for number in range(2_000)]
    store = make(tmp_path, entries)
    del entries
    tracemalloc.start()
    for _ in runs_in_parts(store, 2_000, RunQuery(), facts()):
        pass
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2 * store.index.stat().st_size


@pytest.mark.parametrize("tags", ["odd", ["odd", 1], {"odd": []}, None])
def test_tags_of_another_form_need_the_whole_index(tags: Any, tmp_path: Path) -> None:
    store = make(tmp_path, [entry(1), entry(2, tags=tags)])
    assert skim_runs(store, 5, RunQuery(parse_conditions(["tag=odd"])), facts()) is None


def write_aliases(store: StoreLayout, aliases: dict[str, str]) -> None:
    lines = list[dict[str, Any]]()
    for name, run_id in aliases.items():
        said = {"schema_version": "alias.v1", "alias": name, "run_id": run_id}
        said |= {"recorded_at": "2026-01-02T00:00:00Z", "previous": chain_digests(lines)[-1]}
        lines.append(said)
    store.aliases.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def check_runs(conditions: list[str], order: str, folder: Path) -> None:
    """Check that the runs of a query are those that the whole index gives."""
    entries = [entry(number) for number in range(200)]
    store = make(folder, entries)
    asked = RunQuery(parse_conditions(conditions), RunOrder.parse(order))
    whole = [row[0] for row in query_runs([(item, store) for item in entries], asked, facts())]
    for count in (1, 7, 1000):
        page = skim_runs(store, count, asked, facts())
        assert page is not None
        wanted = sorted(whole[:count], key=lambda item: entries.index(_plain(item, entries)))
        assert (page.entries, page.total) == (wanted, len(whole))


@pytest.mark.parametrize("order", ["created", "-created", "status", "-accuracy", "name", "C"])
@pytest.mark.parametrize(
    "conditions",
    [
        [],
        ["status=missing"],
        ["status=succeeded"],
        ["status!=succeeded", "accuracy>=0.2"],
        ["C<0.9", "status=succeeded"],
        ["status!=failed", "C<0.9", "name~FOREST"],
    ],
)
def test_missing_folders_do_not_need_the_whole_index(
    conditions: list[str], order: str, tmp_path: Path
) -> None:
    entries = [entry(number) for number in range(200)]
    entries[50]["run_dir"] = "elsewhere/50"
    store = make(tmp_path, entries)
    (tmp_path / "elsewhere/50").mkdir(parents=True)
    absent = {entries[number]["run_id"] for number in (0, 3, 50, 62, 199)}  # 62 is older
    for run_id in absent:
        store.run_folder(run_id).rmdir()
    asked_of = list[str]()

    def add_states(of: Iterable[dict[str, Any]]) -> None:
        for item in of:
            asked_of.append(item["run_id"])
            if not (tmp_path / item["run_dir"]).is_dir():
                item["state"] = "missing"

    known = facts()._replace(add_states=add_states)
    asked = RunQuery(parse_conditions(conditions), RunOrder.parse(order))
    rows = [(item, store) for item in json.loads(json.dumps(entries))]
    whole = [item for item, _ in query_runs(rows, asked, known)]
    for first, end in ((0, 1), (0, 7), (20, 40), (0, 1000)):
        asked_of.clear()
        page = skim_runs(store, end, asked, known, skip=first)
        assert page is not None
        assert {*asked_of} <= absent
        wanted = [item["run_id"] for item in whole[page.skipped : end]]
        assert {item["run_id"] for item in page.entries} == {*wanted}
        assert (len(page.entries), page.total) == (len(wanted), len(whole))
        if "status" in f"{conditions} {order}":
            states = {item["run_id"] for item in page.entries if item.get("state") == "missing"}
            assert states == (absent - {entries[50]["run_id"]}) & {*wanted}


def _plain(item: dict[str, Any], entries: list[dict[str, Any]]) -> dict[str, Any]:
    return next(plain for plain in entries if plain["run_id"] == item["run_id"])


@pytest.mark.parametrize(
    "asked", [RunQuery(parse_conditions("nothing!=1")), RunQuery((), RunOrder("nothing"))]
)
def test_names_that_no_run_has_are_left_to_the_whole_index(asked: RunQuery, tmp_path: Path) -> None:
    store = make(tmp_path, [entry(number) for number in range(20)])
    assert skim_runs(store, 5, asked, facts()) is None
    with pytest.raises(UsageError, match="no run has a value named `nothing`") as caught:
        query_runs([(item, store) for item in list_runs(store)], asked, facts())
    assert "Known hyperparameters: `C`, `depth`, `max_iter`" in (caught.value.hint or "")
    assert "Known metrics: `accuracy`, `loss`." in (caught.value.hint or "")
