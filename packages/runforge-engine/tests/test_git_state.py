"""The state of real repositories, made by the real git."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from runforge_engine.provenance import git_state
from runforge_engine.provenance.git import GitUnavailableError
from runforge_engine.provenance.git_state import WorktreeState, read_git_state

STORE = ".runforge"


@pytest.fixture(autouse=True)
def _plain_git(tmp_path_factory, monkeypatch):
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    settings = tmp_path_factory.mktemp("home") / "gitconfig"
    settings.write_text(
        "[user]\nname = A\nemail = a@example.org\n[protocol.file]\nallow = always\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def repository(tmp_path):
    return make_repository(tmp_path / "repository")


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    command = ["git", "-c", "init.defaultBranch=main", *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, check=check, text=True)
    return result.stdout.strip()


def make_repository(folder: Path, *options: str) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", *options)
    (folder / "train.py").write_text("print(1)\n")
    (folder / ".gitignore").write_text("*.log\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    return folder


def commit_of(folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digest_of(*records: tuple[str, str, bytes]) -> str:
    """Compute the digest as the documentation defines it."""
    lines = (f"{mode} {content} ".encode() + path + b"\0" for mode, content, path in records)
    return sha256(b"".join(lines))


def test_outside_a_repository_there_is_no_state(tmp_path):
    assert read_git_state(tmp_path, STORE) is None


def test_before_the_first_commit_it_is_reported_that_there_is_none(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "a").write_text("a")
    with pytest.raises(GitUnavailableError, match="no commit"):
        read_git_state(tmp_path, STORE)


@pytest.mark.parametrize("around", [True, False])
@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("HEAD", "garbage"),
        ("HEAD", ""),
        ("HEAD", "0" * 39 + "1\n"),
        ("HEAD", "ref: refs/heads/gone\n"),
        ("refs/heads/main", ""),
        ("refs/heads/main", "garbage"),
        ("refs/heads/main", "0" * 39 + "1\n"),
        ("objects", None),
        (".", None),
    ],
)
def test_a_broken_repository_is_reported_whatever_lies_around_it(tmp_path, around, file, content):
    outer = make_repository(tmp_path / "outer") if around else tmp_path
    broken = make_repository(outer / "broken")
    assert read_git_state(broken) is not None
    place = broken / ".git" / file
    if content is None:
        shutil.rmtree(place)
    else:
        place.write_text(content)
    if file == ".":
        place.write_text("gitdir: ../nowhere\n")
    with pytest.raises(GitUnavailableError):
        read_git_state(broken)


def test_a_bare_repository_and_the_inside_of_one_have_no_state(tmp_path, repository):
    git(tmp_path, "clone", "--bare", str(repository), "bare.git")
    assert read_git_state(tmp_path / "bare.git", STORE) is None
    assert read_git_state(repository / ".git", STORE) is None


def test_a_clean_repository_has_a_commit_and_no_digest(repository):
    assert read_git_state(repository, STORE) == WorktreeState(commit_of(repository), dirty=False)


def test_a_detached_head_has_a_commit(repository):
    git(repository, "checkout", "--detach")
    assert read_git_state(repository, STORE) == WorktreeState(commit_of(repository), dirty=False)


def test_a_linked_worktree_has_the_commit_that_is_checked_out_there(tmp_path, repository):
    git(repository, "worktree", "add", "-b", "other", str(tmp_path / "linked"))
    (tmp_path / "linked" / "new.py").write_text("")
    git(tmp_path / "linked", "add", ".")
    git(tmp_path / "linked", "commit", "-m", "second")
    state = read_git_state(tmp_path / "linked", STORE)
    assert state == WorktreeState(commit_of(tmp_path / "linked"), dirty=False)
    assert state != read_git_state(repository, STORE)


def test_commits_of_a_sha256_repository_are_recorded_in_full(tmp_path):
    folder = make_repository(tmp_path / "long", "--object-format=sha256")
    state = read_git_state(folder, STORE)
    assert state is not None
    assert len(state.commit) == 64


def test_the_digest_is_the_one_that_the_documentation_defines(repository):
    (repository / "gone.txt").write_text("gone")
    (repository / "tool.sh").write_text("#!/bin/sh\n")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "second")
    (repository / "gone.txt").unlink()
    (repository / "train.py").write_text("print(2)\n")
    (repository / "tool.sh").chmod(0o755)
    (repository / "data").mkdir()
    (repository / "data" / "new.csv").write_text("a,b\n")
    (repository / "link").symlink_to("./data/../train.py")
    (repository / "debug.log").write_text("ignored")
    assert read_git_state(repository, STORE) == WorktreeState(
        commit_of(repository),
        dirty=True,
        diff_sha256=digest_of(
            ("100644", sha256(b"a,b\n"), b"data/new.csv"),
            ("000000", "-", b"gone.txt"),
            ("120000", sha256(b"./data/../train.py"), b"link"),
            ("100755", sha256(b"#!/bin/sh\n"), b"tool.sh"),
            ("100644", sha256(b"print(2)\n"), b"train.py"),
        ),
    )


def test_the_digest_changes_with_one_byte_of_an_untracked_file(repository):
    (repository / "new.py").write_text("a")
    first = read_git_state(repository, STORE)
    (repository / "new.py").write_text("b")
    assert read_git_state(repository, STORE) != first


def test_adding_to_the_index_does_not_change_the_digest(repository):
    (repository / "new.py").write_text("new")
    (repository / "train.py").write_text("print(3)\n")
    untracked = read_git_state(repository, STORE)
    git(repository, "add", "--intent-to-add", "new.py")
    intended = read_git_state(repository, STORE)
    git(repository, "add", ".")
    assert read_git_state(repository, STORE) == intended == untracked
    assert untracked is not None
    assert untracked.dirty


def test_a_renamed_file_counts_under_both_names(repository):
    git(repository, "mv", "train.py", "fit.py")
    state = read_git_state(repository, STORE)
    assert state is not None
    assert state.diff_sha256 == digest_of(
        ("100644", sha256(b"print(1)\n"), b"fit.py"), ("000000", "-", b"train.py")
    )


def test_a_change_that_is_only_in_the_index_is_a_change(repository):
    (repository / "train.py").write_text("print(2)\n")
    git(repository, "add", ".")
    (repository / "train.py").write_text("print(1)\n")
    state = read_git_state(repository, STORE)
    assert state is not None
    assert state.diff_sha256 == digest_of(("100644", sha256(b"print(1)\n"), b"train.py"))


def test_settings_of_the_user_do_not_change_the_state(repository, monkeypatch, tmp_path):
    git(repository, "mv", "train.py", "fit.py")
    (repository / "caf\u00e9.py").write_text("new")
    (repository / "folder").mkdir()
    (repository / "folder" / "a").write_text("new")
    expected = read_git_state(repository, STORE)
    settings = tmp_path / "settings"
    settings.write_text(
        "[status]\nshowUntrackedFiles = no\nrenames = copies\nshowStash = true\nshort = true\n"
        "branch = true\nrelativePaths = true\nsubmoduleSummary = true\n"
        "[color]\nstatus = always\nui = always\n[core]\nquotePath = true\npager = false\n"
        "[diff]\nignoreSubmodules = all\nnoprefix = true\nmnemonicPrefix = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    assert read_git_state(repository, STORE) == expected


def test_the_whole_repository_counts_for_a_workspace_in_a_subfolder(repository):
    workspace = repository / "experiments" / "one"
    workspace.mkdir(parents=True)
    assert read_git_state(workspace, STORE) == WorktreeState(commit_of(repository), dirty=False)
    (repository / "train.py").write_text("print(2)\n")
    state = read_git_state(workspace, STORE)
    assert state == read_git_state(repository, STORE)
    assert state is not None
    assert state.dirty


@pytest.mark.parametrize("below", [".", "experiments/one"])
@pytest.mark.parametrize("store", [".runforge", ".ml"])
def test_the_store_is_not_a_change(repository, below, store):
    workspace = repository / below
    runs = workspace / store / "runs"
    runs.mkdir(parents=True)
    (workspace / store / "index.json").write_text("{}")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "someone commits the store")
    (runs / "run.json").write_text("{}")
    (workspace / store / "index.json").write_text("[]")
    assert read_git_state(workspace, store) == WorktreeState(commit_of(repository), dirty=False)
    (workspace / f"{store}x").write_text("beside the store")
    state = read_git_state(workspace, store)
    assert state is not None
    assert state.dirty


def test_another_folder_named_like_the_store_is_a_change(repository):
    (repository / "other" / STORE).mkdir(parents=True)
    (repository / "other" / STORE / "index.json").write_text("{}")
    state = read_git_state(repository, STORE)
    assert state is not None
    assert state.dirty


def test_a_workspace_is_found_through_a_symbolic_link(tmp_path, repository):
    (repository / STORE).mkdir()
    (repository / STORE / "index.json").write_text("{}")
    (tmp_path / "shortcut").symlink_to(repository)
    state = read_git_state(tmp_path / "shortcut", STORE)
    assert state == WorktreeState(commit_of(repository), dirty=False)


def test_file_names_may_be_any_bytes(repository):
    names = [b"a\nb", b"caf\xe9", b'quo"te', b" lead", b"trail ", b"# branch.oid x", b"\x1b[31m"]
    for name in names:
        Path(os.fsdecode(os.fsencode(repository) + b"/" + name)).write_bytes(b"x")
    state = read_git_state(repository, STORE)
    assert state is not None
    records = [("100644", sha256(b"x"), name) for name in sorted(names)]
    assert state.diff_sha256 == digest_of(*records)


def test_a_repository_whose_path_has_a_line_break_is_read(tmp_path):
    folder = make_repository(tmp_path / "line\nbreak\n")
    (folder / "new").write_text("new")
    state = read_git_state(folder, STORE)
    assert state is not None
    assert state.diff_sha256 == digest_of(("100644", sha256(b"new"), b"new"))


def test_a_merge_with_conflicts_is_dirty_and_pinned_down(repository):
    git(repository, "checkout", "-b", "other")
    (repository / "train.py").write_text("print('other')\n")
    git(repository, "commit", "-am", "other")
    git(repository, "checkout", "main")
    (repository / "train.py").write_text("print('main')\n")
    git(repository, "commit", "-am", "main")
    git(repository, "merge", "other", check=False)
    content = (repository / "train.py").read_bytes()
    assert b"<<<<<<<" in content
    assert read_git_state(repository, STORE) == WorktreeState(
        commit_of(repository),
        dirty=True,
        diff_sha256=digest_of(("100644", sha256(content), b"train.py")),
    )


def test_files_beyond_the_limit_count_by_their_size_and_are_counted(repository, monkeypatch):
    (repository / "a").write_bytes(b"12345678")
    (repository / "b").write_bytes(b"123")
    (repository / "c").write_bytes(b"12")
    monkeypatch.setattr(git_state, "CONTENT_LIMIT", 10)
    state = read_git_state(repository, STORE)
    assert state == WorktreeState(
        commit_of(repository),
        dirty=True,
        diff_sha256=digest_of(
            ("100644", sha256(b"12345678"), b"a"),
            ("100644", "size:3", b"b"),
            ("100644", sha256(b"12"), b"c"),
        ),
        unread_files=1,
    )


def test_a_huge_untracked_file_is_not_read(repository):
    with (repository / "huge.bin").open("wb") as file:
        file.truncate(1 << 40)
    state = read_git_state(repository, STORE)
    assert state is not None
    assert state.unread_files == 1
    assert state.diff_sha256 == digest_of(("100644", f"size:{1 << 40}", b"huge.bin"))


def test_a_file_replaced_by_something_else_is_neither_followed_nor_waited_for(repository):
    (repository / "train.py").unlink()
    os.mkfifo(repository / "train.py")
    (repository / ".gitignore").unlink()
    (repository / ".gitignore").mkdir()
    (repository / ".gitignore" / "a").write_text("a")
    state = read_git_state(repository, STORE)
    assert state is not None
    assert state.diff_sha256 == digest_of(
        ("000000", "-", b".gitignore"),
        ("100644", sha256(b"a"), b".gitignore/a"),
        ("000000", "-", b"train.py"),
    )


@pytest.fixture
def with_submodule(tmp_path, repository):
    library = make_repository(tmp_path / "library")
    git(repository, "submodule", "add", str(library), "lib")
    git(repository, "commit", "-m", "use the library")
    return repository


def test_a_submodule_as_committed_is_clean(with_submodule):
    assert read_git_state(with_submodule, STORE) == WorktreeState(
        commit_of(with_submodule), dirty=False
    )


def test_another_commit_in_a_submodule_is_a_change(with_submodule):
    (with_submodule / "lib" / "new").write_text("new")
    git(with_submodule / "lib", "add", ".")
    git(with_submodule / "lib", "commit", "-m", "second")
    state = read_git_state(with_submodule, STORE)
    assert state is not None
    commit = commit_of(with_submodule / "lib")
    assert state.diff_sha256 == digest_of(("160000", commit, b"lib"))


@pytest.mark.parametrize("name", ["train.py", "new.py"])
def test_uncommitted_files_in_a_submodule_are_changes(with_submodule, name):
    git(with_submodule, "config", "submodule.lib.ignore", "all")
    (with_submodule / "lib" / name).write_text("changed")
    inner = digest_of(("100644", sha256(b"changed"), name.encode()))
    state = read_git_state(with_submodule, STORE)
    assert state is not None
    commit = commit_of(with_submodule / "lib")
    assert state.diff_sha256 == digest_of(("160000", f"{commit}+{inner}", b"lib"))


def test_a_submodule_that_was_not_checked_out_is_no_change(with_submodule, tmp_path):
    git(tmp_path, "clone", str(with_submodule), "clone")
    state = read_git_state(tmp_path / "clone", STORE)
    assert state == WorktreeState(commit_of(with_submodule), dirty=False)


def test_a_submodule_with_a_broken_link_to_its_repository_ends_the_search(with_submodule):
    (with_submodule / "lib" / ".git").unlink()
    (with_submodule / "lib" / ".git").mkdir()
    state = read_git_state(with_submodule, STORE)
    assert state is not None
    assert state.commit == commit_of(with_submodule)


def test_a_repository_inside_is_known_by_its_commit_and_changes(repository):
    inner = make_repository(repository / "inner")
    commit = commit_of(inner)
    state = read_git_state(repository, STORE)
    assert state is not None
    assert state.diff_sha256 == digest_of(("160000", commit, b"inner"))
    (inner / "new").write_text("new")
    state = read_git_state(repository, STORE)
    assert state is not None
    changes = digest_of(("100644", sha256(b"new"), b"new"))
    assert state.diff_sha256 == digest_of(("160000", f"{commit}+{changes}", b"inner"))


def test_variables_of_a_surrounding_git_command_are_ignored(tmp_path, repository, monkeypatch):
    expected = read_git_state(repository, STORE)
    other = make_repository(tmp_path / "other")
    (other / "dirty").write_text("dirty")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no-such-index"))
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
    assert read_git_state(repository, STORE) == expected
    assert not (tmp_path / "trace").exists()


def test_reading_does_not_write_the_index(repository):
    index = repository / ".git" / "index"
    (repository / "train.py").write_text("print(1)\n")  # the same content at another time
    os.utime(repository / "train.py", (1, 1))
    before = index.read_bytes(), index.stat().st_mtime_ns, sorted((repository / ".git").iterdir())
    assert read_git_state(repository, STORE) == WorktreeState(commit_of(repository), dirty=False)
    after = index.read_bytes(), index.stat().st_mtime_ns, sorted((repository / ".git").iterdir())
    assert after == before


def test_programs_that_the_repository_names_are_not_run(repository, tmp_path):
    mark = tmp_path / "mark"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho run >> {mark}\ncat\n")
    program.chmod(0o755)
    (repository / ".gitattributes").write_text("*.py filter=one diff=two\n*.txt filter=three\n")
    (repository / "a.txt").write_text("a")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "attributes")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    shutil.copy(program, hooks / "post-index-change")
    for name, value in {
        "core.fsmonitor": program,
        "core.hooksPath": hooks,
        "core.pager": program,
        "diff.external": program,
        "diff.two.textconv": program,
        "filter.one.clean": program,
        "filter.one.required": "true",
        "filter.three.process": program,
    }.items():
        git(repository, "config", name, str(value))
    (repository / "train.py").write_text("print(3)\n")
    os.utime(repository / "a.txt", (1, 1))
    state = read_git_state(repository, STORE)
    assert not mark.exists()
    assert state is not None
    assert state.diff_sha256 == digest_of(("100644", sha256(b"print(3)\n"), b"train.py"))
    git(repository, "status", check=False)
    assert mark.exists(), "the trap itself does not work"


def test_programs_that_a_submodule_names_are_not_run(with_submodule, tmp_path):
    mark = tmp_path / "mark"
    inner = with_submodule / "lib"
    git(inner, "config", "filter.one.clean", f"touch {mark}; cat")
    attributes = Path(git(inner, "rev-parse", "--absolute-git-dir")) / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text("*.py filter=one\n")
    (inner / "train.py").write_text("print(3)\n")
    state = read_git_state(with_submodule, STORE)
    assert not mark.exists()
    assert state is not None
    assert state.dirty
    git(with_submodule, "status")
    assert mark.exists(), "the trap itself does not work"


def test_a_filter_that_cannot_be_undone_leaves_the_state_unknown(repository, tmp_path):
    git(repository, "config", "filter.a=b.clean", f"touch {tmp_path / 'mark'}; cat")
    with pytest.raises(GitUnavailableError, match="filter"):
        read_git_state(repository, STORE)


def test_a_filter_of_the_user_is_used_even_where_the_repository_names_another(repository):
    git(repository, "config", "--global", "filter.upper.clean", "tr a-z A-Z")
    (repository / ".gitattributes").write_text("*.txt filter=upper\n")
    (repository / "a.txt").write_text("abc")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "stored in capitals")
    git(repository, "config", "filter.upper.clean", "false")
    git(repository, "config", "filter.upper.required", "true")
    os.utime(repository / "a.txt", (1, 1))
    assert read_git_state(repository, STORE) == WorktreeState(commit_of(repository), dirty=False)


@pytest.mark.parametrize("kind", ["clean", "process"])
def test_a_filter_of_the_repository_is_undone_though_the_user_requires_his_own(
    repository, tmp_path, kind
):
    mark = tmp_path / "mark"
    git(repository, "config", "--global", "filter.one.smudge", "cat")
    git(repository, "config", "--global", "filter.one.required", "true")
    git(repository, "config", f"filter.one.{kind}", f"touch {mark}; cat")
    git(repository, "config", "filter.one.required", "true")
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "attributes").write_text("*.py filter=one\n")
    os.utime(repository / "train.py", (1, 1))
    assert read_git_state(repository, STORE) == WorktreeState(commit_of(repository), dirty=False)
    assert not mark.exists()


def test_without_git_a_repository_is_reported_and_its_absence_is_not(repository, monkeypatch):
    monkeypatch.setenv("PATH", str(repository / "no-such-folder"))
    with pytest.raises(GitUnavailableError, match="not installed"):
        read_git_state(repository, STORE)
    assert read_git_state(repository.parent, STORE) is None


def test_a_git_that_lies_in_the_workspace_is_not_used(repository, monkeypatch):
    program = repository / "git"
    program.write_text("#!/bin/sh\ntouch mark\n")
    program.chmod(0o755)
    monkeypatch.chdir(repository)
    monkeypatch.setenv("PATH", ".")
    with pytest.raises(GitUnavailableError):
        read_git_state(repository, STORE)
    assert not (repository / "mark").exists()


def test_a_broken_configuration_is_reported_with_the_reason_of_git(repository):
    (repository / ".git" / "config").write_text("[core\n\x1b[31m")
    with pytest.raises(GitUnavailableError, match="bad config") as caught:
        read_git_state(repository, STORE)
    assert str(caught.value).isprintable()


def test_a_broken_index_is_reported(repository):
    (repository / ".git" / "index").write_bytes(b"garbage")
    with pytest.raises(GitUnavailableError, match="index"):
        read_git_state(repository, STORE)


def test_a_git_that_does_not_answer_in_time_is_left(repository, monkeypatch):
    git(repository, "config", "--global", "filter.slow.clean", "sleep 5; cat")
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "attributes").write_text("*.py filter=slow\n")
    (repository / "train.py").write_text("print(3)\n")
    monkeypatch.setattr(git_state, "TIME_LIMIT", 0.3)
    with pytest.raises(GitUnavailableError, match=r"more than 0\.3 seconds"):
        read_git_state(repository, STORE)


def test_a_work_tree_elsewhere_is_not_that_of_the_workspace(repository, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    git(repository, "config", "core.worktree", str(tmp_path / "elsewhere"))
    assert read_git_state(repository, STORE) is None


def test_the_ceiling_of_the_user_is_respected(repository, monkeypatch):
    (repository / "sub").mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(repository))
    assert read_git_state(repository / "sub", STORE) is None
