"""Training from the pages: only where it is allowed, with nothing lost, and everything recorded."""

from __future__ import annotations

import html
import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from runforge_web.request_form import differences
from runforge_web.training_data import datasets_and_recipes
from web_client import Answer, Server, serving
from workbooks import workbook

C = "logistic_regression/model/hyperparameters/C"
TRIED = f"try {C}"
FORM = {
    "/dataset/path": "data.csv",
    "/dataset/label_column": "y",
    "/model/family": "logistic_regression",
    "/preset": "balanced",
    "/device/type": "cpu",
}
#: A training that takes minutes, and little memory.
LONG = {
    **FORM,
    "/model/family": "random_forest",
    "random_forest/model/hyperparameters/n_estimators": "30000",
    "random_forest/model/hyperparameters/max_depth": "2",
}
TRAINING = ("/train", "/train/sweep", "/jobs", "/jobs/1")
DOING = ("/train/check", "/train/columns", "/train/run", "/train/sweep/run", "/jobs/1/cancel")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a workspace with a dataset."""
    write_rows(tmp_path / "data.csv", 60)
    return tmp_path


def write_rows(path: Path, count: int) -> None:
    """Write a dataset of two classes, with a column that is no number."""
    rows = (f"{at % 7},{at % 11},name{at},{'a' if at % 3 else 'b'}\n" for at in range(count))
    path.write_text("x,z,text,y\n" + "".join(rows), "utf-8")


def send(server: Server, path: str, fields: dict[str, str], excluded: str = "text") -> Answer:
    """Send a form of a training, with the column that is excluded."""
    pairs = [*fields.items(), ("/dataset/exclude_columns", json.dumps(excluded))]
    return send_pairs(server, path, pairs)


def send_pairs(server: Server, path: str, pairs: list[tuple[str, str]]) -> Answer:
    """Send the fields of a form."""
    pairs = [("csrf", server.ask("/train").csrf), *pairs]
    headers = {"Origin": server.origin, "Content-Type": "application/x-www-form-urlencoded"}
    return server.ask(path, "POST", urlencode(pairs).encode(), headers)


def ended(server: Server, answer: Answer) -> str:
    """Return the page of a job that was begun, once it has ended."""
    assert answer.status == 303, answer.text
    page = server.ask(answer.headers["location"]).text
    while "/cancel" in page:
        time.sleep(0.05)
        page = server.ask(answer.headers["location"]).text
    return page


def run_of(page: str) -> str:
    """Return the run that a page of a job leads to."""
    found = re.search(r'href="/runs/([\w-]+)"', page.partition("<main")[2])
    assert found is not None, page
    return found[1]


def request_of(workspace: Path, run: str) -> dict[str, Any]:
    """Return the request that a run recorded."""
    document: dict[str, Any] = json.loads(
        (workspace / f".runforge/runs/{run}/request.json").read_text("utf-8")
    )
    return document


def test_without_the_option_the_pages_train_nothing(workspace: Path) -> None:
    with serving(workspace) as server:
        for path in TRAINING:
            assert server.ask(path).status == 404
        for path in (*DOING, "/runs/latest/reproduction", "/sweeps/latest/resume"):
            assert server.post(path, **FORM).status in (404, 405)
        assert "/train" not in server.ask("/runs").text
    assert [path.name for path in workspace.iterdir()] == ["data.csv"]


@pytest.mark.parametrize("path", DOING)
def test_every_change_needs_the_token_of_our_pages(workspace: Path, path: str) -> None:
    with serving(workspace, "--allow-train") as server:
        assert server.post(path, csrf="x", **FORM).status == 400
        assert server.post(path, {"Origin": "http://evil.example"}, **FORM).status == 403
        assert server.post(path, {"Origin": None}, **FORM).status == 403
        assert server.ask(path).status in (404, 405)
        assert "Nothing was begun" in server.ask("/jobs").text
    assert not (workspace / ".runforge").exists()


def test_a_run_is_trained_and_repeated_with_all_that_it_had(workspace: Path) -> None:
    with serving(workspace, "--allow-train") as server:
        assert "data.csv" in server.ask("/train").text
        assert "choose a column" in server.ask("/train?dataset=data.csv").text
        first = run_of(ended(server, send(server, "/train/run", {**FORM, C: "0.5"})))
        recorded = request_of(workspace, first)
        assert recorded["model"]["hyperparameters"] == {"C": 0.5}
        assert recorded["dataset"]["exclude_columns"] == ["text"]

        unknown = {"from another client": [1, {"a": None}]}
        file = workspace / f".runforge/runs/{first}/request.json"
        file.write_text(json.dumps({**recorded, "notes": "a\nb\t", "extra": unknown}), "utf-8")
        shown = server.ask(f"/train?parent={first}").text
        assert "from another client" in shown
        again = {"parent": first, C: "2", "/notes": "a\r\nb\t"}
        second = run_of(ended(server, send(server, "/train/run", again)))
        repeated = request_of(workspace, second)
        assert repeated["model"]["hyperparameters"] == {"C": 2}
        assert (repeated["extra"], repeated["notes"]) == (unknown, "a\nb\t")
        assert repeated["rerun_from"] == first
        page = ended(server, server.post(f"/runs/{second}/reproduction"))
        assert "identical" in page


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({C: "abc"}, "HYPERPARAMETER_INVALID"),
        ({C: "1e400"}, "HYPERPARAMETER_INVALID"),
        ({"/seed": "-1"}, "DOCUMENT_INVALID"),
        ({"/seed": "9" * 5000}, "DOCUMENT_INVALID"),
        ({"/preset": "<script>alert(1)</script>"}, "DOCUMENT_INVALID"),
        ({"/model/family": "no such"}, "DOCUMENT_INVALID"),
        ({"/profile": "thorough"}, "PROFILE_FAMILY_MISMATCH"),
        ({"/dataset/label_column": "no such"}, "LABEL_NOT_FOUND"),
        ({"/dataset/label_column": ""}, "LABEL_NOT_FOUND"),
        ({"/dataset/path": "none.csv"}, "DATASET_NOT_FOUND"),
        ({"/dataset/path": "../outside.csv"}, "PATH_OUTSIDE_ROOT"),
        ({"/dataset/path": "/etc/passwd"}, "PATH_OUTSIDE_ROOT"),
        ({"/dataset/path": "link.csv"}, "PATH_OUTSIDE_ROOT"),
        ({"/dataset/path": "a\0b"}, "DATASET_NOT_FOUND"),
        ({"/dataset/path": "a/" * 100_000}, "DATASET_NOT_FOUND"),
        ({"/dataset/path": ""}, "DATASET_NOT_FOUND"),
        ({C: "[" * 100_000}, "HYPERPARAMETER_INVALID"),
        ({C: "?", "/dataset/exclude_columns": "[" * 100_000}, "HYPERPARAMETER_INVALID"),
        ({C: "?", "shown column": '{"a":' * 100_000}, "HYPERPARAMETER_INVALID"),
    ],
)
def test_a_mistake_is_shown_and_nothing_typed_is_lost(
    tmp_path: Path, changes: dict[str, str], code: str
) -> None:
    workspace = tmp_path / "ws"
    workspace.mkdir()
    write_rows(workspace / "data.csv", 60)
    write_rows(tmp_path / "outside.csv", 60)
    (workspace / "link.csv").symlink_to(tmp_path / "outside.csv")
    typed = {"/name": 'a "name" <b>', "/notes": "line 1\r\nline 2"}
    with serving(workspace, "--allow-train") as server:
        answer = send(server, "/train/run", {**FORM, **typed, **changes})
        assert answer.status == 422
        assert code in answer.text
        assert "<script>alert" not in answer.text
        page = html.unescape(answer.text)
        assert 'value="a "name" <b>"' in page
        assert "line 1\nline 2</textarea>" in page.replace("\r", "")
        assert "Nothing was begun" in server.ask("/jobs").text
    assert not (workspace / ".runforge").exists()


def test_a_dataset_or_a_sweep_is_chosen_with_what_was_typed(workspace: Path) -> None:
    with serving(workspace, "--allow-train") as server:
        # The button of a dataset sends its path after that of the field, which is empty.
        half = {**FORM, "/dataset/path": "", C: "0.25", "/name": "mine", "/preset": "thorough"}
        chosen = [*half.items(), ("/dataset/path", "data.csv")]
        page = send(server, "/train/columns", dict(chosen)).text
        assert '<option value="y" selected>' in page
        assert "not valid" not in page
        swept = send(server, "/train/sweep/columns", {**half, "/dataset/path": "data.csv"}).text
        for found in (page, swept):
            assert 'value="0.25"' in found
            assert 'value="mine"' in found
            assert '<option value="thorough" selected>' in found
            assert 'value="&#34;text&#34;" checked' in found
        assert f'name="{TRIED}"' in swept
        assert "0 runs" not in swept
        valid = send(server, "/train/check", {**FORM, C: "0.25"}).text
        assert "Nothing is wrong with this request" in valid


def test_several_values_in_the_field_for_one_are_sent_to_the_other(workspace: Path) -> None:
    with serving(workspace, "--allow-train") as server:
        answer = send(server, "/train/sweep/run", {**FORM, C: "0.1, 1"})
        assert answer.status == 422
        assert "This field takes one value; several go into the one below." in answer.text
        place = re.search(r'<a href="#(mistake-\d+)">', answer.text)
        assert place is not None
        assert f'id="{place[1]}"' in answer.text


def test_all_mistakes_are_shown_at_once(workspace: Path) -> None:
    with serving(workspace, "--allow-train") as server:
        wrong = {**FORM, "/dataset/label_column": "fraction", C: "-1"}
        (workspace / "data.csv").write_text(
            "x,text,fraction,y\n" + "".join(f"{at},t{at},{at}.5,a\n" for at in range(60)), "utf-8"
        )
        answer = send(server, "/train/run", wrong, excluded="y")
        assert answer.status == 422
        for code in ("LABEL_TYPE_INVALID", "FEATURE_NOT_NUMERIC", "HYPERPARAMETER_INVALID"):
            assert code in answer.text
        assert "3 values are not valid; nothing was begun." in answer.text
        both = send(server, "/train/run", {**FORM, "/dataset/label_column": "y"}, excluded="y")
        assert "is the label, and excluded too." in both.text
        assert not (workspace / ".runforge").exists()


def test_a_column_that_is_no_number_must_be_excluded(workspace: Path) -> None:
    with serving(workspace, "--allow-train") as server:
        answer = send(server, "/train/run", FORM, excluded="x")
        assert answer.status == 422
        assert "FEATURE_NOT_NUMERIC" in answer.text
        # The label is as good as before.
        assert "LABEL_TYPE_INVALID" not in answer.text


def test_an_absent_list_is_no_difference_to_an_empty_one() -> None:
    assert list(differences({"tags": [], "seed": 1}, {"seed": 1})) == []
    assert list(differences({}, {"tags": []})) == []
    assert list(differences({"tags": ["a"]}, {})) == [("/tags", '["a"]', "")]


def test_a_recipe_is_proposed_chosen_and_kept(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    raw = "sub/raw.csv"
    rows = (
        f"{at % 7},{'red' if at % 2 else 'blue'},name{at},{'ab'[at % 3 > 0]}\n" for at in range(60)
    )
    (tmp_path / raw).write_text("x,colour,note,y\n" + "".join(rows), "utf-8")
    form = {**FORM, "/dataset/path": raw}
    recipe = "sub/raw.recipe.json"
    with serving(tmp_path, "--allow-train") as server:
        asked = send(server, "/train/recipe", {**form, "/dataset/label_column": ""}, "x")
        assert "none is chosen" in asked.text
        for path in ("", "/", "a\0b", "../outside.csv"):
            send(server, "/train/recipe", {**form, "/dataset/path": path})
        assert [*tmp_path.iterdir()] == [tmp_path / "sub"]
        page = html.unescape(send(server, "/train/recipe", form, "x").text)
        assert f'value="{recipe}" list="recipes"' in page
        assert "2 columns: blue, red" in page
        assert "another value in each row" in page
        before = (tmp_path / recipe).read_bytes()
        assert "nothing is replaced" in send(server, "/train/sweep/recipe", form, "x").text
        assert (tmp_path / recipe).read_bytes() == before

        # The label is that of the recipe, and text columns need not be excluded.
        chosen = {**form, "/dataset/label_column": "", "/dataset/recipe": recipe}
        run = run_of(ended(server, send(server, "/train/run", chosen, "x")))
        assert request_of(tmp_path, run)["dataset"] == {
            "path": raw,
            "label_column": "y",
            "exclude_columns": ["x"],
            "recipe": recipe,
        }
        assert recipe in html.unescape(server.ask(f"/train?parent={run}").text)
        again = run_of(ended(server, send(server, "/train/run", {"parent": run, C: "2"}, "x")))
        assert request_of(tmp_path, again)["dataset"]["recipe"] == recipe


def test_hidden_folders_take_no_room_among_the_datasets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runforge_web.training_data._LOOKED_AT", 8)
    for name in ("a/a.csv", "a/a.recipe.json", *(f"sub/.hidden/{at}.csv" for at in range(20))):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert datasets_and_recipes(tmp_path) == (["a/a.csv"], ["a/a.recipe.json"])


def test_what_a_recipe_does_with_columns_is_chosen(tmp_path: Path) -> None:
    rows = "".join(
        f"{at % 3},{['red', 'blue', ''][at % 3]},n{at % 50},{'ab'[at % 4 > 0]}\n"
        for at in range(90)
    )
    (tmp_path / "raw.csv").write_text("x,colour,note,y\n" + rows, "utf-8")
    form = {**FORM, "/dataset/path": "raw.csv"}

    def choose(path: str, recipe: str, *actions: list[str], read: str = "") -> str:
        fields = {**form, "/dataset/recipe": recipe, "read recipe": read or recipe}
        pairs = [*fields.items(), *(("recipe action", json.dumps(one)) for one in actions)]
        return html.unescape(send_pairs(server, path, pairs).text)

    with serving(tmp_path, "--allow-train") as server:
        page = html.unescape(send(server, "/train/recipe", form, "none").text)
        assert '["x", "one_hot"]' in page
        before = (tmp_path / "raw.recipe.json").read_bytes()
        chosen = (["x", "one_hot"], ["note", "one_hot"], ["colour", "drop"], ["gone", "drop"])
        page = choose("/train/run", "raw.recipe.json", *chosen)
        assert "Write the recipe with these actions first" in page
        page = choose("/train/recipe/edited", "raw.recipe.json", *chosen)
        assert 'value="raw.2.recipe.json" list="recipes"' in page
        assert "3 columns: 0, 1, 2" in page
        assert "50 columns: n0, n1" in page
        assert "chosen by hand" in page
        page = choose("/train/sweep/recipe/edited", "raw.2.recipe.json", ["colour", "one_hot"])
        assert 'value="raw.3.recipe.json" list="recipes"' in page
        assert "2 columns: blue, red; where missing 0, and 1 in colour:missing" in page
        for actions, message in (
            ([["note", "keep"]], "VALUE_UNEXPECTED"),
            ([["colour", "one_hot"]], "does this with every column already"),
            ([["colour", "date"], ["x"], 3, [["x"], "drop"]], "every column already"),
            ([["x", "drop"], ["note", "drop"], ["colour", "drop"]], "Every column is dropped"),
        ):
            assert message in choose("/train/recipe/edited", "raw.3.recipe.json", *actions)
        # What was chosen for another recipe is not taken.
        page = choose("/train/run", "raw.3.recipe.json", ["x", "drop"], read="raw.2.recipe.json")
        assert "Write the recipe" not in page
        assert sorted(path.name for path in tmp_path.glob("*.json")) == [
            "raw.2.recipe.json",
            "raw.3.recipe.json",
            "raw.recipe.json",
        ]
        assert (tmp_path / "raw.recipe.json").read_bytes() == before


def test_the_form_of_a_raw_file_is_named_for_a_proposal(tmp_path: Path) -> None:
    rows = "".join(
        f"{at % 7},5;{'rot' if at % 2 else 'grün'};{'ab'[at % 3 > 0]}\n" for at in range(60)
    )
    (tmp_path / "raw.csv").write_bytes(f"größe;farbe;y\n{rows}".encode("iso-8859-1"))
    table = [
        ["size", "colour", "y"],
        *([at % 7, "rb"[at % 2], "ab"[at % 3 > 0]] for at in range(60)),
    ]
    (tmp_path / "book.xlsx").write_bytes(workbook({"Tier 1": table}))
    form = {**FORM, "/dataset/path": "raw.csv", "/dataset/label_column": ""}
    named = {"raw delimiter": ";", "raw encoding": "iso-8859-1", "raw decimal_mark": ","}
    with serving(tmp_path, "--allow-train") as server:
        assert 'value="book.xlsx"' in server.ask("/train").text
        page = html.unescape(send(server, "/train/columns", form).text)
        assert "DATASET_ENCODING_INVALID" in page
        assert "type its name" in page
        page = html.unescape(send(server, "/train/columns", {**form, **named}).text)
        assert '<option value="größe">größe</option>' in page
        assert "is not valid" not in page
        assert '<option value=";" selected>;</option>' in page
        proposal = {**form, **named, "/dataset/label_column": "y"}
        page = html.unescape(send(server, "/train/recipe", proposal).text)
        assert "2 columns: grün, rot" in page
        recipe = json.loads((tmp_path / "raw.recipe.json").read_bytes())
        assert recipe["source"] == {"delimiter": ";", "decimal_mark": ",", "encoding": "iso-8859-1"}
        chosen = {**form, "/dataset/recipe": "raw.recipe.json"}
        run = run_of(ended(server, send(server, "/train/run", chosen, "farbe")))
        assert request_of(tmp_path, run)["dataset"]["recipe"] == "raw.recipe.json"

        sheet = {**form, "/dataset/path": "book.xlsx", "raw sheet": "Tier 1"}
        page = send(server, "/train/columns", sheet).text
        assert "type its name" in page
        sheet["/dataset/label_column"] = "y"
        page = html.unescape(send(server, "/train/recipe", sheet).text)
        assert 'value="book.recipe.json" list="recipes"' in page
        (tmp_path / "book.recipe.json").unlink()
        page = html.unescape(send(server, "/train/recipe", {**sheet, **named}).text)
        assert "A sheet has no delimiter" in page
        assert not (tmp_path / "book.recipe.json").exists()
        unknown = send(server, "/train/columns", {**form, "raw encoding": "rot13"})
        assert (unknown.status, "rot13" in unknown.text) == (400, True)


@pytest.mark.parametrize(
    ("recipe", "label", "code"),
    [
        ("none.recipe.json", "y", "FILE_NOT_FOUND"),
        ("../outside.recipe.json", "y", "PATH_OUTSIDE_ROOT"),
        ("data.csv", "y", "JSON_INVALID"),
        ("twice.recipe.json", "y", "DOCUMENT_INVALID"),
        ("own.recipe.json", "x", "LABEL_NOT_FOUND"),
    ],
)
def test_a_mistake_of_a_recipe_is_shown_at_its_field(
    recipe: str, label: str, code: str, workspace: Path
) -> None:
    column = {"column": "x", "action": "keep"}
    for name, columns in (("own", [column]), ("twice", [column, column])):
        content = {"schema_version": "recipe.v1", "label": "y", "columns": columns}
        (workspace / f"{name}.recipe.json").write_text(json.dumps(content), "utf-8")
    with serving(workspace, "--allow-train") as server:
        form = {**FORM, "/dataset/label_column": label, "/dataset/recipe": recipe}
        answer = send(server, "/train/run", form)
        assert answer.status == 422
        assert code in answer.text
        assert f'value="{recipe}"' in answer.text
        assert "1 value is not valid; nothing was begun." in answer.text
    assert not (workspace / ".runforge").exists()


def test_a_sweep_is_counted_trained_and_resumed(workspace: Path) -> None:
    with serving(workspace, "--allow-train") as server:
        swept = {**FORM, TRIED: "0.1,1", "seeds": "1..2"}
        assert "4 runs" in send(server, "/train/sweep/check", swept).text
        wrong = send(server, "/train/sweep/run", {**FORM, TRIED: "0.1,,"})
        assert wrong.status == 422
        page = ended(server, send(server, "/train/sweep/run", swept))
        assert "succeeded</span>" in page
        group = re.search(r'href="(/sweeps/[^"]+)"', page.partition("<main")[2])
        assert group is not None
        shown = server.ask(group[1]).text
        # Nothing is left to do; what is best is a click away.
        assert "/resume" not in shown
        assert re.search(r'<a href="/runs/[^"]+">Run \d, (the best|one of the best)</a>', shown)
        resumed = ended(server, server.post(f"{group[1]}/resume", retry="yes"))
        assert "succeeded</span>" in resumed
        assert len([*workspace.glob(".runforge/runs/*/run.json")]) == 4


def test_what_is_trained_again_has_its_dataset_in_the_workspace(tmp_path: Path) -> None:
    workspace, outside = tmp_path / "ws", tmp_path / "outside.csv"
    workspace.mkdir()
    for path in (workspace / "data.csv", outside):
        write_rows(path, 60)
    with serving(workspace, "--allow-train") as server:
        run = run_of(ended(server, send(server, "/train/run", FORM)))
        page = ended(server, send(server, "/train/sweep/run", {**FORM, TRIED: "0.1,1"}))
        found = re.search(r'href="(/sweeps/[^"]+)"', page.partition("<main")[2])
        assert found is not None
        for file in workspace.glob(".runforge/*/*/*.json"):
            text = file.read_text("utf-8").replace('"data.csv"', json.dumps(str(outside)))
            file.write_text(text, "utf-8")
        for address in (f"/runs/{run}/reproduction", f"{found[1]}/resume"):
            answer = server.post(address, retry="yes")
            assert (answer.status, "PATH_OUTSIDE_ROOT" in answer.text) == (400, True), address
        assert len(re.findall(r'href="/jobs/\d+"', server.ask("/jobs").text)) == 2


def test_jobs_are_cancelled_and_bounded(workspace: Path) -> None:
    write_rows(workspace / "data.csv", 3_000)
    with serving(workspace, "--allow-train") as server:
        jobs = [send(server, "/train/run", LONG) for _ in range(20)]
        assert {answer.status for answer in jobs} == {303}
        assert send(server, "/train/run", LONG).status == 400
        assert server.ask("/runs").status == 200
        for answer in reversed(jobs):
            address = answer.headers["location"]
            assert server.post(f"{address}/cancel").status == 303
        for answer in jobs:
            page = ended(server, answer)
            assert "cancelled" in page, page


def test_what_trains_when_the_server_ends_is_recorded_as_cancelled(workspace: Path) -> None:
    write_rows(workspace / "data.csv", 3_000)
    for is_killed in (False, True):
        with serving(workspace, "--allow-train") as server:
            address = send(server, "/train/run", LONG).headers["location"]
            while "training" not in server.ask(address).text.lower().partition("role=")[2]:
                time.sleep(0.05)
            while "/runs/" not in (page := server.ask(address).text).partition("<h1")[2]:
                time.sleep(0.05)
            run = run_of(page)
            if is_killed:
                server.process.kill()
        folder = workspace / f".runforge/runs/{run}"
        while not (folder / "result.json").exists():
            time.sleep(0.05)
        assert json.loads((folder / "result.json").read_text("utf-8"))["status"] == "cancelled"


def test_a_dataset_that_was_replaced_is_not_trained_on_unseen(workspace: Path) -> None:
    with serving(workspace, "--allow-train") as server:
        shown = send(server, "/train/columns", FORM).text
        [read] = re.findall('name="read dataset" value="([^"]+)"', shown)
        assert read.endswith(" data.csv")
        write_rows(workspace / "data.csv", 61)
        refused = send(server, "/train/run", {**FORM, "read dataset": read})
        assert refused.status == 422
        assert "The dataset has other bytes than when this page read it." in refused.text
        assert server.ask("/runs").text.count('<th scope="row">') == 0
        [now] = re.findall('name="read dataset" value="([^"]+)"', refused.text)
        assert now != read
        assert ended(server, send(server, "/train/run", {**FORM, "read dataset": now}))
        # What was read of another file says nothing of this one.
        write_rows(workspace / "other.csv", 62)
        other = {**FORM, "/dataset/path": "other.csv", "read dataset": read}
        assert run_of(ended(server, send(server, "/train/run", other)))
