"""Writes another line into the log whenever it runs, and the manifest agrees."""

import hashlib
import json
import os
from pathlib import Path

from base import Message, answer, serve


def spoiled(message: Message) -> Message:
    done = answer(message)
    if message["op"] == "execute" and "view" in done:
        run = Path(message["workspace"]) / done["view"]["run_dir"]
        with (run / "logs/train.log").open("a") as log:
            log.write(f"process {os.urandom(8).hex()}\n")
        data = (run / "logs/train.log").read_bytes()
        result = json.loads((run / "result.json").read_bytes())
        for artifact in result["artifacts"]:
            artifact["bytes"] = (run / artifact["path"]).stat().st_size
        text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
        (run / "result.json").write_text(text, "utf-8")
        manifest = json.loads((run / "manifest.json").read_bytes())
        for file in ("logs/train.log", "result.json"):
            data = (run / file).read_bytes()
            entry = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            manifest["files"][file] = entry
        (run / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return done


serve(spoiled)
