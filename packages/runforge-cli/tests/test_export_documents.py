"""``runforge export`` of one run as a document, read with the tools that it is written for."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from calls import ROOT, TRAIN, Call
from real_experiments import Repository
from runforge_contracts.codec.strict_yaml import parse_yaml

#: Where each format is written to.
TARGETS = {
    "model-card": "card.md",
    "cyclonedx": "bom.cdx.json",
    "ro-crate": "crate",
}
MODEL_ONLY = ("model-card", "cyclonedx")
#: A string that no format may take for its own syntax.
HOSTILE = "---\nlicense: x\n---\n</script>\x1b[31m\"'{{}} ${HOME}"


def export(runforge: Call, form: str, target: str, *more: str, run: str = "latest") -> Path:
    """Export a run, and return the file or folder."""
    result = runforge("export", run, "--to", form, "-o", target, *more, "--quiet")
    assert (result.code, result.err) == (0, "")
    return Path(target)


def contents(path: Path) -> dict[str, bytes]:
    """Return the bytes of a file, or of the files of a folder, by path."""
    if path.is_file():
        return {"": path.read_bytes()}
    found = (item for item in sorted(path.rglob("*")) if item.is_file())
    return {item.relative_to(path).as_posix(): item.read_bytes() for item in found}


def metadata_of(card: Path) -> Any:
    """Return the metadata of a model card."""
    before, header, _ = card.read_text("utf-8").split("---\n", 2)
    assert before == ""
    return parse_yaml(header.encode())


def entities_of(crate: Path) -> dict[str, dict[str, Any]]:
    """Return the entities of a crate by their ids."""
    document = json.loads((crate / "ro-crate-metadata.json").read_bytes())
    found = {entity["@id"]: entity for entity in document["@graph"]}
    assert len(found) == len(document["@graph"])
    return found


def references(value: Any) -> Iterator[str]:
    """Yield the ids that an entity refers to."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict) and each.keys() == {"@id"}:
            yield each["@id"]


@pytest.mark.parametrize("form", TARGETS)
def test_the_same_run_gives_the_same_bytes_and_nothing_is_replaced(
    form: str,
    runforge: Call,
    filled: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    reported = runforge("export", "latest", "--to", form, "-o", TARGETS[form], "--json").json
    [run_id] = reported.pop("exported")
    assert reported == {"to": form, "path": TARGETS[form], "present": [], "left_out": {}}
    before = contents(Path(TARGETS[form]))
    again = runforge("export", run_id, "--to", form, "-o", TARGETS[form], "--json")
    assert (again.code, again.json["error"]["code"]) == (2, "USAGE_INVALID")
    assert "--force" not in again.json["error"]["hint"]  # It has no such option.
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    other = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(filled, other)
    monkeypatch.chdir(other)
    assert contents(export(runforge, form, f"2-{TARGETS[form]}", run=run_id)) == before
    assert not [path for path in filled.rglob("*.tmp") if path.parent == filled]
    inside = runforge("export", "--to", form, "-o", ".runforge/x", "--json")
    assert (inside.code, inside.json["error"]["code"]) == (2, "USAGE_INVALID")


@pytest.mark.parametrize("form", TARGETS)
def test_only_one_run_that_verifies_is_exported(form: str, runforge: Call, filled: Path) -> None:
    ids = [entry["run_id"] for entry in runforge("runs", "--json").json["runs"]]
    statuses = {
        entry["run_id"]: entry["status"] for entry in runforge("runs", "--json").json["runs"]
    }
    result = runforge("export", *ids[:2], "--to", form, "-o", "out", "--json")
    assert (result.code, result.json["error"]["code"]) == (2, "USAGE_INVALID")
    for run_id in ids:
        result = runforge("export", run_id, "--to", form, "-o", f"out-{run_id}", "--json")
        if form in MODEL_ONLY and statuses[run_id] != "succeeded":
            assert (result.code, result.json["error"]["code"]) == (3, "ARTIFACT_NOT_FOUND")
        else:
            assert result.code == 0, result.out
    with (filled / ".runforge/runs" / ids[0] / "metrics.v1.json").open("a") as file:
        file.write("\n")
    result = runforge("export", ids[0], "--to", form, "-o", "out", "--json")
    assert result.json["error"]["code"] == "VERIFICATION_FAILED"
    assert not (filled / "out").exists()


def test_options_that_a_format_does_not_have_are_refused(runforge: Call, filled: Path) -> None:
    for text in ("", "a b", "MIT AND", "x\n", "MIT; rm", "A" * 201):
        result = runforge("export", "--to", "cyclonedx", "-o", "x", "--license", text, "--json")
        assert (result.code, result.json["error"]["code"]) == (2, "USAGE_INVALID"), text
    for option in ("--license", "--author"):
        result = runforge("export", "--to", "csv", "-o", "x", option, "MIT", "--json")
        assert (result.code, result.json["error"]["code"]) == (2, "USAGE_INVALID")
    assert not (filled / "x").exists()


@pytest.mark.slow  # an evaluation starts a process with the libraries
def test_no_export_names_a_folder_of_the_machine(
    runforge: Call, workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("secret folder")
    shutil.copyfile(ROOT / "examples/penguins.csv", elsewhere / "penguins.csv")
    assert runforge("train", str(elsewhere / "penguins.csv"), *TRAIN[2:]).code == 0
    assert runforge("evaluate", "latest", str(elsewhere / "penguins.csv")).code == 0
    for form, target in TARGETS.items():
        path = export(runforge, form, target)
        written = path / "ro-crate-metadata.json" if path.is_dir() else path
        text = written.read_text("utf-8")
        assert "penguins.csv" in text
        assert "secret folder" not in text
        assert str(elsewhere.parent) not in text
    validation, evaluated = metadata_of(Path("card.md"))["model-index"][0]["results"]
    assert evaluated["dataset"].pop("split").startswith("eval")
    assert validation["dataset"].pop("split") == "validation"
    assert validation["dataset"] == evaluated["dataset"]


def test_a_card_has_the_metrics_of_the_record(runforge: Call, filled: Path) -> None:
    metadata = metadata_of(export(runforge, "model-card", "card.md", "--license", "Apache-2.0"))
    run = filled / ".runforge/runs" / _latest(runforge)
    metrics = json.loads((run / "metrics.v1.json").read_bytes())
    assert metadata["license"] == "apache-2.0"
    [result] = metadata["model-index"][0]["results"]
    assert {item["type"]: item["value"] for item in result["metrics"]} == {
        name: value for name, value in metrics.items() if isinstance(value, float)
    }
    assert result["dataset"]["name"] == "penguins.csv"
    digest = sha256((filled / "penguins.csv").read_bytes()).hexdigest()
    assert result["dataset"]["revision"] == digest
    assert "license" not in metadata_of(export(runforge, "model-card", "none.md"))
    several = metadata_of(export(runforge, "model-card", "b.md", "--license", "MIT OR Apache-2.0"))
    assert several["license"] == "other"
    assert several["license_name"] == "MIT OR Apache-2.0"


def _latest(runforge: Call) -> str:
    return str(runforge("show", "latest", "--json", "--quiet").json["run_id"])


def test_a_crate_has_every_file_of_the_run(runforge: Call, filled: Path) -> None:
    crate = export(runforge, "ro-crate", "crate", "--author", "Grace", "--license", "MIT")
    run = filled / ".runforge/runs" / _latest(runforge)
    assert contents(crate / "run") == contents(run)
    entities = entities_of(crate)
    for name, data in contents(run).items():
        entity = entities[f"run/{name}"]
        assert entity["sha256"] == sha256(data).hexdigest()
        assert entity["contentSize"] == str(len(data))
    referred = {
        name for item in entities.values() for each in item.values() for name in references(each)
    }
    assert referred - {"https://w3id.org/ro/crate/1.1"} <= entities.keys()
    action = entities["#training"]
    assert set(references(action["agent"])) == {"#author"}
    assert "#dataset" in set(references(action["object"]))
    packed = export(runforge, "ro-crate", "crate.zip", "--author", "Grace", "--license", "MIT")
    with zipfile.ZipFile(packed) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == contents(crate)


def test_runs_of_experiments_are_crates_only(runforge: Call, repository: Repository) -> None:
    for name in ("first", "hostile", "broken", "killed"):
        run_id = repository.ids[name]
        result = runforge("export", run_id, "--to", "ro-crate", "-o", name, "--json")
        if result.code:
            assert result.json["error"]["code"] == "VERIFICATION_FAILED", name
            continue
        assert contents(Path(name) / "run") == contents(repository.folder(name))
        entities = entities_of(Path(name))
        assert {
            f"run/{quote(item)}" for item in contents(repository.folder(name))
        } < entities.keys()
    assert (repository.root / "first").is_dir()
    result = runforge("export", repository.ids["first"], "--to", "model-card", "-o", "x", "--json")
    assert (result.code, result.json["error"]["code"]) == (3, "ARTIFACT_NOT_FOUND")


# Read by the tools of the others


@pytest.fixture
def hostile(runforge: Call, workspace: Path) -> Path:
    """Return a workspace whose newest run has hostile names."""
    options = ("--name", HOSTILE, "--notes", HOSTILE, "--tag", HOSTILE, "--tag", "no")
    assert runforge(*TRAIN, *options).code == 0
    return workspace


@pytest.mark.needs(package="huggingface_hub")
def test_a_hub_reads_the_card(runforge: Call, hostile: Path) -> None:
    from huggingface_hub import ModelCard

    text = export(runforge, "model-card", "card.md", "--license", "MIT").read_text("utf-8")
    card = ModelCard(text)
    metrics = json.loads(
        (hostile / ".runforge/runs" / _latest(runforge) / "metrics.v1.json").read_bytes()
    )
    assert card.data.license == "mit"
    assert card.data.model_name == HOSTILE
    assert card.data.tags == ["runforge", "sklearn", "logistic_regression", HOSTILE, "no"]
    found = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert found["f1_macro"] == metrics["f1_macro"]
    assert "\x1b" not in card.text


@pytest.mark.needs(package="cyclonedx")
@pytest.mark.filterwarnings("ignore")
def test_the_bill_of_materials_is_valid(runforge: Call, hostile: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator = JsonStrictValidator(SchemaVersion.V1_6)
    path = export(runforge, "cyclonedx", "a.json", "--license", "MIT OR ISC", "--author", HOSTILE)
    assert validator.validate_str(path.read_text("utf-8")) is None
    document = json.loads(path.read_bytes())
    model = document["metadata"]["component"]
    assert model["name"] == HOSTILE
    run = hostile / ".runforge/runs" / _latest(runforge)
    assert (
        model["hashes"][0]["content"]
        == sha256((run / "artifacts/model.pkl").read_bytes()).hexdigest()
    )
    named = {item["bom-ref"] for item in document["components"]}
    assert set(document["dependencies"][0]["dependsOn"]) == named
    recorded = json.loads((run / "run.json").read_bytes())["provenance"]["packages"]
    libraries = [item for item in document["components"] if item["type"] == "library"]
    assert {item["name"]: item["version"] for item in libraries} == recorded
    # The validator is not one that accepts everything.
    del document["metadata"]["component"]["name"]
    assert validator.validate_str(json.dumps(document)) is not None


class _Stored:
    """Answers every request with stored bytes, as an adapter of ``requests``."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def send(self, request: Any, **_: Any) -> Any:
        from requests.adapters import HTTPAdapter
        from urllib3 import HTTPResponse

        raw = HTTPResponse(
            io.BytesIO(self._data),
            {"Content-Type": "application/ld+json"},
            200,
            preload_content=False,
            request_method="GET",
            request_url=request.url,
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Do nothing."""


@pytest.fixture(scope="session")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the cache of the validator, with the JSON-LD context that another package ships."""
    from requests_cache import CachedSession

    path = tmp_path_factory.mktemp("cache") / "contexts"
    data = files("rocrate").joinpath("data/ro-crate.jsonld").read_bytes()
    with CachedSession(cache_name=str(path), backend="sqlite") as session:
        session.mount("https://", _Stored(data))  # type: ignore[arg-type]
        session.get("https://w3id.org/ro/crate/1.1/context")
    return path


@pytest.mark.needs(package="rocrate_validator")
@pytest.mark.filterwarnings("ignore")
def test_a_crate_is_a_process_run_crate(
    runforge: Call, repository: Repository, contexts: Path
) -> None:
    options = ("--license", "MIT", "--author", "Grace")
    export(runforge, "ro-crate", "trained", *options, run=repository.ids["bridged"])
    export(runforge, "ro-crate", "script.zip", run=repository.ids["first"])
    export(runforge, "ro-crate", "failed", run=repository.ids["hostile"])
    for name in ("trained", "script.zip", "failed"):
        assert issues_of(Path(name), contexts) == [], name
    path = Path("failed/ro-crate-metadata.json")
    document = json.loads(path.read_bytes())
    for entity in document["@graph"]:
        entity.pop("instrument", None)
    path.write_text(json.dumps(document), "utf-8")
    assert any("instrument" in issue for issue in issues_of(Path("failed"), contexts))


def issues_of(crate: Path, cache: Path) -> list[str]:
    """Return what the validator objects to."""
    from rocrate_validator.models import ValidationSettings
    from rocrate_validator.services import validate

    settings = ValidationSettings(
        rocrate_uri=str(crate),
        profile_identifier="process-run-crate-0.5",
        offline=True,
        cache_path=cache,
    )
    return [str(issue.message) for issue in validate(settings).get_issues()]
