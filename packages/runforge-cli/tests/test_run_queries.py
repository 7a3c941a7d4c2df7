"""Runs are found by name, tag, status and metric, as they are by id."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from calls import TRAIN, Call
from runforge_contracts.errors import RunForgeError
from runforge_engine import Store


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that keeps the runs that were made once."""
    return tmp_path_factory.mktemp("trained")


@pytest.fixture
def ids(trained: Path, runforge: Call, workspace: Path) -> dict[str, str]:
    """Return the ids of four runs by name, in a workspace that holds a copy of them."""
    kept = trained / "names"
    if not kept.exists():
        found = {}
        for name, *options in (
            ("weak", "--param", "C=0.0001", "--tag", "a"),
            ("good", "--tag", "a", "--tag", "b"),
            ("tie", "--param", "max_iter=300"),
            ("good", "--param", "C=0.9"),
        ):
            done = runforge(*TRAIN, "--name", name, *options, "--json")
            found[name if name not in found else f"{name} again"] = done.json["run_id"]
        failed = runforge("train", "penguins.csv", "--label", "species", "--json").json
        found["failed"] = failed["run_id"]
        shutil.copytree(workspace / ".runforge", trained / ".runforge")
        kept.write_text("\n".join(f"{run_id} {name}" for name, run_id in found.items()))
    else:
        shutil.copytree(trained / ".runforge", workspace / ".runforge")
    lines = kept.read_text().splitlines()
    return {name: run_id for run_id, _, name in (line.partition(" ") for line in lines)}


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("weak", "weak"),
        ("name:good", "good again"),
        ("tag:a", "good"),
        ("tag:b", "good"),
        ("latest:failed", "failed"),
        ("latest:succeeded", "good again"),
    ],
)
def test_a_run_is_named_by_what_it_is(
    reference: str, name: str, ids: dict[str, str], runforge: Call
) -> None:
    done = runforge("metrics" if name != "failed" else "diagnostics", reference)
    assert done.code == 0, done.err
    # The page of diagnostics names its run itself.
    said = done.err if name != "failed" else done.out
    assert f"note: {reference} is {ids[name]} in" in said or f"of run {ids[name]} " in said


def test_a_tag_of_several_runs_says_that_the_newest_was_taken(
    ids: dict[str, str], runforge: Call
) -> None:
    assert ", the newest of 2\n" in runforge("show", "tag:a").err
    assert ", the newest of 2\n" in runforge("show", "name:good").err
    assert "the newest of" not in runforge("show", "tag:b").err


def test_a_reference_may_have_the_line_end_of_a_list(ids: dict[str, str], runforge: Call) -> None:
    listed = runforge("runs", "--name", "weak", "--columns", "run", "--csv").out
    last = f"{ids['weak']}\r"
    assert listed.endswith(f"\r\n{last}\n")
    for reference in (last, "name:weak\r", "best@penguins.csv\r"):
        assert runforge("show", reference).code == 0
    assert "There is no run `nobody` in" in runforge("show", "nobody\r\n").err


def test_the_best_run_is_found_by_metric(ids: dict[str, str], runforge: Call) -> None:
    worst = runforge("show", "weak", "--json").json["metrics_v1"]["accuracy"]
    for reference in ("best", "best:accuracy", "best:f1_macro"):
        found = runforge("show", reference, "--json").json
        assert found["metrics_v1"]["accuracy"] > worst
    # All metrics of the three are equal, so the first one counts.
    assert runforge("show", "best", "--json").json["run_id"] == ids["good"]


def test_a_name_of_several_runs_is_ambiguous(ids: dict[str, str], runforge: Call) -> None:
    done = runforge("show", "good")
    assert done.code == 2
    assert "error[RUN_AMBIGUOUS]: 2 runs have the name `good`:" in done.err
    assert "hint: `name:good` is the newest of them." in done.err


def test_a_name_means_the_one_run_that_succeeded(
    runforge: Call, workspace: Path, ids: dict[str, str]
) -> None:
    options = ("--label", "species", "--name", "c27", "--json")
    for _ in range(2):
        failed = runforge("train", "penguins.csv", *options)
        assert failed.code == 1
    neither = runforge("show", "c27", "--json")
    assert (neither.code, neither.json["error"]["code"]) == (2, "RUN_AMBIGUOUS")
    run_id = runforge(*TRAIN, "--name", "c27", "--json").json["run_id"]
    note = f"note: c27 is {run_id} in .runforge/runs, the one of 3 runs of this name that succeeded"
    for command in (("show",), ("metrics",), ("diff", "weak")):
        done = runforge(*command, "c27")
        assert (done.code, note in done.err) == (0, True), done.err
    assert runforge("show", "c27", "--json").json["run_id"] == run_id
    store = Store(workspace)
    assert store.run("c27").id == run_id
    # Nothing is removed by a guess.
    before = sorted((workspace / ".runforge/runs").iterdir())
    for action, *more in (("forget", "--because", "a test", "--yes"), ("archive", "--to", "old")):
        refused = runforge("store", action, "c27", *more)
        assert refused.code == 2, refused.out
        assert "error[RUN_AMBIGUOUS]: 3 runs have the name `c27`:" in refused.err
        assert "succeeded" not in refused.err
    for remove in (
        lambda: store.forget("c27", because="a test"),
        lambda: store.archive("c27", workspace / "old"),
    ):
        with pytest.raises(RunForgeError, match="3 runs have the name `c27`"):
            remove()
    assert sorted((workspace / ".runforge/runs").iterdir()) == before
    again = runforge("rerun", "c27", "--name", "c27", "--json").json["run_id"]
    assert "RUN_AMBIGUOUS" in runforge("show", "c27").err
    assert runforge("show", "name:c27", "--json").json["run_id"] == again


def test_an_evaluation_is_not_a_missing_run(
    runforge: Call, workspace: Path, ids: dict[str, str]
) -> None:
    done = runforge("evaluate", "weak", "penguins.csv", "--json")
    evaluation = done.json["evaluation_id"]
    for runs in ((evaluation, "weak"), ("weak", evaluation)):
        refused = runforge("diff", *runs)
        assert refused.code == 3
        assert f"error[RUN_NOT_FOUND]: `{evaluation}` is an evaluation, not a run." in refused.err
        assert f"runforge evaluate RUN FILE --no-worse-than {evaluation}" in " ".join(
            refused.err.split()
        )
    assert "There is no run `eval_none`" in runforge("diff", "weak", "eval_none").err


@pytest.mark.parametrize("reference", ["name:nobody", "tag:none", "latest:running", "best:speed"])
def test_what_fits_no_run_is_an_error(reference: str, ids: dict[str, str], runforge: Call) -> None:
    done = runforge("show", reference)
    assert done.code == 3
    assert f"error[RUN_NOT_FOUND]: No run matches `{reference}`" in done.err


def test_a_run_whose_folder_is_gone_is_skipped(
    ids: dict[str, str], runforge: Call, workspace: Path
) -> None:
    shutil.rmtree(workspace / ".runforge/runs" / ids["good again"])
    assert runforge("show", "name:good", "--json").json["run_id"] == ids["good"]


def test_the_start_of_an_id_names_the_only_run_that_begins_so(
    ids: dict[str, str], runforge: Call, workspace: Path
) -> None:
    run_id = ids["weak"]
    start = run_id[:-2]
    assert runforge("show", start, "--json").json["run_id"] == run_id
    index = workspace / ".runforge/index.json"
    listed = index.read_text()
    # Whatever else begins so in the index could be meant: a run whose folder is missing.
    end = "00" if run_id[-2:] != "00" else "11"
    # Also if it is written with escapes.
    for other in (f"{start}{end}", f"{start}{end[0]}\\u003{end[1]}"):
        index.write_text(listed.replace(ids["good"], other))
        found = runforge("show", start, "--json")
        assert (found.code, found.json["error"]["code"]) == (2, "RUN_AMBIGUOUS")
    index.unlink()
    assert runforge("show", start, "--json").json["run_id"] == run_id
    (workspace / ".runforge/runs" / f"{start}zz").symlink_to(workspace)
    assert runforge("show", start, "--json").json["run_id"] == run_id


def test_tags_are_found_however_they_are_written(
    ids: dict[str, str], runforge: Call, workspace: Path
) -> None:
    def tagged(name: str) -> set[str]:
        listed = runforge("runs", "--tag", name, "--json").json["runs"]
        return {entry["run_id"] for entry in listed}

    assert tagged("a") == {ids["weak"], ids["good"]}
    # Entries of earlier versions have no tags; those of the request count then.
    index = workspace / ".runforge/index.json"
    document = json.loads(index.read_text("utf-8"))
    for entry in document["runs"]:
        entry.pop("tags", None)
    index.write_text(json.dumps(document, indent=2), "utf-8")
    requests = {
        name: workspace / ".runforge/runs" / ids[name] / "request.json" for name in ("tie", "weak")
    }
    text = requests["tie"].read_text()
    assert '"tags": []' in text
    requests["tie"].write_text(text.replace('"tags": []', '"\\u0074ags": ["a"]'))
    assert tagged("a") == {ids["weak"], ids["good"], ids["tie"]}
    requests["tie"].write_text(text.replace('"tags": []', '"tags" :["a"]'))
    assert tagged("a") == {ids["weak"], ids["good"], ids["tie"]}
    requests["tie"].write_text(text.replace('"name": "tie"', '"name": "tags"'))
    assert tagged("a") == {ids["weak"], ids["good"]}
    requests["weak"].unlink()
    assert tagged("a") == {ids["good"]}
