"""From a file or a digest to the runs, by index and run folders, without loading anything."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, Call
from runforge_contracts.validation import validate
from syrupy.assertion import SnapshotAssertion

VECTORS = ROOT / "docs/test-vectors/runs"


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def entries_of(workspace: Path) -> list[dict[str, Any]]:
    document = json.loads((workspace / ".runforge/index.json").read_bytes())
    entries: list[dict[str, Any]] = document["runs"]
    return entries


def write_entries(workspace: Path, entries: list[dict[str, Any]]) -> None:
    document = {"schema_version": "index.v1", "runs": entries}
    (workspace / ".runforge/index.json").write_text(json.dumps(document))


def read(workspace: Path, entry: dict[str, Any], file: str) -> Any:
    return json.loads((workspace / entry["run_dir"] / file).read_bytes())


def traced(runforge: Call, what: object) -> list[tuple[str, str, str]]:
    result = runforge("trace", str(what), "--json")
    assert result.code == 0, result.out
    validate(result.json, "trace.v1")
    return [(run["run_id"], run["matched"], run["path"]) for run in result.json["runs"]]


def refused(runforge: Call, what: object) -> tuple[int, str]:
    result = runforge("trace", str(what), "--json")
    return result.code, result.json["error"]["code"]


def test_a_model_that_was_moved_is_traced_to_run_data_and_commit(
    runforge: Call, filled: Path
) -> None:
    entry = entries_of(filled)[3]
    model = filled / entry["run_dir"] / "artifacts/model.pkl"
    moved = filled / "deep/down/best.bin"
    moved.parent.mkdir(parents=True)
    model.rename(moved)
    document = runforge("trace", str(moved), "--json").json
    record = read(filled, entry, "run.json")
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=filled, capture_output=True, text=True, check=True
    ).stdout.strip()
    validate(document, "trace.v1")
    assert document == {
        "schema_version": "trace.v1",
        "sha256": digest_of(moved),
        "runs": [
            {
                "run_id": entry["run_id"],
                "run_dir": f".runforge/runs/{entry['run_id']}",
                "matched": "model_sha256",
                "path": "artifacts/model.pkl",
                "status": "succeeded",
                "name": "the first one",
                "created_at": record["created_at"],
                "dataset": {
                    "path": "penguins.csv",
                    "fingerprint_sha256": digest_of(filled / "penguins.csv"),
                },
                "git": {"commit": commit, "dirty": False},
                "runforge_version": "0.4.0",
                "created_by": "runforge-cli@0.4.0",
                "rerun_from": entries_of(filled)[0]["run_id"],
            }
        ],
    }
    text = runforge("trace", str(moved)).out
    for shown in (entry["run_id"], commit, "the first one", "penguins.csv", digest_of(moved)):
        assert shown in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_a_dataset_is_traced_to_all_its_runs_newest_first(runforge: Call, filled: Path) -> None:
    entries = entries_of(filled)
    ids = [entry["run_id"] for entry in entries]
    expected = [(run_id, "dataset_fingerprint_sha256", "penguins.csv") for run_id in ids[::-1]]
    fingerprint = digest_of(filled / "penguins.csv")
    (filled / "penguins.csv").rename(filled / "birds.csv")
    for what in ("birds.csv", fingerprint, fingerprint[:8], fingerprint[:20].upper()):
        assert traced(runforge, what) == expected
    text = runforge("trace", "birds.csv").out
    assert f"{fingerprint[:12]}… is the dataset of 4 runs." in text
    for shown in ("cancelled", "failed", "the first one"):
        assert shown in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_a_page_has_the_newest_runs_of_a_dataset(runforge: Call, filled: Path) -> None:
    everything = traced(runforge, "penguins.csv")
    total = len(everything)
    assert total > 2
    text = runforge("trace", "penguins.csv", "--limit", "2").out
    assert f" is the dataset of {total} runs." in text
    assert [line.split()[0] for line in text.splitlines()[3:5]] == [
        run[0] for run in everything[:2]
    ]
    assert text.splitlines()[5:] == [f"{total - 2} more; use --limit {total} to show all."]
    whole = runforge("trace", "penguins.csv", "--limit", str(total))
    assert whole.out == runforge("trace", "penguins.csv").out
    limited = runforge("trace", "penguins.csv", "--limit", "1", "--json").json
    validate(limited, "trace.v1")
    assert (len(limited["runs"]), limited["left_out"]) == (1, total - 1)
    assert "is the dataset of" in runforge("trace", "penguins.csv", "--limit", "1").out


@pytest.mark.parametrize("terminal", [40, 80, 120])
def test_the_table_has_the_columns_that_fit(
    terminal: int,
    runforge: Call,
    filled: Path,
    monkeypatch: pytest.MonkeyPatch,
    snapshot: SnapshotAssertion,
) -> None:
    monkeypatch.setenv("COLUMNS", str(terminal))
    text = runforge("trace", "penguins.csv").out
    assert max(len(line) for line in text.splitlines()) <= terminal
    for number, entry in enumerate(entries_of(filled)):
        text = text.replace(entry["run_id"], f"20260201-120000-0000000{number}")
        created = entry["created_at"][:16].replace("T", " ")
        text = text.replace(created, "2026-02-01 12:00")
    commit = read(filled, entries_of(filled)[0], "run.json")["provenance"]["git"]["commit"]
    assert text.replace(commit[:7], "abcdef0") == snapshot


def test_other_files_of_a_run_are_traced(runforge: Call, filled: Path) -> None:
    entry = entries_of(filled)[0]
    folder = filled / entry["run_dir"]
    for file in ("artifacts/linear_coefficients.v1.json", "run.json", "logs/train.log"):
        assert (entry["run_id"], "artifact", file) in traced(runforge, folder / file)


def test_the_digest_of_what_a_model_is_is_traced(runforge: Call, filled: Path) -> None:
    entry = entries_of(filled)[0]
    record = {**read(filled, entry, "run.json"), "model_content_sha256": "ab" * 32}
    (filled / entry["run_dir"] / "run.json").write_text(json.dumps(record))
    expected = [(entry["run_id"], "model_content_sha256", "artifacts/model.pkl")]
    assert traced(runforge, "ab" * 32) == traced(runforge, "ab" * 4) == expected


def test_runs_that_the_index_lacks_are_found(runforge: Call, filled: Path) -> None:
    entry = entries_of(filled)[0]
    model = filled / entry["run_dir"] / "artifacts/model.pkl"
    expected = [(entry["run_id"], "model_sha256", "artifacts/model.pkl")]
    write_entries(filled, entries_of(filled)[1:2])
    assert traced(runforge, model) == expected
    (filled / ".runforge/index.json").write_text("{")
    result = runforge("trace", str(model), "--json")
    assert [run["run_id"] for run in result.json["runs"]] == [entry["run_id"]]
    assert "index of the store cannot be read" in result.err
    (filled / ".runforge/index.json").unlink()
    assert traced(runforge, digest_of(model)) == expected


def test_a_run_whose_folder_is_gone_is_reported_by_the_index(runforge: Call, filled: Path) -> None:
    entry = entries_of(filled)[0]
    digest = digest_of(filled / entry["run_dir"] / "artifacts/model.pkl")
    shutil.rmtree(filled / entry["run_dir"])
    [run] = runforge("trace", digest, "--json").json["runs"]
    assert run == {
        "run_id": entry["run_id"],
        "run_dir": entry["run_dir"],
        "matched": "model_sha256",
        "path": "artifacts/model.pkl",
        "status": "succeeded",
        "name": "the first one",
        "created_at": entry["created_at"],
        "dataset": {"fingerprint_sha256": digest_of(filled / "penguins.csv")},
        "repeated_by": [entries_of(filled)[3]["run_id"]],
    }
    assert entry["run_id"] in runforge("trace", digest).out


def test_a_copy_of_a_run_is_not_another_run(runforge: Call, filled: Path) -> None:
    entry = entries_of(filled)[0]
    folder = filled / entry["run_dir"]
    shutil.copytree(folder, folder.with_name(f"{folder.name}-copy"))
    document = runforge("trace", str(folder / "artifacts/model.pkl"), "--json").json
    assert [run["run_dir"] for run in document["runs"]] == [entry["run_dir"]]


@pytest.mark.parametrize("name", ["v0.2.2.1", "v0.3.3", "v0.3.6", "legacy-root"])
def test_models_of_older_clients_are_hashed_to_be_found(
    name: str, runforge: Call, workspace: Path
) -> None:
    shutil.copytree(VECTORS / name, workspace, dirs_exist_ok=True)
    folders = sorted(path.parent for path in workspace.rglob("run.json"))
    for folder in folders:
        (folder / "artifacts").mkdir(exist_ok=True)
        (folder / "artifacts/model.pkl").write_bytes(folder.name.encode())
    for folder in folders:
        expected = [(folder.name, "model_sha256", "artifacts/model.pkl")]
        assert traced(runforge, folder / "artifacts/model.pkl") == expected
        assert traced(runforge, digest_of(folder / "artifacts/model.pkl")[:10]) == expected
        record = json.loads((folder / "run.json").read_bytes())
        [run] = [
            run
            for run in runforge("trace", "65969b9a", "--json").json["runs"]
            if run["run_id"] == folder.name
        ]
        assert run["runforge_version"] == record["runforge_version"]
        assert run["dataset"] == record["dataset"]


def test_no_link_is_followed_to_a_model(runforge: Call, workspace: Path) -> None:
    shutil.copytree(VECTORS / "v0.3.6", workspace, dirs_exist_ok=True)
    one, two = sorted(path.parent for path in workspace.rglob("run.json"))
    (workspace / "elsewhere").mkdir()
    (workspace / "elsewhere/model.pkl").write_bytes(b"not of a run")
    shutil.rmtree(one / "artifacts")
    (one / "artifacts").symlink_to(workspace / "elsewhere", target_is_directory=True)
    (two / "artifacts/model.pkl").symlink_to(workspace / "elsewhere/model.pkl")
    for what in ("elsewhere/model.pkl", digest_of(workspace / "elsewhere/model.pkl")):
        assert refused(runforge, what) == (3, "RUN_NOT_FOUND")
    (two / "artifacts/model.pkl").unlink()
    os.mkfifo(two / "artifacts/model.pkl")
    assert refused(runforge, "0" * 64) == (3, "RUN_NOT_FOUND")


def test_what_comes_from_no_run_is_not_found(runforge: Call, filled: Path) -> None:
    (filled / "other.csv").write_bytes((filled / "penguins.csv").read_bytes() + b"\n")
    assert refused(runforge, "other.csv") == (3, "RUN_NOT_FOUND")
    assert refused(runforge, "0" * 64) == (3, "RUN_NOT_FOUND")
    result = runforge("trace", "other.csv")
    assert (result.out, "No run" in result.err) == ("", True)
    shutil.rmtree(filled / ".runforge")
    assert refused(runforge, "penguins.csv") == (3, "RUN_NOT_FOUND")


def test_what_is_neither_file_nor_digest_is_refused(runforge: Call, filled: Path) -> None:
    (filled / "link.csv").symlink_to(filled / "penguins.csv")
    os.mkfifo(filled / "pipe")
    for what, expected in (
        ("absent.pkl", (3, "FILE_NOT_FOUND")),
        ("absent/model.pkl", (3, "FILE_NOT_FOUND")),
        ("f" * 65, (3, "FILE_NOT_FOUND")),
        ("x" * 5000, (3, "FILE_NOT_FOUND")),
        ("", (3, "FILE_NOT_FOUND")),
        ("f" * 7, (2, "USAGE_INVALID")),
        ("link.csv", (2, "FILE_UNSAFE")),
        ("pipe", (2, "FILE_UNSAFE")),
        ("/dev/zero", (2, "FILE_UNSAFE")),
        (".runforge", (2, "FILE_UNSAFE")),
    ):
        assert refused(runforge, what) == expected, what
    assert runforge("trace").code == 2


def test_a_file_named_like_a_digest_is_a_file(runforge: Call, filled: Path) -> None:
    shutil.copyfile(filled / "penguins.csv", filled / "deadbeef")
    assert len(traced(runforge, "deadbeef")) == 4


def test_the_start_of_several_digests_is_ambiguous(runforge: Call, filled: Path) -> None:
    entries = entries_of(filled)
    entries[0]["model_sha256"] = "abcdef01" + "0" * 56
    entries[3]["model_sha256"] = "abcdef01" + "1" * 56
    write_entries(filled, entries)
    result = runforge("trace", "abcdef01", "--json")
    assert (result.code, result.json["error"]["code"]) == (2, "RUN_AMBIGUOUS")
    for entry in (entries[0], entries[3]):
        assert entry["model_sha256"] in result.json["error"]["message"]
    assert len(traced(runforge, "abcdef011")) == 1


def test_names_from_elsewhere_do_not_reach_the_terminal(runforge: Call, filled: Path) -> None:
    entries = entries_of(filled)
    for entry in (entries[0], entries[3]):
        request = {**read(filled, entry, "request.json"), "name": "\x1b]0;owned\x07\n" * 9}
        record = read(filled, entry, "run.json")
        record["dataset"]["path"] = "\u202egnp.\u200bcsv" + "x" * 300
        (filled / entry["run_dir"] / "request.json").write_text(json.dumps(request))
        (filled / entry["run_dir"] / "run.json").write_text(json.dumps(record))
    model = filled / entries[0]["run_dir"] / "artifacts/model.pkl"
    for what in ("penguins.csv", str(model)):
        text = runforge("trace", what).out
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e\u200b]", text)
        assert max(len(line) for line in text.splitlines()) <= 80


def test_a_store_that_is_hostile_does_not_stop_a_trace(runforge: Call, filled: Path) -> None:
    entries = entries_of(filled)
    folder = filled / entries[0]["run_dir"]
    model = digest_of(folder / "artifacts/model.pkl")
    os.truncate(folder / "request.json", 2**30)
    (folder / "result.json").unlink()
    os.mkfifo(folder / "result.json")
    (folder / "run.json").write_bytes(b"[" * 100_000)
    (filled / ".runforge/runs/a\nb").mkdir()
    (filled / ".runforge/runs/link").symlink_to("/", target_is_directory=True)
    assert traced(runforge, model) == [
        (entries[0]["run_id"], "model_sha256", "artifacts/model.pkl")
    ]
    assert len(runforge("trace", "penguins.csv", "--json").json["runs"]) == 4
    assert refused(runforge, "0" * 64) == (3, "RUN_NOT_FOUND")


def test_nothing_is_loaded_to_trace_a_model(filled: Path) -> None:
    model = filled / entries_of(filled)[0]["run_dir"] / "artifacts/model.pkl"
    program = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'numpy', 'sklearn', 'joblib', 'pandas', 'pickle'}:\n"
        "            raise SystemExit(f'{name} was imported')\n"
        "sys.modules.pop('pickle', None)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from runforge_cli.shell.app import cli\n"
        "cli.main(['trace', sys.argv[1]], standalone_mode=False)\n"
        "cli.main(['trace', 'penguins.csv'], standalone_mode=False)\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(model)], check=True, stdout=subprocess.DEVNULL
    )


def test_a_large_file_is_hashed_in_little_memory(filled: Path) -> None:
    with (filled / "large.bin").open("wb") as file:
        file.truncate(2**29)
    program = (
        "import resource\n"
        "from runforge_cli.__main__ import guard\n"
        "from runforge_cli.shell.app import cli\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))\n"
        "call = lambda: cli.main(['trace', 'large.bin'], standalone_mode=False) or 0\n"
        "raise SystemExit(guard(call, json=False))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "RUN_NOT_FOUND" in done.stderr) == (3, True)
