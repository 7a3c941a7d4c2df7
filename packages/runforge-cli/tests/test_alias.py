"""Aliases: what they point at, what they may be called, and what a changed history gives."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from browsing import Seen, browsing, entry, write_index
from calls import TRAIN, Call
from click import Argument as RunArgument
from click import Context
from runforge_cli.answers.list_answer import RunChoice, list_document
from runforge_cli.shell.app import cli
from runforge_cli.shell.completion import complete_run
from runforge_cli.shell.settings import Settings
from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.aliases import read_aliases
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.validation import validate
from runforge_engine.store.alias_writer import remove_alias, set_alias


@pytest.fixture
def runs(runforge: Call, workspace: Path) -> list[str]:
    """Return the ids of three runs, the oldest first."""
    entries = [entry(number, status="succeeded") for number in range(3)]
    write_index(workspace, entries)
    for item in entries:
        (workspace / item["run_dir"] / "note.txt").write_text("", "utf-8")
    return [item["run_id"] for item in entries]


@pytest.fixture
def history(workspace: Path) -> Path:
    return workspace / ".runforge/aliases.jsonl"


def test_an_alias_points_at_a_run_until_it_points_at_another(
    runforge: Call, runs: list[str], history: Path
) -> None:
    assert runforge("alias").out == "No aliases yet; `runforge alias NAME RUN` makes one.\n"
    made = runforge("alias", "production", runs[0], "--because", "the\x1b[2J first")
    assert made.out == f"production is {runs[0]}\n"
    before = history.read_bytes()
    for reason in ([], ["--because", "again"]):
        again = runforge("alias", "production", runs[0], *reason)
        assert again.out == f"production is {runs[0]} already; nothing was recorded.\n"
    assert history.read_bytes() == before
    moved = runforge("alias", "production", runs[1])
    assert moved.out == f"production is {runs[1]} (was {runs[0]})\n"
    assert history.read_bytes().startswith(before)
    listed = runforge("alias").out.splitlines()
    assert listed[1].split()[:2] == ["production", runs[1]]
    shown = runforge("alias", "production").out
    assert "\x1b" not in shown
    assert [line.split()[3] for line in shown.splitlines()[1:]] == runs[:2]
    document = runforge("alias", "production", "--json").json
    validate(document, "alias_report.v1")
    assert [item["run_id"] for item in document["history"]] == runs[:2]
    assert [item["run_id"] for item in runforge("alias", "--json").json["aliases"]] == [runs[1]]
    assert runforge("alias", "production", "--remove").code == 0
    gone = runforge("show", "production")
    assert (gone.code, "RUN_NOT_FOUND" in gone.err) == (3, True)
    assert runforge("alias", "production").out.splitlines()[3].split()[3] == "removed"
    assert runforge("alias", "production", "--remove").code == 3


def test_every_command_takes_it_and_lists_show_it(runforge: Call, runs: list[str]) -> None:
    runforge("alias", "production", runs[0])
    runforge("alias", "old", runs[0])
    found = runforge("show", "alias:production", "--json")
    assert (found.json["run_id"], found.json["aliases"]) == (runs[0], ["old", "production"])
    assert runforge("show", "old", "--json").json["run_id"] == runs[0]
    assert "aliases  old, production" in runforge("show", runs[0]).out
    listed = runforge("runs", "--json").json["runs"]
    assert [item.get("aliases") for item in listed] == [None, None, ["old", "production"]]
    assert "old, produc…" in runforge("runs").out
    assert f"alias:old is {runs[0]}" in runforge("diff", "alias:old", runs[1]).err


@pytest.mark.parametrize(
    "name",
    [
        *("best", "latest", "LATEST", "name", "alias", "", "a b", "a/b", "../x", "-x", "2026", "é"),
        *("a" * 65, "a:b", "run-2026-11-28-001", "run-1", "eval_x", "a\n", "a\x1b[2J"),
    ],
)
def test_names_that_mean_something_else_are_refused(
    runforge: Call, runs: list[str], history: Path, name: str
) -> None:
    refused = runforge("alias", "--", name, runs[0])
    assert (refused.code, "\x1b" in refused.err) == (2, False)
    assert "cannot be an alias" in refused.err
    assert not history.exists()


def test_a_name_that_could_mean_two_runs_is_reported(
    runforge: Call, runs: list[str], workspace: Path
) -> None:
    runforge("alias", "candidate", runs[0])
    entries = [entry(number, status="succeeded") for number in range(3)]
    entries.append(entry(3, name="candidate", status="succeeded"))
    entries.append(entry(4, name="other", status="succeeded"))
    write_index(workspace, entries)
    clash = runforge("show", "candidate", "--json")
    assert (clash.code, clash.json["error"]["code"]) == (2, "RUN_AMBIGUOUS")
    assert "alias:candidate" in clash.json["error"]["hint"]
    assert runforge("show", "alias:candidate", "--json").json["run_id"] == runs[0]
    found = runforge("show", "name:candidate", "--json").json["run_id"]
    assert found == entries[3]["run_id"]
    # The run of the alias may have its name, and a new alias like a name is reported at once.
    runforge("alias", "candidate", "name:candidate")
    assert runforge("show", "candidate", "--json").json["run_id"] == found
    assert "say alias:other or name:other" in runforge("alias", "other", runs[0]).err
    unknown = runforge("show", "alias:nothing")
    assert (unknown.code, "There is no alias `nothing`" in unknown.err) == (3, True)


def test_a_line_without_an_end_is_reported_and_removed_by_the_next_writer(
    runforge: Call, runs: list[str], history: Path
) -> None:
    runforge("alias", "production", runs[0])
    whole = history.read_bytes()
    history.write_bytes(whole + b'{"schema_version": "alias.v1", "alias": "prod')
    torn = history.read_bytes()
    listed = runforge("alias")
    assert "was not finished" in listed.err
    assert runs[0] in listed.out
    assert history.read_bytes() == torn
    assert runforge("verify", "--all", "--json").json["stores"][0]["checks"][-1]["outcome"] == (
        "passed"
    )
    runforge("alias", "production", runs[1])
    assert history.read_bytes().startswith(whole + b'{"schema_version"')
    assert history.read_bytes().count(b"\n") == 2


def changed(text: str, runs: list[str]) -> list[str]:
    """Return histories that were made of one, each with another change."""
    lines = text.splitlines(keepends=True)
    again = json.loads(lines[1])
    other = json.dumps({**again, "run_id": runs[2]}) + "\n"
    return [
        text.replace(runs[0], runs[2]),
        "".join([lines[0], other, lines[2]]),
        "".join([lines[0], lines[2]]),
        "".join([lines[1], lines[0], lines[2]]),
        lines[0] + text,
        text.replace("alias.v1", "alias.v9", 1),
        "[]\n" + text,
        "[" * 100_000 + "\n" + text,
        text.replace('"previous"', '"recorded_at": "x", "previous"', 1),
        "\n" + text,
    ]


def test_a_changed_history_is_refused_and_stays_as_it_is(
    runforge: Call, runs: list[str], history: Path
) -> None:
    for run in runs:
        runforge("alias", "production", run)
    text = history.read_text("utf-8")
    for other in changed(text, runs):
        history.write_text(other, "utf-8")
        for command in (("alias",), ("show", "production"), ("alias", "production", runs[0])):
            refused = runforge(*command)
            assert (refused.code, "DOCUMENT_INVALID" in refused.err) == (2, True), (other, command)
        # What does not need it works.
        assert runforge("runs").code == 0
        assert runforge("show", runs[0]).code == 0
        check = runforge("verify", "--all", "--json").json["stores"][0]["checks"][-1]
        assert (check["check"], check["outcome"]) == ("aliases", "failed")
        assert history.read_text("utf-8") == other


def test_a_link_is_not_followed(runforge: Call, runs: list[str], history: Path) -> None:
    runforge("alias", "production", runs[0])
    elsewhere = history.with_name("elsewhere.jsonl")
    history.rename(elsewhere)
    history.symlink_to(elsewhere)
    assert runforge("show", "production").code == 2
    assert runforge("runs").code == 0


def test_a_signature_covers_the_history(runforge: Call, workspace: Path) -> None:
    for _ in range(2):
        assert runforge(*TRAIN, "-q").code == 0
    history = workspace / ".runforge/aliases.jsonl"
    assert runforge("keygen", "--out", "key").code == 0
    runforge("alias", "production", "latest")
    runforge("alias", "staging", "latest")
    signed = runforge("sign", "latest", "--key", "key", "--json").json
    assert signed["alias_head"]["count"] == 2
    assert runforge("verify", "latest", "--public-key", "key.pub").code == 0
    runforge("alias", "production", "--remove")
    assert runforge("verify", "latest", "--public-key", "key.pub").code == 0
    assert runforge("verify", "--all").code == 0
    text = history.read_text("utf-8")
    store = StoreLayout(workspace)
    cut = text.splitlines(keepends=True)[0]
    history.write_text(cut, "utf-8")
    assert read_aliases(store).current  # The chain alone does not show that the tail was cut off.
    found = runforge("verify", "latest", "--public-key", "key.pub", "--json")
    assert found.code == 1
    [check] = [item for item in found.json["runs"][0]["checks"] if item["check"] == "aliases"]
    assert check["outcome"] == "failed"
    assert runforge("verify", "--all").code == 1
    # Made anew with another run, the chain is right and the head is another one.
    history.unlink()
    first = json.loads(cut)
    set_alias(store, "production", "20200101-000000-00000000")
    set_alias(store, "staging", first["run_id"])
    assert runforge("verify", "--all").code == 1
    history.unlink()
    assert runforge("verify", "--all").code == 1
    history.write_text(text, "utf-8")
    assert runforge("verify", "--all").code == 0


def test_writers_take_turns(workspace: Path) -> None:
    write_index(workspace, [entry(0), entry(1)])
    store = StoreLayout(workspace)

    def write(number: int) -> None:
        for turn in range(5):
            set_alias(store, f"a{number}", entry(turn % 2)["run_id"], because="again")
        remove_alias(store, f"a{number}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = read_aliases(store)
    assert (len(history.entries), history.current, history.torn) == (24, {}, b"")
    assert [path.name for path in store.root.iterdir() if path.name.startswith(".a")] == []


def test_a_run_that_is_gone_is_reported(runforge: Call, runs: list[str], workspace: Path) -> None:
    runforge("alias", "production", runs[0])
    folder = workspace / ".runforge/runs" / runs[0]
    (folder / "note.txt").unlink()
    folder.rmdir()
    gone = runforge("show", "production")
    assert gone.code == 3
    assert f"The run `{runs[0]}`, which the alias `production` points at since" in gone.err


def test_a_reason_too_long_is_refused(workspace: Path) -> None:
    write_index(workspace, [entry(0)])
    with pytest.raises(RunForgeError, match="cannot be recorded"):
        set_alias(StoreLayout(workspace), "a", entry(0)["run_id"], because="x" * 1001)


def test_the_browser_and_the_server_show_aliases(
    runforge: Call, runs: list[str], workspace: Path
) -> None:
    runforge("alias", "production", runs[1])

    async def steps(seen: Seen) -> None:
        assert any("production" in row and runs[1] in row for row in seen.rows)
        await seen.press("slash", *"production")
        await seen.until(lambda: len(seen.rows) == 1 and runs[1] in seen.rows[0])

    browsing(workspace, steps)
    settings = Settings()
    settings.workspace = str(workspace)
    listed = list_document(settings, RunChoice(name=runs[1]))["runs"]
    assert [item["aliases"] for item in listed] == [["production"]]
    completed = complete_run(Context(cli, obj=settings), RunArgument(["run"]), "prod")
    assert [item.value for item in completed] == ["production"]
