"""Real runs, changed in every way that can be thought of: what is found, and by which name."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from real_data import ROOT, read, write_dataset
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.invariants.store_invariants import check_store
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import run_folders
from runforge_contracts.store.run import Run
from runforge_contracts.validation import validate
from runforge_engine.pipeline.execute import execute, execute_folder
from runforge_engine.pipeline.request import new_request
from runforge_engine.provenance.keys import KeyPair, generate_key
from runforge_engine.provenance.signatures import sign_folder
from runforge_engine.provenance.slsa import statement_of
from runforge_engine.runtime.folder_lock import holding
from runforge_engine.store.index_chain import Chain
from runforge_engine.store.index_repair import check_index, rebuild_index
from runforge_engine.verification.check_result import Check
from runforge_engine.verification.context import Surroundings, surroundings_of
from runforge_engine.verification.dataset_check import Datasets
from runforge_engine.verification.verify_run import RunVerification, dataset_check, verify_run
from runforge_engine.verification.verify_store import (
    StoreVerification,
    verification_document,
    verify_store,
)

INDEX = ".runforge/index.json"
VECTORS = ROOT / "docs/test-vectors/runs"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with two linear models, a forest and a failed run; nobody changes it."""
    workspace = tmp_path_factory.mktemp("original")
    path, label, excluded = write_dataset("penguins", workspace)
    (workspace / "text.csv").write_text("a,y\nx,1\nz,2\n")
    store = StoreLayout(workspace)
    for family, seed in (
        ("logistic_regression", 1),
        ("logistic_regression", 2),
        ("random_forest", 1),
    ):
        request = new_request(
            dataset=path,
            label_column=label,
            exclude_columns=excluded,
            store=store,
            created_by="tests@1",
            model_family=family,
            preset="fast",
            seed=seed,
            name="größe",
        )
        assert execute(request, store).status == "succeeded"
    request = new_request(
        dataset=workspace / "text.csv", label_column="y", store=store, created_by="tests@1"
    )
    assert execute(request, store).status == "failed"
    return workspace


@pytest.fixture
def store(original: Path, tmp_path: Path) -> StoreLayout:
    return StoreLayout(Path(shutil.copytree(original, tmp_path / "workspace")))


@pytest.fixture
def folder(store: StoreLayout) -> Path:
    """Return the folder of the first run, a linear model."""
    return run_of(store, 0)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return generate_key(tmp_path_factory.mktemp("keys") / "key")


def run_of(store: StoreLayout, number: int) -> Path:
    return store.workspace / entries_of(store)[number]["run_dir"]


def entries_of(store: StoreLayout) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(store.index.read_bytes())["runs"]
    return entries


def write_entries(store: StoreLayout, entries: list[dict[str, Any]]) -> None:
    write(store.index, {"schema_version": "index.v1", "runs": entries})


def write(path: Path, document: Any) -> None:
    """Write a document in the contract's form, with nothing of our own."""
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")


def put_manifest_right(folder: Path) -> None:
    """Do what a careful forger does: give the manifest the digests of the files as they are."""
    manifest = read(folder, "manifest.json")
    manifest["files"] = {
        name: {
            "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
            "bytes": (folder / name).stat().st_size,
        }
        for name in sorted(
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
        )
        if name != "manifest.json"
    }
    write(folder / "manifest.json", manifest)


def verified(folder: Path, **options: Any) -> RunVerification:
    """Verify a run, and hold the outcome against its schema."""
    key = options.pop("public_key", None)
    options.setdefault("with_dataset", False)
    result = verify_run(folder, surroundings_of(folder, [], key), **options)
    check_document(result.holds, [result])
    return result


def verified_store(store: StoreLayout, **options: Any) -> StoreVerification:
    options.setdefault("with_dataset", False)
    result = verify_store(store, **options)
    check_document(result.holds, result.runs, [result])
    return result


def check_document(
    holds: bool, runs: Sequence[RunVerification], stores: Sequence[StoreVerification] = ()
) -> None:
    document = verification_document(runs, stores)
    assert (document.verdict != "not verified") == holds
    text = json.dumps(msgspec.to_builtins(document), allow_nan=False)
    text.encode("utf-8")
    validate(json.loads(text), "verification.v1")
    assert all(check.hint for run in runs for check in run.checks if check.outcome == "failed")


def findings(result: RunVerification | StoreVerification) -> list[Finding]:
    checks = [*result.checks]
    for run in result.runs if isinstance(result, StoreVerification) else ():
        checks += run.checks
    return [finding for check in checks for finding in check.findings]


def named(result: RunVerification | StoreVerification) -> set[str | None]:
    return {finding.file for finding in findings(result)}


def rules(result: RunVerification | StoreVerification) -> set[str]:
    return {finding.rule for finding in findings(result)}


def check(result: RunVerification | StoreVerification, name: str) -> Check:
    [found] = [check for check in result.checks if check.name == name]
    return found


def verdicts(result: RunVerification) -> dict[str, str]:
    return {check.name: check.verdict for check in result.checks}


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def spoiled(data: bytes, dice: random.Random) -> bytes:
    """Return ``data`` with one bit flipped, or one byte exchanged for one that JSON likes."""
    place, changed = dice.randrange(len(data)), bytearray(data)
    if dice.random() < 0.5:
        changed[place] ^= 1 << dice.randrange(8)
    else:
        changed[place] = dice.choice([byte for byte in b' "0159.,{}[]:\n\\' if byte != data[place]])
    return bytes(changed)


class TestUnchanged:
    def test_what_was_just_written_verifies(self, store: StoreLayout) -> None:
        result = verified_store(store, with_dataset=True)
        assert result.holds
        assert [verdicts(run) for run in result.runs] == [
            {
                "files": "unchanged",
                "documents": "valid",
                "statement": "valid",
                "index": "valid",
                "dataset": "same",
                "signature": "none",
            }
        ] * 4

    def test_nothing_is_written(self, store: StoreLayout) -> None:
        def state() -> Any:
            return {
                path: (path.stat().st_mtime_ns, path.is_file() and path.read_bytes())
                for path in (store.workspace, *store.workspace.rglob("*"))
            }

        before = state()
        verify_store(store)
        for folder in run_folders(store):
            verified(folder, with_dataset=True)
        assert state() == before

    def test_a_store_that_was_moved_verifies(self, store: StoreLayout, tmp_path: Path) -> None:
        moved = StoreLayout(store.workspace.rename(tmp_path / "another place"))
        assert verified_store(moved, with_dataset=True).holds

    def test_a_run_outside_the_store_verifies(self, store: StoreLayout, tmp_path: Path) -> None:
        request = new_request(
            dataset=store.workspace / "penguins.csv",
            label_column="species",
            exclude_columns=("island", "sex", "year"),
            store=store,
            created_by="tests@1",
        )
        outcome = execute(request, store, folder=tmp_path / "elsewhere")
        around = surroundings_of(outcome.run_dir, [store])
        result = verify_run(outcome.run_dir, around)
        assert (result.holds, result.run_id) == (True, outcome.run_id)
        assert verdicts(result)["index"] == "valid"
        assert len(verified_store(store).runs) == 5
        alone = verify_run(outcome.run_dir, surroundings_of(outcome.run_dir, []))
        assert check(alone, "index").outcome == "not checked"
        (outcome.run_dir / "metrics.json").write_text("{}")
        assert "metrics.json" in named(verified_store(store))

    @pytest.mark.parametrize("version", ["v0.2.2.1", "v0.3.3", "v0.3.6", "legacy-root", "v0.4.0"])
    def test_runs_of_every_version_can_be_verified(self, version: str, tmp_path: Path) -> None:
        workspace = Path(shutil.copytree(VECTORS / version, tmp_path / "workspace"))
        name = ".ml" if version == "legacy-root" else ".runforge"
        result = verified_store(StoreLayout(workspace, name))
        assert result.runs
        for run in result.runs:
            assert run.holds, run
            assert check(run, "statement").verdict == "none"
            current = version == "v0.4.0"
            assert verdicts(run)["files"] == ("unchanged" if current else "not checked")
            assert run.verdict == ("verified" if current else "unverifiable")
        assert result.verdict == run.verdict


class TestFiles:
    def test_every_spoiled_byte_is_found_by_its_file(self, store: StoreLayout) -> None:
        dice = random.Random(11)
        for folder in run_folders(store):
            for path in files(folder):
                data = path.read_bytes()
                for _ in range(7):
                    path.write_bytes(spoiled(data, dice))
                    result = verified(folder)
                    assert not result.holds
                    assert path.relative_to(folder).as_posix() in named(result)
                path.write_bytes(data)
        assert verified_store(store).holds

    def test_a_file_cut_short_or_emptied_is_found(self, folder: Path) -> None:
        for path in files(folder):
            data = path.read_bytes()
            for changed in (b"", data[:-1], data + b"\n"):
                path.write_bytes(changed)
                assert path.relative_to(folder).as_posix() in named(verified(folder))
            path.write_bytes(data)

    def test_a_missing_or_renamed_file_is_found(self, folder: Path) -> None:
        for path in files(folder):
            place = path.relative_to(folder).as_posix()
            other = path.with_name(f"{path.name}~")
            path.rename(other)
            result = verified(folder)
            assert not result.holds
            messages = " ".join(finding.message for finding in findings(result))
            assert place in messages
            if place != "manifest.json":
                assert f"{place}~" in named(result)
            other.rename(path)
        assert verified(folder).holds

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            (b"new.txt", "new.txt"),
            (b".hidden", ".hidden"),
            (b"logs/new\n\x1b[31m", "logs/new\n\x1b[31m"),
            (b"artifacts/deep/er/x", "artifacts/deep/er/x"),
            (b"not-utf8-\xff", "not-utf8-\\xff"),
            (b"model.sig", "model.sig"),
        ],
    )
    def test_an_added_file_is_found(self, folder: Path, name: bytes, shown: str) -> None:
        path = Path(os.fsdecode(bytes(folder) + b"/" + name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        found = msgspec.to_builtins(verified(folder).to_struct())["findings"]
        assert [(item["rule"], item["file"]) for item in found] == [("manifest.complete", shown)]

    def test_a_link_in_place_of_a_file_is_found(self, folder: Path, tmp_path: Path) -> None:
        for path in files(folder):
            place, away = path.relative_to(folder).as_posix(), tmp_path / "away"
            path.rename(away)
            for target in (away, tmp_path / "nowhere", Path("/dev/zero")):
                path.symlink_to(target)
                result = verified(folder)
                assert ("run.no-links", place) in {
                    (finding.rule, finding.file) for finding in findings(result)
                }
                path.unlink()
            away.rename(path)
        assert verified(folder).holds

    def test_a_pipe_or_a_folder_in_place_of_a_file_is_found(self, folder: Path) -> None:
        path = folder / "metrics.json"
        path.unlink()
        os.mkfifo(path)
        assert "metrics.json" in named(verified(folder))
        path.unlink()
        path.mkdir()
        assert not verified(folder).holds

    def test_a_link_in_place_of_a_folder_is_found(self, folder: Path, tmp_path: Path) -> None:
        (folder / "artifacts").rename(tmp_path / "away")
        (folder / "artifacts").symlink_to(tmp_path / "away")
        result = verified(folder)
        assert ("run.no-links", "artifacts") in {(f.rule, f.file) for f in findings(result)}

    def test_swapped_artifacts_and_documents_of_two_runs_are_found(
        self, store: StoreLayout
    ) -> None:
        first, second = run_of(store, 0), run_of(store, 1)
        names = [path.relative_to(first).as_posix() for path in files(first)]
        assert names == [path.relative_to(second).as_posix() for path in files(second)]
        seen = 0
        for name in names:
            mine, other = first / name, second / name
            if mine.read_bytes() == other.read_bytes():
                continue
            swap(mine, other)
            for folder in (first, second):
                result = verified(folder)
                assert not result.holds
                messages = " ".join(finding.message for finding in findings(result))
                assert name in named(result) or name in messages
            swap(mine, other)
            seen += 1
        assert seen > 8
        swap(first / "artifacts", second / "artifacts")
        assert not verified(first).holds
        assert not verified(second).holds

    def test_runs_that_changed_names_are_found(self, store: StoreLayout) -> None:
        first, second = run_of(store, 0), run_of(store, 1)
        swap(first, second)
        for folder in (first, second):
            assert "run.id" in rules(verified(folder))

    def test_a_copy_under_another_name_is_found(self, store: StoreLayout, folder: Path) -> None:
        shutil.copytree(folder, folder.with_name("20990101-000000-00000000"))
        result = verified_store(store)
        assert not result.holds
        assert {"run.id", "index.complete"} <= rules(result)


def swap(left: Path, right: Path) -> None:
    away = left.with_name("away")
    left.rename(away)
    right.rename(left)
    away.rename(right)


class TestForgery:
    """The manifest is put right after the change, so that the files are as it says."""

    @pytest.mark.parametrize(
        ("file", "pointer", "value"),
        [
            ("request.json", "name", "another name"),
            ("request.json", "created_by", "someone@1"),
            ("run.json", "runforge_version", "9.9.9"),
            ("result.json", "duration_ms", 1),
            ("metrics.json", "accuracy", 0.5),
        ],
    )
    def test_a_changed_document_is_found(
        self, folder: Path, file: str, pointer: str, value: Any
    ) -> None:
        document = read(folder, file)
        document[pointer] = value
        write(folder / file, document)
        put_manifest_right(folder)
        result = verified(folder)
        assert check(result, "statement").verdict == "invalid"
        assert not result.holds

    @pytest.mark.parametrize(
        ("change", "pointer", "found"),
        [
            (
                lambda s: s["predicate"]["runDetails"]["builder"].update(id="https://x.example"),
                "/predicate/runDetails/builder/id",
                "https://x.example",
            ),
            (
                lambda s: s["subject"][0]["digest"].update(sha256="0" * 64),
                "/subject/0/digest/sha256",
                "0" * 64,
            ),
            (lambda s: s.update(more=True), "/more", True),
            (lambda s: s.pop("predicateType"), "/predicateType", None),
            (lambda s: s.update(_type=1), "/_type", 1),
        ],
    )
    def test_a_changed_statement_is_found_by_its_place(
        self, folder: Path, change: Callable[[Any], None], pointer: str, found: Any
    ) -> None:
        statement = read(folder, "provenance.intoto.json")
        change(statement)
        write(folder / "provenance.intoto.json", statement)
        put_manifest_right(folder)
        result = verified(folder)
        assert verdicts(result)["files"] == "unchanged"
        [finding] = check(result, "statement").findings
        assert (finding.file, finding.pointer) == ("provenance.intoto.json", pointer)
        assert finding.to_dict().get("found") == found

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"{}",
            b"[" * 100_000,
            b'{"a":' * 60 + b"1" + b"}" * 60,
            b'{"a": 1e999}',
            b"\xff",
            json.dumps([{}] * 10_000).encode(),
        ],
    )
    def test_a_statement_of_any_kind_is_refused(self, folder: Path, text: bytes) -> None:
        (folder / "provenance.intoto.json").write_bytes(text)
        put_manifest_right(folder)
        result = verified(folder)
        assert check(result, "statement").outcome == "failed"
        assert len(check(result, "statement").findings) <= 20

    def test_a_statement_in_another_form_is_found(self, folder: Path) -> None:
        path = folder / "provenance.intoto.json"
        path.write_text(json.dumps(json.loads(path.read_bytes())))
        put_manifest_right(folder)
        assert rules(verified(folder)) == {"statement.form"}

    def test_a_wrong_digest_is_laid_to_the_manifest_that_has_it(self, folder: Path) -> None:
        manifest = read(folder, "manifest.json")
        manifest["files"]["metrics.json"]["bytes"] += 1
        write(folder / "manifest.json", manifest)
        result = verified(folder)
        [finding] = findings(result)
        assert (finding.file, finding.pointer) == ("manifest.json", "/files/metrics.json")
        assert verdicts(result)["statement"] == "valid"

    def test_a_statement_put_right_too_leaves_the_record_to_tell(self, folder: Path) -> None:
        (folder / "artifacts/model.pkl").write_bytes(b"another model")
        put_manifest_right(folder)
        listed = read(folder, "manifest.json")["files"]
        (folder / "provenance.intoto.json").write_bytes(statement_of(Run(folder), listed))
        put_manifest_right(folder)
        result = verified(folder)
        assert {"run.artifact-digests", "result.artifacts"} <= rules(result)
        assert "artifacts/model.pkl" in named(result)

    def test_an_older_record_has_no_statement(self, tmp_path: Path) -> None:
        workspace = Path(shutil.copytree(VECTORS / "v0.3.6", tmp_path / "workspace"))
        folder = run_folders(StoreLayout(workspace))[0]
        (folder / "provenance.intoto.json").write_text("{}")
        assert check(verified(folder), "statement").verdict == "not checked"
        manifest = {"schema_version": "manifest.v1", "run_id": folder.name, "files": {}}
        write(folder / "manifest.json", manifest)
        put_manifest_right(folder)
        assert check(verified(folder), "statement").verdict == "not checked"

    def test_random_documents_never_crash_it(self, folder: Path) -> None:
        dice = random.Random(3)
        names = ["request.json", "run.json", "result.json", "manifest.json", "metrics.v1.json"]
        for _ in range(120):
            name = dice.choice(names)
            data = (folder / name).read_bytes()
            document = json.loads(data)
            disturb(document, dice)
            write(folder / name, document)
            if name != "manifest.json":
                put_manifest_right(folder)
            verified(folder, with_dataset=True)
            (folder / name).write_bytes(data)


def disturb(value: Any, dice: random.Random) -> None:
    """Put something else at a random place of a document."""
    while True:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = dice.choice(keys)
        if isinstance(value[key], dict | list) and value[key] and dice.random() < 0.8:
            value = value[key]
            continue
        if isinstance(value, dict) and dice.random() < 0.2:
            del value[key]
        else:
            other = [None, True, 0, -1, 1.5, "", "x\n\x1b", "../..", [], {}, [[]], {"path": "/"}]
            value[key] = dice.choice(other)
        return


class TestIndex:
    def test_every_spoiled_byte_is_found(self, store: StoreLayout) -> None:
        data, dice = store.index.read_bytes(), random.Random(12)
        for _ in range(60):
            store.index.write_bytes(spoiled(data, dice))
            result = verified_store(store)
            assert not result.holds
            assert INDEX in named(result)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("created_at", "2020-01-01T00:00:00Z"),
            ("name", "another"),
            ("preset_id", "thorough"),
            ("status", "failed"),
            ("run_dir", ".runforge/runs/../runs"),
            ("dataset_fingerprint_sha256", "0" * 64),
            ("label_column", "another"),
            ("model_pkl", "artifacts/other.pkl"),
            ("model_family", "linear_svc"),
            ("model_sha256", "0" * 64),
            ("summary", {"duration_ms": 0}),
        ],
    )
    def test_a_changed_entry_is_found_by_its_place(
        self, store: StoreLayout, folder: Path, field: str, value: Any
    ) -> None:
        entries = entries_of(store)
        entries[0][field] = value
        write_entries(store, entries)
        for result in (verified(folder), verified_store(store)):
            assert not result.holds
            assert (INDEX, f"/runs/0/{field}") in {(f.file, f.pointer) for f in findings(result)}

    def test_a_field_that_is_gone_is_found(self, store: StoreLayout, folder: Path) -> None:
        entries = entries_of(store)
        del entries[0]["model_sha256"]
        write_entries(store, entries)
        [finding] = findings(verified(folder))
        assert finding.pointer == "/runs/0/model_sha256"

    def test_fields_of_later_versions_are_passed_over(self, store: StoreLayout) -> None:
        entries = entries_of(store)
        entries[0]["later"] = {"a": 1}
        write_entries(store, entries)
        assert verified_store(store).holds

    def test_a_run_that_is_not_listed_is_found(self, store: StoreLayout, folder: Path) -> None:
        write_entries(store, entries_of(store)[1:])
        assert verdicts(verified(folder))["index"] == "not listed"
        result = verified_store(store)
        assert rules(result) == {"index.complete"}

    def test_a_run_that_is_listed_twice_is_found(self, store: StoreLayout, folder: Path) -> None:
        write_entries(store, [*entries_of(store), entries_of(store)[0]])
        assert rules(verified(folder)) == {"index.once"}
        whole = verified_store(store)
        assert rules(whole) == {"index.once"}
        # Reported for the run and not again, but the index is not reported as valid either.
        assert (check(whole, "index").verdict, check(whole, "index").findings) == ("invalid", ())

    def test_a_run_whose_folder_is_gone_is_found(self, store: StoreLayout, folder: Path) -> None:
        shutil.rmtree(folder)
        result = verified_store(store)
        assert check(result, "runs").verdict == "incomplete"
        [finding] = findings(result)
        assert (finding.rule, finding.pointer) == ("index.run-dir", "/runs/0/run_dir")

    def test_an_index_that_cannot_be_read_fails_once(
        self, store: StoreLayout, folder: Path
    ) -> None:
        store.index.write_bytes(b"{")
        result = verified_store(store)
        assert check(result, "index").verdict == "unreadable"
        assert [run.holds for run in result.runs] == [True] * 4
        assert verdicts(verified(folder))["index"] == "unreadable"

    def test_an_index_that_is_gone_is_found(self, store: StoreLayout) -> None:
        store.index.unlink()
        result = verified_store(store)
        assert [verdicts(run)["index"] for run in result.runs] == ["not listed"] * 4

    def test_another_form_is_found(self, store: StoreLayout) -> None:
        store.index.write_bytes(store.index.read_bytes() + b"\n")
        assert rules(verified_store(store)) == {"json.form"}


class TestDataset:
    def state(self, folder: Path) -> tuple[str, bool, dict[str, str]]:
        result = verified(folder, with_dataset=True)
        found = check(result, "dataset")
        return found.verdict, result.holds, found.particulars

    def test_the_same_bytes(self, folder: Path) -> None:
        assert self.state(folder) == ("same", True, {})

    def test_other_bytes(self, store: StoreLayout, folder: Path) -> None:
        path = store.workspace / "penguins.csv"
        path.write_bytes(path.read_bytes() + b"\n")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert self.state(folder) == ("changed", False, {"sha256": digest})
        assert verified(folder, with_dataset=False).holds

    def test_other_line_ends(self, store: StoreLayout, folder: Path) -> None:
        path = store.workspace / "penguins.csv"
        lines = path.read_bytes()
        path.write_bytes(lines.replace(b"\n", b"\r\n"))
        found = check(verified(folder, with_dataset=True), "dataset")
        assert (found.outcome, found.verdict) == ("failed", "changed")
        assert "line endings" in found.message
        path.write_bytes(lines.replace(b"\n", b"\r\n", 3) + b"1\r")
        assert "line endings" not in check(verified(folder, with_dataset=True), "dataset").message

    @pytest.mark.parametrize("place", ["data/penguins.csv", "data/birds.csv"])
    def test_a_dataset_that_was_moved(self, store: StoreLayout, folder: Path, place: str) -> None:
        (store.workspace / "data").mkdir()
        (store.workspace / "data/other.csv").write_text("a,b\n")
        (store.workspace / "penguins.csv").rename(store.workspace / place)
        assert self.state(folder) == ("moved", False, {"path": place})

    def test_a_dataset_that_is_gone(self, store: StoreLayout, folder: Path) -> None:
        (store.workspace / "penguins.csv").unlink()
        (store.workspace / ".hidden.csv").write_text("a,b\n")
        assert self.state(folder) == ("gone", False, {})

    def test_a_folder_in_its_place(self, store: StoreLayout, folder: Path) -> None:
        (store.workspace / "penguins.csv").unlink()
        (store.workspace / "penguins.csv").mkdir()
        assert self.state(folder) == ("unreadable", False, {})

    def test_a_link_to_it_is_followed_as_in_training(
        self, store: StoreLayout, folder: Path, tmp_path: Path
    ) -> None:
        (store.workspace / "penguins.csv").rename(tmp_path / "away.csv")
        (store.workspace / "penguins.csv").symlink_to(tmp_path / "away.csv")
        assert self.state(folder) == ("same", True, {})
        (store.workspace / "penguins.csv").unlink()
        (store.workspace / "penguins.csv").symlink_to("penguins.csv")
        assert self.state(folder)[0] == "unreadable"

    def test_a_run_that_never_read_one(self, store: StoreLayout, folder: Path) -> None:
        failed = store.run_folder("20260101-000000-00000000")
        failed.mkdir()
        request = read(folder, "request.json")
        request["dataset"]["path"] = "no-such.csv"
        write(failed / "request.json", request)
        assert execute_folder(failed, store).status == "failed"
        assert self.state(failed) == ("not checked", True, {})


class TestUnfinished:
    def interrupt(self, folder: Path) -> None:
        for name in ("run.json", "result.json", "manifest.json", "provenance.intoto.json"):
            (folder / name).unlink()

    def test_an_interrupted_run_is_named_and_is_no_change(self, store: StoreLayout) -> None:
        folder = run_of(store, 3)
        (folder / "run.json").touch()
        self.interrupt(folder)
        write_entries(store, entries_of(store)[:3])
        result = verified_store(store)
        assert (result.holds, result.interrupted) == (True, (folder.name,))
        alone = verified(folder)
        assert (alone.holds, verdicts(alone)["files"]) == (False, "no result")

    def test_a_running_run_is_reported_and_left_alone(self, store: StoreLayout) -> None:
        folder = store.run_folder("20260101-000000-00000000")
        folder.mkdir()
        with holding(folder):
            result = verified_store(store)
            assert (result.holds, result.running) == (True, (folder.name,))
            assert verdicts(verified(folder))["files"] == "at work"

    def test_a_run_whose_result_was_taken_away_is_found(
        self, store: StoreLayout, folder: Path
    ) -> None:
        self.interrupt(folder)
        result = verified_store(store)
        assert (result.holds, result.interrupted) == (False, ())
        assert folder.name in {run.run_id for run in result.runs if not run.holds}


class TestSignatures:
    def sign(self, store: StoreLayout, folder: Path, keys: KeyPair) -> Path:
        head = Chain(entries_of(store)).head
        return sign_folder(folder, keys.private_key, index_head=head)

    def test_a_signature_has_one_of_four_verdicts(
        self, store: StoreLayout, folder: Path, keys: KeyPair
    ) -> None:
        assert check(verified(folder), "signature").outcome == "not checked"
        demanded = verified(folder, public_key=keys.public_key)
        assert check(demanded, "signature").verdict == "none"
        assert not demanded.holds
        path = self.sign(store, folder, keys)
        unknown = check(verified(folder), "signature")
        assert (unknown.verdict, unknown.outcome) == ("not checked", "not checked")
        assert unknown.particulars == {"claimed_key": keys.fingerprint}
        valid = verified(folder, public_key=keys.public_key)
        assert valid.holds
        assert check(valid, "signature").particulars == {"key": keys.fingerprint}
        path.write_bytes(path.read_bytes().replace(b"A", b"B", 3))
        for key in (None, keys.public_key):
            assert check(verified(folder, public_key=key), "signature").verdict == "invalid"

    def test_another_key_is_refused(
        self, store: StoreLayout, folder: Path, keys: KeyPair, tmp_path: Path
    ) -> None:
        self.sign(store, folder, keys)
        other = generate_key(tmp_path / "other")
        result = verified(folder, public_key=other.public_key)
        assert (result.holds, verdicts(result)["signature"]) == (False, "invalid")

    def test_a_key_that_cannot_be_used_is_an_error(self, folder: Path, keys: KeyPair) -> None:
        for key in (keys.private_key, folder / "no such key"):
            with pytest.raises(RunForgeError):
                verified(folder, public_key=key)

    def test_a_forger_of_everything_is_found_by_the_signature(
        self, store: StoreLayout, folder: Path, keys: KeyPair
    ) -> None:
        self.sign(store, folder, keys)
        log = folder / "logs/train.log"
        log.write_text(log.read_text() + "more\n")
        result = read(folder, "result.json")
        for artifact in result["artifacts"]:
            if artifact["path"] == "logs/train.log":
                artifact["bytes"] = log.stat().st_size
        write(folder / "result.json", result)
        put_manifest_right(folder)
        listed = read(folder, "manifest.json")["files"]
        (folder / "provenance.intoto.json").write_bytes(statement_of(Run(folder), listed))
        put_manifest_right(folder)
        found = verified(folder)
        assert rules(found) == {"signature.files"}
        assert {"logs/train.log", "result.json"} <= named(found)
        assert verified(folder, with_signature=False).holds

    def test_an_index_that_grows_keeps_to_what_was_signed(
        self, store: StoreLayout, folder: Path, keys: KeyPair
    ) -> None:
        self.sign(store, folder, keys)
        request = new_request(
            dataset=store.workspace / "text.csv", label_column="y", store=store, created_by="t@1"
        )
        later = execute(request, store).run_dir
        assert verified(folder, public_key=keys.public_key).holds
        self.sign(store, later, keys)
        assert check(verified_store(store), "signatures").verdict == "complete"

    @pytest.mark.parametrize("with_key", [False, True])
    def test_a_cut_tail_is_noticed(
        self, store: StoreLayout, folder: Path, keys: KeyPair, with_key: bool
    ) -> None:
        self.sign(store, folder, keys)
        key = keys.public_key if with_key else None
        lost = run_of(store, 3)
        shutil.rmtree(lost)
        write_entries(store, entries_of(store)[:3])
        result = verified_store(store, public_key=key)
        assert not result.holds
        [finding] = check(result, "signatures").findings
        assert (finding.rule, finding.file, finding.expected, finding.found) == (
            "index.tail",
            INDEX,
            4,
            3,
        )
        assert "index.tail" in rules(verified(folder, public_key=key))

    def test_a_changed_history_is_noticed(
        self, store: StoreLayout, folder: Path, keys: KeyPair
    ) -> None:
        self.sign(store, folder, keys)
        entries = entries_of(store)
        entries[2], entries[1] = entries[1], entries[2]
        write_entries(store, entries)
        assert "index.append-only" in rules(verified_store(store))

    def test_a_signed_run_that_is_gone_is_noticed(
        self, store: StoreLayout, folder: Path, keys: KeyPair
    ) -> None:
        self.sign(store, folder, keys)
        shutil.rmtree(folder)
        entries = entries_of(store)[1:]
        write_entries(store, entries)
        result = verified_store(store)
        assert {finding.rule for finding in check(result, "signatures").findings} == {
            "signature.run",
            "index.tail",
        }

    def test_signatures_of_any_kind_do_not_crash_it(
        self, store: StoreLayout, folder: Path, keys: KeyPair, tmp_path: Path
    ) -> None:
        path = self.sign(store, folder, keys)
        good = path.read_bytes()
        for data in (b"", b"{}", b"[" * 100_000, b"\xff", good[: len(good) // 2], good * 2):
            path.write_bytes(data)
            path.with_name("20990101-000000-00000000.sig").write_bytes(data)
            assert not verified_store(store).holds
        path.with_name("20990101-000000-00000000.sig").unlink()
        path.unlink()
        (tmp_path / "away").write_bytes(good)
        path.symlink_to(tmp_path / "away")
        result = verified(folder, public_key=keys.public_key)
        assert verdicts(result)["signature"] == "invalid"


class TestHostileStores:
    def test_a_linked_run_folder_is_not_followed(
        self, store: StoreLayout, folder: Path, tmp_path: Path
    ) -> None:
        moved = folder.rename(tmp_path / folder.name)
        folder.symlink_to(moved)
        with pytest.raises(RunForgeError) as caught:
            verified(folder)
        assert caught.value.code is ErrorCode.RUN_NOT_FOUND
        result = verified_store(store)
        assert {"run.no-links", "index.run-dir"} <= rules(result)

    def test_a_linked_store_is_refused(self, store: StoreLayout, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        (tmp_path / "other/.runforge").symlink_to(store.root)
        with pytest.raises(RunForgeError) as caught:
            verify_store(StoreLayout(tmp_path / "other"))
        assert caught.value.code is ErrorCode.FILE_UNSAFE

    def test_no_store_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(RunForgeError) as caught:
            verify_store(StoreLayout(tmp_path))
        assert caught.value.code is ErrorCode.STORE_NOT_FOUND

    def test_an_empty_folder_is_no_run(self, store: StoreLayout) -> None:
        folder = store.run_folder("20260101-000000-00000000")
        folder.mkdir()
        result = verified_store(store)
        assert (result.holds, result.incomplete) == (True, (folder.name,))

    @pytest.mark.parametrize("name", ["request.json", "run.json", "result.json", "manifest.json"])
    def test_documents_of_any_kind_are_findings(self, folder: Path, name: str) -> None:
        for data in texts():
            (folder / name).write_bytes(data)
            assert name in named(verified(folder, with_dataset=True))

    def test_deep_folders_and_many_files_are_bounded(self, folder: Path) -> None:
        deep = folder
        for _ in range(200):
            deep = deep / "d"
        deep.mkdir(parents=True)
        (deep / "x").touch()
        assert not verified(folder).holds

    def test_surroundings_are_read_once(self, store: StoreLayout, folder: Path) -> None:
        around = Surroundings(store, store.workspace)
        store.index.unlink()
        assert verify_run(folder, around, with_dataset=False).holds


def texts() -> Iterator[bytes]:
    yield from (b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 200_000, b'{"a":1,"a":2}')
    yield b'{"version": ' + b"9" * 5000 + b"}"
    yield b'{"schema_version": "\\ud800"}'


class TestOrderOfTheIndex:
    """The order is that of appending: clocks are set back, days end, stores are merged."""

    def test_times_that_go_backwards_are_a_note(self, store: StoreLayout) -> None:
        entries = entries_of(store)
        earlier = {"SOURCE_DATE_EPOCH": "86400"}  # the second day of 1970
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SOURCE_DATE_EPOCH", earlier["SOURCE_DATE_EPOCH"])
            request = new_request(
                dataset=store.workspace / "penguins.csv",
                label_column="species",
                exclude_columns=("island", "sex", "year"),
                store=store,
                created_by="tests@1",
            )
            assert execute(request, store).status == "succeeded"
        result = verified_store(store)
        assert result.holds
        index = check(result, "index")
        assert (index.outcome, index.verdict) == ("passed", "valid")
        assert f"first at /runs/{len(entries)}" in index.message
        assert verified(run_of(store, -1)).holds
        assert not check_index(store).findings
        assert {finding.rule for finding in check_store(store)} == {"index.order"}

    def test_a_run_that_ends_before_it_began_is_still_a_fault(self, folder: Path) -> None:
        result = read(folder, "result.json")
        result["finished_at"] = "1999-01-01T00:00:00Z"
        write(folder / "result.json", result)
        put_manifest_right(folder)
        assert "result.times" in rules(verified(folder))


class TestLocks:
    """Any reader of a folder can lock it, so a lock hides nothing of a finished run."""

    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("runforge_engine.runtime.folder_lock._PATIENCE", 0.05)

    @pytest.mark.parametrize("left", ["everything", "no entry", "no result"])
    def test_a_locked_run_that_ended_is_verified(
        self, store: StoreLayout, folder: Path, left: str
    ) -> None:
        model = folder / "artifacts/model.pkl"
        model.write_bytes(model.read_bytes() + b"\0")
        if left == "no entry":
            write_entries(store, entries_of(store)[1:])
        if left == "no result":
            (folder / "result.json").unlink()
        with locked(folder):
            result = verified_store(store)
            assert not result.holds
            assert result.running == ()
            assert folder.name in {run.run_id for run in result.runs if not run.holds}

    def test_a_locked_run_that_was_signed_is_verified(
        self, store: StoreLayout, folder: Path, keys: KeyPair
    ) -> None:
        sign_folder(folder, keys.private_key)
        write_entries(store, entries_of(store)[1:])
        (folder / "result.json").unlink()
        with locked(folder):
            result = verified_store(store)
        assert folder.name in {run.run_id for run in result.runs if not run.holds}

    def test_a_locked_run_is_added_to_the_index(self, store: StoreLayout, folder: Path) -> None:
        write_entries(store, entries_of(store)[1:])
        with locked(folder):
            assert check_index(store).unlisted == (folder.name,)
            assert rebuild_index(store).recovered == (folder.name,)
            assert verified_store(store).holds

    def test_a_lock_does_not_hide_that_a_listed_run_lost_its_result(
        self, store: StoreLayout, folder: Path
    ) -> None:
        (folder / "result.json").unlink()
        free = check_index(store).findings
        assert {finding.kind for finding in free} == {"entry_disagrees"}
        with locked(folder):
            assert check_index(store).findings == free

    def test_a_running_run_is_left_alone(self, store: StoreLayout) -> None:
        folder = store.run_folder("20260201-120000-abc12345")
        folder.mkdir()
        with locked(folder):
            result = verified_store(store)
            assert (result.holds, result.running) == (True, (folder.name,))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder from another process, which needs no more than to be able to read it."""
    program = (
        "import fcntl, os, sys\n"
        "descriptor = os.open(sys.argv[1], os.O_RDONLY)\n"
        "fcntl.flock(descriptor, fcntl.LOCK_EX)\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-I", "-c", program, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        yield
        process.terminate()


class TestReadOnce:
    """What is hashed is what is parsed, validated and compared: each file is opened once."""

    @pytest.mark.parametrize("signed", ["unsigned", "signed", "signed, with a key"])
    def test_each_file_of_a_run_is_opened_once(
        self, store: StoreLayout, keys: KeyPair, signed: str
    ) -> None:
        folders = run_folders(store)
        if signed != "unsigned":
            for folder in folders:
                sign_folder(folder, keys.private_key)
        key = keys.public_key if signed == "signed, with a key" else None
        with opened() as paths:
            assert verify_store(store, public_key=key).holds
        expected = Counter(str(path) for folder in folders for path in files(folder))
        assert Counter(path for path in paths if path in expected) == expected
        with opened() as paths:
            around = surroundings_of(folders[0], [], key)
            assert verify_run(folders[0], around).holds
        expected = Counter(str(path) for path in files(folders[0]))
        assert Counter(path for path in paths if path in expected) == expected

    def test_what_runs_have_in_common_is_opened_once(
        self, store: StoreLayout, keys: KeyPair
    ) -> None:
        for folder in run_folders(store):
            sign_folder(folder, keys.private_key)
        with opened() as paths:
            assert verify_store(store, public_key=keys.public_key).holds
        common = [store.index, keys.public_key, store.workspace / "penguins.csv"]
        common += store.signatures.iterdir()
        assert [paths.count(str(path)) for path in common] == [1] * len(common)

    def test_what_was_verified_is_what_is_signed(
        self, store: StoreLayout, folder: Path, keys: KeyPair
    ) -> None:
        found = verified(folder)
        model = folder / "artifacts/model.pkl"
        model.write_bytes(b"another model, put there in between")
        with opened() as paths:
            sign_folder(folder, keys.private_key, found=found.digests)
        assert not [path for path in paths if Path(path).is_relative_to(folder)]
        assert "signature.files" in rules(verified(folder, public_key=keys.public_key))

    @pytest.mark.parametrize("file", ["run.json", "logs/events.jsonl", "provenance.intoto.json"])
    def test_what_is_too_large_to_be_read_is_hashed_all_the_same(
        self, folder: Path, file: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        size = (folder / file).stat().st_size
        monkeypatch.setattr("runforge_contracts.invariants.checked_folder.MAX_BYTES", size - 1)
        with opened() as paths:
            found = CheckedRun(folder)
        assert paths.count(str(folder / file)) == 1
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        assert found.files[file] == (digest, size)
        with pytest.raises(RunForgeError) as caught:
            found.text(file)
        assert caught.value.code is ErrorCode.JSON_TOO_LARGE


@pytest.mark.parametrize(
    "path",
    [
        *("a\0b", "\0", "a\nb", "\x1b[31m", "x" * 100_000, "y/" * 50_000, "/" + "z/" * 50_000),
        *("folder", "pipe", "loop", "", ".", "/", "..", "a/../../b", "../" * 30_000),
        *("/dev/null", "C:\\penguins.csv", "file:///etc/hostname", "~root"),
    ],
    ids=lambda path: ascii(path[:12]),
)
def test_whatever_path_a_run_records_its_dataset_has_a_verdict(path: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    found = dataset_check(path, "0" * 64, Datasets(tmp_path))
    assert (found.outcome, found.verdict in ("gone", "unreadable")) == ("failed", True)


@contextmanager
def opened() -> Iterator[list[str]]:
    """Give the paths of the files that this process opens meanwhile."""
    global _opened
    _opened = paths = []
    try:
        yield paths
    finally:
        _opened = None


_opened: list[str] | None = None


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _opened is not None and isinstance(arguments[0], str | bytes | Path):
        _opened.append(os.fsdecode(arguments[0]))


sys.addaudithook(_note)  # for the life of the process: there is no way to take one away
