"""Leaves a file and a link beside its runs, and takes data from others for itself."""

from pathlib import Path

from base import Message, answer, serve


def spoiled(message: Message) -> Message:
    done = answer(message)
    workspace = Path(message["workspace"])
    (workspace / "core").write_bytes(b"dumped")
    (workspace / "latest").symlink_to(".runforge", target_is_directory=True)
    for path in workspace.glob("data/*"):
        path.chmod(0o600)
    return done


serve(spoiled)
