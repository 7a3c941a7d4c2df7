"""Gives a run that has a request and a result, and nothing else."""

import json
import shutil

from base import Message, serve, store_of

RUN_ID = "20260201-120000-00000000"


def answer(message: Message) -> Message:
    if message["op"] != "execute":
        return {"outcome": "accepted", "view": {"runs": []}}
    run = store_of(message) / "runs" / RUN_ID
    run.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(message["input"], run / "request.json")
    result = {"version": 1, "status": "succeeded", "duration_ms": 5}
    (run / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    view = {"status": "succeeded", "run_dir": f".runforge/runs/{RUN_ID}"}
    return {"outcome": "accepted", "view": view}


serve(answer)
