"""The tables of the specification have the values of the code, and its rules the same results.

Chapters 11 to 14, 16 and 17. What the pages describe byte by byte is computed here without the
packages of RunForge, as a client in another language would do it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import pickle
import re
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runforge_cli.shell.app import COMMANDS
from runforge_contracts.errors import DatasetError, ErrorCode, RunForgeError
from runforge_engine.data.cells import MISSING
from runforge_engine.data.dataset import load_dataset
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.split import split_rows
from runforge_engine.experiment.tracking import ARTIFACTS, CONFIG, METRICS, RUN_DIR, RUN_ID
from runforge_engine.model_file.allowlist import ALLOWED, RENAMED
from runforge_engine.modeling.configuration import PRESET_ALIASES, PROFILES
from runforge_engine.modeling.families import FAMILIES, Hyperparameter
from runforge_engine.provenance.collect import PACKAGES
from runforge_engine.reproduction.reproduction_findings import Verdict
from runforge_engine.runtime.numeric_environment import PINNED_VARIABLES
from runforge_engine.verification.check_result import CheckVerdict
from specification import PAGES, ROOT

SIGNED = ROOT / "docs/test-vectors/signed"
RUNS = sorted((SIGNED / ".runforge/runs").iterdir())


def section(page: str, number: str) -> str:
    """Return the text of a section."""
    text = (PAGES / f"{page}.md").read_text("utf-8")
    return re.split(r"^## ", text.partition(f"## {number} ")[2], maxsplit=1, flags=re.MULTILINE)[0]


def tables(page: str, number: str) -> Iterator[list[list[str]]]:
    """Yield the rows of each table of a section, without the header."""
    rows: list[list[str]] = []
    for line in [*section(page, number).splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            yield rows[2:]
            rows = []


def table(page: str, number: str, index: int = 0) -> list[list[str]]:
    return list(tables(page, number))[index]


def plain(cell: str) -> str:
    return cell.replace("`", "")


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


# Chapter 11


def test_the_missing_values_are_those_of_the_reader() -> None:
    header = next(line for line in section("data", "11.2").splitlines() if "(empty)" in line)
    assert {"", *quoted(header)} == MISSING


def test_every_code_of_a_dataset_is_in_the_table_of_refusals() -> None:
    codes = {code for row in table("data", "11.6") for code in quoted(row[0])}
    assert {code.value for code in DatasetError.codes} <= codes
    assert codes <= {code.value for code in ErrorCode}


#: Datasets that are refused, a few of each kind.
REFUSED = (
    *(b"\x1f\x8b\x08\x00abc", b"PK\x03\x04abcd", b"x,label\n\xe9,1\n", b"x,label\n1,\0\n"),
    *(b" \n\t\n", b"\xef\xbb\xbf", b'"x,label\n1,2\n', b"# by me\nx,label\n1,2\n", b",,\na,b,c\n"),
    *(b"sep=;\nx;label\n", b"<<<<<<< HEAD\nx,label\n1,2\n", b"A title\nx,label\n1,2\n"),
    *(b"x;label\n1;2\n", b"x\tlabel\n1\t2\n", b"x|label\n1|2\n", b"x,y\n1,2\n"),
    *(b"x,x,label\n1,2,a\n", b"label\na\nb\n", b'x,label\n1,"a\n2,b\n', b"x,label\n1,a,3\n"),
    *(b"x,label\n1,a\n=======\n2,b\n", b"x,y,label\n1,a\n", b"x,,label\n1,5,a\n", b"x,label\n"),
    *(b"x,label\nNA,a\n1,\n", b"x,label\nq,a\n1,b\n", b"x,label\n-inf,a\n1,b\n"),
    *(b"x,label\n1e160,a\n1,b\n", b"x,label\n1,0.5\n2,0.5\n", b"x,label\n1,9007199254740993\n"),
    *(b"x,label\n1,a\n2,a\n", b"x,label\n1,a\n2,b\n", b"x,label\n1,a\n2,a\n3,b\n"),
)


@pytest.mark.parametrize("data", REFUSED)
def test_a_refusal_has_a_code_and_a_place_of_the_table(data: bytes) -> None:
    source = DatasetSource(Path("data.csv"), data, hashlib.sha256(data).hexdigest())
    with pytest.raises(RunForgeError) as caught:
        load_dataset(source, "label")
    place = ", ".join(caught.value.location.to_dict())
    assert (caught.value.code.value, place) in {
        (code, row[2]) for row in table("data", "11.6") for code in quoted(row[0])
    }


def trained_on(features: list[str], labels: list[str]) -> tuple[str, Any]:
    """Return the code of the refusal, or the dataset; each row occurs twice."""
    rows = [f'"{x}","{label}"' for x, label in zip(features, labels, strict=True) for _ in range(2)]
    data = "\n".join(["x,label", *rows, ""]).encode()
    source = DatasetSource(Path("data.csv"), data, hashlib.sha256(data).hexdigest())
    try:
        return "", load_dataset(source, "label")
    except RunForgeError as error:
        return error.code.value, None


@pytest.mark.parametrize("row", table("data", "11.3"), ids=lambda row: row[0])
def test_a_cell_has_the_value_of_the_table(row: list[str]) -> None:
    for cell in quoted(row[0]):
        code, dataset = trained_on(["1", cell], ["a", "b"])
        if code:
            assert row[1] == f"refused: `{code}`", cell
            continue
        assert dataset.X[-1, 0] == float(re.split("[, ]", row[1])[0]), cell
        reported = {f"`{item.code}`" for item in dataset.diagnostics} & set(row[1].split())
        assert len(reported) == row[1].count("`") / 2


@pytest.mark.parametrize("row", table("data", "11.4"), ids=lambda row: row[0])
def test_labels_have_the_classes_of_the_table(row: list[str]) -> None:
    cells = quoted(row[0])
    if "blank" in row[0]:
        cells.append(f"{cells[0]} ")
    code, dataset = trained_on(["1"] * len(cells), cells)
    if code:
        assert row[1] == f"refused: `{code}`"
        return
    assert list(dataset.classes) == json.loads(f"[{row[1]}]")
    assert " ".join(f"`{item.code}`" for item in dataset.diagnostics) == row[2]


class Mersenne:
    """The random numbers of section 11.7."""

    def __init__(self, seed: int) -> None:
        self._state: list[int] = [seed]
        for index in range(1, 624):
            last = self._state[-1]
            self._state.append((1812433253 * (last ^ (last >> 30)) + index) % 2**32)
        self._used = 624

    def output(self) -> int:
        state = self._state
        if self._used == 624:
            for index in range(624):
                joined = state[index] & 2**31 | state[(index + 1) % 624] & (2**31 - 1)
                twisted = joined >> 1 ^ (0x9908B0DF if joined % 2 else 0)
                state[index] = state[(index + 397) % 624] ^ twisted
            self._used = 0
        value = state[self._used]
        self._used += 1
        value ^= value >> 11
        value ^= value << 7 & 0x9D2C5680
        value ^= value << 15 & 0xEFC60000
        return value ^ value >> 18

    def below(self, most: int) -> int:
        mask = (1 << most.bit_length()) - 1
        while most:
            value = self.output() & mask
            if value <= most:
                return value
        return 0

    def shuffle(self, items: list[int]) -> list[int]:
        for index in range(len(items) - 1, 0, -1):
            other = self.below(index)
            items[index], items[other] = items[other], items[index]
        return items

    def shares(self, counts: list[int], total: int) -> list[int]:
        exact = [count / sum(counts) * total for count in counts]
        share = [math.floor(value) for value in exact]
        rest = [value - floor for value, floor in zip(exact, share, strict=True)]
        left = total - sum(share)
        for value in sorted(set(rest), reverse=True):
            if left <= 0:
                break
            equal = self.shuffle([index for index, found in enumerate(rest) if found == value])
            for index in equal[:left]:
                share[index] += 1
            left -= min(left, len(equal))
        return share


def split_of_the_page(classes: list[int], seed: int) -> tuple[list[int], list[int]]:
    """Return the rows of both parts, as section 11.7 defines them."""
    random = Mersenne(seed)
    members = [
        [row for row, found in enumerate(classes) if found == wanted]
        for wanted in range(max(classes) + 1)
    ]
    counts = [len(rows) for rows in members]
    validation_rows = math.ceil(0.2 * len(classes))
    train = random.shares(counts, len(classes) - validation_rows)
    left = [count - taken for count, taken in zip(counts, train, strict=True)]
    validation = random.shares(left, validation_rows)
    parts: tuple[list[int], list[int]] = ([], [])
    for rows, cut, more in zip(members, train, validation, strict=True):
        random.shuffle(rows)
        parts[0].extend(rows[:cut])
        parts[1].extend(rows[cut : cut + more])
    return random.shuffle(parts[0]), random.shuffle(parts[1])


@pytest.mark.parametrize("seed", [0, 1, 42, 2**31, 2**32 - 1])
@pytest.mark.parametrize("counts", [(5, 5), (7, 8), (11, 12, 14), (3, 3, 3, 30), (2, 10, 20, 18)])
def test_the_algorithm_of_the_page_gives_the_split(counts: tuple[int, ...], seed: int) -> None:
    import numpy as np

    classes = [index for index, count in enumerate(counts) for _ in range(count)]
    classes = classes[::3] + classes[1::3] + classes[2::3]
    split = split_rows(np.array(classes), seed)
    assert split_of_the_page(classes, seed) == (split.train.tolist(), split.validation.tolist())


# Chapter 12


def values_of(parameter: Hyperparameter) -> str:
    """Return the values of a hyperparameter in the words of the page."""
    if parameter.kind == "choice":
        return ", ".join(f"`{choice}`" for choice in parameter.choices)
    text = parameter.expects.removeprefix("a ").removeprefix("an ")
    return text.replace("1e+100", "1e100").replace(" or none", ", or null")


def test_the_hyperparameters_are_those_of_the_engine() -> None:
    assert table("training", "12.3") == [
        [f"`{family}`", f"`{name}`", values_of(parameter), json.dumps(parameter.default)]
        for family, known in FAMILIES.items()
        for name, parameter in known.hyperparameters.items()
    ]


def test_the_fixed_parameters_are_those_of_the_engine() -> None:
    expected = []
    for family, known in FAMILIES.items():
        first = [f"`{family}`", f"`{known.module}.{known.estimator}`"]
        for name, value in known.fixed.items():
            expected.append([*first, f"`{name}`", json.dumps(value)])
            first = ["", ""]
    assert table("training", "12.3", 1) == expected


def test_the_presets_are_those_of_the_engine() -> None:
    presets = next(iter(FAMILIES.values())).presets
    assert table("training", "12.4") == [
        [f"`{name}`", *(f"`{json.dumps(known.presets[name])}`" for known in FAMILIES.values())]
        for name in presets
    ]
    for name, other in PRESET_ALIASES.items():
        assert f"`{name}` is\n`{other}`" in section("training", "12.4") or (
            f"`{name}` is `{other}`" in section("training", "12.4").replace("\n", " ")
        )


def test_the_profiles_are_those_of_the_engine_and_their_hashes_follow() -> None:
    rows = table("training", "12.5")
    assert rows == [
        [
            f"`{profile.name}`",
            f"`{profile.family}`" if profile.family else "any",
            f"`{json.dumps(dict(profile.parameters))}`",
            profile.version,
            f"`{profile.expanded_parameters_hash}`",
        ]
        for profile in PROFILES.values()
    ]
    for _, _, parameters, _, digest in rows:
        canonical = canonical_json(json.loads(plain(parameters)))
        assert plain(digest) == hashlib.sha256(canonical).hexdigest()


# Chapters 13 and 14


def test_the_variables_are_those_that_the_engine_fixes() -> None:
    named = {name for row in table("determinism", "13.2") for name in quoted(row[0])}
    assert named == set(PINNED_VARIABLES)


def test_the_packages_are_those_that_a_run_records() -> None:
    row = next(row for row in table("provenance", "14.1") if row[0] == "`packages`")
    assert quoted(row[1]) == sorted(PACKAGES)


def test_the_names_of_a_clean_model_are_those_of_the_inspector() -> None:
    listed = {(plain(module), plain(name)) for module, name in table("provenance", "14.8")}
    assert listed == {pair for pair in ALLOWED if pair[0] not in RENAMED}


def test_the_verdicts_are_those_of_the_engine() -> None:
    reproduction = [plain(row[0]) for row in table("provenance", "14.7")]
    assert reproduction == [verdict.value for verdict in Verdict]
    verification = {word for row in table("provenance", "14.6") for word in quoted(row[2])}
    assert verification <= {verdict.value for verdict in CheckVerdict}


def canonical_json(value: Any) -> bytes:
    """Return RFC 8785, for values whose numbers have the same form in Python and JavaScript."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return re.sub(r"(?<=[0-9])\.0(?=[,}\]])", "", text).encode()


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def statement_of_the_page(folder: Path) -> bytes:
    """Return the statement of a run, as section 14.4 defines it."""
    files = files_of(folder)
    request, run, result = (read(folder / f"{name}.json") for name in ("request", "run", "result"))
    provenance, data = run["provenance"], run["dataset"]

    def file(name: str) -> dict[str, Any]:
        return {"name": name, "digest": {"sha256": files[name]}}

    internal = {"effective_config": result["effective_config"]}
    if "profile_name" in run:
        internal["profile"] = {
            "name": run["profile_name"],
            "version": run["profile_version"],
            "expanded_parameters_hash": run["expanded_parameters_hash"],
        }
    internal["environment"] = {
        name: provenance[name] for name in ("python", "platform", "numerics")
    }
    dataset: dict[str, Any] = {"name": "dataset", "uri": f"file:{data['path']}"}
    dataset["digest"] = {"sha256": data["fingerprint_sha256"]}
    packages = [
        {"name": name, "uri": f"pkg:pypi/{name}@{version}"}
        for name, version in sorted(provenance["packages"].items())
    ]
    media = {"logs/train.log": "text/plain", "logs/events.jsonl": "application/jsonl"}
    left_out = ("provenance.intoto.json", "manifest.json")
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [file(name) for name in sorted(files) if name not in left_out],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://runforge.dev/buildtypes/train/v1",
                "externalParameters": request,
                "internalParameters": internal,
                "resolvedDependencies": [dataset, *packages],
            },
            "runDetails": {
                "builder": {
                    "id": "https://runforge.dev/builders/local/v1",
                    "version": {"runforge-engine": run["runforge_version"]},
                },
                "metadata": {
                    "invocationId": run["run_id"],
                    "startedOn": result["started_at"],
                    "finishedOn": result["finished_at"],
                },
                "byproducts": [{**file(name), "mediaType": kind} for name, kind in media.items()],
            },
        },
    }
    return (json.dumps(statement, indent=2, ensure_ascii=False) + "\n").encode()


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: folder.name)
def test_the_manifest_of_the_vector_lists_every_other_file(folder: Path) -> None:
    listed = {
        name: item["sha256"] for name, item in read(folder / "manifest.json")["files"].items()
    }
    assert listed == {name: d for name, d in files_of(folder).items() if name != "manifest.json"}


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: folder.name)
def test_the_statement_of_the_vector_follows_from_its_documents(folder: Path) -> None:
    assert (folder / "provenance.intoto.json").read_bytes() == statement_of_the_page(folder)


def hashed(letter: str, *parts: bytes) -> bytes:
    text = b"".join(b"%d:%s" % (len(part), part) for part in parts)
    return hashlib.sha256(letter.encode() + text).digest()


def hashed_text(text: str) -> bytes:
    return hashed("t", text.encode())


def hashed_type(dtype: Any) -> bytes:
    if not dtype.fields:
        return hashed("d", f"{dtype.kind}{dtype.itemsize}".encode())
    fields = [(hashed_text(name), hashed_type(dtype[name])) for name in dtype.names]
    return hashed("r", *(part for field in fields for part in field))


def hashed_array(array: Any) -> bytes:
    head = [hashed_type(array.dtype), hashed("S", *(b"%d" % length for length in array.shape))]
    if array.dtype == object:
        return hashed("a", *head, *map(hashed_value, array.ravel().tolist()))
    columns = [array[name] for name in array.dtype.names] if array.dtype.fields else [array]
    little = [column.astype(column.dtype.newbyteorder("<")).tobytes() for column in columns]
    return hashed("a", *head, *(hashlib.sha256(data).digest() for data in little))


def hashed_value(value: Any) -> bytes:
    """Return the digest of a value in a model, as section 14.2 defines it."""
    import numpy as np

    if value is None:
        return hashed("N")
    if isinstance(value, bool):
        return hashed("b", b"1" if value else b"0")
    if isinstance(value, np.generic):
        little = np.asarray(value).astype(value.dtype.newbyteorder("<")).tobytes()
        return hashed("s", hashed_type(value.dtype), little)
    if isinstance(value, int):
        return hashed("i", b"%d" % value)
    if isinstance(value, float):
        return hashed("f", b"nan" if math.isnan(value) else struct.pack("<d", value))
    if isinstance(value, str):
        return hashed_text(value)
    if isinstance(value, tuple | list):
        return hashed("T" if isinstance(value, tuple) else "L", *map(hashed_value, value))
    if isinstance(value, dict):
        pairs = sorted((hashed_value(key), hashed_value(item)) for key, item in value.items())
        return hashed("D", *(part for pair in pairs for part in pair))
    if isinstance(value, np.ndarray):
        return hashed_array(value)
    if isinstance(value, type):
        return hashed("G", hashed_text(value.__module__), hashed_text(value.__name__))
    make, arguments, state, *_ = value.__reduce_ex__(2)
    kind = make
    if make.__name__ == "__newobj__":
        kind, *arguments = arguments
    parts = [hashed_text(f"{kind.__module__}.{kind.__name__}")]
    parts.append(hashed("A", *map(hashed_value, arguments)))
    for name, item in sorted((state or {}).items()):
        if name not in ("n_jobs", "verbose", "_sklearn_version"):
            parts += [hashed_text(name), hashed_value(item)]
    return hashed("O", *parts)


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: folder.name)
def test_the_content_of_the_vector_has_the_digest_of_the_page(folder: Path) -> None:
    model = pickle.loads((folder / "artifacts/model.pkl").read_bytes())
    digest = hashed("R", b"runforge model content 1", hashed_value(model)).hex()
    assert digest == read(folder / "run.json")["model_content_sha256"]


def payload_of_the_page(folder: Path, index: Path) -> bytes:
    """Return the bytes that are signed for a run, as section 14.5 defines them."""
    files = sorted(files_of(folder).items(), key=lambda item: item[0].split("/"))
    root = hashlib.sha256(b"".join(bytes.fromhex(digest) for _, digest in files)).hexdigest()
    head, entries = bytes(32), read(index)["runs"]
    for entry in entries:
        head = hashlib.sha256(head + canonical_json(entry)).digest()
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": folder.name, "digest": {"sha256": root}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
            "resources": [
                {"name": name, "algorithm": "sha256", "digest": digest} for name, digest in files
            ],
            "runforge": {"index_head": {"count": len(entries), "sha256": head.hex()}},
        },
    }
    return (json.dumps(statement, indent=2) + "\n").encode()


@pytest.mark.needs("openssl")
def test_the_signature_of_the_vector_is_of_the_bytes_of_the_page(tmp_path: Path) -> None:
    (signature,) = (SIGNED / ".runforge/signatures").iterdir()
    folder = SIGNED / ".runforge/runs" / signature.stem
    bundle = read(signature)
    payload = payload_of_the_page(folder, SIGNED / ".runforge/index.json")
    assert base64.b64decode(bundle["dsseEnvelope"]["payload"]) == payload
    head = json.loads(payload)["predicate"]["runforge"]["index_head"]["sha256"]
    assert f"`{head}`" in section("provenance", "14.3")
    key = SIGNED / "key.pub"
    assert bundle["verificationMaterial"]["publicKey"]["hint"] == sha256_of(key)
    signed, der = tmp_path / "signed", tmp_path / "signature"
    signed.write_bytes(b"DSSEv1 28 application/vnd.in-toto+json %d " % len(payload) + payload)
    der.write_bytes(base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"]))
    command = ["openssl", "dgst", "-sha256", "-verify", str(key), "-signature", str(der)]
    subprocess.run([*command, str(signed)], check=True, capture_output=True)


# Chapters 16 and 17


def test_every_command_has_its_document() -> None:
    named = {name.split()[0] for row in table("command-line", "16.2") for name in quoted(row[0])}
    assert named | {"browse", "serve", "ui"} == set(COMMANDS)


def test_the_variables_of_user_code_are_those_of_the_runner() -> None:
    named = {plain(row[0]) for row in table("experiments", "17.6", 1)}
    assert named == {
        *(RUN_ID, RUN_DIR, CONFIG, METRICS, ARTIFACTS),
        *("RUNFORGE_WORKSPACE", "RUNFORGE_DATASET", "PYTHONUNBUFFERED"),
    }


@pytest.mark.parametrize("page", ["data", "training", "determinism", "provenance", "experiments"])
def test_every_code_in_a_sentence_is_a_code(page: str) -> None:
    from runforge_contracts.diagnostics import DiagnosticCode

    known = {code.value for code in (*ErrorCode, *DiagnosticCode)}
    text = (PAGES / f"{page}.md").read_text("utf-8")
    named = set(re.findall(r"`([A-Z]{2,}(?:_[A-Z]+)+)`", text))
    others = {"RUNFORGE_PRIVATE", "SOURCE_DATE_EPOCH", *PINNED_VARIABLES}
    others |= {name for name in named if name.startswith(("RUNFORGE_", "MKL_", "GLIBC_"))}
    assert named - known - others - {"PYTHONUNBUFFERED", "RUN_ID"} == set()


def test_the_arguments_of_ml_runner_are_those_of_the_page() -> None:
    from ml_runner.__main__ import train

    named = {name for row in table("command-line", "16.4") for name in quoted(row[0])}
    options = {option.opts[0] for option in train.params}
    assert named == options | {"RUNFORGE_DATASET", "RUNFORGE_RECIPE"}
    usage = section("command-line", "16.4").partition("python -m ml_runner inspect ")[0]
    assert options <= set(re.findall(r"--[a-z]+", usage))
