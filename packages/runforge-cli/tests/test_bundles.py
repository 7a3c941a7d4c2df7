"""Bundles between two real stores: what arrives, and what is refused before anything is written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calls import TRAIN, Call
from real_experiments import Repository
from real_store import training
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.validation import validate
from runforge_engine.bundles.bundle_reader import opened_bundle
from runforge_engine.bundles.zip_archive import Archive, write_archive

KEY = ("--public-key", "runforge.key.pub")


@pytest.fixture
def sender(runforge: Call, workspace: Path) -> Path:
    """Return a workspace with two runs, of which the second is signed."""
    assert runforge(*TRAIN).code == 0
    assert runforge(*TRAIN, "--seed", "1", "--model", "random_forest").code == 0
    assert runforge("keygen").code == 0
    assert runforge("sign", "latest", "--key", "runforge.key").code == 0
    return workspace


@pytest.fixture
def receiver(
    tmp_path_factory: pytest.TempPathFactory, sender: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Path]:
    """Return a function that makes another workspace, and goes there with the public key."""

    def go() -> Path:
        there = tmp_path_factory.mktemp("receiver")
        shutil.copy(sender / "runforge.key.pub", there)
        monkeypatch.chdir(there)
        return there

    return go


def entries(workspace: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((workspace / ".runforge/index.json").read_bytes())[
        "runs"
    ]
    return found


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def report_of(runforge: Call, *arguments: str) -> dict[str, Any]:
    result = runforge(*arguments, "--json")
    assert (result.code, result.err) == (0, ""), result.out
    validate(result.json, "bundle_report.v1")
    document: dict[str, Any] = result.json
    return document


def dataset_of(verification: dict[str, Any]) -> dict[str, Any]:
    [run] = verification["runs"]
    [found] = (item for item in run["checks"] if item["check"] == "dataset")
    check: dict[str, Any] = found
    return check


def refused(runforge: Call, *arguments: str) -> str:
    result = runforge(*arguments, "--json")
    assert result.code != 0, result.out
    validate(result.json, "error.v1")
    code: str = result.json["error"]["code"]
    return code


def changed(bundle: Path, change: Callable[[dict[str, bytes]], object], *, honest: bool) -> Path:
    """Return a bundle with changed members; if ``honest``, its digests are changed, too."""
    members = {}
    with Archive(bundle) as archive:
        for name in archive.members:
            target = bundle.with_name("member")
            with target.open("wb") as file:
                archive.extract(name, file)
            members[name] = target.read_bytes()
    target.unlink()
    change(members)
    if honest:
        document = json.loads(members["bundle.json"])
        document["files"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in sorted(members.items())
            if name != "bundle.json"
        }
        members["bundle.json"] = encode_json(document)
    other = bundle.with_name(f"changed-{bundle.name}")
    with other.open("wb") as file:
        write_archive(file, dict(members))
    return other


class TestRoundTrip:
    def test_a_signed_run_arrives_whole(
        self, runforge: Call, sender: Path, receiver: Callable[[], Path]
    ) -> None:
        made = report_of(
            runforge, "bundle", "latest", "--with-dataset", *KEY, "-o", "a.rfz", "--quiet"
        )
        assert (made["outcome"], made["signature"]) == ("bundled", "valid")
        assert made["sha256"] == hashlib.sha256((sender / "a.rfz").read_bytes()).hexdigest()
        there, name = receiver(), made["run_id"]
        report = report_of(runforge, "unbundle", str(sender / "a.rfz"), *KEY)
        assert (report["outcome"], report["signature"]) == ("unbundled", "valid")
        assert (report["run_dir"], report["dataset"]) == (f".runforge/runs/{name}", "penguins.csv")
        runs = f".runforge/runs/{name}"
        assert tree(there / runs) == tree(sender / runs)
        signature = f".runforge/signatures/{name}.sig"
        assert (there / signature).read_bytes() == (sender / signature).read_bytes()
        assert (there / "penguins.csv").read_bytes() == (sender / "penguins.csv").read_bytes()
        [entry] = entries(there)
        origin = entry.pop("origin")
        assert (origin, entry) == (made["origin"], entries(sender)[1])
        assert runforge("verify", "latest", *KEY).code == 0
        assert runforge("verify", "--all", *KEY).code == 0
        reproduced = runforge("reproduce", name, "--json")
        assert reproduced.json["verdict"] == "identical bytes"
        assert sorted(path.name for path in (there / ".runforge").iterdir()) == [
            *(".gitattributes", "index.json", "index.lock", "runs", "signatures"),
        ]

    def test_a_failed_run_without_signature_arrives(
        self, runforge: Call, sender: Path, receiver: Callable[[], Path]
    ) -> None:
        (sender / "bad.csv").write_text("a,y\n" + "".join(f"x{i},{i % 2}\n" for i in range(9)))
        assert runforge("train", "bad.csv", "--label", "y").code == 1
        made = report_of(runforge, "bundle", "latest:failed", "--quiet")
        assert (made["signature"], made["bundle"]) == ("none", f"{made['run_id']}.rfz")
        there = receiver()
        report = report_of(runforge, "unbundle", str(sender / made["bundle"]))
        assert (report["outcome"], report["signature"]) == ("unbundled", "none")
        assert entries(there)[0]["origin"] == made["origin"]
        assert entries(there)[0]["status"] == "failed"
        verified = runforge("verify", "latest", "--without-dataset")
        assert (
            verified.code,
            "the run came from another store" in " ".join(verified.out.split()),
        ) == (0, True)
        assert refused(runforge, "unbundle", str(sender / made["bundle"]), *KEY) == (
            "VERIFICATION_FAILED"
        )

    def test_a_run_of_an_experiment_arrives(
        self, runforge: Call, repository: Repository, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        [name, *_] = [
            path.name
            for path in sorted((repository.root / "runs").glob("run-*"))
            if runforge("verify", path.name, "--without-dataset").code == 0
        ]
        made = report_of(runforge, "bundle", name)
        assert (made["run_kind"], made["signature"]) == ("experiment", "none")
        os.chdir(tmp_path_factory.mktemp("receiver"))
        bundle = str(repository.root / made["bundle"])
        assert runforge("verify", bundle).code == 0
        assert runforge("show", bundle).out.startswith(f"Run {name}: ")
        report = report_of(runforge, "unbundle", bundle)
        assert report["run_dir"] == f"runs/{name}"
        assert tree(Path("runs") / name) == tree(repository.root / "runs" / name)
        assert runforge("verify", name, "--without-dataset").code == 0
        assert report_of(runforge, "unbundle", bundle)["outcome"] == "present"
        assert [path.name for path in Path("runs").iterdir()] == [name]

    def test_the_same_run_gives_the_same_bytes(self, runforge: Call, sender: Path) -> None:
        for name in ("a.rfz", "b.rfz"):
            assert runforge("bundle", "latest", "--with-dataset", "-o", name).code == 0
            for path in (sender / ".runforge/runs").rglob("*"):
                os.utime(path, (1, 1))
        assert (sender / "a.rfz").read_bytes() == (sender / "b.rfz").read_bytes()

    def test_it_goes_on_to_a_third_store(
        self, runforge: Call, sender: Path, receiver: Callable[[], Path]
    ) -> None:
        made = report_of(runforge, "bundle", "latest", "--quiet")
        second = receiver()
        shutil.copy(sender / "penguins.csv", second)
        assert runforge(*TRAIN, "--seed", "9").code == 0
        report_of(runforge, "unbundle", str(sender / made["bundle"]))
        again = report_of(runforge, "bundle", made["run_id"])
        assert again["origin"] == made["origin"]
        third = receiver()
        report_of(runforge, "unbundle", str(second / again["bundle"]))
        assert entries(third)[0]["origin"] == made["origin"]
        assert runforge("verify", "--all", "--without-dataset", *KEY).code == 0

    def test_a_run_returns_to_its_own_store(self, runforge: Call, sender: Path) -> None:
        made = report_of(runforge, "bundle", "latest", "--quiet")
        before = tree(sender / ".runforge")
        shutil.rmtree(sender / ".runforge/runs" / made["run_id"])
        report = report_of(runforge, "unbundle", made["bundle"])
        assert report["outcome"] == "unbundled"
        assert tree(sender / ".runforge") == before
        assert runforge("verify", "--all", "--without-dataset").code == 0

    def test_every_entry_of_a_store_gives_its_chain_again(
        self, runforge: Call, sender: Path, receiver: Callable[[], Path]
    ) -> None:
        from runforge_engine.store.index_chain import Chain

        names = [report_of(runforge, "bundle", entry["run_id"]) for entry in entries(sender)]
        there = receiver()
        for made in names:
            report_of(runforge, "unbundle", str(sender / made["bundle"]))
        arrived = [dict(entry) for entry in entries(there)]
        assert {entry.pop("origin") for entry in arrived} == {names[0]["origin"]}
        assert Chain(arrived).head == Chain(entries(sender)).head

    def test_a_folder_of_its_own(
        self, runforge: Call, sender: Path, receiver: Callable[[], Path]
    ) -> None:
        made = report_of(runforge, "bundle", "latest", "--with-dataset", "--quiet")
        there, name = receiver(), made["run_id"]
        report = report_of(runforge, "unbundle", str(sender / made["bundle"]), "--to", "out")
        assert sorted(path.name for path in (there / "out").iterdir()) == [
            *(name, f"{name}.sig", "bundle.json", "dataset"),
        ]
        assert not (there / ".runforge").exists()
        assert runforge("verify", f"out/{name}", "--without-dataset", *KEY).code == 0
        reproduced = runforge("reproduce", f"out/{name}", "--dataset", report["dataset"], "--json")
        assert reproduced.json["verdict"] == "identical bytes"
        assert refused(runforge, "unbundle", str(sender / made["bundle"]), "--to", "out") == (
            "USAGE_INVALID"
        )
        inside = "out2/.runforge/runs"
        assert refused(runforge, "unbundle", str(sender / made["bundle"]), "--to", inside) == (
            "FILE_NOT_FOUND"
        )

    def test_python_does_the_same(
        self, runforge: Call, sender: Path, receiver: Callable[[], Path]
    ) -> None:
        from runforge_contracts import VerificationError
        from runforge_engine import Run, Store

        run = Store(sender).run()
        path = run.bundle(sender / "python.rfz", with_dataset=True, public_key=KEY[1])
        there = receiver()
        arrived = Store(there).unbundle(path, public_key=KEY[1])
        assert isinstance(arrived, Run)
        assert (arrived.id, arrived.verify().holds) == (run.id, True)
        (run.path / "metrics.json").write_text("{}")
        with pytest.raises(VerificationError):
            run.bundle(sender / "again.rfz")


class TestBundling:
    def test_what_does_not_verify_or_has_not_ended_is_refused(
        self, runforge: Call, sender: Path
    ) -> None:
        (sender / ".runforge/runs" / entries(sender)[0]["run_id"] / "new").touch()
        assert refused(runforge, "bundle", entries(sender)[0]["run_id"]) == "VERIFICATION_FAILED"
        with training(sender) as (_, folder):
            assert refused(runforge, "bundle", folder.name) == "VERIFICATION_FAILED"
        assert not list(sender.glob("*.rfz"))
        assert not list(sender.glob(".*.tmp"))

    def test_nothing_is_overwritten(self, runforge: Call, sender: Path) -> None:
        (sender / "mine.rfz").write_text("mine")
        assert refused(runforge, "bundle", "latest", "-o", "mine.rfz", "-q") == "USAGE_INVALID"
        assert (sender / "mine.rfz").read_text() == "mine"
        inside = ".runforge/a.rfz"
        assert refused(runforge, "bundle", "latest", "-o", inside, "-q") == "USAGE_INVALID"

    def test_a_dataset_that_is_not_the_recorded_one_is_refused(
        self, runforge: Call, sender: Path
    ) -> None:
        (sender / "penguins.csv").rename(sender / "moved.csv")
        made = report_of(runforge, "bundle", "latest", "--with-dataset", "-q", "-o", "a.rfz")
        assert made["dataset"] == "dataset/penguins.csv"
        (sender / "moved.csv").write_text("a,b\n")
        arguments = ("bundle", "latest", "--with-dataset", "-q", "-o", "b.rfz")
        assert refused(runforge, *arguments) == "DATASET_NOT_FOUND"
        (sender / "penguins.csv").write_text("a,b\n")
        assert refused(runforge, *arguments) == "DATASET_CHANGED"
        assert not (sender / "b.rfz").exists()

    def test_a_key_needs_its_signature(self, runforge: Call, sender: Path) -> None:
        unsigned = entries(sender)[0]["run_id"]
        assert refused(runforge, "bundle", unsigned, *KEY) == "VERIFICATION_FAILED"
        assert runforge("keygen", "--out", "other").code == 0
        other = ("--public-key", "other.pub")
        assert refused(runforge, "bundle", "latest", "-q", *other) == "VERIFICATION_FAILED"


class TestReading:
    def test_verify_and_show_take_a_bundle(
        self, runforge: Call, sender: Path, receiver: Callable[[], Path]
    ) -> None:
        made = report_of(runforge, "bundle", "latest", "--with-dataset", "-q", "-o", "a.rfz")
        there = receiver()
        bundle = str(shutil.copy(sender / "a.rfz", there / "a.rfz"))
        bundle = Path(bundle).name
        document = runforge("verify", bundle, *KEY, "--json").json
        validate(document, "verification.v1")
        [run] = document["runs"]
        assert (run["verdict"], run["run_id"], run["run_dir"]) == (
            *("verified", made["run_id"]),
            bundle,
        )
        assert {check["check"]: check["verdict"] for check in run["checks"]} == {
            "files": "unchanged",
            "documents": "valid",
            "statement": "valid",
            "index": "not checked",
            "dataset": "same",
            "signature": "valid",
        }
        shown = runforge("show", bundle).out
        assert "a.rfz" in shown
        assert "runforge unbundle a.rfz" in shown
        assert "/tmp" not in shown
        document = runforge("show", bundle, "--json").json
        assert (document["run_dir"], document["status"]) == (bundle, "succeeded")
        assert runforge("show", bundle, "--fail-under", "accuracy=1.01").code == 8
        assert sorted(path.name for path in there.iterdir()) == ["a.rfz", "runforge.key.pub"]

    def test_a_changed_run_is_a_finding(self, runforge: Call, sender: Path) -> None:
        assert runforge("bundle", "latest", "-o", "a.rfz").code == 0
        bundle = changed(
            sender / "a.rfz",
            lambda members: members.update({"run/metrics.json": b"{}"}),
            honest=True,
        )
        result = runforge("verify", bundle.name)
        assert (result.code, "metrics.json" in result.out) == (1, True)


ATTACKS: dict[str, tuple[str, bool, Callable[[dict[str, bytes]], object]]] = {
    "a file that differs": (
        "VERIFICATION_FAILED",
        False,
        lambda members: members.update({"run/metrics.json": b"{}"}),
    ),
    "a file that differs, with its digest": (
        "VERIFICATION_FAILED",
        True,
        lambda members: members.update({"run/metrics.json": b"{}"}),
    ),
    "a file that is missing": (
        "VERIFICATION_FAILED",
        False,
        lambda members: members.pop("run/logs/train.log"),
    ),
    "a file that is not listed": (
        "VERIFICATION_FAILED",
        False,
        lambda members: members.update({"run/new": b"x"}),
    ),
    "a file beside the run": (
        "VERIFICATION_FAILED",
        True,
        lambda members: members.update({"setup.py": b"x"}),
    ),
    "a second dataset": (
        "VERIFICATION_FAILED",
        True,
        lambda members: members.update({"dataset/other.csv": b"x"}),
    ),
    "another dataset": (
        "VERIFICATION_FAILED",
        True,
        lambda members: members.update({"dataset/penguins.csv": b"x"}),
    ),
    "no signature": (
        "VERIFICATION_FAILED",
        True,
        lambda members: members.pop("run.sig"),
    ),
    "a damaged signature": (
        "SIGNATURE_INVALID",
        True,
        lambda members: members.update({"run.sig": b"{}"}),
    ),
    "a key that is none": (
        "KEY_INVALID",
        True,
        lambda members: members.update({"public.pem": b"x"}),
    ),
    "no description": (
        "DOCUMENT_INVALID",
        False,
        lambda members: members.pop("bundle.json"),
    ),
    "a description that is no JSON": (
        "JSON_INVALID",
        False,
        lambda members: members.update({"bundle.json": b"{"}),
    ),
    "a description with NaN": (
        "JSON_NUMBER_INVALID",
        False,
        lambda members: members.update({"bundle.json": b'{"a": NaN}'}),
    ),
    "a later version": (
        "DOCUMENT_VERSION_UNSUPPORTED",
        False,
        lambda members: described(members, schema_version="bundle.v2"),
    ),
    "another id": (
        "VERIFICATION_FAILED",
        False,
        lambda members: described(members, run_id="20200101-000000-00000000"),
    ),
    "an id that leads away": (
        "DOCUMENT_INVALID",
        False,
        lambda members: described(members, run_id="../../x"),
    ),
    "another kind": (
        "VERIFICATION_FAILED",
        False,
        lambda members: described(members, run_kind="experiment"),
    ),
    "another origin": (
        "VERIFICATION_FAILED",
        False,
        lambda members: described(members, origin="ab" * 32),
    ),
    "another key in the description": (
        "VERIFICATION_FAILED",
        False,
        lambda members: described(members, key="ab" * 32),
    ),
    "a dataset in the place of the key": (
        "VERIFICATION_FAILED",
        False,
        lambda members: described(members, dataset="public.pem"),
    ),
}


def test_what_is_written_says_which_evaluations_stay(
    runforge: Call, sender: Path, receiver: Callable[[], Path]
) -> None:
    first, second = (entry["run_id"] for entry in entries(sender))
    assert "evaluations" not in report_of(runforge, "bundle", first, "-o", "one.rfz")
    rows = (sender / "penguins.csv").read_text("utf-8").splitlines()
    for name, count in (("a.csv", 100), ("b.csv", 200)):
        (sender / name).write_text("\n".join(rows[:count]), "utf-8")
        assert runforge("evaluate", second, name, "--quiet").code == 0
    assert report_of(runforge, "bundle", second, "-o", "two.rfz")["evaluations"] == 2
    shown = runforge("bundle", second, "-o", "shown.rfz").out
    assert "\nevaluations  2, not included\n" in shown
    receiver()
    assert "evaluations" not in report_of(runforge, "unbundle", str(sender / "two.rfz"))


def described(members: dict[str, bytes], **values: Any) -> None:
    members["bundle.json"] = encode_json({**json.loads(members["bundle.json"]), **values})


class TestRefused:
    @pytest.fixture
    def bundle(self, runforge: Call, sender: Path) -> Path:
        assert runforge("bundle", "latest", "--with-dataset", *KEY, "-o", "a.rfz").code == 0
        return sender / "a.rfz"

    @pytest.mark.parametrize("name", ATTACKS)
    def test_nothing_is_written(
        self, name: str, runforge: Call, bundle: Path, receiver: Callable[[], Path]
    ) -> None:
        code, honest, change = ATTACKS[name]
        attack = changed(bundle, change, honest=honest)
        there = receiver()
        for options in ((), ("--to", "out")):
            assert refused(runforge, "unbundle", str(attack), *options) == code
            assert sorted(path.name for path in there.iterdir()) == ["runforge.key.pub"]

    def test_another_key_is_refused(
        self, runforge: Call, bundle: Path, sender: Path, receiver: Callable[[], Path]
    ) -> None:
        assert runforge("keygen", "--out", "other").code == 0
        other = (sender / "other.pub").read_bytes()
        attack = changed(bundle, lambda members: members.update({"public.pem": other}), honest=True)
        assert refused(runforge, "unbundle", str(attack)) == "VERIFICATION_FAILED"
        # The key in a bundle vouches for nothing: the one that is given decides.
        there = receiver()
        key = ("--public-key", str(sender / "other.pub"))
        assert refused(runforge, "unbundle", str(bundle), *key) == "VERIFICATION_FAILED"
        assert not (there / ".runforge").exists()

    def test_a_file_that_is_no_bundle(self, runforge: Call, workspace: Path) -> None:
        (workspace / "a.rfz").write_text("hello")
        for command in ("unbundle", "verify", "show"):
            assert refused(runforge, command, "a.rfz") == "DOCUMENT_INVALID"
            assert refused(runforge, command, "none.rfz") == "FILE_NOT_FOUND"

    def test_another_run_under_the_id_stays(
        self, runforge: Call, bundle: Path, receiver: Callable[[], Path]
    ) -> None:
        there = receiver()
        report = report_of(runforge, "unbundle", str(bundle))
        log = there / report["run_dir"] / "logs/train.log"
        log.write_text("mine")
        before = tree(there)
        assert refused(runforge, "unbundle", str(bundle)) == "RUN_ID_TAKEN"
        assert tree(there) == before
        # So does an entry of another run, if the folder is gone.
        shutil.rmtree(there / report["run_dir"])
        index = json.loads((there / ".runforge/index.json").read_bytes())
        index["runs"][0]["model_sha256"] = "ab" * 32
        (there / ".runforge/index.json").write_bytes(encode_json(index))
        before = tree(there)
        assert refused(runforge, "unbundle", str(bundle)) == "RUN_ID_TAKEN"
        assert tree(there) == before

    def test_what_is_missing_is_added(
        self, runforge: Call, bundle: Path, receiver: Callable[[], Path]
    ) -> None:
        there = receiver()
        report = report_of(runforge, "unbundle", str(bundle))
        whole = tree(there)
        signature = there / ".runforge/signatures" / f"{report['run_id']}.sig"
        for lost in (signature, there / ".runforge/index.json", there / "penguins.csv"):
            lost.unlink()
            assert report_of(runforge, "unbundle", str(bundle))["outcome"] == "completed"
            assert tree(there) == whole
        assert report_of(runforge, "unbundle", str(bundle))["outcome"] == "present"
        # A signature that is there is kept.
        signature.write_text("mine")
        assert report_of(runforge, "unbundle", str(bundle))["outcome"] == "present"
        assert signature.read_text() == "mine"

    def test_a_dataset_overwrites_nothing(
        self, runforge: Call, bundle: Path, receiver: Callable[[], Path]
    ) -> None:
        there = receiver()
        (there / "penguins.csv").write_text("mine")
        report = report_of(runforge, "unbundle", str(bundle))
        with opened_bundle(bundle, there) as opened:
            sha256 = opened.document.files["dataset/penguins.csv"].sha256
        assert report["dataset"] == f".runforge/datasets/{sha256}.csv"
        assert (there / "penguins.csv").read_text() == "mine"
        shown = " ".join(runforge("unbundle", str(bundle)).err.split())
        assert f"the dataset is `{report['dataset']}`" in shown

    @pytest.mark.parametrize("other", ["mine", None])
    def test_the_copy_of_the_store_counts_as_the_dataset(
        self, other: str | None, runforge: Call, bundle: Path, receiver: Callable[[], Path]
    ) -> None:
        there = receiver()
        (there / "penguins.csv").write_text("mine")
        report = report_of(runforge, "unbundle", str(bundle), *KEY)
        if other is None:
            (there / "penguins.csv").unlink()
        for arguments in (("latest",), ("--all",)):
            found = runforge("verify", *arguments, *KEY, "--json")
            assert (found.code, dataset_of(found.json)["verdict"]) == (0, "same")
            assert dataset_of(found.json)["path"] == report["dataset"]
        again = runforge("reproduce", "latest", "--json")
        assert (again.code, again.json["verdict"]) == (0, "identical bytes")
        assert again.json["dataset"]["path"] == report["dataset"]
        assert runforge("bundle", "latest", "--with-dataset", "-o", "again.rfz").code == 0
        # The copy counts by its bytes, and not by its name.
        (there / report["dataset"]).write_text("forged")
        found = runforge("verify", "--all", *KEY, "--json")
        assert (found.code, dataset_of(found.json)["verdict"]) == (0, "not checked")
        if other is not None:
            assert "`penguins.csv` is another file here" in dataset_of(found.json)["message"]
        again = runforge("reproduce", "latest", "--json")
        assert (again.json["verdict"]) == "not reproducible here"
        assert "name " in again.json["reasons"][0]["message"]
        assert "with --dataset" in again.json["reasons"][0]["message"]

    def test_a_run_without_its_dataset_does_not_fail_the_store(
        self, runforge: Call, sender: Path, receiver: Callable[[], Path]
    ) -> None:
        assert runforge("bundle", "latest", *KEY, "-o", "bare.rfz").code == 0
        there = receiver()
        shown = runforge("unbundle", str(sender / "bare.rfz"), *KEY)
        assert "`runforge verify` does not check it" in " ".join(shown.err.split())
        for arguments in (("latest",), ("--all",)):
            found = runforge("verify", *arguments, *KEY, "--json")
            assert found.code == 0
            dataset = dataset_of(found.json)
            assert (dataset["outcome"], dataset["verdict"]) == ("not checked", "not checked")
            assert "came from another store" in dataset["message"]
        shown = runforge("verify", "--all", *KEY)
        assert "1 of 1 run verified, 1 dataset not checked" in shown.out
        # A dataset of one's own that is gone is still a finding.
        shutil.copy(sender / "penguins.csv", there)
        assert runforge(*TRAIN).code == 0
        assert runforge("verify", "--all").code == 0
        (there / "penguins.csv").unlink()
        assert runforge("verify", "--all").code == 1

    @pytest.mark.parametrize("place", ["store", "runs", "signatures"])
    def test_nothing_is_written_through_a_link(
        self, place: str, runforge: Call, bundle: Path, receiver: Callable[[], Path]
    ) -> None:
        there = receiver()
        (there / "elsewhere").mkdir()
        (there / ".runforge").mkdir()
        path = there / ".runforge" / place
        if place == "store":
            path.parent.rmdir()
            path = path.parent
        path.symlink_to(there / "elsewhere")
        assert refused(runforge, "unbundle", str(bundle)) == "FILE_UNSAFE"
        assert not list((there / "elsewhere").iterdir())

    def test_an_older_signature_is_refused_in_a_store(
        self, runforge: Call, sender: Path, receiver: Callable[[], Path]
    ) -> None:
        from runforge_engine.provenance.signatures import sign_folder
        from runforge_engine.store.index_chain import Chain

        folder = sender / entries(sender)[1]["run_dir"]
        head = Chain(entries(sender)).head
        sign_folder(folder, sender / "runforge.key", index_head=head, replace=True)
        assert runforge("bundle", "latest", "-o", "old.rfz").code == 0
        there = receiver()
        old = str(sender / "old.rfz")
        assert refused(runforge, "unbundle", old) == "SIGNATURE_INVALID"
        assert not (there / ".runforge").exists()
        assert report_of(runforge, "unbundle", old, "--to", "out")["outcome"] == "unbundled"

    @pytest.mark.parametrize(
        "recorded",
        [
            *(".git/hooks/data.csv", "../up.csv", "conftest.py", "link/data.csv"),
            *("a/.hidden.csv", "Makefile"),
        ],
    )
    def test_a_recorded_path_that_a_program_may_use_is_not_written(
        self, recorded: str, runforge: Call, bundle: Path, receiver: Callable[[], Path]
    ) -> None:
        from runforge_contracts.store.layout import StoreLayout
        from runforge_engine.bundles.unbundle import _targets

        there = receiver()
        (there / "link").symlink_to(there.parent)
        [target] = _targets(recorded, StoreLayout(there), "ab" * 32)
        assert target.parent == there / ".runforge/datasets"


def test_bundles_are_completed(runforge: Call, workspace: Path) -> None:
    from click.shell_completion import ShellComplete
    from runforge_cli.shell.app import cli

    for name in ("model.rfz", "other.rfz", "notes.txt"):
        (workspace / name).touch()

    def offered(*words: str) -> list[str]:
        completer = ShellComplete(cli, {}, "runforge", "_RUNFORGE_COMPLETE")
        return [item.value for item in completer.get_completions([*words[:-1]], words[-1])]

    assert offered("unbundle", "") == ["model.rfz", "other.rfz"]
    assert offered("verify", "mo") == ["model.rfz"]
    assert offered("show", "o") == ["other.rfz"]
    assert offered("metrics", "mo") == []
