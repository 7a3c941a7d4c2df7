"""What the pages show: every kind of run, in every state, whatever stands in its files."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from field_stores import (
    command_line_store,
    desktop_store,
    editor_store,
    old_editor_store,
    write_dataset,
)
from real_experiments import Repository
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.store.layout import StoreLayout
from runforge_engine import train
from sweep_store import make_sweeps
from web_client import Server, serving
from web_pages import check_page, runs_in

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\x1b[31m\u202e{{7*7}}"


def test_the_list_has_the_runs_of_every_end(server: Server) -> None:
    answer = server.ask("/runs")
    assert answer.status == 200
    for status in ("succeeded", "failed", "cancelled"):
        assert f'<span class="status {status}">{status}</span>' in answer.text
    check_page(answer.text)


def test_the_address_filters_sorts_and_chooses_columns(server: Server) -> None:
    best = server.ask("/runs?where=accuracy%3E0&sort=accuracy&column=C&column=accuracy")
    assert best.status == 200
    assert '<th scope="col" class="n" aria-sort="other"><a href="?' in best.text
    assert ">accuracy</a>" in best.text
    assert ">created</a>" not in best.text
    assert "sort=-accuracy" in html.unescape(best.text)
    assert 'value="accuracy&gt;0"' in best.text
    failed = server.ask("/runs?status=failed")
    assert runs_in(failed.text)
    assert "succeeded</span>" not in failed.text
    nothing = server.ask("/runs?name=nobody")
    assert (nothing.status, "No run matches." in nothing.text) == (200, True)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("where=((", "is not a condition"),
        ("where=nope%3C1", "no run has a value named"),
        ("page=0", "is not a number from 1"),
        ("limit=501", "is not a number from 1 to 500"),
        ("page=%F0%9F%8E%89", "is not a number"),
        ("since=tomorrow", "tomorrow"),
        ("group=nope", "no groups of runs"),
        ("column=nope", "no run has a value named"),
    ],
)
def test_a_mistake_in_the_address_is_explained_above_the_form(
    server: Server, query: str, said: str
) -> None:
    answer = server.ask(f"/runs?{query}")
    assert answer.status in (400, 404)
    assert said in html.unescape(re.sub("<[^>]+>", "", answer.text))
    assert 'role="alert"' in answer.text
    check_page(answer.text)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return the server of a workspace with one run that has a name."""
    workspace = tmp_path_factory.mktemp("named")
    data = write_dataset(workspace / "data.csv")
    train(data, label="label", workspace=workspace, name="Penguins first")
    with serving(workspace) as found:
        yield found


@pytest.mark.parametrize("part", ["penguins", "FIRST", "s f"])
def test_a_part_of_a_name_finds_the_run(named: Server, part: str) -> None:
    assert len(runs_in(named.ask(f"/runs?{urlencode({'name': part})}").text)) == 1
    assert runs_in(named.ask("/runs?name=penguins%20second").text) == []
    assert f'name="name" value="{part}"' in named.ask(f"/runs?{urlencode({'name': part})}").text


def test_a_run_is_titled_by_its_name_with_the_id_beside(named: Server) -> None:
    [address] = runs_in(named.ask("/runs").text)
    run_id = address.rpartition("/")[2]
    for page in (named.ask(address).text, named.ask(f"{address}/log").text):
        [title] = re.findall("<h1>(.*)</h1>", page)
        assert f'Penguins first <code class="id">{run_id}</code>' in title
        check_page(page)


def test_every_section_of_a_run_is_linked_and_words_are_of_pages(server: Server) -> None:
    page = server.ask("/runs/latest:succeeded").text
    [contents] = re.findall('<nav aria-label="Contents">(.*?)</nav>', page, re.DOTALL)
    assert '<a href="#files">Files</a>' in contents
    places = re.findall('href="#([^"]+)"', contents)
    assert all(f'id="{place}"' in page for place in places)
    assert "“Compute the curves”, at the top of this page," in page
    assert "--no-model" not in page
    saved = server.ask("/runs/latest:succeeded/report.html").text
    assert "--no-model" not in saved
    assert "at the top of this page" not in saved


def test_pages_of_the_list_follow_each_other(server: Server) -> None:
    seen, address = list[str](), "/runs?limit=1"
    while True:
        answer = server.ask(address)
        seen += runs_in(answer.text)
        found = re.search(r'<a href="([^"]+)" rel="next">', answer.text)
        if found is None:
            break
        address = f"/runs{html.unescape(found[1])}"
    assert len(seen) == len(set(seen)) > 3
    assert seen == runs_in(server.ask("/runs").text)


def test_every_run_has_its_pages(server: Server) -> None:
    for address in runs_in(server.ask("/runs").text):
        page = server.ask(address)
        assert page.status == 200, address
        check_page(page.text)
        assert server.ask(f"{address}/log").status == 200
        documents = server.ask(f"{address}/documents.json")
        assert documents.headers["content-type"] == "application/json"
        assert json.loads(documents.body)["run_id"] == address.rpartition("/")[2]
        for file in re.findall(r'href="(/runs/[^"]+/(?:text|files)/[^"]+)"', page.text):
            assert server.ask(file).status == 200, file


def test_a_file_is_saved_byte_by_byte_and_never_shown(server: Server, store: Path) -> None:
    answer = server.ask("/runs/latest:succeeded/files/artifacts/model.pkl")
    [folder] = {
        path.parents[1]
        for path in store.glob(".runforge/runs/*/artifacts/model.pkl")
        if path.read_bytes() == answer.body
    }
    assert folder.is_dir()
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="model.pkl"'
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/runs/.",
        "/runs/..",
        "/runs/%2e%2e",
        "/runs/..%2F..",
        "/runs/%2Fetc",
        "/runs/..%5C..",
        "/runs/latest%00",
        "/runs/latest/files/../../../penguins.csv",
        "/runs/latest/files/..%2F..%2F..%2Fpenguins.csv",
        "/runs/latest/files/%2Fetc%2Fpasswd",
        "/runs/latest/files//etc/passwd",
        "/runs/latest/files/.",
        "/runs/latest/files/artifacts",
        "/runs/latest/text/run.json%00.txt",
        "/sweeps/..",
        "/sweeps/%2Fetc",
        "/static/../web_access.py",
        "/static/%2e%2e/web_access.py",
        "/datasets/%2Fetc%2Fpasswd",
    ],
)
def test_no_address_leads_out_of_the_runs(server: Server, path: str) -> None:
    answer = server.ask(path)
    assert answer.status in (400, 404), answer.text
    assert b"root:" not in answer.body
    assert b"Adelie" not in answer.body


def test_links_are_not_followed(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "ws", symlinks=True)
    (tmp_path / "secret").write_text("treasure")
    runs = tmp_path / "ws/.runforge/runs"
    first, second, *_ = sorted(path.name for path in runs.iterdir() if (path / "run.json").exists())
    third = "20260101-000000-linked"
    shutil.copytree(runs / first, runs / third)
    (runs / first / "link.txt").symlink_to(tmp_path / "secret")
    (runs / first / "folder").symlink_to(tmp_path)
    os.mkfifo(runs / first / "pipe")
    shutil.move(runs / second, tmp_path / "elsewhere")
    (runs / second).symlink_to(tmp_path / "elsewhere")
    shutil.move(runs / third / "artifacts", tmp_path / "artifacts")
    (runs / third / "artifacts").symlink_to(tmp_path / "artifacts")
    with serving(tmp_path / "ws") as server:
        documents = server.ask(f"/runs/{third}/documents.json")
        assert documents.status == 400
        assert "symbolic link" in documents.text
        page = server.ask(f"/runs/{first}")
        assert page.status == 200
        for name in ("link.txt", "folder/secret", "pipe"):
            assert f">{name}<" not in page.text
            for kind in ("text", "files"):
                answer = server.ask(f"/runs/{first}/{kind}/{name}")
                assert answer.status in (400, 404)
                assert "treasure" not in answer.text
        assert server.ask("/runs").status == 200
        for part in ("", "/log", "/files/run.json", "/documents.json", "/report.html"):
            assert server.ask(f"/runs/{second}{part}").status in (400, 404)


def test_links_of_sweeps_are_not_followed(tmp_path: Path) -> None:
    outside = make_sweeps(tmp_path / "outside", ("failed",))
    [group] = outside.ids.values()
    groups = outside.workspace / ".runforge/groups"
    for name, link in (("folder", "groups"), ("one", f"groups/{group}")):
        path = tmp_path / name / ".runforge" / link
        path.parent.mkdir(parents=True)
        path.symlink_to(groups if name == "folder" else groups / group)
        with serving(tmp_path / name) as server:
            assert group not in server.ask("/sweeps").text
            assert server.ask(f"/sweeps/{group}").status == 404
    shutil.copytree(groups / group, tmp_path / "file/.runforge/groups" / group)
    record = tmp_path / "file/.runforge/groups" / group / "group.json"
    record.unlink()
    record.symlink_to(groups / group / "group.json")
    with serving(tmp_path / "file") as server:
        assert server.ask("/sweeps").status == 200
        assert "symbolic link" in server.ask(f"/sweeps/{group}").text


def test_an_index_cannot_name_other_folders_of_the_workspace(store: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "ws"
    shutil.copytree(store, workspace, symlinks=True)
    (workspace / "private").mkdir()
    (workspace / "private/.env").write_text("treasure", "utf-8")
    index = workspace / ".runforge/index.json"
    document = json.loads(index.read_text("utf-8"))
    entry = document["runs"][0]
    outside = f"elsewhere/{entry['run_id']}"
    shutil.move(workspace / entry["run_dir"], workspace / outside)
    entry["run_dir"] = outside
    names = {"a": ".git", "b": ".runforge", "c": "private", "d": "."}
    for name, folder in names.items():
        document["runs"].append({**entry, "run_id": f"20260101-000000-{name}", "run_dir": folder})
    index.write_text(json.dumps(document), "utf-8")
    with serving(workspace) as server:
        assert server.ask(f"/runs/{entry['run_id']}/files/run.json").status == 200
        for name in names:
            address = f"/runs/20260101-000000-{name}"
            for part in ("", "/files/.env", "/files/config", "/text/index.json", "/log"):
                answer = server.ask(address + part)
                assert answer.status == 400, part
                assert "treasure" not in answer.text


def test_a_page_does_not_verify_what_takes_minutes(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "ws", symlinks=True)
    folder = next(path.parent for path in (tmp_path / "ws").glob(".runforge/runs/*/run.json"))
    with (folder / "logs/train.log").open("wb") as file:
        file.truncate(2**30)
    with serving(tmp_path / "ws") as server:
        answer = server.post(f"/runs/{folder.name}/verification")
        assert answer.status == 400
        assert "a page verifies 1,073,741,824 at most" in answer.text
        assert f"runforge verify {folder.name}" in answer.text


def test_a_page_does_not_verify_a_dataset_that_takes_minutes(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "ws", symlinks=True)
    with serving(tmp_path / "ws") as server:
        [address] = runs_in(server.ask("/runs?status=succeeded&limit=1").text)
        path = server.ask(f"{address}/documents.json").text
        recorded = json.loads(path)["request"]["dataset"]["path"]
        with (tmp_path / "ws" / recorded).open("wb") as file:
            file.truncate(2**30 + 1)
        answer = server.post(f"{address}/verification")
        assert answer.status == 200
        assert "its file has 1,073,741,825 bytes" in answer.text
        assert "dataset" not in re.findall('<th scope="row">([^<]+)</th>', answer.text)
        check_page(answer.text)


@pytest.mark.skipif(os.name == "nt", reason="the system has no such names")
def test_a_file_whose_name_has_a_line_feed_is_shown_and_saved(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "ws", symlinks=True)
    folder = next(path.parent for path in (tmp_path / "ws").glob(".runforge/runs/*/run.json"))
    for name in ("two\nlines.txt", "ends\n"):
        (folder / name).write_text(f"content of {name!r}")
    with serving(tmp_path / "ws") as server:
        page = server.ask(f"/runs/{folder.name}").text
        for name in ("two%0Alines.txt", "ends%0A"):
            for kind in ("text", "files"):
                address = f"/runs/{folder.name}/{kind}/{name}"
                assert f'href="{address}"' in page
                answer = server.ask(address)
                assert (answer.status, "content of" in answer.text) == (200, True)


def test_verification_says_what_was_changed(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "ws", symlinks=True)
    folder = next(path.parent for path in (tmp_path / "ws").glob(".runforge/runs/*/run.json"))
    with serving(tmp_path / "ws") as server:
        whole = server.post(f"/runs/{folder.name}/verification")
        assert 'status succeeded">verified</span>' in whole.text
        check_page(whole.text)
        metrics = folder / "metrics.json"
        metrics.write_text(metrics.read_text("utf-8").replace("342", "343"), "utf-8")
        changed = server.post(f"/runs/{folder.name}/verification")
        assert 'status failed">not verified</span>' in changed.text
        assert "manifest.digests" in changed.text
        assert "<cite>Specification, section " in changed.text
        check_page(changed.text)


def test_curves_are_computed_when_they_are_asked_for(server: Server) -> None:
    address = "/runs/latest:succeeded"
    before = server.ask(address)
    assert "Compute the curves" in before.text
    assert 'class="plot"' not in before.text
    after = server.post(f"{address}/curves")
    assert 'class="plot"' in after.text
    check_page(after.text)


def test_runs_are_compared(server: Server) -> None:
    names = [name.rpartition("/")[2] for name in runs_in(server.ask("/runs").text)]
    answer = server.ask("/compare?" + "&".join(f"run={name}" for name in names))
    assert answer.status == 200
    assert f"Comparison of {len(names)} runs" in answer.text
    check_page(answer.text)
    for query in ("", "run=latest", "run=latest&run=latest", "run=latest&run=nope"):
        refused = server.ask(f"/compare?{query}")
        assert refused.status in (400, 404)
        check_page(refused.text)
    many = "&".join(f"run=r{number}" for number in range(201))
    assert "2 to 200 can be compared" in server.ask(f"/compare?{many}").text


def test_a_dataset_has_its_runs_and_is_inspected_only_as_it_was(
    store: Path, tmp_path: Path
) -> None:
    shutil.copytree(store, tmp_path / "ws", symlinks=True)
    with serving(tmp_path / "ws") as server:
        page = server.ask("/runs/latest:succeeded").text
        found = re.search(r'href="(/datasets/[0-9a-f]{64})"', page)
        assert found is not None
        dataset = server.ask(found[1])
        on_it = runs_in(dataset.text)
        # The run page has the others, and the dataset page where each file came from.
        beside = runs_in(page.partition('id="beside"')[2].partition("</section>")[0])
        assert len(beside) == len(on_it) - 1 > 0
        assert set(beside) < set(on_it)
        size = (tmp_path / "ws/penguins.csv").stat().st_size
        assert f"<code>penguins.csv</code></th><td>{size:,} bytes now</td>" in dataset.text
        assert dataset.text.count('name="run"') == len(on_it)
        check_page(dataset.text)
        inspected = server.post(f"{found[1]}/inspection")
        assert "bill_length_mm" in inspected.text
        check_page(inspected.text)
        with (tmp_path / "ws/penguins.csv").open("a") as file:
            file.write("\n")
        (tmp_path / "ws/penguins.csv").rename(tmp_path / "ws/moved.csv")
        assert "<td>not there now</td>" in server.ask(found[1]).text
        refused = server.post(f"{found[1]}/inspection")
        assert (refused.status, "bill_length_mm" in refused.text) == (404, False)


def test_datasets_are_listed_with_their_files_and_runs(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "ws", symlinks=True)
    with serving(tmp_path / "ws") as server:
        assert '<a href="/datasets">Datasets</a>' in server.ask("/runs").text
        page = server.ask("/datasets").text
        check_page(page)
        [(address, path), *_] = re.findall(r'<a href="(/datasets/[0-9a-f]{64})">([^<]+)</a>', page)
        listed = re.findall(r'<td class="n">([0-9,]+)</td>', page)
        where = urlencode({"where": f"dataset={address.rpartition('/')[2]}"})
        assert int(listed[0]) == len(runs_in(server.ask(f"/runs?{where}").text)) > 0
        found = server.ask(address).text
        assert f'<h1>Dataset {path.rpartition("/")[2]} <code class="id">' in found
        for newest in re.findall('href="(/runs/[^"]+)"', page):
            assert server.ask(newest).status == 200
        # A run whose folder is gone is listed still, without the path of its file.
        for folder in (tmp_path / "ws/.runforge/runs").iterdir():
            shutil.rmtree(folder)
        assert server.ask("/datasets").status == 200


def many_runs(workspace: Path, runs: int, datasets: int) -> StoreLayout:
    """Make a store of entries with folders that are empty, all of one sweep."""
    store, digests = StoreLayout(workspace), [f"{number:064x}" for number in range(datasets)]
    entries = [
        {
            "run_id": f"20260101-{number // 60:02}{number % 60:02}00-{number:08x}",
            "created_at": "2026-01-01T00:00:00Z",
            "name": f"run {number}",
            "status": "succeeded",
            "run_dir": "",
            "dataset_fingerprint_sha256": digests[number % datasets],
            "label_column": "y",
            "group_id": "grp_1",
            "seed": 0,
            "hyperparameters": {},
        }
        for number in range(runs)
    ]
    for entry in entries:
        entry["run_dir"] = f".runforge/runs/{entry['run_id']}"
        store.run_folder(str(entry["run_id"])).mkdir(parents=True)
    store.index.write_bytes(encode_json({"schema_version": "index.v1", "runs": entries}))
    return store


def test_every_page_counts_the_same_runs_where_folders_are_missing(tmp_path: Path) -> None:
    store = many_runs(tmp_path, runs=660, datasets=3)
    gone = sorted(store.runs.iterdir())[3]
    for folder in (gone, sorted(store.runs.iterdir())[-1]):
        folder.rmdir()
    digest = f"{0:064x}"
    with serving(tmp_path) as server:
        for address in ("/runs", "/runs?page=13", "/runs?sort=name", "/runs?where=seed%3D0"):
            assert re.findall(r" of ([0-9,]+) runs", server.ask(address).text) == ["660"], address
        assert " 2 runs" not in server.ask("/runs?status=succeeded").text
        assert " of 658 runs" in server.ask("/runs?status=succeeded").text
        assert ">220 runs in the list<" in server.ask(f"/datasets/{digest}").text
        assert " of 220 runs" in server.ask(f"/runs?where=dataset%3D{digest}").text
        assert re.findall('<td class="n">([0-9,]+)<', server.ask("/datasets").text) == ["220"] * 3


def test_every_dataset_is_listed_however_many_runs_came_later(tmp_path: Path) -> None:
    store = many_runs(tmp_path, runs=700, datasets=130)
    with serving(tmp_path) as server:
        seen, address = list[str](), "/datasets"
        for first, last in ((1, 50), (51, 100), (101, 130)):
            page = server.ask(address).text
            check_page(page)
            assert f"{first} to {last} of 130 datasets, those used last first" in page
            seen += re.findall('href="/datasets/([0-9a-f]{64})"', page)
            address = "/datasets" + "".join(re.findall('href="([^"]+)" rel="next"', page))
        assert seen == [f"{number % 130:064x}" for number in range(699, 569, -1)]
        text = store.index.read_text("utf-8")
        for odd in ('"<b>x</b>"', "3", "[", '"x'):
            store.index.write_text(text.replace(f'"{seen[0]}"', odd), "utf-8")
            page = server.ask("/datasets").text
            check_page(page)
            assert f"/datasets/{seen[1]}" in page
            assert f"/datasets/{seen[0]}" not in page
        assert "fewer than this page begins with" in server.ask("/datasets?page=9").text
        assert server.ask("/datasets?page=0").status == 400


def test_a_document_is_validated_with_what_the_contract_says(server: Server) -> None:
    def validate(document: str, schema: str = "") -> Any:
        answer = server.post("/documents/validation", document=document, schema=schema)
        check_page(answer.text)
        return answer

    request = {
        "version": 1,
        "preset": "balanced",
        "dataset": {"path": "data.csv", "label_column": "y"},
        "model": {"family": "random_forest", "hyperparameters": {}},
        "device": {"type": "cpu"},
        "created_at": "2026-02-01T12:00:00Z",
        "created_by": "test@1",
    }
    valid = validate(json.dumps(request, indent=2).replace("\n", "\r\n"), "request.v1")
    assert (valid.status, "follows <code>request.v1</code>" in valid.text) == (200, True)
    wrong = validate(json.dumps({**request, "device": {"type": "tpu"}}), "request.v1")
    assert wrong.status == 422
    assert "<code>/device/type</code>" in wrong.text
    assert "What the contract says" in wrong.text
    for broken in ("", "{", "[" * 100_000, '{"a": NaN}', '{"a":1,"a":2}', "1" * 5_000, "\ud800"):
        assert validate(broken.encode("utf-8", "replace").decode()).status == 422
    assert validate("{}", "no such schema").status == 422
    twice = validate('{"a":1,"a":2}').text
    assert "The keys of an object MUST be unique" in twice
    assert "<cite>Specification, section 2." in twice


STORES: dict[str, Callable[[Path], object]] = {
    "extension": editor_store,
    "old extension": old_editor_store,
    "Desktop": lambda workspace: (
        write_dataset(workspace / "data/three.csv"),
        desktop_store(workspace),
    ),
    "command line": command_line_store,
}


@pytest.mark.parametrize("client", STORES)
def test_runs_of_every_client_have_their_pages(client: str, tmp_path: Path) -> None:
    STORES[client](tmp_path)
    with serving(tmp_path) as server:
        check_all_pages(server)


def test_experiments_have_their_pages(experiments: Repository) -> None:
    with serving(experiments.root) as server:
        check_all_pages(server)


def check_all_pages(server: Server) -> None:
    """Check every page of every run that is listed."""
    listed = server.ask("/runs")
    assert listed.status == 200
    check_page(listed.text)
    addresses = runs_in(listed.text)
    assert addresses
    names = []
    for address in addresses:
        page = server.ask(html.unescape(address))
        check_page(page.text)
        assert page.status == 200, page.text
        names.append(html.unescape(address).rpartition("/")[2])
        verified = server.post(f"{html.unescape(address)}/verification")
        assert verified.status in (200, 400), verified.text
        check_page(verified.text)
        for part in ("log", "documents.json", "report.html"):
            assert server.ask(f"{html.unescape(address)}/{part}").status == 200
    if len(names) > 1:
        compared = server.ask("/compare?" + "&".join(f"run={name}" for name in names))
        assert compared.status == 200, compared.text
        check_page(compared.text)


def test_an_empty_workspace_says_how_to_begin(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        for path in ("/runs", "/sweeps"):
            answer = server.ask(path)
            assert answer.status == 200
            assert "yet" in answer.text
            check_page(answer.text)
        assert server.ask("/runs/latest").status == 404
    assert list(tmp_path.iterdir()) == []


def test_names_and_values_run_nothing(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "ws", symlinks=True)
    folder = next(path.parent for path in (tmp_path / "ws").glob(".runforge/runs/*/run.json"))
    for name in ("request.json", "run.json", "result.json", "diagnostics.json"):
        document = json.loads((folder / name).read_text("utf-8"))
        (folder / name).write_text(json.dumps(poisoned(document)), "utf-8")
    (folder / "logs/train.log").write_text(f"{HOSTILE}\n</code></pre>{HOSTILE}\n", "utf-8")
    (folder / f"{HOSTILE.replace('/', '|')}.txt").write_text(HOSTILE, "utf-8")
    (folder / os.fsdecode(b"\xff\xfe.txt")).write_text("x")
    index = tmp_path / "ws/.runforge/index.json"
    listed = json.loads(index.read_text("utf-8"))
    for entry in listed["runs"]:
        for key in ("name", "label_column", "model_family", "device"):
            if key in entry:
                entry[key] = HOSTILE
        entry["hyperparameters"] = {HOSTILE: HOSTILE}
    index.write_text(json.dumps(listed), "utf-8")
    with serving(tmp_path / "ws") as server:
        for path in ("/runs", f"/runs/{folder.name}", f"/runs/{folder.name}/log", "/sweeps"):
            answer = server.ask(path)
            assert "<script>alert" not in answer.text
            check_page(answer.text)
        assert "&lt;script&gt;alert(1)" in server.ask("/runs").text
        assert "&lt;script&gt;alert(1)" in server.ask(f"/runs/{folder.name}/log").text
        page = server.ask(f"/runs/{folder.name}").text
        for file in re.findall(r'href="(/runs/[^"]+/(?:text|files)/[^"]+)"', page):
            assert server.ask(html.unescape(file)).status in (200, 404)
        for query in ("where", "name", "tag", "since", "sort", "column", "group", "status", "page"):
            value = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%1B%22%27"
            answer = server.ask(f"/runs?{query}={value}")
            assert "<script>alert" not in answer.text
            check_page(answer.text)
        for path in ("/runs/{}", "/sweeps/{}", "/{}", "/compare?run={}&run=b", "/datasets/{}"):
            check_page(server.ask(path.format("%3Cscript%3E%22%1B%E2%80%AE")).text)


def poisoned(value: Any) -> Any:
    """Return a document in which the strings that are not fixed by a schema are hostile."""
    fixed = re.compile(r"[\w.:/@+-]{0,80}$")
    if isinstance(value, dict):
        return {
            key: HOSTILE
            if key in ("name", "message", "hint", "notes") and isinstance(item, str)
            else poisoned(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [poisoned(item) for item in value]
    return value if not isinstance(value, str) or fixed.match(value) else HOSTILE


def test_a_run_has_its_evaluations_and_what_repeats_it(tmp_path: Path) -> None:
    rows = "".join(f"{number},{'a' if number < 20 else 'b'}\n" for number in range(40))
    data = tmp_path / "rows.csv"
    data.write_text(f"x,y\n{rows}", "utf-8")
    parent = train(data, label="y", workspace=tmp_path)
    parent.evaluate(data)
    command = [sys.executable, "-m", "runforge_cli", "rerun", parent.id, "--json"]
    child = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    with serving(tmp_path) as server:
        for address in (f"/runs/{parent.id}", f"/runs/{parent.id}/report.html"):
            page = server.ask(address).text
            assert json.loads(child.stdout)["run_id"] in page
            assert "Evaluations" in page


def test_a_broken_store_is_explained(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "ws", symlinks=True)
    folders = sorted(path.parent for path in (tmp_path / "ws").glob(".runforge/runs/*/run.json"))
    (folders[0] / "run.json").write_bytes(b"{")
    (folders[0] / "result.json").write_bytes(b"\xff" * 100)
    shutil.rmtree(folders[-1])
    with serving(tmp_path / "ws") as server:
        assert server.ask("/runs").status == 200
        for folder in (folders[0], folders[-1]):
            answer = server.ask(f"/runs/{folder.name}")
            assert answer.status in (400, 404)
            assert 'role="alert"' in answer.text
            check_page(answer.text)
        assert "its entry in the index stays as history" in answer.text
    (tmp_path / "ws/.runforge/index.json").write_bytes(b'{"runs": [')
    with serving(tmp_path / "ws") as server:
        answer = server.ask("/runs")
        check_page(answer.text)
        assert answer.status in (200, 400)


def _request(**model: Any) -> str:
    return json.dumps(
        {
            "version": 1,
            "preset": "balanced",
            "dataset": {"path": "data.csv", "label_column": "nope"},
            "model": {"family": "logistic_regression", "hyperparameters": model},
            "device": {"type": "cpu", "gpu_reason": None},
            "created_at": "2026-01-01T00:00:00Z",
            "created_by": "test@1",
            "rerun_from": None,
            "name": None,
            "tags": [],
            "notes": None,
        }
    )


def test_the_values_of_a_request_are_checked_as_a_training_does(server: Server) -> None:
    wrong = server.post("/documents/validation", document=_request(C=-1), schema="request.v1")
    assert wrong.status == 422
    assert "<code>/model/hyperparameters/C</code>" in wrong.text
    assert "from 1e-100 to 1e+100" in wrong.text
    right = server.post("/documents/validation", document=_request(C=1), schema="request.v1")
    assert right.status == 200
    assert "Its dataset was not read." in right.text
    check_page(wrong.text)
    check_page(right.text)


def test_an_unknown_document_is_explained_in_words_of_the_page(server: Server) -> None:
    answer = server.post("/documents/validation", document="{}", schema="")
    assert answer.status == 422
    assert "Choose the document below its text" in answer.text
    assert "--schema" not in answer.text
