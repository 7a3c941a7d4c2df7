"""The guide on conformance leads from an empty folder to clients that pass, as it stands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conformance_guide import parts, run
from guide_pages import ROOT, assert_shows, posix

GO_CLIENT = ROOT / "conformance/clients/go"


@posix
@pytest.mark.slow
@pytest.mark.parametrize("language", ["python", pytest.param("go", marks=pytest.mark.needs("go"))])
def test_each_step_of_a_language_works(language: str, tmp_path: Path) -> None:
    (tmp_path / "runforge").symlink_to(ROOT)
    taken = parts(language)
    assert [part.section for part in taken] == [2, 4, 5]
    for part in taken:
        # Commands that copy come before the files that use what was copied.
        for name, text in part.files.items():
            (tmp_path / name).write_text(text, "utf-8")
        printed = run(part.commands, tmp_path)
        if part.shown:
            assert_shows(part.shown, printed)
    assert any(part.shown for part in taken) == (language == "python")
    # The last step is a whole run of a reader and editor.
    program = {"python": "python harness.py", "go": "./my-client"}[language]
    run(f"runforge-conformance run --report report -- {program}", tmp_path)
    report = json.loads((tmp_path / "report/report.json").read_bytes())
    assert report["verdict"] == "conformant"
    assert set(report["roles"]) == {"reader", "editor"}
    failed = {r["requirement"] for r in report["results"] if r["outcome"] == "failed"}
    # As the page says.
    assert failed == ({"json.key-order"} if language == "python" else set())


@posix
def test_the_first_client_is_not_yet_conformant(tmp_path: Path) -> None:
    first = parts("python")[0]
    for name, text in first.files.items():
        (tmp_path / name).write_text(text, "utf-8")
    # Exit status 1 is that of a client that is not conformant.
    printed = run("runforge-conformance run -- python harness.py || test $? = 1", tmp_path)
    assert first.failing
    assert_shows(first.failing, printed)


@posix
def test_the_reader_in_python_needs_only_the_name_of_another_document(tmp_path: Path) -> None:
    (tmp_path / "runforge").symlink_to(ROOT)
    (text,) = [part.files["reader.py"] for part in parts("python") if "reader.py" in part.files]
    known = 'DOCUMENTS = ["request.v1", "result.v1"]'
    assert known in text
    vectors = sorted((ROOT / "docs/test-vectors").glob("*.full.json"))
    names = [path.name.removesuffix(".full.json") for path in vectors]
    program = text.replace(known, f"DOCUMENTS = {names}")
    program += (
        f"for name in DOCUMENTS: read(name, {str(vectors[0].parent)!r} + f'/{{name}}.full.json')"
    )
    (tmp_path / "read_all.py").write_text(program, "utf-8")
    run("python read_all.py", tmp_path)
    assert "sweep_plan.v1" in names


@posix
def test_the_editor_in_python_removes_after_it_has_set(tmp_path: Path) -> None:
    (tmp_path / "runforge").symlink_to(ROOT)
    for part in parts("python"):
        for name, text in part.files.items():
            (tmp_path / name).write_text(text, "utf-8")
    program = "import editor; d = {'a': [1]}; editor.edit(d, {'/b': 2, '/a/-': 3}, ['/b', '/a/0'])"
    assert run(f'python -c "{program}; print(d)"', tmp_path).strip() == "{'a': [3]}"


def test_the_harness_in_go_is_that_of_the_client() -> None:
    files = parts("go")[0].files
    assert files["main.go"] == (GO_CLIENT / "main.go").read_text("utf-8")


@pytest.mark.needs("go")
def test_the_go_client_is_formatted_and_uses_the_standard_library_alone(tmp_path: Path) -> None:
    go = shutil.which("go") or ""
    sources = sorted(GO_CLIENT.glob("*.go"))
    done = subprocess.run(
        [go, "vet", "."],
        cwd=GO_CLIENT,
        env={**os.environ, "GOCACHE": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    formatted = subprocess.run(
        [Path(go).resolve().parent / "gofmt", "-l", *sources], capture_output=True, check=True
    )
    assert formatted.stdout == b""
    assert "require" not in (GO_CLIENT / "go.mod").read_text("utf-8")
