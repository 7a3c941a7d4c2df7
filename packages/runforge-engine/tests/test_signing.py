"""Signatures of real run folders: what holds, what is refused, and by what name."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from real_data import write_dataset
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import read_index
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.request import new_request
from runforge_engine.provenance.keys import KeyPair, generate_key
from runforge_engine.provenance.signatures import (
    VerifiedSignature,
    read_signature,
    sign_folder,
    signature_path,
    signatures_of,
    verify_signature,
)
from runforge_engine.store.index_chain import Chain, IndexHead

HEAD = IndexHead(3, "ab" * 32)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of one run, which tests copy."""
    workspace = tmp_path_factory.mktemp("workspace")
    path, label, _ = write_dataset("iris", workspace)
    store = StoreLayout(workspace)
    request = new_request(dataset=path, label_column=label, store=store, created_by="tests@1")
    return execute(request, store).run_dir


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "runs" / original.name))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return generate_key(tmp_path_factory.mktemp("keys") / "key.pem")


def refusal(action: Callable[[], object]) -> RunForgeError:
    with pytest.raises(RunForgeError) as caught:
        action()
    return caught.value


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


class TestFolders:
    def test_what_was_signed_holds(self, folder: Path, keys: KeyPair) -> None:
        path = sign_folder(folder, keys.private_key, index_head=HEAD)
        verified = verify_signature(folder, keys.public_key)
        assert path == folder.parents[1] / "signatures" / f"{folder.name}.sig" == verified.path
        assert verified.key == keys.fingerprint
        assert verified.content.index_head == HEAD
        assert verified.content.name == folder.name
        assert verified.content.files == {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files(folder)
        }

    def test_signing_changes_nothing_in_the_folder(self, folder: Path, keys: KeyPair) -> None:
        def state() -> Any:
            paths = [folder, *folder.rglob("*")]
            return {
                path: (path.stat().st_mtime_ns, path.is_file() and path.read_bytes())
                for path in paths
            }

        before = state()
        sign_folder(folder, keys.private_key)
        assert state() == before

    def test_a_signature_goes_with_a_folder_that_moves(
        self, folder: Path, keys: KeyPair, tmp_path: Path
    ) -> None:
        signature = sign_folder(folder, keys.private_key)
        moved = folder.rename(tmp_path / "another-name")
        assert verify_signature(moved, keys.public_key, signature=signature)
        assert sign_folder(moved, keys.private_key) == tmp_path / "another-name.sig"
        assert verify_signature(moved, keys.public_key)

    def test_the_folder_can_be_named_in_any_way(
        self, folder: Path, keys: KeyPair, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder)
        assert sign_folder(Path(), keys.private_key) == signature_path(folder)
        monkeypatch.chdir(folder.parent)
        assert verify_signature(Path(folder.name), keys.public_key)
        assert verify_signature(Path(folder.name, "logs", ".."), keys.public_key)

    def test_every_flipped_bit_is_found_by_its_file(self, folder: Path, keys: KeyPair) -> None:
        sign_folder(folder, keys.private_key)
        dice = random.Random(5)
        for path in files(folder):
            data = path.read_bytes()
            places = {0, len(data) - 1, *(dice.randrange(len(data)) for _ in range(10))}
            for place in places:
                changed = bytearray(data)
                changed[place] ^= 1 << dice.randrange(8)
                path.write_bytes(changed)
                error = refusal(lambda: verify_signature(folder, keys.public_key))
                assert error.code is ErrorCode.SIGNATURE_INVALID
                name = path.relative_to(folder).as_posix()
                assert [problem.location.path for problem in error.problems] == [name]
            path.write_bytes(data)
        assert verify_signature(folder, keys.public_key)

    @pytest.mark.parametrize(
        ("change", "problems"),
        [
            (lambda f: (f / "run.json").unlink(), ["`run.json` is missing."]),
            (lambda f: (f / "new").write_bytes(b""), ["`new` was not there when signed."]),
            (lambda f: (f / ".gitignore").touch(), ["`.gitignore` was not there when signed."]),
            (
                lambda f: (f / "logs/a\n\x1b[31mb").touch(),
                ["`logs/a\\n\\x1b[31mb` was not there when signed."],
            ),
            (
                lambda f: (f / "metrics.json").rename(f / "logs/metrics.json"),
                ["`logs/metrics.json` was not there when signed.", "`metrics.json` is missing."],
            ),
            (
                lambda f: (
                    (f / "metrics.json").rename(f / "other"),
                    (f / "metrics.v1.json").rename(f / "metrics.json"),
                    (f / "other").rename(f / "metrics.v1.json"),
                ),
                ["`metrics.json` has changed.", "`metrics.v1.json` has changed."],
            ),
            (
                lambda f: (
                    (f / "run.json").rename(f.parent / "run.json"),
                    (f / "run.json").symlink_to(f.parent / "run.json"),
                ),
                ["`run.json` is a symbolic link."],
            ),
            (
                lambda f: (
                    (f / "logs").rename(f.parent / "logs"),
                    (f / "logs").symlink_to(f.parent / "logs"),
                ),
                [
                    "`logs` is a symbolic link.",
                    "`logs/events.jsonl` is missing.",
                    "`logs/train.log` is missing.",
                ],
            ),
            (
                lambda f: ((f / "run.json").unlink(), os.mkfifo(f / "run.json")),
                ["`run.json` is neither a file nor a folder."],
            ),
            (
                lambda f: os.close(os.open(os.fsencode(f) + b"/\xff", os.O_CREAT)),
                ["`\\udcff` is a file whose name is not UTF-8."],
            ),
        ],
    )
    def test_every_other_change_is_found_by_its_file(
        self, folder: Path, keys: KeyPair, change: Any, problems: list[str]
    ) -> None:
        sign_folder(folder, keys.private_key)
        change(folder)
        error = refusal(lambda: verify_signature(folder, keys.public_key))
        assert error.code is ErrorCode.SIGNATURE_INVALID
        assert [problem.message for problem in error.problems] == problems
        json.dumps(error.to_dict(), ensure_ascii=False).encode("utf-8")

    def test_the_signature_of_another_run_is_refused(
        self, folder: Path, keys: KeyPair, train: Any
    ) -> None:
        other = train(seed=1).run_dir
        signature = sign_folder(other, keys.private_key)
        error = refusal(lambda: verify_signature(folder, keys.public_key, signature=signature))
        assert "artifacts/model.pkl" in {problem.location.path for problem in error.problems}

    def test_a_folder_with_links_is_not_signed(self, folder: Path, keys: KeyPair) -> None:
        (folder / "artifacts/latest").symlink_to("model.pkl")
        error = refusal(lambda: sign_folder(folder, keys.private_key))
        assert error.code is ErrorCode.FILE_UNSAFE
        assert [problem.location.path for problem in error.problems] == ["artifacts/latest"]
        linked = folder.parent / "linked"
        linked.symlink_to(folder)
        assert refusal(lambda: sign_folder(linked, keys.private_key)).code is ErrorCode.FILE_UNSAFE

    def test_there_must_be_something_to_sign(self, tmp_path: Path, keys: KeyPair) -> None:
        (tmp_path / "empty/inner").mkdir(parents=True)
        error = refusal(lambda: sign_folder(tmp_path / "empty", keys.private_key))
        assert error.code is ErrorCode.USAGE_INVALID
        error = refusal(lambda: sign_folder(tmp_path / "none", keys.private_key))
        assert error.code is ErrorCode.FILE_NOT_FOUND

    def test_a_signature_is_replaced_only_if_asked(self, folder: Path, keys: KeyPair) -> None:
        path = sign_folder(folder, keys.private_key)
        before = path.read_bytes()
        error = refusal(lambda: sign_folder(folder, keys.private_key))
        assert (error.code, path.read_bytes()) == (ErrorCode.USAGE_INVALID, before)
        sign_folder(folder, keys.private_key, index_head=HEAD, replace=True)
        assert verify_signature(folder, keys.public_key).content.index_head == HEAD

    def test_a_signature_never_goes_into_the_folder(self, folder: Path, keys: KeyPair) -> None:
        inside = folder / "model.sig"
        error = refusal(lambda: sign_folder(folder, keys.private_key, signature=inside))
        assert (error.code, inside.exists()) == (ErrorCode.USAGE_INVALID, False)

    def test_a_signature_that_is_not_there_is_said_so(self, folder: Path, keys: KeyPair) -> None:
        error = refusal(lambda: verify_signature(folder, keys.public_key))
        assert (error.code, error.exit_code) == (ErrorCode.SIGNATURE_NOT_FOUND, 3)

    def test_a_signed_head_shows_that_the_tail_of_the_index_was_cut(
        self, train: Any, keys: KeyPair
    ) -> None:
        runs = [train(seed=seed).run_dir for seed in (1, 2)]
        store = StoreLayout(runs[0].parents[2])
        sign_folder(runs[1], keys.private_key, index_head=Chain(read_index(store)).head)
        train(seed=3)
        head = verify_signature(runs[1], keys.public_key).content.index_head
        assert head is not None
        index = json.loads(store.index.read_text("utf-8"))
        assert Chain(index["runs"]).check(head) == "holds"
        # Also where the run that was signed went along.
        store.index.write_text(json.dumps({**index, "runs": index["runs"][:1]}), "utf-8")
        shutil.rmtree(runs[1])
        assert list(signatures_of(store)) == [runs[1].name]
        for path in signatures_of(store).values():
            head = read_signature(path, keys.public_key).index_head
            assert head is not None
            assert Chain(read_index(store)).check(head) == "tail cut"

    def test_the_store_is_not_written_through_a_link(
        self, folder: Path, keys: KeyPair, tmp_path: Path
    ) -> None:
        (tmp_path / "elsewhere").mkdir()
        signature_path(folder).parent.symlink_to(tmp_path / "elsewhere")
        error = refusal(lambda: sign_folder(folder, keys.private_key))
        assert (error.code, list((tmp_path / "elsewhere").iterdir())) == (
            ErrorCode.FILE_UNSAFE,
            [],
        )

    def test_a_store_without_signatures_has_none(self, tmp_path: Path) -> None:
        assert signatures_of(StoreLayout(tmp_path)) == {}


class TestKeys:
    def test_a_private_key_is_for_its_owner_alone(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            pair = generate_key(tmp_path / "key")
        finally:
            os.umask(before)
        assert stat.S_IMODE(pair.private_key.stat().st_mode) == 0o600
        assert pair.public_key == tmp_path / "key.pub"
        assert pair.fingerprint == hashlib.sha256(pair.public_key.read_bytes()).hexdigest()
        key = serialization.load_pem_private_key(pair.private_key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert key.curve.name == "secp256r1"

    @pytest.mark.parametrize("existing", ["key", "key.pub"])
    def test_a_key_is_never_overwritten(self, tmp_path: Path, existing: str) -> None:
        (tmp_path / existing).write_text("mine")
        error = refusal(lambda: generate_key(tmp_path / "key"))
        assert error.code is ErrorCode.USAGE_INVALID
        assert [path.name for path in tmp_path.iterdir()] == [existing]
        assert (tmp_path / existing).read_text() == "mine"

    def test_a_key_is_not_written_through_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "key").symlink_to(tmp_path / "elsewhere")
        assert refusal(lambda: generate_key(tmp_path / "key")).code is ErrorCode.USAGE_INVALID
        assert not (tmp_path / "elsewhere").exists()

    def test_a_folder_that_is_not_there_is_said_so(self, tmp_path: Path) -> None:
        error = refusal(lambda: generate_key(tmp_path / "none/key"))
        assert error.code is ErrorCode.STORE_NOT_WRITABLE

    def test_a_passphrase_opens_the_key(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pair = generate_key(tmp_path / "key", passphrase="größe")
        assert b"ENCRYPTED" in pair.private_key.read_bytes()
        sign_folder(folder, pair.private_key, passphrase=lambda: "größe")
        assert verify_signature(folder, pair.public_key)
        monkeypatch.setenv("RUNFORGE_KEY_PASSPHRASE", "größe")
        sign_folder(folder, pair.private_key, replace=True)
        for given in ("wrong", ""):
            monkeypatch.setenv("RUNFORGE_KEY_PASSPHRASE", given)
            error = refusal(lambda: sign_folder(folder, pair.private_key, replace=True))
            assert error.code is ErrorCode.KEY_INVALID
        monkeypatch.delenv("RUNFORGE_KEY_PASSPHRASE")
        error = refusal(lambda: sign_folder(folder, pair.private_key, replace=True))
        assert "RUNFORGE_KEY_PASSPHRASE" in str(error.hint)

    @pytest.mark.parametrize("passphrase", ["", "x" * 1024])
    def test_a_passphrase_that_cannot_be_used_makes_no_key(
        self, tmp_path: Path, passphrase: str
    ) -> None:
        error = refusal(lambda: generate_key(tmp_path / "key", passphrase=passphrase))
        assert (error.code, list(tmp_path.iterdir())) == (ErrorCode.KEY_INVALID, [])

    def test_nobody_is_asked_for_the_passphrase_of_an_open_key(
        self, folder: Path, keys: KeyPair
    ) -> None:
        def ask() -> str:
            raise AssertionError

        assert sign_folder(folder, keys.private_key, passphrase=ask)

    @pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()], ids=lambda c: c.name)
    def test_the_other_curves_of_the_format_work(
        self, folder: Path, tmp_path: Path, curve: Any
    ) -> None:
        private, public = write_key(tmp_path, ec.generate_private_key(curve))
        sign_folder(folder, private)
        assert verify_signature(folder, public)

    @pytest.mark.parametrize("kind", ["secp256k1", "rsa"])
    def test_keys_of_other_kinds_are_refused(
        self, folder: Path, keys: KeyPair, tmp_path: Path, kind: str
    ) -> None:
        key = (
            rsa.generate_private_key(65537, 2048)
            if kind == "rsa"
            else ec.generate_private_key(ec.SECP256K1())
        )
        private, public = write_key(tmp_path, key)
        assert refusal(lambda: sign_folder(folder, private)).code is ErrorCode.KEY_INVALID
        sign_folder(folder, keys.private_key)
        assert refusal(lambda: verify_signature(folder, public)).code is ErrorCode.KEY_INVALID

    @pytest.mark.parametrize(
        "data", [b"", b"\0" * 100, b"-----BEGIN PUBLIC KEY-----\n", b"x" * 99999]
    )
    def test_what_is_no_key_is_refused(self, folder: Path, tmp_path: Path, data: bytes) -> None:
        path = tmp_path / "key"
        path.write_bytes(data)
        assert refusal(lambda: sign_folder(folder, path)).code is ErrorCode.KEY_INVALID
        assert refusal(lambda: verify_signature(folder, path)).code is ErrorCode.KEY_INVALID

    def test_the_two_halves_of_a_key_are_distinguished(self, folder: Path, keys: KeyPair) -> None:
        error = refusal(lambda: verify_signature(folder, keys.private_key))
        assert (error.code, error.hint) == (
            ErrorCode.KEY_INVALID,
            "That is a private key: name its public one.",
        )
        assert refusal(lambda: sign_folder(folder, keys.public_key)).code is ErrorCode.KEY_INVALID

    def test_a_key_that_is_not_there_is_said_so(self, folder: Path, tmp_path: Path) -> None:
        for action in (sign_folder, verify_signature):
            error = refusal(partial(action, folder, tmp_path / "none"))
            assert error.code is ErrorCode.FILE_NOT_FOUND

    def test_a_key_may_be_a_link(self, folder: Path, keys: KeyPair, tmp_path: Path) -> None:
        (tmp_path / "linked").symlink_to(keys.private_key)
        assert sign_folder(folder, tmp_path / "linked")

    def test_another_key_is_refused_by_name(
        self, folder: Path, keys: KeyPair, tmp_path: Path
    ) -> None:
        other = generate_key(tmp_path / "other")
        path = sign_folder(folder, keys.private_key)
        error = refusal(lambda: verify_signature(folder, other.public_key))
        assert error.code is ErrorCode.SIGNATURE_INVALID
        assert keys.fingerprint in error.message
        # Whatever the file says about its key, the signature decides.
        for hint in (other.fingerprint, "", None):
            edit(path, lambda raw, hint=hint: public_key(raw).update(hint=hint))
            error = refusal(lambda: verify_signature(folder, other.public_key))
            assert error.code is ErrorCode.SIGNATURE_INVALID
        edit(path, lambda raw: public_key(raw).pop("hint"))
        assert verify_signature(folder, keys.public_key)


def write_key(folder: Path, key: Any) -> tuple[Path, Path]:
    """Write a key of any kind as other programs do."""
    private, public = folder / "their.pem", folder / "their.pub"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return private, public


def edit(path: Path, change: Callable[[Any], object]) -> None:
    raw = json.loads(path.read_text("utf-8"))
    change(raw)
    path.write_text(json.dumps(raw), "utf-8")


def public_key(raw: Any) -> dict[str, Any]:
    hint: dict[str, Any] = raw["verificationMaterial"]["publicKey"]
    return hint


def envelope(raw: Any) -> dict[str, Any]:
    inner: dict[str, Any] = raw["dsseEnvelope"]
    return inner


def statement(path: Path) -> dict[str, Any]:
    raw = json.loads(path.read_text("utf-8"))
    parsed: dict[str, Any] = json.loads(base64.b64decode(raw["dsseEnvelope"]["payload"]))
    return parsed


def resign(path: Path, key: Path, payload: bytes) -> None:
    """Sign any payload with the right key, without any of our own code."""
    private: Any = serialization.load_pem_private_key(key.read_bytes(), None)
    kind = "application/vnd.in-toto+json"
    over = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    signature = private.sign(over, ec.ECDSA(hashes.SHA256()))

    def change(raw: Any) -> None:
        envelope(raw)["payload"] = base64.b64encode(payload).decode()
        envelope(raw)["signatures"] = [{"sig": base64.b64encode(signature).decode(), "keyid": ""}]

    edit(path, change)


class TestHostileSignatures:
    @pytest.mark.parametrize(
        "change",
        [
            lambda raw: envelope(raw).update(signatures=[]),
            lambda raw: envelope(raw).pop("signatures"),
            lambda raw: envelope(raw)["signatures"].append(envelope(raw)["signatures"][0]),
            lambda raw: envelope(raw)["signatures"].insert(0, {"sig": "", "keyid": ""}),
            lambda raw: envelope(raw).update(signatures=[{"sig": ""}]),
            lambda raw: envelope(raw).update(signatures=[{"sig": "AAAA"}]),
            lambda raw: envelope(raw).update(signatures=[{"sig": 1}]),
            lambda raw: envelope(raw).update(signatures={"sig": "AAAA"}),
            lambda raw: envelope(raw).update(payloadType="application/json"),
            lambda raw: envelope(raw).update(payloadType=None),
            lambda raw: envelope(raw).update(payload="e30="),
            lambda raw: envelope(raw).update(payload="é"),
            lambda raw: envelope(raw).update(payload="e3 0="),
            lambda raw: envelope(raw).update(payload=""),
            lambda raw: envelope(raw).update(payload=[1]),
            lambda raw: raw.update(dsseEnvelope=None),
            lambda raw: raw.update(messageSignature=raw.pop("dsseEnvelope")),
            lambda raw: raw.update(
                mediaType="application/vnd.dev.sigstore.bundle+json;version=0.1"
            ),
            lambda raw: raw.update(verificationMaterial={"certificate": {"rawBytes": "AAAA"}}),
            lambda raw: raw.update(verificationMaterial={}),
            lambda raw: public_key(raw).update(hint=7),
            lambda raw: public_key(raw).update(hint="\x1b[31m" * 9),
            lambda raw: raw.clear(),
        ],
    )
    def test_a_changed_bundle_is_refused(self, folder: Path, keys: KeyPair, change: Any) -> None:
        path = sign_folder(folder, keys.private_key)
        edit(path, change)
        error = refusal(lambda: verify_signature(folder, keys.public_key))
        assert (error.code, error.exit_code) == (ErrorCode.SIGNATURE_INVALID, 1)
        assert error.location.path == str(path)
        assert "\x1b" not in error.message

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"null",
            b"[]",
            b"{",
            b"\xff\xfe{\0}\0",
            b"[" * 100_000,
            b'{"a":' * 1000 + b"1" + b"}" * 1000,
            b'{"mediaType":1,"mediaType":2}',
            b'{"a":' + b"9" * 10_000 + b"}",
            b'{"mediaType":NaN}',
            b" " * (17 * 2**20),
        ],
        ids=range(11),
    )
    def test_a_file_that_is_no_bundle_is_refused(
        self, folder: Path, keys: KeyPair, data: bytes
    ) -> None:
        signature_path(folder).parent.mkdir()
        signature_path(folder).write_bytes(data)
        error = refusal(lambda: verify_signature(folder, keys.public_key))
        assert error.code is ErrorCode.SIGNATURE_INVALID

    def test_a_signature_is_not_read_through_a_link(self, folder: Path, keys: KeyPair) -> None:
        path = sign_folder(folder, keys.private_key)
        path.symlink_to(path.rename(path.with_suffix(".away")))
        error = refusal(lambda: verify_signature(folder, keys.public_key))
        assert error.code is ErrorCode.FILE_UNSAFE

    @pytest.mark.parametrize(
        "change",
        [
            lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"),
            lambda s: s.update(predicateType="https://model_signing/Digests/v0.1"),
            lambda s: s.update(predicateType="https://slsa.dev/provenance/v1"),
            lambda s: s.update(subject=[]),
            lambda s: s.update(subject=s["subject"] * 2),
            lambda s: s["subject"][0].update(digest={"sha512": "ab" * 64}),
            lambda s: s["subject"][0]["digest"].update(sha256="ab" * 32),
            lambda s: s.update(predicate=None),
            lambda s: s["predicate"].pop("resources"),
            lambda s: s["predicate"].update(resources=[]),
            lambda s: s["predicate"].update(resources={"run.json": "ab" * 32}),
            lambda s: s["predicate"]["resources"].append(s["predicate"]["resources"][0]),
            lambda s: s["predicate"]["resources"][0].update(algorithm="md5"),
            lambda s: s["predicate"]["resources"][0].update(algorithm="blake2b"),
            lambda s: s["predicate"]["resources"][0].pop("algorithm"),
            lambda s: s["predicate"]["resources"][0].update(digest="AB" * 32),
            lambda s: s["predicate"]["resources"][0].update(digest="ab" * 31),
            lambda s: s["predicate"]["resources"][0].update(digest="ab" * 32 + "\n"),
            lambda s: s["predicate"]["resources"][0].update(digest=None),
            lambda s: s["predicate"]["serialization"].update(method="shards", shard_size=10),
            lambda s: s["predicate"]["serialization"].update(hash_type="blake3"),
            lambda s: s["predicate"]["serialization"].update(ignore_paths="artifacts"),
            lambda s: s["predicate"].pop("serialization"),
            lambda s: s["predicate"].update(runforge=None),
            lambda s: s["predicate"].update(runforge={"index_head": 3}),
            lambda s: s["predicate"].update(runforge={"index_head": {"count": 1, "sha256": ""}}),
            lambda s: s["predicate"].update(
                runforge={"index_head": {"count": -1, "sha256": "ab" * 32}}
            ),
        ],
    )
    def test_a_signed_statement_that_breaks_the_format_is_refused(
        self, folder: Path, keys: KeyPair, change: Any
    ) -> None:
        path = sign_folder(folder, keys.private_key, index_head=HEAD)
        made = statement(path)
        change(made)
        resign(path, keys.private_key, json.dumps(made).encode())
        error = refusal(lambda: verify_signature(folder, keys.public_key))
        assert error.code is ErrorCode.SIGNATURE_INVALID
        assert error.problems == ()

    @pytest.mark.parametrize(
        "name",
        ["", ".", "..", "../run.json", "/etc/passwd", "./run.json", "logs//train.log", "logs/",
         "logs/../run.json", "run.json\0", "/"],
    )  # fmt: skip
    def test_paths_that_are_not_plainly_below_are_refused(
        self, folder: Path, keys: KeyPair, name: str
    ) -> None:
        path = sign_folder(folder, keys.private_key)
        made = statement(path)
        made["predicate"]["resources"][-1]["name"] = name
        resign(path, keys.private_key, json.dumps(made).encode())
        error = refusal(lambda: verify_signature(folder, keys.public_key))
        assert error.code is ErrorCode.SIGNATURE_INVALID
        assert "no path in the folder" in error.message

    @pytest.mark.parametrize(
        "payload",
        [
            b"",
            b"7",
            b"[" * 100_000,
            b'{"_type":"a","_type":"b"}',
            b'{"_type":"\\ud800"}',
            b'{"a":1e999}',
            b"\xff",
        ],
        ids=range(7),
    )
    def test_a_signed_payload_that_is_no_statement_is_refused(
        self, folder: Path, keys: KeyPair, payload: bytes
    ) -> None:
        path = sign_folder(folder, keys.private_key)
        resign(path, keys.private_key, payload)
        error = refusal(lambda: verify_signature(folder, keys.public_key))
        assert error.code is ErrorCode.SIGNATURE_INVALID

    def test_what_the_signer_left_out_is_refused_where_it_is_there(
        self, folder: Path, keys: KeyPair
    ) -> None:
        path = sign_folder(folder, keys.private_key)
        made = statement(path)
        resources = made["predicate"]["resources"]
        kept = [item for item in resources if not item["name"].startswith("artifacts/")]
        root = hashlib.sha256(b"".join(bytes.fromhex(item["digest"]) for item in kept)).hexdigest()
        made["predicate"]["resources"] = kept
        made["predicate"]["serialization"]["ignore_paths"] = ["artifacts", ".git"]
        made["subject"][0]["digest"]["sha256"] = root
        resign(path, keys.private_key, json.dumps(made).encode())
        error = refusal(lambda: verify_signature(folder, keys.public_key))
        assert "`artifacts/model.pkl` was left out by the signer." in {
            problem.message for problem in error.problems
        }
        shutil.rmtree(folder / "artifacts")
        assert verify_signature(folder, keys.public_key)

    def test_members_that_are_not_known_are_passed_over(self, folder: Path, keys: KeyPair) -> None:
        path = sign_folder(folder, keys.private_key, index_head=HEAD)
        made = statement(path)
        made["predicate"]["card"] = {"title": "x"}
        made["predicate"]["runforge"]["later"] = True
        resign(path, keys.private_key, json.dumps(made).encode())
        edit(path, lambda raw: raw["verificationMaterial"].update(timestampVerificationData={}))
        assert verify_signature(folder, keys.public_key).content.index_head == HEAD

    def test_a_flipped_bit_never_changes_what_a_signature_says(
        self, folder: Path, keys: KeyPair
    ) -> None:
        path = sign_folder(folder, keys.private_key, index_head=HEAD)
        said = verify_signature(folder, keys.public_key)
        data, dice = path.read_bytes(), random.Random(7)
        refusals = []
        for _ in range(400):
            changed = bytearray(data)
            changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            path.write_bytes(changed)
            try:
                assert verify_signature(folder, keys.public_key) == said
            except RunForgeError as error:
                refusals.append(error.code)
        assert set(refusals) == {ErrorCode.SIGNATURE_INVALID}
        # All but those in what is not looked at: the log entries, the key id, the white space.
        assert len(refusals) > 380


@pytest.mark.needs(package="model_signing")
class TestReferenceImplementation:
    """Against the package ``model-signing``, which the OpenSSF keeps."""

    def reference(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def accepts(self, folder: Path, signature: Path, key: Path) -> bool:
        done = self.reference(
            "verify", "key", folder, "--signature", signature, "--public_key", key
        )
        assert "Traceback" not in done.stderr
        return done.returncode == 0

    def sign(self, folder: Path, signature: Path, key: Path) -> Path:
        done = self.reference("sign", "key", folder, "--signature", signature, "--private_key", key)
        assert done.returncode == 0, done.stderr
        return signature

    @pytest.mark.parametrize("head", [None, HEAD], ids=["without head", "with head"])
    def test_it_accepts_what_is_signed_here(
        self, folder: Path, keys: KeyPair, head: IndexHead | None
    ) -> None:
        path = sign_folder(folder, keys.private_key, index_head=head)
        assert self.accepts(folder, path, keys.public_key)

    def test_it_accepts_names_of_all_sorts(self, folder: Path, keys: KeyPair) -> None:
        for name in ("größe", "a b", "a.b", "a/b", "a-b", "A", 'quo"te', "back\\slash", "日本"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(name)
        path = sign_folder(folder, keys.private_key)
        assert self.accepts(folder, path, keys.public_key)
        theirs = self.sign(folder, folder.parent / "theirs.sig", keys.private_key)
        assert signed(verify_signature(folder, keys.public_key, signature=theirs)) == signed(
            verify_signature(folder, keys.public_key)
        )
        assert statement(theirs)["subject"] == statement(path)["subject"]

    def test_what_it_signs_is_accepted_here(self, folder: Path, keys: KeyPair) -> None:
        theirs = self.sign(folder, folder.parent / "theirs.sig", keys.private_key)
        verified = verify_signature(folder, keys.public_key, signature=theirs)
        assert verified.content.index_head is None
        sign_folder(folder, keys.private_key)
        assert signed(verified) == signed(verify_signature(folder, keys.public_key))

    def test_a_signature_that_it_puts_into_the_folder_is_accepted(
        self, folder: Path, keys: KeyPair
    ) -> None:
        inside = self.sign(folder, folder / "model.sig", keys.private_key)
        assert verify_signature(folder, keys.public_key, signature=inside)
        (folder / "second.sig").touch()
        error = refusal(lambda: verify_signature(folder, keys.public_key, signature=inside))
        assert [problem.location.path for problem in error.problems] == ["second.sig"]

    @pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()],
                             ids=lambda curve: curve.name)  # fmt: skip
    def test_keys_of_others_work_both_ways(self, folder: Path, tmp_path: Path, curve: Any) -> None:
        private, public = write_key(tmp_path, ec.generate_private_key(curve))
        theirs = self.sign(folder, tmp_path / "theirs.sig", private)
        assert verify_signature(folder, public, signature=theirs)
        assert self.accepts(folder, sign_folder(folder, private), public)

    @pytest.mark.parametrize(
        "change",
        [
            lambda f: (f / "run.json").write_bytes((f / "run.json").read_bytes() + b"\n"),
            lambda f: (f / "extra").touch(),
            lambda f: (f / "metrics.json").unlink(),
            lambda f: (f / "metrics.json").rename(f / "metrics2.json"),
        ],
        ids=["changed", "extra", "missing", "renamed"],
    )
    def test_both_refuse_the_same_changes(
        self, folder: Path, keys: KeyPair, tmp_path: Path, change: Any
    ) -> None:
        ours = sign_folder(folder, keys.private_key)
        theirs = self.sign(folder, tmp_path / "theirs.sig", keys.private_key)
        change(folder)
        for signature in (ours, theirs):
            assert not self.accepts(folder, signature, keys.public_key)
            verify = partial(verify_signature, folder, keys.public_key, signature=signature)
            error = refusal(verify)
            assert error.code is ErrorCode.SIGNATURE_INVALID

    def test_both_refuse_another_key(self, folder: Path, keys: KeyPair, tmp_path: Path) -> None:
        other = generate_key(tmp_path / "other")
        path = sign_folder(folder, keys.private_key)
        assert not self.accepts(folder, path, other.public_key)
        theirs = self.sign(folder, tmp_path / "theirs.sig", keys.private_key)
        error = refusal(lambda: verify_signature(folder, other.public_key, signature=theirs))
        assert error.code is ErrorCode.SIGNATURE_INVALID


def signed(verified: VerifiedSignature) -> dict[str, str]:
    return verified.content.files
