"""Merging real stores: what both have afterwards, and what is refused before it is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, TRAIN, Call
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.store.aliases import read_aliases
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.validation import validate
from runforge_engine.merging import merge_stores
from runforge_engine.store.alias_writer import set_alias

Store = Callable[..., Path]


@pytest.fixture
def make(
    runforge: Call, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Store:
    """Return a function that makes a workspace with signed runs of some seeds, and goes there."""

    def stored(name: str, *seeds: int) -> Path:
        folder = tmp_path_factory.mktemp(name)
        shutil.copyfile(ROOT / "examples/penguins.csv", folder / "penguins.csv")
        monkeypatch.chdir(folder)
        assert runforge("keygen", "--out", "key").code == 0
        for seed in seeds:
            train_and_sign(runforge, seed)
        return folder

    return stored


def train_and_sign(runforge: Call, seed: int) -> None:
    assert runforge(*TRAIN, "--seed", str(seed), "--quiet").code == 0
    assert runforge("sign", "latest", "--key", "key").code == 0


def copied(folder: Path, name: str) -> Path:
    """Return a copy of a workspace."""
    there = folder.with_name(f"{folder.name}-{name}")
    shutil.copytree(folder, there)
    return there


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def entries(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / ".runforge/index.json").read_bytes())["runs"]
    return found


def merge(runforge: Call, into: Path, other: Path, *options: str) -> dict[str, Any]:
    result = runforge("store", "merge", str(other), "--workspace", str(into), "--json", *options)
    assert (result.code, result.err) == (0, ""), result.out
    validate(result.json, "merge_report.v1")
    document: dict[str, Any] = result.json
    return document


def refusal(runforge: Call, into: Path, other: Path, *options: str) -> dict[str, Any]:
    before = tree(into)
    result = runforge("store", "merge", str(other), "--workspace", str(into), "--json", *options)
    assert result.code != 0
    assert tree(into) == before
    error: dict[str, Any] = result.json["error"]
    return error


def verified(runforge: Call, folder: Path) -> dict[str, dict[str, Any]]:
    """Verify all of a workspace, and return the checks of its store by name."""
    result = runforge("verify", "--all", "--workspace", str(folder), "--json")
    assert result.code == 0, result.out
    return {check["check"]: check for check in result.json["stores"][0]["checks"]}


class TestBothWays:
    def test_two_stores_have_the_same_contents_in_both_directions(
        self, runforge: Call, make: Store
    ) -> None:
        ada, grace = make("ada", 1, 2), make("grace", 3, 4)
        ada_before, grace_before = copied(ada, "before"), copied(grace, "before")
        one, two = merge(runforge, ada, grace_before), merge(runforge, grace, ada_before)
        assert one["contents"] == two["contents"]
        assert one["contents"]["count"] == 4
        for folder, before in ((ada, ada_before), (grace, grace_before)):
            checks = verified(runforge, folder)
            assert "2 of another store, whose index holds" in checks["signatures"]["message"]
            assert checks["merges"]["verdict"] == "valid"
            assert entries(folder)[:2] == entries(before)
            for name, data in tree(before).items():
                assert name.endswith("index.json") or (folder / name).read_bytes() == data
        assert [entry.get("origin") for entry in entries(ada)[2:]] == [one["origin"]] * 2

    def test_clones_that_went_on_by_themselves_have_the_same_contents(
        self, runforge: Call, make: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada = make("ada", 1)
        grace, third = copied(ada, "grace"), copied(ada, "third")
        for folder, seed in ((ada, 2), (grace, 3), (third, 4)):
            monkeypatch.chdir(folder)
            train_and_sign(runforge, seed)
        one = merge(runforge, ada, copied(grace, "before"))
        two = merge(runforge, grace, copied(ada, "before"))
        assert one["contents"] == two["contents"]
        monkeypatch.chdir(ada)
        train_and_sign(runforge, 5)
        reports = [
            merge(runforge, third, ada),
            merge(runforge, grace, third),
            merge(runforge, ada, grace),
        ]
        assert reports[1]["contents"] == reports[2]["contents"] == reports[0]["contents"]
        for folder in (ada, grace, third):
            message = verified(runforge, folder)["signatures"]["message"]
            assert "not checked" not in message
            assert len(entries(folder)) == 5

    def test_a_third_store_joins_in_any_order(self, runforge: Call, make: Store) -> None:
        stores = [make(name, seed) for seed, name in enumerate(("ada", "grace", "edsger"), 1)]
        contents = set()
        for number, order in enumerate(((0, 1, 2), (2, 0, 1), (1, 2, 0))):
            first, *others = (copied(stores[place], f"order-{number}") for place in order)
            for other in others:
                merge(runforge, first, other)
            back = merge(runforge, others[0], first)
            contents.add(back["contents"]["sha256"])
            for folder in (first, others[0]):
                assert "not checked" not in verified(runforge, folder)["signatures"]["message"]
        assert len(contents) == 1

    def test_an_earlier_state_becomes_the_later_one_byte_for_byte(
        self, runforge: Call, make: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada = make("ada", 1)
        assert runforge("alias", "production", "latest").code == 0
        earlier = copied(ada, "earlier")
        monkeypatch.chdir(ada)
        train_and_sign(runforge, 2)
        assert runforge("alias", "production", "latest").code == 0
        merge(runforge, earlier, ada)
        ours, theirs = tree(earlier / ".runforge"), tree(ada / ".runforge")
        assert {name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)} <= {
            "index.lock"
        }
        verified(runforge, earlier)

    def test_merging_again_writes_nothing(self, runforge: Call, make: Store) -> None:
        ada, grace = make("ada", 1), make("grace", 2)
        assert merge(runforge, ada, grace, "--dry-run")["outcome"] == "merged"
        assert len(entries(ada)) == 1
        assert merge(runforge, ada, grace)["outcome"] == "merged"
        before = tree(ada)
        again = merge(runforge, ada, grace / ".runforge")
        assert again["outcome"] == "present"
        assert {item["outcome"] for item in again["items"]} == {"present"}
        assert tree(ada) == before

    def test_the_same_run_of_both_is_listed_once(self, runforge: Call, make: Store) -> None:
        ada, grace = make("ada", 1, 2), make("grace", 3, 1)
        report = merge(runforge, ada, grace)
        runs = [item["outcome"] for item in report["items"] if item["kind"] == "run"]
        assert sorted(runs) == ["added", "present"]
        signatures = [item for item in report["items"] if item["kind"] == "signature"]
        assert sorted(item["outcome"] for item in signatures) == ["added", "differs"]
        verified(runforge, ada)

    def test_an_empty_workspace_takes_everything(
        self, runforge: Call, make: Store, tmp_path: Path
    ) -> None:
        grace = make("grace", 1)
        assert runforge("evaluate", "latest", "penguins.csv", "--quiet").code == 0
        sweep = ("--grid", "C=0.1,1", "--jobs", "1", "--quiet")
        assert runforge("sweep", *TRAIN[1:], *sweep).code == 0
        empty = tmp_path / "empty"
        empty.mkdir()
        report = merge(runforge, empty, grace)
        kinds = {item["kind"] for item in report["items"] if item["outcome"] == "added"}
        assert kinds == {"run", "group", "evaluation", "signature"}
        assert entries(empty) == entries(grace)
        for name, data in tree(grace / ".runforge").items():
            assert name == "index.lock" or (empty / ".runforge" / name).read_bytes() == data
        shutil.copyfile(grace / "penguins.csv", empty / "penguins.csv")
        verified(runforge, empty)


class TestWhatDiffers:
    def test_the_run_of_an_experiment_with_a_taken_id_is_kept_apart(
        self, runforge: Call, make: Store
    ) -> None:
        stores = [make("ada", 1), make("grace", 2)]
        for number, folder in enumerate(stores):
            (folder / "train.py").write_text(f"print({number})\n")
            (folder / "exp.yaml").write_text(
                "experiment: e\nmodel: m\ndataset: d\nrun:\n  script: train.py\n"
                "datasets:\n  d: penguins.csv\n"
            )
            done = runforge("experiment", "run", "exp.yaml", "--workspace", str(folder), "--quiet")
            assert done.code == 0, done.err
        ada, grace = stores
        (before,) = (ada / "runs").iterdir()
        kept = tree(before)
        report = merge(runforge, ada, grace)
        (item,) = (item for item in report["items"] if item["kind"] == "experiment")
        assert (item["outcome"], item["id"]) == ("apart", before.name)
        assert "logs.txt" in item["differences"]
        assert tree(before) == kept
        assert tree(ada / item["path"]) == tree(grace / "runs" / before.name)
        shown = runforge("verify", str(ada / item["path"]), "--without-dataset")
        assert (shown.code, "verified" in shown.out) == (0, True)
        assert merge(runforge, ada, grace)["outcome"] == "present"

    def test_another_run_with_the_id_of_a_removed_one_is_kept_apart(
        self, runforge: Call, make: Store
    ) -> None:
        ada, grace = make("ada", 1), make("grace", 2)
        for number, folder in enumerate((ada, grace)):
            place = ("--workspace", str(folder))
            (folder / "exp.yaml").write_text(
                "experiment: e\nmodel: m\ndataset: none\nrun:\n"
                f"  command: [git, --version, '{number}']\n"
            )
            runforge("experiment", "run", "exp.yaml", *place, "--quiet")
        (there,) = (grace / "runs").iterdir()
        same = copied(ada, "same")
        why = ("--because", "a test", "--yes", "--force", "--workspace", str(ada))
        assert runforge("store", "forget", there.name, *why).code == 0
        for other, outcome in ((same, "removed"), (grace, "apart")):
            items = merge(runforge, ada, other)["items"]
            (item,) = (item for item in items if item["kind"] == "experiment")
            assert item["outcome"] == outcome
        assert tree(ada / item["path"]) == tree(there)
        assert merge(runforge, ada, grace)["outcome"] == "present"

    def test_aliases_stay_those_of_this_store(self, runforge: Call, make: Store) -> None:
        ada = make("ada", 1)
        assert runforge("alias", "production", "latest").code == 0
        grace = make("grace", 2)
        assert runforge("alias", "production", "latest").code == 0
        before = (ada / ".runforge/aliases.jsonl").read_bytes()
        report = merge(runforge, ada, grace)
        aliases = [item for item in report["items"] if item["kind"] == "alias"]
        assert [(item["id"], item["outcome"]) for item in aliases] == [("production", "differs")]
        assert (ada / ".runforge/aliases.jsonl").read_bytes() == before

    def test_an_alias_that_is_set_meanwhile_stays(
        self, runforge: Call, make: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada = make("ada", 1)
        grace = copied(ada, "grace")
        place = ("--workspace", str(grace))
        assert runforge("alias", "stable", "latest", *place).code == 0
        run = entries(ada)[0]["run_id"]

        def prepare(store: StoreLayout) -> None:
            set_alias(store, "mine", run)

        monkeypatch.setattr(merge_stores, "prepare_store", prepare)
        found = merge(runforge, ada, grace)
        assert [item["outcome"] for item in found["items"] if item["kind"] == "alias"] == [
            "differs"
        ]
        assert [*read_aliases(StoreLayout(ada)).current] == ["mine"]


class TestSignaturesOfRemovedRuns:
    """A merge never leaves a record of removed runs that the signatures contradict."""

    def forget(self, runforge: Call, folder: Path, run: str) -> None:
        options = ("--because", "a wrong label", "--yes", "--workspace", str(folder))
        assert runforge("store", "forget", run, *options).code == 0

    def signatures(self, report: dict[str, Any]) -> list[str]:
        return [item["outcome"] for item in report["items"] if item["kind"] == "signature"]

    def test_one_that_the_run_did_not_have_here_stays_there(
        self, runforge: Call, make: Store
    ) -> None:
        grace = make("grace", 1)
        ada = copied(grace, "ada")
        run = entries(grace)[0]["run_id"]
        (ada / f".runforge/signatures/{run}.sig").unlink()
        for folder in (ada, grace):
            self.forget(runforge, folder, run)
        assert self.signatures(merge(runforge, ada, grace)) == ["differs"]
        verified(runforge, ada)

    @pytest.mark.parametrize("before", ["alias", "removal"])
    def test_one_that_contradicts_this_store_is_not_named(
        self, runforge: Call, make: Store, before: str
    ) -> None:
        grace = make("grace", 1, 2)
        ada = copied(grace, "ada")
        runs = [entry["run_id"] for entry in entries(grace)]
        for folder, run in ((ada, runs[0]), (grace, runs[1])):
            if before == "alias":
                assert runforge("alias", "best-one", run, "--workspace", str(folder)).code == 0
            else:
                self.forget(runforge, folder, run)
        for seed in (3, 4):
            train_and_sign(runforge, seed)
            self.forget(runforge, grace, entries(grace)[-1]["run_id"])
        assert self.signatures(merge(runforge, ada, grace))[-2:] == ["differs"] * 2
        verified(runforge, ada)
        assert merge(runforge, ada, grace)["outcome"] == "present"
        verified(runforge, ada)

    def test_the_others_come_along(self, runforge: Call, make: Store) -> None:
        ada, grace = make("ada", 1), make("grace", 2, 3)
        for entry in entries(grace):
            self.forget(runforge, grace, entry["run_id"])
        assert self.signatures(merge(runforge, ada, grace)) == ["added"] * 2
        verified(runforge, ada)


class TestRefused:
    def test_a_changed_run_is_named_and_nothing_is_merged(
        self, runforge: Call, make: Store
    ) -> None:
        ada, grace = make("ada", 1), make("grace", 2, 3)
        metrics = next((grace / ".runforge/runs").iterdir()) / "metrics.json"
        metrics.write_text(metrics.read_text().replace("0.9", "0.8").replace("1.0", "0.5"))
        error = refusal(runforge, ada, grace)
        assert error["code"] == "VERIFICATION_FAILED"
        assert any(metrics.parent.name in str(problem) for problem in error["problems"])

    def test_a_run_that_was_changed_after_the_merge_is_named(
        self, runforge: Call, make: Store
    ) -> None:
        ada, grace = make("ada", 1), make("grace", 2)
        merge(runforge, ada, grace)
        run = entries(ada)[1]["run_id"]
        (ada / f".runforge/runs/{run}/metrics.json").write_text("{}\n")
        result = runforge("verify", "--all", "--workspace", str(ada), "--json")
        assert result.code == 1
        bad = [item["run_id"] for item in result.json["runs"] if item["verdict"] != "verified"]
        assert bad == [run]

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_an_entry_that_was_removed_after_the_merge_is_noticed(
        self, runforge: Call, make: Store, place: int
    ) -> None:
        ada, grace = make("ada", 1), make("grace", 2, 3)
        merge(runforge, ada, grace)
        index = json.loads((ada / ".runforge/index.json").read_bytes())
        run = index["runs"].pop(place)["run_id"]
        (ada / ".runforge/index.json").write_bytes(encode_json(index))
        shutil.rmtree(ada / ".runforge/runs" / run)
        (ada / f".runforge/signatures/{run}.sig").unlink()
        result = runforge("verify", "--all", "--workspace", str(ada), "--json")
        assert result.code == 1
        failed = {
            check["check"]
            for check in result.json["stores"][0]["checks"]
            if check["outcome"] == "failed"
        }
        assert "merges" in failed

    def test_a_run_with_the_same_id_and_other_files_is_refused(
        self, runforge: Call, make: Store
    ) -> None:
        ada = make("ada", 1)
        grace = copied(ada, "grace")
        run = entries(ada)[0]["run_id"]
        (ada / f".runforge/runs/{run}/logs/train.log").write_text("other\n")
        error = refusal(runforge, ada, grace)
        assert error["code"] == "RUN_ID_TAKEN"
        assert "train.log" in str(error["problems"])

    def test_the_key_of_the_other_store_can_be_demanded(self, runforge: Call, make: Store) -> None:
        ada, grace = make("ada", 1), make("grace", 2)
        error = refusal(runforge, ada, grace, "--public-key", str(ada / "key.pub"))
        assert error["code"] == "VERIFICATION_FAILED"
        merge(runforge, ada, grace, "--public-key", str(grace / "key.pub"))

    def test_what_is_no_other_store_is_refused(self, runforge: Call, make: Store) -> None:
        ada = make("ada", 1)
        assert refusal(runforge, ada, ada)["code"] == "USAGE_INVALID"
        assert refusal(runforge, ada, ada / "nowhere")["code"] == "STORE_NOT_FOUND"
        assert refusal(runforge, ada, ada / "penguins.csv")["code"] == "STORE_NOT_FOUND"

    def test_links_and_broken_documents_of_the_other_store_are_refused(
        self, runforge: Call, make: Store, tmp_path: Path
    ) -> None:
        ada, grace = make("ada", 1), make("grace", 2)
        run = next((grace / ".runforge/runs").iterdir())
        secret = tmp_path / "secret"
        secret.write_text("secret\n")

        def linked(folder: Path) -> None:
            (folder / run.relative_to(grace) / "logs/extra").symlink_to(secret)

        def whole_run_linked(folder: Path) -> None:
            (folder / ".runforge/runs/20260101-000000-aaaaaaaa").symlink_to(run)

        def deep(folder: Path) -> None:
            (folder / ".runforge/index.json").write_text("[" * 100_000)

        def half(folder: Path) -> None:
            (folder / run.relative_to(grace) / "result.json").unlink()

        def false_record(folder: Path) -> None:
            line = {
                "schema_version": "store_merge.v1",
                "recorded_at": "2026-02-01T12:00:00Z",
                "origin": "0" * 64,
                "index_head": {"count": 9007199254740991, "sha256": "0" * 64},
                "entries": [{"first": 9007199254740991, "count": 9007199254740991}] * 3,
                "added": 0,
                "previous": "0" * 64,
            }
            (folder / ".runforge/merges.jsonl").write_text(json.dumps(line) + "\n")

        for number, attack in enumerate((linked, whole_run_linked, deep, half, false_record)):
            folder = copied(grace, f"attack-{number}")
            attack(folder)
            error = refusal(runforge, ada, folder)
            codes = {"VERIFICATION_FAILED", "INDEX_INVALID", "FILE_UNSAFE", "DOCUMENT_INVALID"}
            assert error["code"] in codes, attack.__name__

    def test_a_store_is_not_written_through_a_link(self, runforge: Call, make: Store) -> None:
        ada, grace = make("ada", 1), make("grace", 2)
        outside = ada / "outside"
        outside.mkdir()
        shutil.rmtree(ada / ".runforge/signatures")
        (ada / ".runforge/signatures").symlink_to(outside)
        assert refusal(runforge, ada, grace)["code"] == "FILE_UNSAFE"
