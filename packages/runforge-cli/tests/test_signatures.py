"""Keys, signatures and what they notice, through the commands, and by other people's tools."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import TRAIN, Call, Result
from runforge_contracts.validation import validate

PASSPHRASE = "RUNFORGE_KEY_PASSPHRASE"


@pytest.fixture
def signer(runforge: Call, workspace: Path) -> Path:
    """Return a workspace with two runs and a key, which is the current folder."""
    assert runforge(*TRAIN).code == 0
    assert runforge(*TRAIN, "--seed", "1", "--model", "random_forest").code == 0
    assert runforge("keygen").code == 0
    return workspace


def index_of(workspace: Path) -> dict[str, Any]:
    index: dict[str, Any] = json.loads((workspace / ".runforge/index.json").read_bytes())
    return index


def folder_of(workspace: Path, number: int) -> Path:
    return workspace / str(index_of(workspace)["runs"][number]["run_dir"])


def signature_of(folder: Path) -> Path:
    return folder.parents[1] / "signatures" / f"{folder.name}.sig"


def sign(runforge: Call, folder: Path, *options: str) -> Result:
    return runforge("sign", folder.name, "--key", "runforge.key", *options)


def verdict(runforge: Call, folder: Path, *options: str) -> tuple[int, str]:
    result = runforge("verify", folder.name, *options, "--json")
    validate(result.json, "verification.v1")
    [check] = [item for item in result.json["runs"][0]["checks"] if item["check"] == "signature"]
    return result.code, check["verdict"]


KEY = ("--public-key", "runforge.key.pub")


class TestKeygen:
    def test_a_key_is_for_its_owner_alone(self, runforge: Call, workspace: Path) -> None:
        made = runforge("keygen", "--out", "my.key", "--json").json
        private, public = workspace / "my.key", workspace / "my.key.pub"
        assert (made["private_key"], made["public_key"]) == (str(private), str(public))
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
        assert made["encrypted"] is False
        assert len(made["fingerprint"]) == 64

    @pytest.mark.parametrize("there", ["runforge.key", "runforge.key.pub"])
    def test_nothing_is_overwritten(self, there: str, runforge: Call, workspace: Path) -> None:
        (workspace / there).write_text("mine")
        result = runforge("keygen")
        assert (result.code, "never overwritten" in result.err) == (2, True)
        assert [path.name for path in workspace.glob("runforge.key*")] == [there]
        assert (workspace / there).read_text() == "mine"

    def test_a_passphrase_encrypts_it(
        self, runforge: Call, signer: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(PASSPHRASE, "correct horse")
        assert runforge("keygen", "--out", "k", "--json").json["encrypted"] is True
        assert b"ENCRYPTED" in (signer / "k").read_bytes()
        assert runforge("sign", "latest", "--key", "k").code == 0
        for wrong in ("incorrect horse", ""):
            monkeypatch.setenv(PASSPHRASE, wrong)
            result = runforge("sign", "latest", "--key", "k", "--replace", "--json")
            assert (result.code, result.json["error"]["code"]) == (2, "KEY_INVALID")
        monkeypatch.delenv(PASSPHRASE)
        result = runforge("sign", "latest", "--key", "k", "--replace", "--json")
        assert (result.code, result.json["error"]["code"]) == (2, "KEY_INVALID")

    def test_an_empty_passphrase_makes_no_open_key(
        self, runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(PASSPHRASE, "")
        result = runforge("keygen")
        assert (result.code, "KEY_INVALID" in result.err, PASSPHRASE in result.err) == (
            2,
            True,
            True,
        )
        assert not (workspace / "runforge.key").exists()

    def test_a_folder_that_is_not_there_is_an_error(self, runforge: Call) -> None:
        result = runforge("keygen", "--out", "no/such/key", "--json")
        assert (result.code, result.json["error"]["code"]) == (1, "STORE_NOT_WRITABLE")


class TestSigning:
    def test_a_signed_run_verifies_by_its_key(self, runforge: Call, signer: Path) -> None:
        folder = folder_of(signer, 0)
        assert verdict(runforge, folder) == (0, "none")
        assert verdict(runforge, folder, *KEY) == (1, "none")
        signed = sign(runforge, folder, "--json").json
        assert signed["signature"] == f".runforge/signatures/{folder.name}.sig"
        assert signed["index_head"]["count"] == 2
        assert verdict(runforge, folder) == (0, "not checked")
        assert verdict(runforge, folder, *KEY) == (0, "valid")
        shown = runforge("verify", folder.name, *KEY).out
        assert f"made with the key {signed['key'][:16]}…" in shown

    def test_the_dataset_need_not_be_there(self, runforge: Call, signer: Path) -> None:
        (signer / "penguins.csv").unlink()
        assert sign(runforge, folder_of(signer, 0)).code == 0

    def test_it_is_signed_though_nobody_reads_the_notes(self, runforge: Call, signer: Path) -> None:
        folder = folder_of(signer, 1)
        reader, writer = os.pipe()
        os.close(reader)
        # `latest` is explained by a note on standard error.
        program = [sys.executable, "-m", "runforge_cli", "sign", "latest", "--key", "runforge.key"]
        done = subprocess.run(
            program, cwd=signer, stdout=subprocess.PIPE, stderr=writer, check=False
        )
        os.close(writer)
        assert (done.returncode, b"signature" in done.stdout) == (0, True)
        assert verdict(runforge, folder, *KEY) == (0, "valid")

    def test_what_does_not_verify_is_not_signed(self, runforge: Call, signer: Path) -> None:
        folder = folder_of(signer, 0)
        (folder / "metrics.json").write_text("{}")
        result = sign(runforge, folder, "--json")
        error = result.json["error"]
        assert (result.code, error["code"]) == (1, "VERIFICATION_FAILED")
        assert "metrics.json" in {problem.get("path") for problem in error["problems"]}
        assert not signature_of(folder).exists()
        text = sign(runforge, folder)
        assert (text.out, "`runforge verify" in text.err) == ("", True)

    def test_an_empty_passphrase_is_none(
        self, runforge: Call, signer: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(PASSPHRASE, "")
        assert sign(runforge, folder_of(signer, 0)).code == 0
        monkeypatch.setenv(PASSPHRASE, "secret")
        assert runforge("keygen", "--out", "other.key").code == 0
        monkeypatch.setenv(PASSPHRASE, "")
        result = runforge("sign", folder_of(signer, 1).name, "--key", "other.key")
        assert (result.code, f"{PASSPHRASE} is empty" in result.err) == (2, True)

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
    def test_a_key_that_others_can_read_is_reported(
        self, runforge: Call, signer: Path, mode: int
    ) -> None:
        (signer / "runforge.key").chmod(mode)
        result = sign(runforge, folder_of(signer, 0))
        assert (result.code, "chmod 600 runforge.key" in result.err) == (0, True)
        result = sign(runforge, folder_of(signer, 1), "--json")
        [reported] = result.json["diagnostics"]
        assert (reported["code"], reported["severity"]) == ("KEY_EXPOSED", "warning")

    def test_a_signature_is_replaced_only_if_asked(self, runforge: Call, signer: Path) -> None:
        folder = folder_of(signer, 0)
        assert sign(runforge, folder).code == 0
        before = signature_of(folder).read_bytes()
        result = sign(runforge, folder)
        assert (result.code, "`runforge sign --replace`" in result.err) == (2, True)
        assert signature_of(folder).read_bytes() == before
        signature_of(folder).write_text("broken")
        assert sign(runforge, folder, "--replace").code == 0
        assert verdict(runforge, folder, *KEY) == (0, "valid")

    @pytest.mark.parametrize(
        ("arguments", "code", "named"),
        [
            (("latest",), 2, "USAGE_INVALID"),
            (("latest", "--key", "no.key"), 3, "FILE_NOT_FOUND"),
            (("latest", "--key", "penguins.csv"), 2, "KEY_INVALID"),
            (("latest", "--key", "runforge.key.pub"), 2, "KEY_INVALID"),
            (("20250101", "--key", "runforge.key"), 3, "RUN_NOT_FOUND"),
        ],
    )
    def test_wrong_calls_are_refused(
        self, arguments: tuple[str, ...], code: int, named: str, runforge: Call, signer: Path
    ) -> None:
        result = runforge("sign", *arguments, "--json")
        assert (result.code, result.json["error"]["code"]) == (code, named)
        assert not (signer / ".runforge/signatures").exists()


class TestNoticing:
    def test_a_change_after_signing_is_named(self, runforge: Call, signer: Path) -> None:
        folder = folder_of(signer, 0)
        sign(runforge, folder)
        with (folder / "logs/train.log").open("a") as file:
            file.write("more\n")
        result = runforge("verify", folder.name, *KEY, "--json")
        found = {(item["check"], item["file"]) for item in result.json["runs"][0]["findings"]}
        assert result.code == 1
        assert {("files", "logs/train.log"), ("signature", "logs/train.log")} <= found

    def test_a_cut_tail_is_noticed(self, runforge: Call, signer: Path) -> None:
        sign(runforge, folder_of(signer, 0))
        assert runforge("verify", "--all").code == 0
        shutil.rmtree(folder_of(signer, 1))
        index = index_of(signer)
        index["runs"].pop()
        (signer / ".runforge/index.json").write_text(json.dumps(index, indent=2) + "\n")
        result = runforge("verify", "--all")
        assert (
            result.code,
            "entries are missing, or this is another store. [index.tail]"
            in " ".join(result.out.split()),
        ) == (
            1,
            True,
        )

    def test_a_store_without_a_run_has_nothing_that_a_key_vouches_for(
        self, runforge: Call, signer: Path
    ) -> None:
        shutil.rmtree(signer / ".runforge")
        (signer / ".runforge/runs").mkdir(parents=True)
        assert runforge("verify", "--all", *KEY).code == 1

    def test_signatures_behind_a_link_are_not_believed(
        self, runforge: Call, signer: Path, tmp_path: Path
    ) -> None:
        folder = folder_of(signer, 0)
        assert sign(runforge, folder).code == 0
        signatures = signature_of(folder).parent
        signatures.rename(signer / "away")
        signatures.symlink_to(signer / "away")
        assert verdict(runforge, folder, *KEY)[0] == 1
        assert runforge("verify", "--all", *KEY).code == 1
        assert sign(runforge, folder_of(signer, 1)).code != 0

    def test_every_run_must_be_signed_if_asked(self, runforge: Call, signer: Path) -> None:
        sign(runforge, folder_of(signer, 0))
        assert runforge("verify", "--all", *KEY).code == 1
        sign(runforge, folder_of(signer, 1))
        assert runforge("verify", "--all", *KEY).code == 0

    def test_another_key_does_not_do(self, runforge: Call, signer: Path) -> None:
        sign(runforge, folder_of(signer, 0))
        assert runforge("keygen", "--out", "other").code == 0
        folder = folder_of(signer, 0)
        assert verdict(runforge, folder, "--public-key", "other.pub") == (1, "invalid")


@pytest.mark.needs(package="model_signing")
class TestOtherTools:
    """Against the real ``model_signing`` command of the OpenSSF."""

    def model_signing(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
        environment = {**os.environ, "NO_COLOR": "1"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    def accepts(self, folder: Path) -> bool:
        done = self.model_signing(
            *("verify", "key", folder, "--signature", signature_of(folder)),
            *("--public_key", "runforge.key.pub"),
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode == 0

    def test_what_the_command_signs_is_accepted_elsewhere(
        self, runforge: Call, signer: Path
    ) -> None:
        for number in (0, 1):
            folder = folder_of(signer, number)
            sign(runforge, folder)
            assert self.accepts(folder)
            (folder / "metrics.json").write_bytes(b"{}")
            assert not self.accepts(folder)

    def test_what_is_signed_elsewhere_is_accepted_by_the_command(
        self, runforge: Call, signer: Path
    ) -> None:
        folder = folder_of(signer, 0)
        signature_of(folder).parent.mkdir()
        done = self.model_signing(
            *("sign", "key", folder, "--signature", signature_of(folder)),
            *("--private_key", "runforge.key"),
        )
        assert done.returncode == 0, done.stderr
        assert verdict(runforge, folder, *KEY) == (0, "valid")
        assert runforge("verify", "--all").code == 0
        (folder / "logs/train.log").write_bytes(b"")
        assert verdict(runforge, folder, *KEY) == (1, "invalid")


class TestOtherStores:
    """A run that was signed in one store and copied into another one."""

    @pytest.fixture
    def signed(self, runforge: Call, signer: Path) -> Path:
        """Return the folder of the second run, which is signed."""
        folder = folder_of(signer, 1)
        assert sign(runforge, folder).code == 0
        return folder

    @pytest.fixture
    def other(
        self,
        runforge: Call,
        signed: Path,
        tmp_path_factory: pytest.TempPathFactory,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Path:
        """Return another workspace with a run of its own, which becomes the current folder."""
        there = tmp_path_factory.mktemp("there")
        for name in ("penguins.csv", "runforge.key", "runforge.key.pub"):
            shutil.copy(signed.parents[2] / name, there)
        monkeypatch.chdir(there)
        assert runforge(*TRAIN, "--seed", "9").code == 0
        return there

    def copied(self, signed: Path, other: Path) -> Path:
        """Copy the run and its signature into the other store, by hand."""
        copy = other / ".runforge/runs" / signed.name
        shutil.copytree(signed, copy)
        signature_of(copy).parent.mkdir(exist_ok=True)
        shutil.copy(signature_of(signed), signature_of(copy))
        return copy

    def check(self, runforge: Call, name: str, *options: str) -> tuple[int, dict[str, Any]]:
        result = runforge("verify", name, *options, "--json")
        [check] = [item for item in result.json["runs"][0]["checks"] if item["check"] == "index"]
        return result.code, check

    def rules(self, runforge: Call, *arguments: str) -> set[str]:
        document = runforge("verify", *arguments, "--json").json
        validate(document, "verification.v1")
        found = [*document["runs"], *document.get("stores", [])]
        return {finding["rule"] for item in found for finding in item["findings"]}

    def test_a_signature_names_the_origin_of_its_index(
        self, runforge: Call, signer: Path, signed: Path
    ) -> None:
        from runforge_engine.store.index_chain import Chain

        report = sign(runforge, signed, "--replace", "--json").json
        first = Chain(index_of(signer)["runs"][:1]).head
        assert report["origin"] == first.sha256
        assert report["index_head"]["count"] == 2

    def test_a_copied_run_verifies_once_its_entry_names_the_origin(
        self, runforge: Call, signed: Path, other: Path
    ) -> None:
        copy = self.copied(signed, other)
        code, check = self.check(runforge, copy.name, *KEY)
        assert (code, check["verdict"]) == (1, "not listed")
        assert "`runforge index rebuild`" in check["hint"]
        assert runforge("index", "rebuild").code == 0
        entry = index_of(other)["runs"][1]
        assert (entry["run_id"], len(entry["origin"])) == (copy.name, 64)
        code, check = self.check(runforge, copy.name, *KEY)
        assert (code, check["verdict"]) == (0, "valid")
        assert f"signed in another store ({entry['origin'][:16]}…)" in check["message"]
        shown = runforge("verify", "--all").out
        assert "1 signature, no signed run or entry is missing; 1 of another store" in " ".join(
            shown.split()
        )
        # Everything else of the run is checked.
        (copy / "metrics.json").write_text("{}")
        assert runforge("verify", copy.name).code == 1

    def test_an_entry_without_origin_is_held_to_the_index(
        self, runforge: Call, signed: Path, other: Path
    ) -> None:
        copy = self.copied(signed, other)
        assert runforge("index", "rebuild").code == 0
        index = index_of(other)
        del index["runs"][1]["origin"]
        (other / ".runforge/index.json").write_text(json.dumps(index, indent=2) + "\n")
        assert self.rules(runforge, copy.name) == {"index.append-only", "index.origin"}
        assert self.rules(runforge, "--all") >= {"index.append-only", "index.origin"}
        assert "`runforge unbundle`" in self.check(runforge, copy.name)[1]["hint"]

    @pytest.mark.parametrize("origin", ["own", "third"])
    def test_an_entry_with_a_false_origin_is_contradicted(
        self, origin: str, runforge: Call, signed: Path, other: Path
    ) -> None:
        from runforge_engine.store.index_chain import Chain

        copy = self.copied(signed, other)
        assert runforge("index", "rebuild").code == 0
        index = index_of(other)
        own = Chain(index["runs"][:1]).head.sha256
        index["runs"][1]["origin"] = own if origin == "own" else "ab" * 32
        (other / ".runforge/index.json").write_text(json.dumps(index, indent=2) + "\n")
        assert "index.origin" in self.rules(runforge, copy.name)
        assert runforge("verify", "--all").code == 1

    def test_an_origin_does_not_silence_a_signature_of_this_store(
        self, runforge: Call, signer: Path, signed: Path
    ) -> None:
        index = index_of(signer)
        index["runs"][1]["origin"] = "ab" * 32
        (signer / ".runforge/index.json").write_text(json.dumps(index, indent=2) + "\n")
        assert self.rules(runforge, signed.name) == {"index.append-only"}

    @pytest.mark.parametrize("first", ["kept", "deleted"])
    def test_a_lost_index_stays_contradicted(
        self, first: str, runforge: Call, signer: Path, signed: Path
    ) -> None:
        if first == "deleted":
            shutil.rmtree(folder_of(signer, 0))
        index = signer / ".runforge/index.json"
        entries = index_of(signer)["runs"]
        index.unlink()
        assert runforge("index", "rebuild").code == 0
        assert not any("origin" in entry for entry in index_of(signer)["runs"])
        if first == "kept":
            # The same entries in the same order: nothing is lost.
            assert index_of(signer)["runs"] == entries
            assert runforge("verify", "--all").code == 0
        else:
            assert self.rules(runforge, signed.name) == {"index.tail", "index.origin"}
            assert runforge("verify", "--all").code == 1

    def test_a_first_entry_that_was_cut_out_stays_contradicted(
        self, runforge: Call, signer: Path, signed: Path
    ) -> None:
        shutil.rmtree(folder_of(signer, 0))
        index = index_of(signer)
        del index["runs"][0]
        (signer / ".runforge/index.json").write_text(json.dumps(index, indent=2) + "\n")
        assert runforge("index", "rebuild").code == 0
        assert runforge("verify", "--all").code == 1

    def test_a_run_is_signed_again_in_its_new_store(
        self, runforge: Call, signed: Path, other: Path
    ) -> None:
        copy = self.copied(signed, other)
        assert runforge("index", "rebuild").code == 0
        assert sign(runforge, copy, "--replace").code == 0
        code, check = self.check(runforge, copy.name, *KEY)
        assert (code, check["outcome"]) == (0, "passed")
        assert "signed in another store" not in check["message"]
        # Its signature is held to the index of the store in which it was made.
        index = index_of(other)
        index["runs"][0]["name"] = "renamed"
        (other / ".runforge/index.json").write_text(json.dumps(index, indent=2) + "\n")
        assert "index.append-only" in self.rules(runforge, copy.name)

    def test_an_evaluation_goes_with_its_run(
        self, runforge: Call, signed: Path, other: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(signed.parents[2])
        made = runforge("evaluate", signed.name, "penguins.csv", "--json")
        assert made.code == 0, made.err
        name = made.json["evaluation_id"]
        assert runforge("sign", name, "--key", "runforge.key").code == 0
        evaluation = signed.parents[1] / "evaluations" / name
        monkeypatch.chdir(other)
        copy = self.copied(signed, other)
        shutil.copytree(evaluation, other / ".runforge/evaluations" / name)
        shutil.copy(signature_of(evaluation), signature_of(copy).parent)
        assert runforge("verify", name).code == 1
        assert runforge("index", "rebuild").code == 0
        result = runforge("verify", name, *KEY)
        assert (result.code, "signed in another store" in result.out) == (0, True), result.out
        assert runforge("verify", "--all", "--without-dataset").code == 0


def test_the_runs_of_several_signers_are_verified_together(runforge: Call, signer: Path) -> None:
    first, second = folder_of(signer, 0), folder_of(signer, 1)
    assert runforge("keygen", "--out", "grace.key").code == 0
    assert sign(runforge, first).code == 0
    assert runforge("sign", second.name, "--key", "grace.key").code == 0
    alone = runforge("verify", "--all", *KEY)
    assert alone.code == 1
    assert "signature  invalid: it was made with another key" in alone.out
    assert "to trust another signer too" in " ".join(alone.out.split())
    both = runforge("verify", "--all", *KEY, "--public-key", "grace.key.pub")
    assert both.code == 0, both.out
    named = runforge("verify", second.name, first.name, *KEY, "--public-key", "grace.key.pub")
    assert named.code == 0
    # A changed signature is no better with two keys.
    content = bytearray(signature_of(second).read_bytes())
    place = content.index(b'"sig"') + 12
    content[place] = ord("A") if content[place] != ord("A") else ord("B")
    signature_of(second).write_bytes(content)
    assert runforge("verify", "--all", *KEY, "--public-key", "grace.key.pub").code == 1
